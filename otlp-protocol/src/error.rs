//! What is wrong with a body, and where: made on the bad path alone.

use crate::schema::Message;
use crate::wire::{Cursor, WireError, WireType};
use std::fmt::{self, Write as _};

/// A body that is not what the schema says, at a place that a person can find.
///
/// ```
/// use otlp_protocol::{Signal, ValidateLimits, validate};
///
/// let error = validate(Signal::LOGS, b"\x0a\x03\x1a\x01\xff", &ValidateLimits::default()).unwrap_err();
/// assert_eq!(error.to_string(), "resource_logs[0].schema_url: a string is not UTF-8 (at byte 4)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// The field, from the request down, by its names in protobuf, with the indices of repeated fields; a field that
    /// has no name by its number; the middle of a deep path is left out. Empty if the request itself is at fault.
    pub path: String,
    /// Where in the body, in bytes: the start of the field, or the first byte that is not UTF-8.
    pub offset: usize,
}

/// What is wrong with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// It is not protobuf.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A field of the schema stands with a wire type that its kind does not have.
    #[error("the field does not have wire type {found:?}")]
    WrongWireType {
        /// The wire type that was sent.
        found: WireType,
    },
    /// A string field holds something else.
    #[error("a string is not UTF-8")]
    Utf8,
    /// An id has another length than its kind: 16 bytes for traces and profiles, 8 for spans. An empty id is none.
    #[error("an id has {found} bytes, not {expected}")]
    IdLength {
        /// The length that was sent, in bytes.
        found: usize,
        /// The length that ids of this kind have, in bytes.
        expected: usize,
    },
    /// The length of a packed field is not a multiple of its values' size.
    #[error("a packed field ends inside a value")]
    Packed,
    /// Messages and unknown groups are nested too deep; an unknown field counts as a level of its own.
    #[error("messages are nested deeper than {limit}")]
    TooDeep {
        /// The limit: [`ValidateLimits::max_depth`](crate::ValidateLimits::max_depth).
        limit: usize,
    },
    /// The body is larger than protobuf allows: decoders keep lengths in 31 bits.
    #[error("the request has more than {limit} bytes, the most that protobuf allows")]
    TooLong {
        /// The limit: 2 GiB - 1.
        limit: usize,
    },
    /// There are too many messages in the body.
    #[error("there are more than {limit} messages in the request")]
    TooManyElements {
        /// The limit: [`ValidateLimits::max_elements`](crate::ValidateLimits::max_elements).
        limit: usize,
    },
    /// What is made of the body would be too large: the body with its strings repaired, of which it has too many, or
    /// its JSON.
    #[error("rewritten, it would have more than {limit} bytes")]
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

/// Of a path deeper than both together, this many elements are shown at either end.
const PATH_HEAD: usize = 12;
const PATH_TAIL: usize = 4;

// === impl Fault ===

impl Fault {
    /// The same fault in a body in which what was looked at starts at `start`.
    pub(crate) fn behind(self, start: usize) -> Self {
        Self { offset: start + self.offset, ..self }
    }
}

// === impl DecodeError ===

impl DecodeError {
    /// Walks from the start of the body to the fault to name the fields it lies in.
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
    /// How many of that field stand before it, if it is repeated.
    index: Option<usize>,
    child: Option<(&'static Message, std::ops::Range<usize>)>,
}

/// The field of `bytes` that `offset` lies in; `None` if no field starts there that has a number.
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

/// A path's two ends as it grows.
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
