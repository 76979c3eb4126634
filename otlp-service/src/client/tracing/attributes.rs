//! Encoding of attributes: a key that is encoded already, and a value that is formatted straight into the buffer.
//!
//! `Debug` and `Display` of a value are code of the user: the code may record telemetry, and it may panic. No lock and no borrow
//! is held: the buffer belongs to the caller alone. A panic is caught, and [`PANICKED`] stands for the value.

use otlp_protocol::wire::{put_varint, varint_len};
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Appends attributes with one tag to a buffer, up to the limits.
pub(super) struct Attributes<'b> {
    out: &'b mut Vec<u8>,
    tag: u8,
    /// Attributes that may still be added.
    pub(super) room: u32,
    /// Attributes that were dropped.
    pub(super) dropped: u32,
    max_value: Option<usize>,
}

/// Text that is formatted into a buffer, up to a length of the buffer.
struct Text<'b> {
    out: &'b mut Vec<u8>,
    end: usize,
}

// === impl Attributes ===

impl<'b> Attributes<'b> {
    /// Appends at most `room` attributes with the tag to `out`, with texts of at most `max_value` characters.
    pub(super) fn new(out: &'b mut Vec<u8>, tag: u8, room: u32, max_value: Option<usize>) -> Self {
        Self { out, tag, room, dropped: 0, max_value }
    }

    /// The buffer.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// Appends a text.
    #[inline]
    pub(super) fn text(&mut self, key: &[u8], value: &str) {
        let value = match self.max_value {
            Some(max) => cut(value, max),
            None => value,
        };
        self.delimited(key, STRING, value.as_bytes());
    }

    /// Appends bytes.
    pub(super) fn bytes(&mut self, key: &[u8], value: &[u8]) {
        let len = self.max_value.map_or(value.len(), |max| max.min(value.len()));
        self.delimited(key, BYTES, value.get(..len).unwrap_or_default());
    }

    /// Appends an integer.
    #[inline]
    pub(super) fn int(&mut self, key: &[u8], value: i64) {
        if self.open(key, 1 + varint_len(value as u64)) {
            self.out.push(INT);
            put_varint(self.out, value as u64);
        }
    }

    /// Appends an integer; its digits as a text if it exceeds 64 bits.
    pub(super) fn wide<T: TryInto<i64> + Copy + fmt::Display>(&mut self, key: &[u8], value: T) {
        match value.try_into() {
            Ok(value) => self.int(key, value),
            Err(_) => {
                self.formatted(key, format_args!("{value}"));
            }
        }
    }

    /// Appends a double.
    #[inline]
    pub(super) fn double(&mut self, key: &[u8], value: f64) {
        if self.open(key, 9) {
            let [a, b, c, d, e, f, g, h] = value.to_bits().to_le_bytes();
            self.out.extend_from_slice(&[DOUBLE, a, b, c, d, e, f, g, h]);
        }
    }

    /// Appends a boolean.
    #[inline]
    pub(super) fn boolean(&mut self, key: &[u8], value: bool) {
        if self.open(key, 2) {
            self.out.extend_from_slice(&[BOOL, u8::from(value)]);
        }
    }

    /// Appends a text that is formatted into the buffer. Returns the text's length: the text is the end of the buffer.
    #[inline]
    pub(super) fn formatted(&mut self, key: &[u8], value: fmt::Arguments<'_>) -> usize {
        if !self.admit() {
            return 0;
        }
        // Three lengths, of one byte each until the text is there.
        let from = self.out.len();
        self.out.extend_from_slice(&[self.tag, 0]);
        self.out.extend_from_slice(key);
        self.out.extend_from_slice(&[0, STRING, 0]);
        let text = self.out.len();
        format_into(self.out, value, self.max_value);
        let len = self.out.len() - text;
        match (self.out.get_mut(from + 1), key.len() + 3 + len) {
            (Some(entry), total @ ..0x80) => {
                *entry = total as u8;
                if let Some([value_len, _, text_len]) = self.out.get_mut(text - 3..text) {
                    *value_len = len as u8 + 2;
                    *text_len = len as u8;
                }
            }
            _ => self.lengthen(key, from, len),
        }
        len
    }

    /// Appends a list of texts.
    pub(super) fn list(&mut self, key: &[u8], texts: &[String]) {
        let texts =
            texts.iter().map(|text| self.max_value.map_or(text.as_str(), |max| cut(text, max)).as_bytes());
        let mut list = Vec::new();
        for text in texts {
            let len = 1 + varint_len(text.len() as u64) + text.len();
            list.push(LIST_VALUE);
            put_varint(&mut list, len as u64);
            list.push(STRING);
            put_varint(&mut list, text.len() as u64);
            list.extend_from_slice(text);
        }
        self.delimited(key, LIST, &list);
    }

