//! Faults in a JSON text, with the path of the field.

use std::fmt;

/// The first fault in an OTLP/JSON text.
///
/// ```
/// use otlp_protocol::Signal;
/// use otlp_protocol::json::{JsonLimits, to_protobuf};
///
/// let text = br#"{"resourceLogs":[{},{"schemaUrl":5}]}"#;
/// let error = to_protobuf(Signal::LOGS.request, text, &JsonLimits::default(), &mut Vec::new()).unwrap_err();
/// assert_eq!(error.to_string(), "resourceLogs[1].schemaUrl: expected a string (at byte 33)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Kind of the fault.
    pub kind: JsonErrorKind,
    /// Path of the field from the top down: keys with the indices of repeated fields. The middle of a deep path is left out.
    /// Empty if the fault is in the text itself.
    pub path: String,
    /// Position in the text, in bytes.
    pub offset: usize,
}

/// Kind of a fault in a JSON text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// Unexpected text: something else is required here.
    #[error("expected {0}")]
    Expected(&'static str),
    /// The text ends inside a value, or is empty.
    #[error("unexpected end of the text")]
    Truncated,
    /// More text follows the value.
    #[error("unexpected text after the value")]
    Trailing,
    /// The text is not UTF-8.
    #[error("the text is not UTF-8")]
    Utf8,
    /// A byte order mark, or UTF-16 or UTF-32: JSON is sent as plain UTF-8 (RFC 8259 §8.1).
    #[error("the text starts with a byte order mark; send plain UTF-8")]
    ByteOrderMark,
    /// An unescaped control character in a string.
    #[error("unescaped control character in a string")]
    Control,
    /// An escape that JSON does not have.
    #[error("invalid escape in a string")]
    Escape,
    /// A `\u` escape of one half of a surrogate pair.
    #[error("invalid escape in a string: half of a surrogate pair")]
    Surrogate,
    /// A number that does not fit the type of its field.
    #[error("number out of range for {0}")]
    OutOfRange(&'static str),
    /// An id of the wrong length: ids of traces and profiles have 16 bytes, ids of spans 8.
    /// [`Body::from_json`](crate::Body::from_json) refuses such ids, [`to_protobuf`](super::to_protobuf) accepts them.
    #[error("wrong length of an id: {found} bytes instead of {expected}")]
    IdLength {
        /// Length in the text, in bytes.
        found: usize,
        /// Length of ids of this kind, in bytes.
        expected: usize,
    },
    /// A key that is twice in one object.
    #[error("duplicate key in an object")]
    Duplicate,
    /// Two fields of one oneof.
    #[error("two fields of the same oneof are set")]
    SecondArm,
    /// Too many values inside one another.
    #[error("values are nested deeper than {limit} levels")]
    TooDeep {
        /// The limit: [`JsonLimits::max_depth`](super::JsonLimits::max_depth) messages, or 128 values under an unknown
        /// key.
        limit: usize,
    },
    /// Too many messages.
    #[error("the request has more than {limit} messages")]
    TooManyElements {
        /// The limit: [`JsonLimits::max_elements`](super::JsonLimits::max_elements).
        limit: usize,
    },
    /// Too large a protobuf encoding.
    #[error("the request is larger than {limit} bytes in protobuf")]
    TooLarge {
        /// The limit: [`JsonLimits::max_bytes`](super::JsonLimits::max_bytes).
        limit: usize,
    },
}

/// A [`JsonError`] whose path is not known yet.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: JsonErrorKind,
    pub(crate) offset: usize,
}

// === impl JsonError ===

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, path, offset } = self;
        match path.as_str() {
            "" => write!(f, "{kind} (at byte {offset})"),
            _ => write!(f, "{path}: {kind} (at byte {offset})"),
        }
    }
}

impl std::error::Error for JsonError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.kind)
    }
}

impl From<Fault> for JsonError {
    fn from(Fault { kind, offset }: Fault) -> Self {
        Self { kind, path: String::new(), offset }
    }
}
