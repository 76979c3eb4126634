//! Values as text, byte for byte like the Collector's `pcommon.Value.AsString`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use otlp_protocol::view::{AnyValue, Attributes};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Returns a value as text: strings unchanged, numbers and booleans as text, bytes in base64, arrays and maps as JSON.
pub(crate) fn text_of<'a>(value: AnyValue<'a>) -> Cow<'a, str> {
    match value {
        AnyValue::String(text) => Cow::Borrowed(text),
        AnyValue::Bool(true) => Cow::Borrowed("true"),
        AnyValue::Bool(false) => Cow::Borrowed("false"),
        AnyValue::Int(number) => Cow::Owned(number.to_string()),
        AnyValue::Double(number) => Cow::Owned(number_text(number)),
        AnyValue::Bytes(bytes) => Cow::Owned(STANDARD.encode(bytes)),
        AnyValue::Array(_) | AnyValue::Map(_) => {
            // NaN and infinity are not JSON: the text is empty then.
            let mut json = String::new();
            Cow::Owned(put_json(value, number_text, &mut json).map_or_else(|_| String::new(), |()| json))
        }
        _ => Cow::Borrowed(""),
    }
}

/// Returns a value as JSON like OTTL's functions, whose exponents have two digits at least; `None` if NaN or infinity is in it.
pub(crate) fn json_of(value: AnyValue<'_>) -> Option<String> {
    let mut json = String::new();
    put_json(value, json_number, &mut json).ok().map(|()| json)
}

/// Formats a number like OTTL's functions: `1e-07`.
pub(crate) fn json_number(number: f64) -> String {
    let text = number_text(number);
    match text.split_once("e-") {
        Some((digits, exponent)) => format!("{digits}e-{exponent:0>2}"),
        None => text,
    }
}

/// Returns a scalar as text for matching, numbers without exponents; `None` for other values.
pub(super) fn scalar_text<'a>(value: AnyValue<'a>) -> Option<Cow<'a, str>> {
    match value {
        AnyValue::Double(number) if number == f64::INFINITY => Some(Cow::Borrowed("+Inf")),
        AnyValue::Double(number) if number == f64::NEG_INFINITY => Some(Cow::Borrowed("-Inf")),
        AnyValue::Double(number) => Some(Cow::Owned(number.to_string())),
        AnyValue::String(_) | AnyValue::Bool(_) | AnyValue::Int(_) => Some(text_of(value)),
        _ => None,
    }
}

/// Formats a number like ECMAScript: with an exponent below 10^-6 and from 10^21 on.
fn number_text(number: f64) -> String {
    let size = number.abs();
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    if size < 1.0 { text } else { text.replace('e', "e+") }
}

/// Writes a value as JSON. Recursion is bounded: received bodies are validated with a limit of depth.
fn put_json(value: AnyValue<'_>, number: fn(f64) -> String, out: &mut String) -> Result<(), std::fmt::Error> {
    match value {
        AnyValue::String(text) => put_string(text, out),
        AnyValue::Double(value) if !value.is_finite() => Err(std::fmt::Error),
        AnyValue::Double(value) => out.write_str(&number(value)),
        AnyValue::Bytes(bytes) => write!(out, "\"{}\"", STANDARD.encode(bytes)),
        AnyValue::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                put_json(value, number, out)?;
            }
            out.push(']');
            Ok(())
        }
        AnyValue::Map(attributes) => put_map(attributes, number, out),
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
fn put_map(
    attributes: Attributes<'_>,
    number: fn(f64) -> String,
    out: &mut String,
) -> Result<(), std::fmt::Error> {
    let sorted: BTreeMap<_, _> =
        attributes.iter().map(|attribute| (attribute.key(), attribute.value())).collect();
    out.push('{');
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        out.push_str(if index > 0 { "," } else { "" });
        put_string(key, out)?;
        out.push(':');
        put_json(value, number, out)?;
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
