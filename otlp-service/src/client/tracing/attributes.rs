//! Attributes from fields: a key that is encoded already, and a value that is formatted straight into the buffer.
//!
//! `Debug` and `Display` of a value are code of the user: the code may record telemetry, and it may panic. No lock and no borrow
//! is held: the buffer belongs to the caller alone. A panic is caught, and [`PANICKED`] stands for the value.

use crate::client::engine::Buffer;
use crate::client::key::{AttributeKey, KEY, Key, KeyHead, VALUE};
use crate::client::trace::{AttributeLimits, Attributes, STRING, cut};
use otlp_protocol::ToValue;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Adds attributes to a message, up to the limits.
pub(super) struct AttributeWriter<'b> {
    pub(super) out: &'b mut Buffer,
    list: &'b mut Attributes,
    tag: u8,
    limits: AttributeLimits,
    /// All bits if the keys of fields are compared with the keys that are there: an error adds attributes that are no fields.
    compared: u64,
}

/// The key of a field, which has no fingerprint unless it is compared with other keys.
struct FieldKey<'k> {
    key: &'k Key,
    fingerprint: u64,
}

/// Text that is formatted into a buffer, up to a length of the buffer.
struct Text<'b> {
    out: &'b mut Buffer,
    end: usize,
}

// === impl AttributeWriter ===

impl<'b> AttributeWriter<'b> {
    /// Writes attributes as field `tag`.
    #[inline]
    pub(super) fn new(
        (out, list, limits): (&'b mut Buffer, &'b mut Attributes, AttributeLimits),
        tag: u8,
    ) -> Self {
        Self { out, list, tag, limits, compared: 0 }
    }

    /// Adds the attribute of a field. Fields have different keys: they are not compared with each other.
    #[inline(always)]
    pub(super) fn field(&mut self, key: &Key, value: impl ToValue) {
        let key = FieldKey { key, fingerprint: key.fingerprint() & self.compared };
        self.list.put(self.out, self.tag, &self.limits, &key, value);
    }

    /// Adds the attribute of a field that is an integer; its digits as a text if it exceeds 64 bits.
    #[inline]
    pub(super) fn wide<T: TryInto<i64> + Copy + fmt::Display>(&mut self, key: &Key, value: T) {
        match value.try_into() {
            Ok(value) => self.field(key, value),
            Err(_) => self.formatted(key, format_args!("{value}")),
        }
    }

    /// Adds the attribute of a field with a text that is formatted into the buffer.
    #[inline]
    pub(super) fn formatted(&mut self, key: &Key, value: fmt::Arguments<'_>) {
        let checked = FieldKey { key, fingerprint: key.fingerprint() & self.compared };
        if !self.list.admit(self.out, self.tag, self.limits.count, &checked) {
            return;
        }
        let attribute = self.out.begin_message(self.tag);
        match key.head() {
            Some(head) => head.put(self.out),
            None => {
                self.out.put_len_delimited(KEY, key.text().as_bytes());
                self.out.put(&[VALUE]);
            }
        }
        self.out.put(&[0, STRING, 0]);
        let text = self.out.len() - 1;
        format_into(self.out, value, self.limits.value_length);
        self.out.end_message(text);
        self.out.end_message(text - 2);
        self.out.end_message(attribute);
    }

    /// Adds an attribute that is no field. From now on keys are compared with `fields`, the fingerprints of all fields.
    pub(super) fn other(&mut self, fields: u64, key: &str, value: impl ToValue) {
        self.list.seen |= fields;
        self.compared = u64::MAX;
        self.list.put(self.out, self.tag, &self.limits, key, value);
    }
}

// === impl FieldKey ===

impl AttributeKey for FieldKey<'_> {
    #[inline(always)]
    fn text(&self) -> &str {
        self.key.text()
    }

    #[inline(always)]
    fn head(&self) -> Option<KeyHead> {
        self.key.head()
    }

    #[inline(always)]
    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

// === impl Text ===

impl Write for Text<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.end.saturating_sub(self.out.len());
        if text.len() <= room {
            self.out.put(text.as_bytes());
            return Ok(());
        }
        let fits = text.floor_char_boundary(room);
        self.out.put(text.as_bytes().get(..fits).unwrap_or_default());
        Err(fmt::Error)
    }
}

/// Appends the formatted text, of at most `max_value` characters and [`MAX_TEXT_BYTES`].
#[inline]
pub(super) fn format_into(out: &mut Buffer, value: fmt::Arguments<'_>, max_value: Option<usize>) {
    let from = out.len();
    let mut text = Text { end: from + MAX_TEXT_BYTES, out };
    // A formatter may fail: the text before the failure stays.
    let is_done = catch_unwind(AssertUnwindSafe(|| text.write_fmt(value))).is_ok();
    if !is_done {
        out.truncate(from);
        out.put(PANICKED.as_bytes());
    }
    if let Some(max) = max_value {
        let text = out.as_slice().get(from..).and_then(|text| std::str::from_utf8(text).ok());
        let len = cut(text.unwrap_or_default(), max).len();
        out.truncate(from + len);
    }
}

/// Returns the formatted text.
pub(super) fn formatted(value: fmt::Arguments<'_>) -> String {
    let mut text = Buffer::default();
    format_into(&mut text, value, None);
    String::from_utf8_lossy(text.as_slice()).into_owned()
}

/// The text of a value whose `Debug` or `Display` panicked.
pub(super) const PANICKED: &str = "(formatting panicked)";

/// The longest formatted text, in bytes; the rest is cut off.
const MAX_TEXT_BYTES: usize = 1 << 20;
