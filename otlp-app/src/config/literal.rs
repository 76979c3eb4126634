//! A value of any type, as it is written.

use otlp_service::AttributeValue;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A text, number, boolean, list or map that becomes an attribute's value; its type is how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literal(pub(crate) AttributeValue);

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyType;
        impl<'de> Visitor<'de> for AnyType {
            type Value = Literal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E: Error>(self) -> Result<Literal, E> {
                Ok(Literal(AttributeValue::empty()))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Literal, E> {
                Ok(Literal(AttributeValue::bool(value)))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Literal, E> {
                Ok(Literal(AttributeValue::int(value)))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Literal, E> {
                Ok(Literal(AttributeValue::double(value)))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Literal, E> {
                Ok(Literal(AttributeValue::string(value)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Literal, A::Error> {
                let mut values = Vec::new();
                while let Some(Literal(value)) = list.next_element()? {
                    values.push(value);
                }
                Ok(Literal(AttributeValue::array(values)))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Literal, A::Error> {
                let mut entries: Vec<(String, Literal)> = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                let entries = entries.iter().map(|(key, Literal(value))| (key.as_str(), value.clone()));
                Ok(Literal(AttributeValue::map(entries)))
            }
        }
        deserializer.deserialize_any(AnyType)
    }
}
