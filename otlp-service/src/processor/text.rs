//! Values as text, byte for byte like the Collector: `pcommon.Value.AsString`, and what functions of OTTL make of values.

mod shortest;

pub(crate) use shortest::Shortest;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use otlp_protocol::view::{AnyValue, Attributes};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Form of a number below 10^-6 as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SmallNumbers {
    /// `1e-7`, as by `pcommon.Value.AsString`.
    OneDigit,
    /// `1e-07`, as by the functions of OTTL.
    TwoDigits,
}

/// Returns a value as text: strings unchanged, numbers and booleans as text, bytes in base64, arrays and maps as JSON.
pub(crate) fn text_of<'a>(value: AnyValue<'a>) -> Cow<'a, str> {
    match value {
        AnyValue::String(text) => Cow::Borrowed(text),
        AnyValue::Bool(true) => Cow::Borrowed("true"),
        AnyValue::Bool(false) => Cow::Borrowed("false"),
        AnyValue::Int(number) => Cow::Owned(number.to_string()),
        AnyValue::Double(number) => Cow::Owned(number_text(number, SmallNumbers::OneDigit)),
        AnyValue::Bytes(bytes) => Cow::Owned(STANDARD.encode(bytes)),
        AnyValue::Array(_) | AnyValue::Map(_) => {
            // NaN and infinity are not JSON: the text is empty then.
            Cow::Owned(json_of(value, SmallNumbers::OneDigit).unwrap_or_default())
        }
        _ => Cow::Borrowed(""),
    }
}

/// Returns a value as JSON with sorted keys; `None` if the value has NaN or infinity, which JSON does not have.
pub(crate) fn json_of(value: AnyValue<'_>, small: SmallNumbers) -> Option<String> {
    let mut json = String::new();
    put_json(value, small, &mut json).ok().map(|()| json)
}

/// Returns a scalar as text for matching, numbers without exponents; `None` for other values.
pub(super) fn scalar_text<'a>(value: AnyValue<'a>) -> Option<Cow<'a, str>> {
    match value {
        AnyValue::Double(number) if number == f64::INFINITY => Some(Cow::Borrowed("+Inf")),
        AnyValue::Double(number) if number == f64::NEG_INFINITY => Some(Cow::Borrowed("-Inf")),
        AnyValue::Double(number) if number.is_nan() => Some(Cow::Borrowed("NaN")),
        AnyValue::Double(number) => Some(Cow::Owned(Shortest::new(number).fixed())),
        AnyValue::String(_) | AnyValue::Bool(_) | AnyValue::Int(_) => Some(text_of(value)),
        _ => None,
    }
}

/// Formats a number like ECMAScript: with an exponent below 10^-6 and from 10^21 on.
pub(crate) fn number_text(number: f64, small: SmallNumbers) -> String {
    let size = number.abs();
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let shortest = Shortest::new(number);
    match small {
        _ if size == 0.0 || (1e-6..1e21).contains(&size) => shortest.fixed(),
        SmallNumbers::OneDigit => shortest.with_exponent(1),
        SmallNumbers::TwoDigits => shortest.with_exponent(2),
    }
}

/// Writes a value as JSON. Recursion is bounded: received bodies are validated with a limit of depth.
fn put_json(value: AnyValue<'_>, small: SmallNumbers, out: &mut String) -> Result<(), std::fmt::Error> {
    match value {
        AnyValue::String(text) => put_string(text, out),
        AnyValue::Double(value) if !value.is_finite() => Err(std::fmt::Error),
        AnyValue::Double(value) => out.write_str(&number_text(value, small)),
        AnyValue::Bytes(bytes) => write!(out, "\"{}\"", STANDARD.encode(bytes)),
        AnyValue::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                put_json(value, small, out)?;
            }
            out.push(']');
            Ok(())
        }
        AnyValue::Map(attributes) => put_map(attributes, small, out),
        AnyValue::Bool(_) | AnyValue::Int(_) => {
            out.push_str(&text_of(value));
            Ok(())
        }
        _ => {
            out.push_str("null");
            Ok(())
        }
    }
}

/// Writes a map sorted by key; the last value of a duplicate key.
fn put_map(attributes: Attributes<'_>, small: SmallNumbers, out: &mut String) -> Result<(), std::fmt::Error> {
    let sorted: BTreeMap<_, _> =
        attributes.iter().map(|attribute| (attribute.key(), attribute.value())).collect();
    out.push('{');
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        out.push_str(if index > 0 { "," } else { "" });
        put_string(key, out)?;
        out.push(':');
        put_json(value, small, out)?;
    }
    out.push('}');
    Ok(())
}

/// Writes a string like Go's JSON encoder without HTML escaping.
fn put_string(text: &str, out: &mut String) -> Result<(), std::fmt::Error> {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => write!(out, "\\u{:04x}", u32::from(char))?,
            char => out.push(char),
        }
    }
    out.push('"');
    Ok(())
}

#[cfg(test)]
mod tests;
