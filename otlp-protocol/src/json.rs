//! OTLP/JSON ⇄ protobuf: any OTLP message, streaming, by [the table](crate::schema).
//!
//! OTLP §JSON Protobuf Encoding: the proto3 JSON mapping, with trace and span ids in hex, enums as numbers, lowerCamelCase
//! keys alone, and unknown keys ignored at every level. Nothing is built in memory but the output: no tree, no structs.
//!
//! What is read, beyond what is written:
//!
//! | kind | written | read as well |
//! |---|---|---|
//! | 64-bit integers | `"12"` | `12`, and any number that is one: `1.2e1`, `"12.0"`; never through a double |
//! | 32-bit integers | `12` | `"12"` |
//! | doubles | `1.5`, `"NaN"`, `"Infinity"`, `"-Infinity"` | `"1.5"` |
//! | enums | `2` | `"2"`, `"SPAN_KIND_SERVER"`; an unknown name is ignored, as an unknown key is |
//! | `traceId`, `spanId`, `parentSpanId`, `profileId` | `"00ff"` | `"00FF"`; a profile id in base64 |
//! | other bytes | `"+/8="` | `"-_8="`, `"+/8"`, `"-_8"` |
//! | strings | escapes for `"`, `\` and control characters alone | all escapes of JSON |
//! | any field | left out if it is the default | the default, `null` |
//!
//! A key that stands twice, a second field of a oneof, `null` in an array, and half a surrogate pair are refused, as
//! protobuf's own runtimes do. A text is UTF-8 without a byte order mark.
//!
//! `google.protobuf.Any` and `Duration` have a JSON form of their own, which this module does not know: no request has
//! one. [`RpcStatus`](crate::RpcStatus) has its own reader.
//!
//! Functions are inlined by force where the bench `json` takes over 2 % more instructions without.

mod error;
pub(crate) mod lexer;
mod number;
mod read;
mod write;

pub use error::{JsonError, JsonErrorKind};
pub(crate) use write::put_string;

use crate::DecodeError;
use crate::schema::Message;
use crate::validate::MAX_BYTES;

/// Bounds on what is read from one JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonLimits {
    /// How deep messages may be nested, as in [`ValidateLimits`](crate::ValidateLimits::max_depth). Default 100. Values
    /// under unknown keys may be nested 128 deep in any case.
    pub max_depth: usize,
    /// How many messages may be nested in the request, at any level. Default 16 Mi.
    pub max_elements: usize,
    /// How large the protobuf made of it may be, in bytes: two characters can make eight. Default 64 MiB.
    pub max_bytes: usize,
}

/// What [`to_protobuf`] learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Keys that the schema does not have, and values of enums by names that the schema does not have: they are left out.
    /// Keys below an unknown key are not counted.
    pub unknown_keys: u64,
}

/// What [`from_protobuf`] learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Fields that the schema does not have: JSON has no name for them, so they are left out.
    pub unknown_fields: u64,
}

/// Appends the protobuf of `text` to `out`: `text` is the JSON of one `message` of OTLP.
///
/// The protobuf is what an encoder would have written: lengths as short as they can be, numbers packed, defaults left
/// out, and fields in the order of the text's keys, which is that of their numbers if the text comes from
/// [`from_protobuf`]. [`validate`](crate::validate()) finds it sound, if its limits are no tighter and the ids have their
/// lengths.
///
/// ```
/// use otlp_protocol::json::{JsonLimits, to_protobuf};
/// use otlp_protocol::{Signal, count};
///
/// let text = br#"{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityNumber": 9}]}]}]}"#;
/// let mut body = Vec::new();
/// to_protobuf(Signal::LOGS.request, text, &JsonLimits::default(), &mut body)?;
/// assert_eq!(body, b"\x0a\x06\x12\x04\x12\x02\x10\x09");
/// assert_eq!(count(Signal::LOGS, &body)?.items, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The first fault, with the path of its field; `out` is as it was.
pub fn to_protobuf(
    message: &'static Message,
    text: &[u8],
    limits: &JsonLimits,
    out: &mut Vec<u8>,
) -> Result<Read, JsonError> {
    read::read(message, text, limits, read::Ids::OfAnyLength, out)
}

/// [`to_protobuf`], which refuses ids of the wrong length as well, and what is too long for any decoder: so what it appends
/// is sound.
pub(crate) fn to_sound(
    message: &'static Message,
    text: &[u8],
    limits: &JsonLimits,
    out: &mut Vec<u8>,
) -> Result<Read, JsonError> {
    let limits = JsonLimits { max_bytes: limits.max_bytes.min(MAX_BYTES), ..*limits };
    read::read(message, text, &limits, read::Ids::Sound, out)
}

/// Appends the JSON of `protobuf` to `out`: `protobuf` is one `message` of OTLP, in any encoding that protobuf allows.
/// JSON is two to three times as long, but two bytes can make twenty: `max_bytes` bounds what is written, to which no
/// more than some KiB of memory are added.
///
/// Fields are in the order of their numbers. As a decoder would have it, of a scalar given twice the last one counts,
/// of a oneof the last arm, and a message given twice is merged.
///
/// ```
/// use otlp_protocol::Signal;
/// use otlp_protocol::json::from_protobuf;
///
/// let mut text = Vec::new();
/// from_protobuf(Signal::LOGS.request, b"\x0a\x06\x12\x04\x12\x02\x10\x09", 64 << 20, &mut text)?;
/// assert_eq!(text, br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":9}]}]}]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If it is not such a message ([`validate`](crate::validate()) tells), or larger than `max_bytes` in JSON
/// ([`TooLarge`](crate::DecodeErrorKind::TooLarge)); `out` is as it was.
pub fn from_protobuf(
    message: &'static Message,
    protobuf: &[u8],
    max_bytes: usize,
    out: &mut Vec<u8>,
) -> Result<Written, DecodeError> {
    write::write(message, protobuf, max_bytes, out)
}

// === impl JsonLimits ===

impl Default for JsonLimits {
    fn default() -> Self {
        Self { max_depth: 100, max_elements: 16 << 20, max_bytes: 64 << 20 }
    }
}
