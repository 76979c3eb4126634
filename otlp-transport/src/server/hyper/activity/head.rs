//! Follows the requests of an HTTP/1.1 connection through its bytes: finds the begin and end of each head, and heads that
//! name two lengths. RFC 9112 §6.

use super::{Activity, Phase};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Parses requests line by line as they arrive; bodies are skipped by their length.
#[derive(Debug)]
pub(in crate::server) struct HeadWatch {
    activity: Arc<Activity>,
    place: Place,
    /// The line begun, if it did not end with the bytes read so far: its first [`MAX_KEPT`] bytes.
    line: Vec<u8>,
    /// True once the request line of the current head has arrived. Empty lines before it belong to no request: RFC 9112
    /// §2.2.
    has_request_line: bool,
    /// Number of complete heads.
    heads: u64,
    length: Option<u64>,
    has_encoding: bool,
}

/// Part of a request that the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum Place {
    Head,
    /// A body, or a chunk with its line end, of which this many bytes are left.
    Body(u64),
    Chunk(u64),
    ChunkSize,
    Trailers,
    /// Unknown: hyper refuses such bytes, or closes the connection.
    Lost,
}

// === impl HeadWatch ===

impl HeadWatch {
    pub(in crate::server) fn new(activity: Arc<Activity>) -> Self {
        Self {
            activity,
            place: Place::Head,
            line: Vec::new(),
            has_request_line: false,
            heads: 0,
            length: None,
            has_encoding: false,
        }
    }

    pub(in crate::server) fn activity(&self) -> &Activity {
        &self.activity
    }

    /// True if the bytes read so far end within a request.
    pub(in crate::server) fn is_amid_request(&self) -> bool {
        !matches!(self.place, Place::Head) || self.activity.head_begun.load(Relaxed)
    }

    /// Parses bytes that were read from the connection.
    pub(in crate::server) fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.place {
                Place::Body(due) | Place::Chunk(due) => {
                    let skipped = bytes.len().min(usize::try_from(due).unwrap_or(usize::MAX));
                    bytes = &bytes[skipped..];
                    let due = due - skipped as u64;
                    self.place = match self.place {
                        Place::Chunk(_) if due == 0 => Place::ChunkSize,
                        Place::Chunk(_) => Place::Chunk(due),
                        _ if due == 0 => Place::Head,
                        _ => Place::Body(due),
                    };
                }
                Place::Lost => return,
                Place::Head | Place::ChunkSize | Place::Trailers => bytes = self.take_line(bytes),
            }
        }
    }

    /// Takes bytes up to the end of a line, and returns the rest.
    fn take_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        if matches!(self.place, Place::Head) && !self.activity.head_begun.swap(true, Relaxed) {
            self.begin_head();
        }
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            keep(&mut self.line, bytes);
            return &[];
        };
        let (rest_of_line, rest) = (&bytes[..end], &bytes[end + 1..]);
        let mut begun = std::mem::take(&mut self.line);
        let line = if begun.is_empty() {
            rest_of_line
        } else {
            keep(&mut begun, rest_of_line);
            &begun
        };
        let is_cut = !begun.is_empty() && line.len() == MAX_KEPT;
        self.line_ended(line.trim_ascii_end(), is_cut);
        rest
    }

    fn line_ended(&mut self, line: &[u8], is_cut: bool) {
        match self.place {
            Place::Head if !self.has_request_line => self.has_request_line = !line.is_empty(),
            Place::Head if line.is_empty() => self.head_ended(),
            Place::Head => {
                self.has_encoding |= value(line, ENCODING).is_some();
                match value(line, LENGTH).map(|value| number(value, 10).filter(|_| !is_cut)) {
                    None => {}
                    Some(Some(length)) => self.length = Some(length),
                    Some(None) => self.lose(),
                }
            }
            Place::ChunkSize => match number(line, 16) {
                Some(0) => self.place = Place::Trailers,
                Some(size) => self.place = Place::Chunk(size.saturating_add(2)),
                None => self.lose(),
            },
            Place::Trailers if line.is_empty() => self.place = Place::Head,
            _ => {}
        }
    }

    fn begin_head(&self) {
        if self.activity.now().phase == Phase::Idle {
            self.activity.enter(Phase::Head);
        }
    }

    fn head_ended(&mut self) {
        self.heads += 1;
        self.has_request_line = false;
        self.activity.head_begun.store(false, Relaxed);
        self.place = match (self.length.take(), std::mem::take(&mut self.has_encoding)) {
            (Some(_), true) => {
                self.activity.ambiguous_from.fetch_min(self.heads, Relaxed);
                Place::Lost
            }
            (None, true) => Place::ChunkSize,
            (None | Some(0), false) => Place::Head,
            (Some(length), false) => Place::Body(length),
        };
    }

    /// Gives up following requests: later requests with a Transfer-Encoding count as ambiguous.
    fn lose(&mut self) {
        self.activity.ambiguous_from.fetch_min(self.heads + 1, Relaxed);
        self.place = Place::Lost;
    }
}

/// Keeps the beginning of a line.
fn keep(begun: &mut Vec<u8>, more: &[u8]) {
    let room = MAX_KEPT.saturating_sub(begun.len());
    begun.extend_from_slice(&more[..more.len().min(room)]);
}

/// Returns the value of a header line, if the line is of this header.
fn value<'a>(line: &'a [u8], header: &[u8]) -> Option<&'a [u8]> {
    let (name, value) = line.split_at_checked(header.len())?;
    name.eq_ignore_ascii_case(header).then(|| value.trim_ascii())
}

/// Parses the number at the beginning of `text`. In base 10 nothing may follow; in base 16 a chunk extension may.
fn number(text: &[u8], radix: u32) -> Option<u64> {
    let end = text.iter().position(|byte| !char::from(*byte).is_digit(radix)).unwrap_or(text.len());
    let is_alone = end == text.len() || radix == 16;
    let digits = std::str::from_utf8(&text[..end]).ok()?;
    u64::from_str_radix(digits, radix).ok().filter(|_| is_alone)
}

const LENGTH: &[u8] = b"content-length:";
const ENCODING: &[u8] = b"transfer-encoding:";
/// Bytes kept of a line: enough for a header's name, spaces and a number.
const MAX_KEPT: usize = 64;
