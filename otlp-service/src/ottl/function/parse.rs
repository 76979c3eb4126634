//! Functions that read structured text.

use super::call::prepared;
use super::entries::last_of_each;
use super::text::check_count;
use super::{ArgumentError, Arguments, Call, Function, Kind, MAX_ELEMENTS, Parameter};
use crate::ottl::error::EvalError;
use crate::ottl::value::Value;
use otlp_protocol::json::{JsonError, JsonReader, JsonType};
use std::borrow::Cow;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::converter(
        "ParseJSON",
        &[Parameter::required("target", Kind::Text), Parameter::optional("keep_ints", Kind::LiteralBool)],
        |arguments| {
            let keep_ints = arguments.literal_bool(1)?.unwrap_or(false);
            prepared(arguments, keep_ints, |text, keep_ints| parse_json(&text.into_text()?, *keep_ints))
        },
    ),
    Function::converter(
        "ParseKeyValue",
        &[
            Parameter::required("target", Kind::Text),
            Parameter::optional("delimiter", Kind::LiteralText),
            Parameter::optional("pair_delimiter", Kind::LiteralText),
        ],
        key_value,
    ),
];

/// The deepest nesting of parsed values. Values of messages may be nested 100 deep on their way.
const MAX_DEPTH: usize = 64;

/// Reads an object or a list. `keep_ints` makes ints of numbers without point and exponent that fit; else all are doubles.
fn parse_json<'a>(text: &str, keep_ints: bool) -> Result<Value<'a>, EvalError> {
    let value = JsonReader::read(text.as_bytes(), |reader| match reader.next_type() {
        Some(JsonType::Array | JsonType::Object) => Json { keep_ints, values: 0 }.value(reader, 0),
        _ => Err(reader.expected("an object or an array")),
    });
    value.map_err(|error| EvalError::detail(format!("invalid JSON: {error}")))
}

/// Options of a text that is read, and the number of values so far.
struct Json {
    keep_ints: bool,
    values: usize,
}

// === impl Json ===

impl Json {
    fn value<'a>(&mut self, reader: &mut JsonReader<'_, '_>, depth: usize) -> Result<Value<'a>, JsonError> {
        self.values += 1;
        if depth > MAX_DEPTH {
            return Err(reader.expected("at most 64 values inside one another"));
        }
        if self.values > MAX_ELEMENTS {
            return Err(reader.expected("at most 131,072 values"));
        }
        Ok(match reader.next_type() {
            Some(JsonType::Array) => {
                let mut values = Vec::new();
                reader.array(|reader| {
                    values.push(self.value(reader, depth + 1)?);
                    Ok(())
                })?;
                Value::from(values)
            }
            Some(JsonType::Object) => {
                let mut entries = Vec::new();
                reader.object(|reader, key| {
                    entries.push((Cow::Owned(key.to_owned()), self.value(reader, depth + 1)?));
                    Ok(())
                })?;
                Value::from(last_of_each(entries))
            }
            Some(JsonType::String) => Value::text(reader.string()?),
            Some(JsonType::Bool) => Value::Bool(reader.bool()?),
            Some(JsonType::Null) => {
                reader.skip()?;
                Value::Nil
            }
            Some(JsonType::Number) | None => self.number(reader)?,
        })
    }

    fn number<'a>(&self, reader: &mut JsonReader<'_, '_>) -> Result<Value<'a>, JsonError> {
        let text = reader.number()?;
        match text.parse::<i64>() {
            Ok(int) if self.keep_ints => Ok(Value::Int(int)),
            _ => match text.parse::<f64>() {
                Ok(double) if double.is_finite() => Ok(Value::Double(double)),
                _ => Err(reader.expected("a number that fits in a double")),
            },
        }
    }
}

/// Separators of keys and values, and of pairs.
#[derive(Debug)]
pub(super) struct Delimiters {
    pub(super) value: Box<str>,
    pub(super) pair: Box<str>,
}

/// Takes the second and the third argument.
pub(super) fn delimiters(arguments: &mut Arguments) -> Result<Delimiters, ArgumentError> {
    let value = arguments.literal_text(1)?.unwrap_or_else(|| "=".into());
    let pair = arguments.literal_text(2)?.unwrap_or_else(|| " ".into());
    for (index, delimiter) in [(1, &value), (2, &pair)] {
        if delimiter.is_empty() {
            return Err(ArgumentError::new(index, "the delimiter must not be empty"));
        }
    }
    if value == pair {
        return Err(ArgumentError::new(2, "the two delimiters must differ"));
    }
    Ok(Delimiters { value, pair })
}

fn key_value(arguments: &mut Arguments) -> Result<Box<dyn Call>, ArgumentError> {
    let delimiters = delimiters(arguments)?;
    prepared(arguments, delimiters, |text, delimiters| parse_key_value(&text.into_text()?, delimiters))
}

fn parse_key_value<'a>(text: &str, delimiters: &Delimiters) -> Result<Value<'a>, EvalError> {
    if text.is_empty() {
        return Err(EvalError::new("the string is empty"));
    }
    let pairs = split_pairs(text, &delimiters.pair)?;
    check_count(pairs.len())?;
    let mut entries = Vec::with_capacity(pairs.len());
    for pair in &pairs {
        let Some((key, value)) = pair.split_once(&*delimiters.value) else {
            return Err(EvalError::detail(format!("the pair {pair:?} has no {:?}", delimiters.value)));
        };
        entries.push((Cow::Owned(key.trim().to_owned()), Value::text(value.trim().to_owned())));
    }
    Ok(Value::from(last_of_each(entries)))
}

/// Splits a text at delimiters outside of quotes, and removes the quotes; a backslash keeps the quote behind it.
fn split_pairs(text: &str, delimiter: &str) -> Result<Vec<String>, EvalError> {
    let mut pairs = Vec::new();
    let mut pair = String::new();
    let mut quote = None;
    let mut is_escaped = false;
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        if quote.is_none()
            && let Some(behind) = rest.strip_prefix(delimiter)
        {
            if !pair.is_empty() {
                pairs.push(std::mem::take(&mut pair));
            }
            rest = behind;
            continue;
        }
        rest = rest.get(char.len_utf8()..).unwrap_or_default();
        if is_escaped {
            is_escaped = false;
        } else {
            match quote {
                None if matches!(char, '"' | '\'') => {
                    quote = Some(char);
                    continue;
                }
                Some(open) if open == char => {
                    quote = None;
                    continue;
                }
                _ => is_escaped = char == '\\',
            }
        }
        pair.push(char);
    }
    if quote.is_some() {
        return Err(EvalError::new("a quote is not closed"));
    }
    if !pair.is_empty() {
        pairs.push(pair);
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests;
