//! Attributes and their values, as text.

use super::text::{Double, Grouped, is_full, put, put_char, put_text};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use otlp_protocol::view::{AnyValue, Attributes, KeyValue};

/// Limits and separator of a list of attributes.
#[derive(Clone, Copy)]
pub(super) struct Pairs {
    /// Largest number of attributes.
    pub(super) max: usize,
    /// Largest length of each key and each value, in bytes.
    pub(super) max_bytes: usize,
    /// Text between two attributes.
    pub(super) separator: &'static str,
}

/// Appends `key=value key=value`, and the number of attributes left out.
pub(super) fn put_pairs(out: &mut String, attributes: Attributes<'_>, pairs: Pairs, strings: &[&str]) {
    let mut separator = "";
    let mut rest = attributes.iter();
    for number in 0.. {
        if number >= pairs.max || is_full(out) {
            break;
        }
        let Some(attribute) = rest.next() else { return };
        out.push_str(separator);
        put_text(out, key(&attribute, strings), pairs.max_bytes);
        out.push('=');
        put_value(out, attribute.value(), pairs.max_bytes, strings);
        separator = pairs.separator;
    }
    match rest.count() {
        0 => {}
        more => put(out, format_args!("{separator}…{} more", Grouped(more as u64))),
    }
}

/// Appends a title and a line for each attribute: `     -> key: Str(value)`. Appends nothing without attributes.
pub(super) fn put_attributes(
    out: &mut String,
    indent: &str,
    title: &str,
    attributes: Attributes<'_>,
    strings: &[&str],
) {
    if attributes.is_empty() {
        return;
    }
    put(out, format_args!("{indent}{title}:\n"));
    let mut rest = attributes.iter();
    let mut shown = 0;
    while shown < MAX_ATTRIBUTES && !is_full(out) {
        let Some(attribute) = rest.next() else { return };
        put(out, format_args!("{indent}     -> "));
        put_text(out, key(&attribute, strings), MAX_VALUE_BYTES);
        out.push_str(": ");
        put_typed(out, attribute.value(), strings);
        out.push('\n');
        shown += 1;
    }
    put_more(out, &format!("{indent}     "), rest.count() as u64, "attributes");
}

/// Appends a line with the number of elements left out, if that is not 0.
pub(super) fn put_more(out: &mut String, indent: &str, more: u64, noun: &str) {
    if more > 0 {
        put(out, format_args!("{indent}… {} more {noun}\n", Grouped(more)));
    }
}

/// Appends a value with its type: `Int(3)`.
pub(super) fn put_typed(out: &mut String, value: AnyValue<'_>, strings: &[&str]) {
    let name = match value {
        AnyValue::Array(_) => "Slice",
        AnyValue::Bool(_) => "Bool",
        AnyValue::Bytes(_) => "Bytes",
        AnyValue::Double(_) => "Double",
        AnyValue::Int(_) => "Int",
        AnyValue::Map(_) => "Map",
        AnyValue::String(_) | AnyValue::StringIndex(_) => "Str",
        _ => "Empty",
    };
    out.push_str(name);
    out.push('(');
    put_value(out, value, MAX_VALUE_BYTES, strings);
    out.push(')');
}

/// Appends a value: a string unchanged, bytes in base64, arrays and maps in JSON. `strings` is the string table of a profiles
/// request.
pub(super) fn put_value(out: &mut String, value: AnyValue<'_>, max_bytes: usize, strings: &[&str]) {
    match value {
        AnyValue::String(text) => put_text(out, text, max_bytes),
        AnyValue::StringIndex(index) => put_text(out, string(strings, index), max_bytes),
        AnyValue::Bytes(bytes) => put_bytes(out, bytes, max_bytes),
        AnyValue::Bool(value) => put(out, format_args!("{value}")),
        AnyValue::Double(value) => put(out, format_args!("{}", Double(value))),
        AnyValue::Int(value) => put(out, format_args!("{value}")),
        AnyValue::Array(_) | AnyValue::Map(_) => {
            let end = out.len().saturating_add(max_bytes);
            if put_json(out, value, 0, end, strings).is_none() {
                out.push('…');
            }
        }
        _ => {}
    }
}

/// Returns the string at an index of a dictionary; empty if there is none.
fn string<'a>(strings: &[&'a str], index: i32) -> &'a str {
    usize::try_from(index).ok().and_then(|index| strings.get(index)).copied().unwrap_or_default()
}

fn key<'a>(attribute: &KeyValue<'a>, strings: &[&'a str]) -> &'a str {
    match attribute.key() {
        "" => string(strings, attribute.key_strindex()),
        key => key,
    }
}

/// Appends a value as JSON. Returns `None` if only its beginning was written: the value is longer than up to `end`, or nested too
/// deeply.
fn put_json(out: &mut String, value: AnyValue<'_>, depth: usize, end: usize, strings: &[&str]) -> Option<()> {
    if depth > MAX_DEPTH || out.len() >= end {
        return None;
    }
    match value {
        AnyValue::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                put_json(out, value, depth + 1, end, strings)?;
            }
            out.push(']');
        }
        AnyValue::Map(attributes) => {
            out.push('{');
            for (index, attribute) in attributes.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                put_json_string(out, key(&attribute, strings), end)?;
                out.push(':');
                put_json(out, attribute.value(), depth + 1, end, strings)?;
            }
            out.push('}');
        }
        AnyValue::String(text) => put_json_string(out, text, end)?,
        AnyValue::StringIndex(index) => put_json_string(out, string(strings, index), end)?,
        AnyValue::Bytes(bytes) => {
            out.push('"');
            put_bytes(out, bytes, end.saturating_sub(out.len()));
            out.push('"');
        }
        AnyValue::Empty => out.push_str("null"),
        scalar => put_value(out, scalar, MAX_VALUE_BYTES, strings),
    }
    Some(())
}

fn put_json_string(out: &mut String, text: &str, end: usize) -> Option<()> {
    out.push('"');
    for c in text.chars() {
        if out.len() >= end {
            return None;
        }
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        put_char(out, c);
    }
    out.push('"');
    Some(())
}

fn put_bytes(out: &mut String, bytes: &[u8], max_bytes: usize) {
    // Four characters hold three bytes.
    let end = bytes.len().min(max_bytes / 4 * 3);
    STANDARD.encode_string(bytes.get(..end).unwrap_or_default(), out);
    if end < bytes.len() {
        put(out, format_args!("…(+{} bytes)", Grouped((bytes.len() - end) as u64)));
    }
}

/// Largest number of attributes in a list.
const MAX_ATTRIBUTES: usize = 128;
/// Largest length of a key or a value.
pub(super) const MAX_VALUE_BYTES: usize = 1 << 10;
/// Deepest nesting of arrays and maps.
const MAX_DEPTH: usize = 16;
