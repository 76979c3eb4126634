//! Faults in a body, with the path of the field. Paths are made only after a fault was found.

use crate::schema::Message;
use crate::wire::{Cursor, WireError, WireType};
use std::fmt::{self, Write as _};

/// The first fault in an encoded request.
///
/// ```
/// use otlp_protocol::{Signal, ValidateLimits, validate};
///
/// let error = validate(Signal::LOGS, b"\x0a\x03\x1a\x01\xff", &ValidateLimits::default()).unwrap_err();
/// assert_eq!(error.to_string(), "resource_logs[0].schema_url: string is not UTF-8 (at byte 4)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Kind of the fault.
    pub kind: DecodeErrorKind,
    /// Path of the field from the request down: names in protobuf (numbers for unknown fields) with the indices of repeated
    /// fields. The middle of a deep path is left out. Empty if the fault is in the request itself.
    pub path: String,
    /// Position in the body, in bytes: the start of the field, or the first byte that is not UTF-8.
    pub offset: usize,
}

/// Kind of a fault in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// Malformed protobuf.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A known field with a wire type that does not fit its type.
    #[error("wrong wire type {found:?} for this field")]
    WrongWireType {
        /// The wire type in the body.
        found: WireType,
    },
    /// A string field with invalid UTF-8.
    #[error("string is not UTF-8")]
    Utf8,
    /// An id of the wrong length: ids of traces and profiles have 16 bytes, ids of spans 8. An empty id means no id.
    #[error("wrong length of an id: {found} bytes instead of {expected}")]
    IdLength {
        /// Length in the body, in bytes.
        found: usize,
        /// Length of ids of this kind, in bytes.
        expected: usize,
    },
    /// A packed field whose length is not a multiple of the size of its values.
    #[error("invalid length of a packed field: it ends inside a value")]
    Packed,
    /// Too many messages and unknown groups inside one another. An unknown field counts as a level.
    #[error("messages are nested deeper than {limit} levels")]
    TooDeep {
        /// The limit: [`ValidateLimits::max_depth`](crate::ValidateLimits::max_depth).
        limit: usize,
    },
    /// A body larger than protobuf allows: decoders keep lengths in 31 bits.
    #[error("the request is larger than {limit} bytes, the most that protobuf allows")]
    TooLong {
        /// The limit: 2 GiB - 1.
        limit: usize,
    },
    /// Too many messages in the body.
    #[error("the request has more than {limit} messages")]
    TooManyElements {
        /// The limit: [`ValidateLimits::max_elements`](crate::ValidateLimits::max_elements).
        limit: usize,
    },
    /// The repaired body or the JSON of the body would be too large.
    #[error("the rewritten request would be larger than {limit} bytes")]
    TooLarge {
        /// The limit: `max_bytes` of [`repair`](crate::repair()) or [`from_protobuf`](crate::json::from_protobuf).
        limit: usize,
    },
}

/// A [`DecodeError`] whose path is not known yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: DecodeErrorKind,
    pub(crate) offset: usize,
}

/// Elements shown at the start and at the end of a path that is longer than both together.
const PATH_HEAD: usize = 12;
const PATH_TAIL: usize = 4;

// === impl Fault ===

impl Fault {
    /// Moves the fault by `start`, the position of the examined bytes in the body.
    pub(crate) fn behind(self, start: usize) -> Self {
        Self { offset: start + self.offset, ..self }
    }
}

// === impl DecodeError ===

impl DecodeError {
    /// Finds the path of the field with the fault.
    pub(crate) fn locate(root: &'static Message, body: &[u8], fault: Fault) -> Self {
        let mut path = Path::default();
        let (mut message, mut start, mut end) = (root, 0, body.len());
        while let Some(step) = enclosing(message, &body[start..end], fault.offset - start) {
            path.push(step.text());
            let Some((child, value)) = step.child else { break };
            if fault.offset < start + value.start {
                break;
            }
            (message, start, end) = (child, start + value.start, start + value.end);
        }
        Self { kind: fault.kind, path: path.finish(), offset: fault.offset }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, path, offset } = self;
        match path.as_str() {
            "" => write!(f, "{kind} (at byte {offset})"),
            _ => write!(f, "{path}: {kind} (at byte {offset})"),
        }
    }
}

impl std::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.kind)
    }
}

/// One element of a path.
struct Element {
    number: u32,
    name: Option<&'static str>,
    /// Number of earlier occurrences, for a repeated field.
    index: Option<usize>,
    child: Option<(&'static Message, std::ops::Range<usize>)>,
}

/// Returns the field of `bytes` around `offset`; `None` if no valid tag precedes `offset`.
fn enclosing(message: &'static Message, bytes: &[u8], offset: usize) -> Option<Element> {
    let mut seen = vec![0usize; message.fields.len()];
    let mut cursor = Cursor::new(bytes);
    while !cursor.is_at_end() {
        let (number, wire_type) = cursor.tag().ok()?;
        let position = message.fields.iter().position(|field| field.number == number);
        let field = position.and_then(|position| message.fields.get(position));
        let mut value = cursor.clone();
        let after = cursor.skip_value(number, wire_type);
        if after.is_err() || cursor.position() > offset {
            let index = position.and_then(|position| seen.get(position)).copied();
            let child = field.and_then(|field| field.message()).filter(|_| wire_type == WireType::Len);
            let child = child.and_then(|child| {
                let len = value.len_delimited().ok()?.len();
                Some((child, value.position() - len..value.position()))
            });
            return Some(Element {
                number,
                name: field.map(|field| field.name),
                index: index.filter(|_| field.is_some_and(|field| field.is_repeated())),
                child,
            });
        }
        if let Some(seen) = position.and_then(|position| seen.get_mut(position)) {
            *seen += 1;
        }
    }
    None
}

// === impl Element ===

impl Element {
    fn text(&self) -> String {
        let mut text = self.name.map_or_else(|| self.number.to_string(), str::to_owned);
        if let Some(index) = self.index {
            let _ = write!(text, "[{index}]");
        }
        text
    }
}

/// Builder of a path: its first and its last elements.
#[derive(Default)]
pub(crate) struct Path {
    head: String,
    tail: std::collections::VecDeque<String>,
    len: usize,
}

// === impl Path ===

impl Path {
    pub(crate) fn push(&mut self, text: String) {
        self.len += 1;
        if self.len <= PATH_HEAD {
            let dot = if self.len > 1 { "." } else { "" };
            let _ = write!(self.head, "{dot}{text}");
            return;
        }
        self.tail.push_back(text);
        if self.tail.len() > PATH_TAIL {
            self.tail.pop_front();
        }
    }

    pub(crate) fn finish(self) -> String {
        let Self { mut head, tail, len } = self;
        let left_out = len.saturating_sub(PATH_HEAD + tail.len());
        if left_out > 0 {
            let _ = write!(head, ".({left_out} more)");
        }
        for text in tail {
            let _ = write!(head, ".{text}");
        }
        head
    }
}