    /// Appends an attribute with the encoded `AnyValue`.
    pub(super) fn encoded(&mut self, key: &[u8], value: &[u8]) {
        if self.open(key, value.len()) {
            self.out.extend_from_slice(value);
        }
    }

    #[inline]
    fn delimited(&mut self, key: &[u8], tag: u8, value: &[u8]) {
        if value.len() < 0x70 {
            if self.open(key, value.len() + 2) {
                self.out.extend_from_slice(&[tag, value.len() as u8]);
                self.out.extend_from_slice(value);
            }
        } else if self.open(key, 1 + varint_len(value.len() as u64) + value.len()) {
            self.out.push(tag);
            put_varint(self.out, value.len() as u64);
            self.out.extend_from_slice(value);
        }
    }

    /// Appends the start of an attribute, up to its value of `value_len` bytes. False if the attribute is dropped.
    #[inline]
    fn open(&mut self, key: &[u8], value_len: usize) -> bool {
        if !self.admit() {
            return false;
        }
        let total = key.len() + 1 + value_len;
        self.out.reserve(total + 12);
        if total < 0x80 {
            self.out.extend_from_slice(&[self.tag, total as u8]);
            self.out.extend_from_slice(key);
            self.out.push(value_len as u8);
        } else {
            self.out.push(self.tag);
            put_varint(self.out, (key.len() + varint_len(value_len as u64) + value_len) as u64);
            self.out.extend_from_slice(key);
            put_varint(self.out, value_len as u64);
        }
        true
    }

    #[inline]
    fn admit(&mut self) -> bool {
        if self.room == 0 || self.out.len() > MAX_ENCODED_BYTES {
            self.dropped += 1;
            return false;
        }
        self.room -= 1;
        true
    }

    /// Makes room for longer lengths in the attribute at `from`, which has a text of `len` bytes, and writes the lengths.
    #[inline(never)]
    fn lengthen(&mut self, key: &[u8], from: usize, len: usize) {
        let value_len = 1 + varint_len(len as u64) + len;
        let mut head = Vec::with_capacity(key.len() + 24);
        head.push(self.tag);
        put_varint(&mut head, (key.len() + varint_len(value_len as u64) + value_len) as u64);
        head.extend_from_slice(key);
        put_varint(&mut head, value_len as u64);
        head.push(STRING);
        put_varint(&mut head, len as u64);
        let end = self.out.len() - len;
        self.out.splice(from..end, head);
    }
}

// === impl Text ===

impl Write for Text<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.end.saturating_sub(self.out.len());
        if text.len() <= room {
            self.out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        let fits = text.floor_char_boundary(room);
        self.out.extend_from_slice(text.as_bytes().get(..fits).unwrap_or_default());
        Err(fmt::Error)
    }
}

/// Appends the formatted text, of at most `max_value` characters and [`MAX_TEXT_BYTES`].
#[inline]
pub(super) fn format_into(out: &mut Vec<u8>, value: fmt::Arguments<'_>, max_value: Option<usize>) {
    let from = out.len();
    let mut text = Text { end: from + MAX_TEXT_BYTES, out };
    // A formatter may fail: the text before the failure stays.
    let is_done = catch_unwind(AssertUnwindSafe(|| text.write_fmt(value))).is_ok();
    if !is_done {
        out.truncate(from);
        out.extend_from_slice(PANICKED.as_bytes());
    }
    if let Some(max) = max_value {
        let text = out.get(from..).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
        let len = cut(text, max).len();
        out.truncate(from + len);
    }
}

/// Returns the first `max` characters.
pub(super) fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let end = text.char_indices().nth(max).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// The text of a value whose `Debug` or `Display` panicked.
pub(super) const PANICKED: &str = "(formatting panicked)";

/// The longest formatted text, in bytes; the rest is cut off.
const MAX_TEXT_BYTES: usize = 1 << 20;
/// The length of a span's or a record's encoding beyond which further attributes are dropped, in bytes.
pub(super) const MAX_ENCODED_BYTES: usize = 1 << 20;

/// Tags in an `AnyValue`.
pub(super) const STRING: u8 = 0x0a;
const BOOL: u8 = 0x10;
const INT: u8 = 0x18;
const DOUBLE: u8 = 0x21;
const LIST: u8 = 0x2a;
const BYTES: u8 = 0x3a;
/// Tag of a value in an `ArrayValue`.
const LIST_VALUE: u8 = 0x0a;
