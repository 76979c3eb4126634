//! Writer of one part of a split body. The part is a list of tokens until it is complete, since the length of an envelope is
//! known only after its last entry.

use super::{SplitLimits, SplitPart};
use crate::wire::{MAX_TAG_AND_LENGTH, WireType, put_tag, put_varint, varint_len};
use crate::{Body, Count, Payload};
use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// The part being written, and the open envelopes around the next entry.
pub(crate) struct PartWriter {
    /// The original body, in one segment.
    whole: Body,
    /// The bytes of the original body.
    body: Bytes,
    pub(super) limits: SplitLimits,
    levels: Vec<Level>,
    tokens: Vec<Token>,
    /// Copies of short slices of the body.
    copied: Vec<u8>,
    /// Bytes in closed envelopes.
    placed: usize,
    count: Count,
    /// Bytes of headers that were repeated in further parts.
    pub(super) repeated: usize,
}

/// An envelope that is being split.
struct Level {
    number: u32,
    header: Bytes,
    /// True for an entry: a metric.
    is_entry: bool,
    /// Bytes of the envelope's children in the part.
    placed: usize,
    /// Index of the envelope's token, once it has children in the part.
    token: Option<usize>,
    /// True once the envelope is in a part.
    is_placed: bool,
}

enum Token {
    /// An envelope starts: number, length and header.
    Open { number: u32, len: usize, header: Bytes },
    /// A slice of the body.
    Raw(Range<usize>),
    /// A slice of the copies.
    Copied(Range<usize>),
}

// === impl PartWriter ===

impl PartWriter {
    /// Makes an empty part of a body in one segment.
    pub(crate) fn new(whole: Body, limits: SplitLimits) -> Self {
        Self {
            body: whole.plain().to_contiguous(),
            whole,
            limits,
            levels: Vec::with_capacity(4),
            tokens: Vec::new(),
            copied: Vec::new(),
            placed: 0,
            count: Count::default(),
            repeated: 0,
        }
    }

    /// True if the part stays within the limits with so many more bytes and items inside the open envelopes.
    pub(crate) fn fits(&self, bytes: usize, items: u64) -> bool {
        let mut size = bytes;
        let mut headers = 0;
        for level in self.levels.iter().rev() {
            size = level.size_with(size);
            headers += level.header.len();
        }
        let max_bytes = self.limits.max_bytes.filter(|&max| headers <= max / 2);
        let limits = SplitLimits { max_bytes, ..self.limits };
        limits.admit(self.placed + size, self.count.items + items)
    }

    /// Puts a slice of the body inside the open envelopes.
    pub(crate) fn place(&mut self, raw: Range<usize>, count: Count) {
        for level in &mut self.levels {
            if level.token.is_none() {
                level.token = Some(self.tokens.len());
                self.count.entries += u64::from(level.is_entry);
                if std::mem::replace(&mut level.is_placed, true) {
                    self.repeated += level.header.len() + ENVELOPE_BYTES;
                }
                self.tokens.push(Token::Open { number: level.number, len: 0, header: level.header.clone() });
            }
        }
        match self.levels.last_mut() {
            Some(innermost) => innermost.placed += raw.len(),
            None => self.placed += raw.len(),
        }
        self.count += count;
        match self.tokens.last_mut() {
            Some(Token::Raw(last)) if last.end == raw.start => last.end = raw.end,
            _ => {
                self.copy_last_if_short();
                self.tokens.push(Token::Raw(raw));
            }
        }
    }

    /// Opens an envelope; it is written when something is placed in it.
    pub(crate) fn open(&mut self, number: u32, header: Bytes, is_entry: bool) {
        self.levels.push(Level { number, header, is_entry, placed: 0, token: None, is_placed: false });
    }

    /// Closes the innermost envelope.
    pub(crate) fn close(&mut self) {
        self.settle(self.levels.len().saturating_sub(1));
        self.levels.pop();
    }

