//! Values as `AnyValue`, to be written into messages.

use super::{List, Map, Value};
use crate::ottl::error::EvalError;
use otlp_protocol::wire::{WireType, put_len_delimited, put_tag, put_varint};

impl Value<'_> {
    /// Appends the encoded `AnyValue`; nothing for nil.
    ///
    /// # Errors
    /// If the value, or a value in it, has a type that attributes cannot have.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EvalError> {
        match self {
            Self::Nil => {}
            Self::Bool(value) => {
                put_tag(out, BOOL, WireType::Varint);
                out.push(u8::from(*value));
            }
            Self::Bytes(value) => put_len_delimited(out, BYTES, value),
            Self::Double(value) => {
                put_tag(out, DOUBLE, WireType::Fixed64);
                out.extend_from_slice(&value.to_le_bytes());
            }
            Self::Int(value) => {
                put_tag(out, INT, WireType::Varint);
                put_varint(out, *value as u64);
            }
            Self::List(list) => put_list(list, out)?,
            Self::Map(map) => put_map(map, out)?,
            Self::Text(value) => put_len_delimited(out, TEXT, value.as_bytes()),
            Self::Duration(_)
            | Self::Messages(_)
            | Self::ProfileId(_)
            | Self::SpanId(_)
            | Self::Time(_)
            | Self::TraceId(_) => {
                return Err(EvalError::wrong_type("a value that attributes can have", self));
            }
        }
        Ok(())
    }

    /// Returns the value without references, as it will be read after it was encoded.
    ///
    /// # Errors
    /// As of [`encode`](Self::encode).
    pub(crate) fn encoded(&self) -> Result<Vec<u8>, EvalError> {
        let mut out = Vec::new();
        self.encode(&mut out)?;
        Ok(out)
    }
}

fn put_list(list: &List<'_>, out: &mut Vec<u8>) -> Result<(), EvalError> {
    let mut values = Vec::new();
    for value in list.iter() {
        put_len_delimited(&mut values, 1, &value.encoded()?);
    }
    put_len_delimited(out, LIST, &values);
    Ok(())
}

fn put_map(map: &Map<'_>, out: &mut Vec<u8>) -> Result<(), EvalError> {
    let mut entries = Vec::new();
    for (key, value) in map.iter() {
        let mut entry = Vec::new();
        put_len_delimited(&mut entry, 1, key.as_bytes());
        put_len_delimited(&mut entry, 2, &value.encoded()?);
        put_len_delimited(&mut entries, 1, &entry);
    }
    put_len_delimited(out, MAP, &entries);
    Ok(())
}

// Field numbers of `AnyValue`.
const TEXT: u32 = 1;
const BOOL: u32 = 2;
const INT: u32 = 3;
const DOUBLE: u32 = 4;
const LIST: u32 = 5;
const MAP: u32 = 6;
const BYTES: u32 = 7;
