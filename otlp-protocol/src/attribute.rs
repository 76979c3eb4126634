//! How an attribute stands on the wire: `KeyValue` and `AnyValue` of `opentelemetry.proto.common.v1`, for the shortcuts
//! that most of a body takes. Whoever walks by [the table](crate::schema) needs none of this.

use crate::schema::{self, Message, step};

pub(crate) static KEY_VALUE: &Message = schema::constant("opentelemetry.proto.common.v1.KeyValue");
pub(crate) static ANY_VALUE: &Message = schema::constant("opentelemetry.proto.common.v1.AnyValue");

/// How many messages an attribute with a plain value is, one inside the other: `KeyValue` and `AnyValue`.
pub(crate) const MESSAGES: usize = 2;

/// Tags in a `KeyValue`.
pub(crate) const KEY: u8 = 0x0a;
pub(crate) const VALUE: u8 = 0x12;

/// Tags in an `AnyValue`.
pub(crate) const STRING: u8 = 0x0a;
pub(crate) const BOOL: u8 = 0x10;
pub(crate) const INT: u8 = 0x18;
pub(crate) const DOUBLE: u8 = 0x21;

// The table says the same.
const _: () = {
    let (key_value, any_value) = (&KEY_VALUE.steps, &ANY_VALUE.steps);
    assert!(key_value[KEY as usize] == step::STRING && key_value[VALUE as usize] >= step::MESSAGE);
    assert!(any_value[STRING as usize] == step::STRING && any_value[DOUBLE as usize] == step::FIXED64);
    assert!(any_value[BOOL as usize] == step::VARINT && any_value[INT as usize] == step::VARINT);
};
