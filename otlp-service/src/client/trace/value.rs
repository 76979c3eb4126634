//! Values of attributes: their encoding, and the limit on their length.

use otlp_protocol::view::AnyValue;
use otlp_protocol::wire::{put_varint, varint_len};
use otlp_protocol::{AttributeValue, Value};

/// Returns the length of the encoded `AnyValue`, in bytes.
#[inline]
pub(crate) fn encoded_len(value: &Value<'_>) -> usize {
    match value {
        Value::Any(AnyValue::String(text)) => 1 + varint_len(text.len() as u64) + text.len(),
        Value::Any(AnyValue::Int(number)) => 1 + varint_len(*number as u64),
        Value::Any(AnyValue::Double(_)) => 9,
        Value::Any(AnyValue::Bool(_)) => 2,
        Value::Encoded(encoded) => encoded.as_bytes().len(),
        other => AttributeValue::from(*other).as_bytes().len(),
    }
}

/// Appends the encoded `AnyValue`.
#[inline]
pub(crate) fn encode(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Any(AnyValue::String(text)) => {
            out.push(STRING);
            put_varint(out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Any(AnyValue::Int(number)) => {
            out.push(INT);
            put_varint(out, number as u64);
        }
        Value::Any(AnyValue::Double(number)) => {
            out.push(DOUBLE);
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Value::Any(AnyValue::Bool(value)) => out.extend_from_slice(&[BOOL, u8::from(value)]),
        Value::Encoded(encoded) => out.extend_from_slice(encoded.as_bytes()),
        other => out.extend_from_slice(AttributeValue::from(other).as_bytes()),
    }
}

/// Passes the value on, with texts of at most `max` characters and bytes of at most `max`, also in lists and maps.
pub(crate) fn limited<R>(value: Value<'_>, max: usize, then: impl FnOnce(Value<'_>) -> R) -> R {
    match value.view() {
        AnyValue::String(text) => then(Value::Any(AnyValue::String(cut(text, max)))),
        AnyValue::Bytes(bytes) => then(Value::Any(AnyValue::Bytes(bytes.get(..max).unwrap_or(bytes)))),
        nested @ (AnyValue::Array(_) | AnyValue::Map(_)) => {
            then(Value::Encoded(&limited_nested(nested, max, MAX_DEPTH)))
        }
        _ => then(value),
    }
}

/// Copies a value with shortened texts. Values below `depth` levels are left out.
fn limited_nested(value: AnyValue<'_>, max: usize, depth: u32) -> AttributeValue {
    let Some(depth) = depth.checked_sub(1) else {
        return AttributeValue::empty();
    };
    match value {
        AnyValue::Array(list) => {
            AttributeValue::array(list.iter().map(|value| limited_nested(value, max, depth)))
        }
        AnyValue::Map(map) => {
            let entry = |entry: otlp_protocol::view::KeyValue<'_>| limited_nested(entry.value(), max, depth);
            let entries: Vec<_> = map.iter().map(|pair| (pair.key(), entry(pair))).collect();
            AttributeValue::map(entries)
        }
        plain => limited(Value::Any(plain), max, |value| AttributeValue::new(value)),
    }
}

/// Returns at most `max` characters of a text.
fn cut(text: &str, max: usize) -> &str {
    // A text has no more characters than bytes.
    if text.len() <= max {
        return text;
    }
    let end = text.char_indices().nth(max).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or(text)
}

/// Levels of lists and maps in a value.
const MAX_DEPTH: u32 = 64;

// Tags in an `AnyValue`.
const STRING: u8 = 0x0a;
const BOOL: u8 = 0x10;
const INT: u8 = 0x18;
const DOUBLE: u8 = 0x21;
