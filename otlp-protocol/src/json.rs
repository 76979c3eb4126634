//! Conversion of OTLP/JSON to protobuf and back, for any OTLP message, by [the schema table](crate::schema).
//!
//! OTLP §JSON Protobuf Encoding: the proto3 JSON mapping, with trace and span ids in hex, enums as numbers, lowerCamelCase
//! keys only, and unknown keys ignored at every level. The only memory is the output: no tree and no structs are built.
//!
//! [`to_string`] and [`from_str`] convert a whole [`Body`]; [`to_protobuf`] and [`from_protobuf`] convert any message.
//!
//! The reader accepts more forms than the writer writes:
//!
//! | kind | written | read as well |
//! |---|---|---|
//! | 64-bit integers | `"12"` | `12`, and any number with an integer value: `1.2e1`, `"12.0"`; never through a double |
//! | 32-bit integers | `12` | `"12"` |
//! | doubles | `1.5`, `"NaN"`, `"Infinity"`, `"-Infinity"` | `"1.5"` |
//! | enums | `2` | `"2"`, `"SPAN_KIND_SERVER"`; an unknown name is ignored like an unknown key |
//! | `traceId`, `spanId`, `parentSpanId`, `profileId` | `"00ff"` | `"00FF"`; a profile id in base64 |
//! | other bytes | `"+/8="` | `"-_8="`, `"+/8"`, `"-_8"` |
//! | strings | escapes for `"`, `\` and control characters alone | all escapes of JSON |
//! | any field | left out if it is the default | the default, `null` |
//!
//! Refused, as by protobuf's own runtimes: a key twice in an object, a second field of a oneof, `null` in an array, half a
//! surrogate pair. A text is UTF-8 without a byte order mark.
//!
//! `google.protobuf.Any` and `Duration` have a JSON form of their own, which this module does not read: no OTLP request
//! contains them. [`RpcStatus`](crate::RpcStatus) has its own reader.
//!
//! [`JsonReader`] reads JSON that is not OTLP, such as lists in files.

// Functions are `inline(always)` where the bench `json` takes over 2 % more instructions otherwise.

mod error;
pub(crate) mod lexer;
mod number;
mod read;
mod reader;
mod write;

pub use error::{JsonError, JsonErrorKind};
pub use reader::{JsonReader, JsonType};
pub(crate) use write::put_string;

use crate::schema::Message;
use crate::validate::MAX_BYTES;
use crate::{Body, DecodeError, DecodeErrorKind, Signal};

/// Limits on one JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonLimits {
    /// The most messages inside one another, as in [`ValidateLimits`](crate::ValidateLimits::max_depth). Default 100. Values
    /// under unknown keys may always be nested 128 deep.
    pub max_depth: usize,
    /// The most messages in the request, at all levels together. Default 16 Mi.
    pub max_elements: usize,
    /// The largest protobuf output, in bytes: two characters can make eight bytes. Default 64 MiB.
    pub max_bytes: usize,
}

/// Statistics of [`to_protobuf`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Number of unknown keys and unknown names of enum values, which are left out. Keys below an unknown key are not counted.
    pub unknown_keys: u64,
}

/// Statistics of [`from_protobuf`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Number of unknown fields, which are left out: JSON has no name for them.
    pub unknown_fields: u64,
}

/// Writes a request as OTLP/JSON.
///
/// ```
/// use otlp_protocol::encode::LogRecords;
/// use otlp_protocol::{Body, Signal, json};
///
/// let body = Body::write::<LogRecords>(|request| {
///     request.resource_group(|group| {
///         group.scope_group(|scope| {
///             scope.log_record(|record| {
///                 record.body("checked out");
///             });
///         });
///     });
/// });
/// let text = json::to_string(&body)?;
/// let expected = r#"{"logRecords":[{"body":{"stringValue":"checked out"}}]}"#;
/// assert_eq!(text, format!(r#"{{"resourceLogs":[{{"scopeLogs":[{expected}]}}]}}"#));
/// assert_eq!(json::from_str(Signal::LOGS, &text)?.to_bytes(), body.to_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the text would be larger than 2 GiB - 1; [`from_protobuf`] takes a limit. If the body was made with
/// [`Body::unchecked`], also the first fault in the body.
pub fn to_string(body: &Body) -> Result<String, DecodeError> {
    let mut out = Vec::new();
    from_protobuf(body.signal().request, &body.to_bytes(), MAX_BYTES, &mut out)?;
    String::from_utf8(out).map_err(|error| DecodeError {
        kind: DecodeErrorKind::Utf8,
        path: String::new(),
        offset: error.utf8_error().valid_up_to(),
    })
}

/// Reads a request from OTLP/JSON, as [`Body::from_json`] does, with the default [`JsonLimits`].
///
/// # Errors
/// The first fault in the text.
pub fn from_str(signal: Signal, text: &str) -> Result<Body, JsonError> {
    Body::from_json(signal, text.as_bytes(), &JsonLimits::default())
}

/// Appends the protobuf of `text`, the JSON of one `message` of OTLP, to `out`.
///
/// The output is what an encoder would write: the shortest lengths, packed numbers, no defaults, and the fields in the order
/// of the keys in the text. [`validate`](crate::validate()) accepts it, if its limits are not stricter and the ids have the
/// right lengths.
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
/// The first fault, with the path of its field; then `out` is unchanged.
pub fn to_protobuf(
    message: &'static Message,
    text: &[u8],
    limits: &JsonLimits,
    out: &mut Vec<u8>,
) -> Result<Read, JsonError> {
    read::read(message, text, limits, read::Ids::OfAnyLength, out)
}

/// Appends protobuf as [`to_protobuf`] does, and also refuses ids of the wrong length and output too long for any decoder:
/// the output is a valid request.
pub(crate) fn to_sound(
    message: &'static Message,
    text: &[u8],
    limits: &JsonLimits,
    out: &mut Vec<u8>,
) -> Result<Read, JsonError> {
    let limits = JsonLimits { max_bytes: limits.max_bytes.min(MAX_BYTES), ..*limits };
    read::read(message, text, &limits, read::Ids::Sound, out)
}

/// Appends the JSON of `protobuf`, one `message` of OTLP in any encoding that protobuf allows, to `out`. JSON is two to three
/// times as long, but two bytes can make twenty: `max_bytes` limits the output. Besides the output, a conversion takes some
/// KiB of memory.
///
/// Fields are in the order of their numbers. As in a decoder, the last value of a scalar given twice counts, the last arm of a
/// oneof counts, and messages that are given twice are merged.
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
/// If `protobuf` is not a valid `message`, or if the JSON would be larger than `max_bytes`
/// ([`TooLarge`](crate::DecodeErrorKind::TooLarge)). Then `out` is unchanged.
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
