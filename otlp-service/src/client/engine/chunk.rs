//! A chunk: finished entries of one kind, encoded one after another as an export request has them.
//!
//! Each entry is field 2 of `ScopeSpans` or `ScopeLogs`: the tag, the exact length, the message. Entries of one scope that follow
//! each other are a segment.

use super::buffer::{Buffer, FieldWriter};
use super::scope::ScopeId;
use otlp_protocol::wire::varint_len;

/// Finished entries of one kind.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    bytes: Buffer,
    segments: Vec<Segment>,
    items: usize,
}

/// Entries of one scope, up to the start of the next segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) scope: ScopeId,
    pub(crate) start: usize,
}

/// Capacity of a chunk, in bytes. A larger entry gets a chunk of its own.
pub(crate) const CHUNK_BYTES: usize = 64 << 10;

/// Bytes of an entry besides its message, at most: the tag and the length.
const MAX_PREFIX: usize = 6;

/// Tag of the entries in `ScopeSpans` and `ScopeLogs`.
const ENTRY: u8 = 0x12;

impl Chunk {
    /// Makes a chunk with room for a message of `len` bytes.
    pub(crate) fn with_room(len: usize) -> Self {
        let bytes = Buffer::with_capacity(CHUNK_BYTES.max(len.saturating_add(MAX_PREFIX)));
        Self { bytes, segments: Vec::with_capacity(4), items: 0 }
    }

    /// True if a message of `len` bytes fits without a larger buffer.
    #[inline]
    pub(crate) fn has_room(&self, len: usize) -> bool {
        self.bytes.capacity() - self.bytes.len() >= len.saturating_add(MAX_PREFIX)
    }

    /// Appends a message of `len` bytes, which the writer fills.
    #[inline(always)]
    pub(crate) fn append(&mut self, scope: ScopeId, len: usize) -> FieldWriter<'_> {
        self.begin(scope);
        self.items += 1;
        if (0x80..0x4000).contains(&len) {
            let mut entry = self.bytes.append(3 + len);
            entry.put(&[ENTRY, len as u8 | 0x80, (len >> 7) as u8]);
            return entry;
        }
        self.append_odd(len)
    }

    /// Appends a message whose length has one byte, or more than two.
    #[inline(never)]
    fn append_odd(&mut self, len: usize) -> FieldWriter<'_> {
        let mut entry = self.bytes.append(1 + varint_len(len as u64) + len);
        entry.put(&[ENTRY]).put_varint(len as u64);
        entry
    }

    /// Appends all entries of `other`, which fit, and empties `other`.
    pub(crate) fn absorb(&mut self, other: &mut Self) {
        let end = other.bytes.len();
        for (index, segment) in other.segments.iter().enumerate() {
            let next = other.segments.get(index + 1).map_or(end, |next| next.start);
            self.begin(segment.scope);
            self.bytes.put(other.as_bytes().get(segment.start..next).unwrap_or_default());
        }
        self.items += other.items;
        other.clear();
    }

    /// Starts a segment if the last segment has another scope.
    #[inline]
    fn begin(&mut self, scope: ScopeId) {
        if self.segments.last().is_none_or(|last| last.scope != scope) {
            self.segments.push(Segment { scope, start: self.bytes.len() });
        }
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.segments.clear();
        self.items = 0;
    }

    /// Number of entries.
    #[inline]
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Memory of the entries' buffer, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }
}
