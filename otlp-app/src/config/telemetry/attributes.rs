//! Attributes of the resource of own telemetry, and the fields of own log lines.

use otlp_protocol::AttributeValue;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Attributes by name, in order: a map of texts, or below `attributes` a list. `None` removes a default.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct OwnAttributes(pub(super) Vec<(String, Option<AttributeValue>)>);

/// A value of any type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FieldValue {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<FieldValue>),
}

/// One attribute of the list.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnAttribute {
    name: String,
    #[serde(default)]
    value: Option<FieldValue>,
    /// The type of the value: string, bool, int, double, or one of these with `_array`. Default: the type that YAML gives it.
    #[serde(default, rename = "type")]
    value_type: String,
}

// === impl FieldValue ===

impl FieldValue {
    /// Returns the value as that of an attribute.
    pub(crate) fn to_attribute(&self) -> AttributeValue {
        match self {
            Self::Null => AttributeValue::empty(),
            Self::Bool(value) => AttributeValue::bool(*value),
            Self::Int(value) => AttributeValue::int(*value),
            Self::Float(value) => AttributeValue::double(*value),
            Self::Text(text) => AttributeValue::string(text),
            Self::List(values) => AttributeValue::array(values.iter().map(Self::to_attribute)),
        }
    }

    /// Returns the value as JSON.
    pub(crate) fn to_json(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) if value.is_finite() => value.to_string(),
            Self::Float(value) => json_text(&value.to_string()),
            Self::Text(text) => json_text(text),
            Self::List(values) => {
                let values: Vec<_> = values.iter().map(Self::to_json).collect();
                format!("[{}]", values.join(","))
            }
        }
    }

    /// Returns the value as one of a type of the configuration; empty: of its own type.
    fn typed(self, name: &str) -> Result<Self, String> {
        let of_type: fn(&Self) -> Option<Self> = match name.strip_suffix("_array").unwrap_or(name) {
            "" if name.is_empty() => return Ok(self),
            "string" => Self::to_text,
            "bool" => |value| value.parsed().map(Self::Bool),
            "int" => |value| value.parsed().map(Self::Int),
            "double" => |value| value.parsed().map(Self::Float),
            _ => {
                return Err(format!(
                    "unknown type `{name}`; available: string, bool, int, double, or one of these with `_array`"
                ));
            }
        };
        let typed = match (&self, name.ends_with("_array")) {
            (Self::List(values), true) => values.iter().map(of_type).collect::<Option<_>>().map(Self::List),
            (Self::List(_), false) | (_, true) => None,
            (value, false) => of_type(value),
        };
        typed.ok_or_else(|| format!("the value is not of the type `{name}`"))
    }

    fn to_text(&self) -> Option<Self> {
        match self {
            Self::List(_) => None,
            Self::Text(_) => Some(self.clone()),
            other => Some(Self::Text(other.to_json())),
        }
    }

    /// Reads the value from its text, which variables of the environment are.
    fn parsed<T: std::str::FromStr>(&self) -> Option<T> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Null | Self::List(_) => None,
            other => other.to_json().parse().ok(),
        }
    }
}

/// A text in JSON's quotes.
pub(super) fn json_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = FieldValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true, false, or a list of these")
            }

            fn visit_unit<E: Error>(self) -> Result<FieldValue, E> {
                Ok(FieldValue::Null)
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<FieldValue, E> {
                Ok(FieldValue::Bool(value))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<FieldValue, E> {
                Ok(FieldValue::Int(value))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<FieldValue, E> {
                Ok(FieldValue::Float(value))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<FieldValue, E> {
                Ok(FieldValue::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<FieldValue, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(FieldValue::List(values))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for OwnAttributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = OwnAttributes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of attributes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OwnAttributes, A::Error> {
                let mut attributes = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "attributes" => {
                            let listed: Vec<OwnAttribute> = map.next_value()?;
                            for OwnAttribute { name, value, value_type } in listed {
                                let wrong = |problem| A::Error::custom(format!("`{name}`: {problem}"));
                                let value = value.map(|value| value.typed(&value_type)).transpose();
                                let value = value.map_err(wrong)?.as_ref().map(FieldValue::to_attribute);
                                attributes.push((name, value));
                            }
                        }
                        "attributes_list" => {
                            let pairs: String = map.next_value()?;
                            for pair in pairs.split(',').filter(|pair| !pair.trim().is_empty()) {
                                let (name, value) = pair
                                    .split_once('=')
                                    .ok_or_else(|| A::Error::custom("expected name=value,name=value"))?;
                                let value = AttributeValue::string(value.trim());
                                attributes.push((name.trim().to_owned(), Some(value)));
                            }
                        }
                        _ => {
                            let value: Option<String> = map.next_value()?;
                            attributes.push((key, value.map(|text| AttributeValue::string(&text))));
                        }
                    }
                }
                Ok(OwnAttributes(attributes))
            }
        }
        // The values of `attributes` and of other keys differ in type.
        deserializer.deserialize_any(Map)
    }
}
