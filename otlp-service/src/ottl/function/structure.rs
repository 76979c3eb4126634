//! Functions that change the structure of a value: lists to maps, maps to text, values to a severity.

use super::call::prepared;
use super::entries::last_of_each;
use super::parse::{Delimiters, delimiters};
use super::text::check_len;
use super::{ArgumentError, Arguments, Call, Function, Kind, Parameter};
use crate::ottl::error::EvalError;
use crate::ottl::value::{Map, Value};
use crate::processor::text_of;
use otlp_protocol::view::AnyValue;
use std::borrow::Cow;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::converter(
        "ParseSeverity",
        &[Parameter::required("target", Kind::Any), Parameter::required("severity_mapping", Kind::Map)],
        parse_severity,
    ),
    Function::converter(
        "SliceToMap",
        &[
            Parameter::required("target", Kind::List),
            Parameter::optional("key_path", Kind::LiteralTexts),
            Parameter::optional("value_path", Kind::LiteralTexts),
        ],
        slice_to_map,
    ),
    Function::converter(
        "ToKeyValueString",
        &[
            Parameter::required("target", Kind::Map),
            Parameter::optional("delimiter", Kind::LiteralText),
            Parameter::optional("pair_delimiter", Kind::LiteralText),
            Parameter::optional("sort_output", Kind::LiteralBool),
        ],
        |arguments| {
            let is_sorted = arguments.literal_bool(3)?.unwrap_or(false);
            let delimiters = delimiters(arguments)?;
            prepared(arguments, (delimiters, is_sorted), |map, (delimiters, is_sorted)| {
                key_value_text(map.into_map()?, delimiters, *is_sorted)
            })
        },
    ),
];

/// Paths of the key and of the value in the elements of a list.
#[derive(Debug)]
struct Paths {
    key: Option<Vec<Box<str>>>,
    value: Option<Vec<Box<str>>>,
}

fn slice_to_map(arguments: &mut Arguments) -> Result<Box<dyn Call>, ArgumentError> {
    let paths = Paths { key: arguments.literal_texts(1)?, value: arguments.literal_texts(2)? };
    for (index, path) in [(1, &paths.key), (2, &paths.value)] {
        if path.as_ref().is_some_and(Vec::is_empty) {
            return Err(ArgumentError::new(index, "the path needs a key"));
        }
    }
    prepared(arguments, paths, |list, paths| {
        let entries = list.into_list()?.into_vec().into_iter().enumerate();
        let entries: Result<Vec<_>, _> =
            entries.map(|(index, element)| paths.entry(index, element)).collect();
        entries.map(last_of_each).map(Value::from)
    })
}

// === impl Paths ===

impl Paths {
    /// Returns the key and the value of an element.
    fn entry<'a>(&self, index: usize, element: Value<'a>) -> Result<(Cow<'a, str>, Value<'a>), EvalError> {
        let key = match &self.key {
            Some(path) => Cow::Owned(at(&element, path)?.into_text()?.into_owned()),
            None => Cow::Owned(index.to_string()),
        };
        let value = match &self.value {
            Some(path) => follow(element, path)?,
            None => element,
        };
        Ok((key, value))
    }
}

fn at<'v>(value: &'v Value<'_>, path: &[Box<str>]) -> Result<Value<'v>, EvalError> {
    follow(value.borrow(), path)
}

/// Follows the keys of a path into a value.
fn follow<'a>(value: Value<'a>, path: &[Box<str>]) -> Result<Value<'a>, EvalError> {
    path.iter().try_fold(value, |value, key| {
        let missing = || EvalError::detail(format!("an element of the list has no {key:?}"));
        value.into_map()?.get(key).ok_or_else(missing)
    })
}

fn key_value_text<'a>(
    map: Map<'_>,
    delimiters: &Delimiters,
    is_sorted: bool,
) -> Result<Value<'a>, EvalError> {
    let mut entries = map.into_vec();
    if is_sorted {
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    }
    let mut text = String::new();
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            text.push_str(&delimiters.pair);
        }
        put_quoted(&mut text, &key, delimiters);
        text.push_str(&delimiters.value);
        put_quoted(&mut text, &text_of(AnyValue::new(&value.encoded()?)), delimiters);
        check_len(text.len())?;
    }
    Ok(Value::text(text))
}

/// Appends a text, in quotes if a delimiter is in the text.
fn put_quoted(out: &mut String, text: &str, delimiters: &Delimiters) {
    let has_delimiter = text.contains(&*delimiters.value) || text.contains(&*delimiters.pair);
    let quote = if has_delimiter { "\"" } else { "" };
    out.push_str(quote);
    out.push_str(&text.replace('"', "\\\""));
    out.push_str(quote);
}

/// A severity, and the values that have this severity.
#[derive(Debug)]
struct Severity {
    name: Box<str>,
    texts: Vec<Box<str>>,
    /// The least and the greatest int.
    ranges: Vec<(i64, i64)>,
}

fn parse_severity(arguments: &mut Arguments) -> Result<Box<dyn Call>, ArgumentError> {
    let mapping = arguments.literal(1)?.unwrap_or_default();
    let severities = severities(mapping).map_err(|error| ArgumentError::new(1, error.to_string()))?;
    prepared(arguments, severities, |value, severities| {
        let is_of = |severity: &&Severity| match &value {
            Value::Text(text) => severity.texts.iter().any(|known| **known == **text),
            Value::Int(number) => {
                severity.ranges.iter().any(|(least, most)| (least..=most).contains(&number))
            }
            _ => false,
        };
        if !matches!(value, Value::Text(_) | Value::Int(_)) {
            return Err(EvalError::wrong_type("a string or an int", &value));
        }
        let found = severities.iter().find(is_of).map(|severity| Value::text(&*severity.name));
        found.ok_or(EvalError::new("no severity has this value"))
    })
}

/// Reads a mapping: `{"error": [{"equals": ["err"]}, {"range": {"min": 500, "max": 599}}, {"range": "4xx"}]}`.
fn severities(mapping: Value<'_>) -> Result<Vec<Severity>, EvalError> {
    let mut severities = Vec::new();
    for (name, criteria) in mapping.into_map()?.into_vec() {
        let (mut texts, mut ranges) = (Vec::new(), Vec::new());
        for criterion in criteria.into_list()?.into_vec() {
            for (key, value) in criterion.into_map()?.into_vec() {
                match &*key {
                    "equals" => {
                        for text in value.into_list()?.into_vec() {
                            texts.push(text.into_text()?.into_owned().into());
                        }
                    }
                    "range" => ranges.push(range(value)?),
                    _ => {
                        return Err(EvalError::detail(format!(
                            "unknown criterion {key:?}; supported: equals, range"
                        )));
                    }
                }
            }
        }
        severities.push(Severity { name: name.into_owned().into(), texts, ranges });
    }
    Ok(severities)
}

fn range(value: Value<'_>) -> Result<(i64, i64), EvalError> {
    if let Value::Text(text) = &value {
        return match &**text {
            "2xx" => Ok((200, 299)),
            "3xx" => Ok((300, 399)),
            "4xx" => Ok((400, 499)),
            "5xx" => Ok((500, 599)),
            _ => Err(EvalError::new("a range is 2xx, 3xx, 4xx, 5xx, or a map with `min` and `max`")),
        };
    }
    let map = value.into_map()?;
    let bound =
        |key| map.iter().find(|(known, _)| *known == key).map_or(Value::Nil, |(_, value)| value).into_int();
    Ok((bound("min")?, bound("max")?))
}

#[cfg(test)]
mod tests;
