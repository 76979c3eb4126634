//! Values of attributes: their encoding, and the limit on their length.

use crate::client::engine::Buffer;
use otlp_protocol::view::AnyValue;
use otlp_protocol::{AttributeValue, Value};

/// Appends the encoded `AnyValue`.
pub(crate) fn encode(out: &mut Buffer, value: Value<'_>) {
    match value {
        Value::Any(AnyValue::String(text)) => out.put_len_delimited(STRING, text.as_bytes()),
        Value::Any(AnyValue::Bytes(bytes)) => out.put_len_delimited(BYTES, bytes),
        Value::Encoded(encoded) => out.put(encoded.as_bytes()),
        other => out.put(AttributeValue::from(other).as_bytes()),
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
pub(crate) fn cut(text: &str, max: usize) -> &str {
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
pub(crate) const STRING: u8 = 0x0a;
pub(super) const BOOL: u8 = 0x10;
pub(super) const INT: u8 = 0x18;
pub(super) const DOUBLE: u8 = 0x21;
const BYTES: u8 = 0x3a;