    /// Takes what has been placed, if anything. Open envelopes stay open for the next part.
    pub(crate) fn take(&mut self) -> Option<SplitPart> {
        (0..self.levels.len()).rev().for_each(|depth| self.settle(depth));
        let mut rope = Rope::with_capacity(self.tokens.iter().map(|token| self.copied_len(token)).sum());
        let mut tag = Vec::with_capacity(MAX_TAG_AND_LENGTH);
        for token in self.tokens.drain(..) {
            match token {
                Token::Open { number, len, header } => {
                    tag.clear();
                    put_tag(&mut tag, number, WireType::Len);
                    put_varint(&mut tag, len as u64);
                    rope.copy(&tag);
                    rope.put(header.as_ref(), || header.clone());
                }
                Token::Raw(raw) => {
                    let slice = self.body.get(raw.clone()).unwrap_or_default();
                    rope.put(slice, || self.body.slice(raw));
                }
                Token::Copied(range) => rope.copy(self.copied.get(range).unwrap_or_default()),
            }
        }
        self.copied.clear();
        self.placed = 0;
        let count = std::mem::take(&mut self.count);
        let (copied_bytes, is_linked) = (rope.copied_bytes, rope.is_linked);
        let body = self.whole.with(rope.finish(), count);
        (!body.is_empty()).then_some(SplitPart { body, copied_bytes, is_linked })
    }

    /// Returns the number of a token's bytes that are copied to the payload.
    fn copied_len(&self, token: &Token) -> usize {
        let short = |len: usize| if len < MIN_LINKED_BYTES { len } else { 0 };
        match token {
            Token::Open { header, .. } => MAX_TAG_AND_LENGTH + short(header.len()),
            Token::Raw(raw) => short(raw.len()),
            Token::Copied(range) => range.len(),
        }
    }

    /// Sets the length in the token of a level, adds the placed bytes to the level around it, and resets the level.
    fn settle(&mut self, depth: usize) {
        let Some(level) = self.levels.get_mut(depth) else { return };
        let Some(token) = level.token.take() else { return };
        let whole = level.size_with(0);
        let inside = level.header.len() + std::mem::take(&mut level.placed);
        if let Some(Token::Open { len, .. }) = self.tokens.get_mut(token) {
            *len = inside;
        }
        match depth.checked_sub(1).and_then(|outer| self.levels.get_mut(outer)) {
            Some(outer) => outer.placed += whole,
            None => self.placed += whole,
        }
    }

    /// Replaces the last slice by a copy if it is short. That keeps the list of tokens short when short slices alternate with
    /// slices of other parts: a token is larger than a short slice.
    fn copy_last_if_short(&mut self) {
        let Some(Token::Raw(raw)) = self.tokens.last() else { return };
        if raw.len() >= MIN_LINKED_BYTES {
            return;
        }
        let start = self.copied.len();
        self.copied.extend_from_slice(self.body.get(raw.clone()).unwrap_or_default());
        let end = self.copied.len();
        self.tokens.pop();
        match self.tokens.last_mut() {
            Some(Token::Copied(last)) => last.end = end,
            _ => self.tokens.push(Token::Copied(start..end)),
        }
    }
}

// === impl Level ===

impl Level {
    /// Returns the size of the envelope with `more` bytes in it.
    fn size_with(&self, more: usize) -> usize {
        let len = self.header.len() + self.placed + more;
        varint_len(u64::from(self.number) << 3) + varint_len(len as u64) + len
    }
}

/// Builder of a payload: short pieces are copied into one buffer, long pieces are linked.
struct Rope {
    payload: Payload,
    copied: BytesMut,
    copied_bytes: usize,
    is_linked: bool,
}

// === impl Rope ===

impl Rope {
    fn with_capacity(copied: usize) -> Self {
        let copied_bytes = copied;
        let copied = BytesMut::with_capacity(copied);
        Self { payload: Payload::new(), copied, copied_bytes, is_linked: false }
    }

    fn copy(&mut self, piece: &[u8]) {
        self.copied.extend_from_slice(piece);
    }

    fn put(&mut self, piece: &[u8], link: impl FnOnce() -> Bytes) {
        if piece.len() < MIN_LINKED_BYTES {
            self.copy(piece);
            return;
        }
        self.is_linked = true;
        self.payload.push(self.copied.split().freeze());
        self.payload.push(link());
    }

    fn finish(mut self) -> Payload {
        self.payload.push(self.copied.freeze());
        self.payload
    }
}

/// Cost of a repeated envelope besides its header, in bytes: its token, its tag and its length.
pub(crate) const ENVELOPE_BYTES: usize = 64;

/// Pieces shorter than this are copied: that costs less than to send them as a segment.
const MIN_LINKED_BYTES: usize = 1024;
