//! What is wrong with a JSON text, and where.

use std::fmt;

/// A text that is not OTLP/JSON, at a place that a person can find.
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
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// The field, from the top down, by its keys, with the indices of repeated fields; the middle of a deep path is
    /// left out. Empty if the text itself is at fault.
    pub path: String,
    /// Where in the text, in bytes from its start.
    pub offset: usize,
}

/// What is wrong with a JSON text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// Something else must stand here.
    #[error("expected {0}")]
    Expected(&'static str),
    /// The text ends inside a value; an empty text does.
    #[error("the text ends too early")]
    Truncated,
    /// Something follows the value.
    #[error("something follows the end of the value")]
    Trailing,
    /// The text is not UTF-8.
    #[error("the text is not UTF-8")]
    Utf8,
    /// A byte order mark, or the text is UTF-16 or UTF-32: JSON is sent as plain UTF-8 (RFC 8259 §8.1).
    #[error("the text starts with a byte order mark")]
    ByteOrderMark,
    /// A control character is in a string as it is.
    #[error("a control character in a string must be escaped")]
    Control,
    /// A backslash with something after it that JSON does not know.
    #[error("there is no such escape")]
    Escape,
    /// A `\u` escape of one half of a surrogate pair: no character.
    #[error("half of a surrogate pair is not a character")]
    Surrogate,
    /// A number that its field cannot hold.
    #[error("the number is out of range for {0}")]
    OutOfRange(&'static str),
    /// An id has another length than its kind: 16 bytes for traces and profiles, 8 for spans. [`Body::from_json`](crate::Body)
    /// refuses that; [`to_protobuf`](super::to_protobuf) takes ids of any length.
    #[error("an id has {found} bytes, not {expected}")]
    IdLength {
        /// The length that was sent, in bytes.
        found: usize,
        /// The length that ids of this kind have, in bytes.
        expected: usize,
    },
    /// The same key twice in one object.
    #[error("the key stands twice in its object")]
    Duplicate,
    /// Two fields of one oneof.
    #[error("another field of the same oneof is set as well")]
    SecondArm,
    /// Values are nested too deep.
    #[error("values are nested deeper than {limit}")]
    TooDeep {
        /// The limit: [`JsonLimits::max_depth`](super::JsonLimits::max_depth) messages, or 128 values under an unknown
        /// key.
        limit: usize,
    },
    /// There are too many messages.
    #[error("there are more than {limit} messages in the request")]
    TooManyElements {
        /// The limit: [`JsonLimits::max_elements`](super::JsonLimits::max_elements).
        limit: usize,
    },
    /// The protobuf encoding is too large.
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
