//! A growing buffer whose room is initialised: one check for a whole field, instead of one for each of its parts.

use otlp_protocol::wire::varint_len;
use std::fmt;
use std::mem;
use std::ops::Range;

/// Encoded fields, one after another.
#[derive(Default)]
pub(crate) struct Buffer {
    /// The content, and zeros or former content behind.
    bytes: Vec<u8>,
    len: usize,
}

/// Writes a field of known length into a part of a buffer. What does not fit is not written.
pub(crate) struct FieldWriter<'a>(&'a mut [u8]);

// === impl Buffer ===

impl Buffer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: vec![0; capacity], len: 0 }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// Removes what is behind the first `len` bytes.
    #[cfg(feature = "tracing")]
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Appends `len` bytes, which the writer fills.
    #[inline(always)]
    pub(crate) fn append(&mut self, len: usize) -> FieldWriter<'_> {
        let from = self.len;
        match from.checked_add(len) {
            Some(to) if to <= self.bytes.len() => {
                self.len = to;
                FieldWriter(self.bytes.get_mut(from..to).unwrap_or_default())
            }
            _ => self.append_grown(len),
        }
    }

    #[cold]
    fn append_grown(&mut self, len: usize) -> FieldWriter<'_> {
        self.reserve(len);
        let from = self.len;
        self.len = self.len.saturating_add(len);
        FieldWriter(self.bytes.get_mut(from..self.len).unwrap_or_default())
    }

    /// Returns the `N` bytes behind the end, if they are there: [`reserve`](Self::reserve) makes room. Bytes count once
    /// [`advance`](Self::advance) is called.
    #[inline(always)]
    pub(crate) fn room<const N: usize>(&mut self) -> Option<&mut [u8; N]> {
        let to = self.len.checked_add(N)?;
        self.bytes.get_mut(self.len..to)?.try_into().ok()
    }

    /// Appends the first `len` bytes of the room.
    #[inline(always)]
    pub(crate) fn advance(&mut self, len: usize) {
        self.len += len;
    }

    /// Makes room for `more` bytes behind the end.
    #[cold]
    pub(crate) fn reserve(&mut self, more: usize) {
        let len = self.len.saturating_add(more);
        if len > self.bytes.len() {
            self.bytes.resize(len.max(2 * self.bytes.len()).max(MIN_BYTES), 0);
        }
    }

    /// Appends bytes.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.append(bytes.len()).put_slice(bytes);
    }

    /// Appends a length-delimited field.
    #[inline]
    pub(crate) fn put_len_delimited(&mut self, tag: u8, value: &[u8]) {
        let mut field = self.append(1 + varint_len(value.len() as u64) + value.len());
        field.put(&[tag]).put_varint(value.len() as u64).put_slice(value);
    }

    /// Appends a varint field, unless the value is zero, the default of proto3.
    pub(crate) fn put_uint(&mut self, tag: u8, value: u64) {
        if value != 0 {
            self.append(1 + varint_len(value)).put(&[tag]).put_varint(value);
        }
    }

    /// Removes a range.
    pub(crate) fn remove(&mut self, range: Range<usize>) {
        if range.start <= range.end && range.end <= self.len {
            self.bytes.copy_within(range.end..self.len, range.start);
            self.len -= range.len();
        }
    }

    /// Starts a message of field `tag`, and returns the position of its length.
    #[inline]
    pub(crate) fn begin_message(&mut self, tag: u8) -> usize {
        self.put(&[tag, 0]);
        self.len - 1
    }

    /// Writes the length of the message that started with its length at `at`.
    #[inline]
    pub(crate) fn end_message(&mut self, at: usize) {
        let len = self.len.saturating_sub(at + 1);
        match self.bytes.get_mut(at) {
            Some(byte) if len < 0x80 => *byte = len as u8,
            _ => self.end_long_message(at, len),
        }
    }

    /// Makes room for a length of several bytes, and writes it.
    #[cold]
    fn end_long_message(&mut self, at: usize, len: usize) {
        self.insert(at + 1, varint_len(len as u64) - 1);
        self.rewrite(at).put_varint(len as u64);
    }

    /// Moves the bytes from a position on by `more`.
    pub(crate) fn insert(&mut self, at: usize, more: usize) {
        let end = self.len;
        self.append(more);
        if at <= end {
            self.bytes.copy_within(at..end, at + more);
        }
    }

    /// Returns the writer of the bytes from a position on, which are there already.
    #[inline]
    pub(crate) fn rewrite(&mut self, at: usize) -> FieldWriter<'_> {
        FieldWriter(self.bytes.get_mut(at..self.len).unwrap_or_default())
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("len", &self.len).field("capacity", &self.capacity()).finish()
    }
}

// === impl FieldWriter ===

impl FieldWriter<'_> {
    /// Returns the next `N` bytes, to be filled.
    #[inline(always)]
    pub(crate) fn array<const N: usize>(&mut self) -> Option<&mut [u8; N]> {
        let (room, rest) = mem::take(&mut self.0).split_first_chunk_mut()?;
        self.0 = rest;
        Some(room)
    }

    #[inline(always)]
    pub(crate) fn put<const N: usize>(&mut self, bytes: &[u8; N]) -> &mut Self {
        if let Some((room, rest)) = mem::take(&mut self.0).split_first_chunk_mut() {
            *room = *bytes;
            self.0 = rest;
        }
        self
    }

    #[inline(always)]
    pub(crate) fn put_slice(&mut self, bytes: &[u8]) -> &mut Self {
        if let Some((room, rest)) = mem::take(&mut self.0).split_at_mut_checked(bytes.len()) {
            room.copy_from_slice(bytes);
            self.0 = rest;
        }
        self
    }

    /// As [`put_slice`](Self::put_slice), for bytes that are few as a rule.
    #[inline(always)]
    pub(crate) fn put_few(&mut self, bytes: &[u8]) -> &mut Self {
        if bytes.len() > MAX_SHORT {
            return self.put_slice(bytes);
        }
        if let Some((room, rest)) = mem::take(&mut self.0).split_at_mut_checked(bytes.len()) {
            copy_short(room, bytes);
            self.0 = rest;
        }
        self
    }

    #[inline(always)]
    pub(crate) fn put_varint(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.put(&[value as u8 | 0x80]);
            value >>= 7;
        }
        self.put(&[value as u8])
    }
}

/// Longest slice that [`copy_short`] copies.
pub(crate) const MAX_SHORT: usize = 16;

/// Copies up to [`MAX_SHORT`] bytes into a room that has at least their length, without a call.
#[inline(always)]
pub(crate) fn copy_short(room: &mut [u8], bytes: &[u8]) {
    /// Copies the first and the last `N` bytes, which may overlap.
    #[inline(always)]
    fn ends<const N: usize>(room: &mut [u8], bytes: &[u8]) -> bool {
        let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else {
            return false;
        };
        if let Some(room) = room.first_chunk_mut() {
            *room = *first;
        }
        if let Some(room) = room.get_mut(bytes.len() - N..).and_then(|room| room.first_chunk_mut()) {
            *room = *last;
        }
        true
    }
    if !ends::<8>(room, bytes) && !ends::<4>(room, bytes) && !ends::<2>(room, bytes) {
        ends::<1>(room, bytes);
    }
}

/// The smallest room of a buffer that grows.
const MIN_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_lengths_of_any_size() {
        for len in [0, 1, 127, 128, 300, 20_000] {
            let mut buffer = Buffer::default();
            buffer.put(b"before");
            let at = buffer.begin_message(0x5a);
            buffer.put(&vec![7; len]);
            buffer.end_message(at);
            buffer.put(b"after");
            let mut expect = b"before".to_vec();
            otlp_protocol::wire::put_len_delimited(&mut expect, 11, &vec![7; len]);
            expect.extend_from_slice(b"after");
            assert_eq!(buffer.as_slice(), expect, "{len}");
        }
    }

    #[test]
    fn ranges_are_removed_and_rewritten() {
        let mut buffer = Buffer::default();
        buffer.put(b"abcdef");
        buffer.remove(1..3);
        buffer.rewrite(2).put(b"xy");
        buffer.remove(3..9);
        assert_eq!(buffer.as_slice(), b"adxy");
    }
}
