//! List of the changes to a body: ranges to cut, and bytes to insert. The body is rewritten once, at the end.
//!
//! A change inside a message also changes the length of the message: [`open`](Splices::open) reserves an element of the list
//! for the length, [`close`](Splices::close) fills it in, or removes it if the message is unchanged. Unchanged messages take
//! no element.

use crate::Payload;
use crate::wire::{put_varint, varint_len};
use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// A range of the body or of the inserted text. Positions have four bytes, since there are many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// The changes to one body.
#[derive(Debug)]
pub(crate) struct Splices {
    notes: Vec<Splice>,
    /// The inserted bytes, in the order in which they were added.
    text: Vec<u8>,
    /// Growth of the body so far, in bytes.
    growth: i64,
    in_order: bool,
    max_bytes: usize,
}

/// `put` of the text replaces `cut` of the body.
#[derive(Clone, Copy, Debug)]
struct Splice {
    cut: Slice,
    put: Slice,
}

/// An open message, from [`Splices::open`] to [`Splices::close`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    note: usize,
    text: usize,
    growth: i64,
    /// Old length of the message.
    len: usize,
}

/// Error: the body or the list of changes would be larger than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge {
    pub(crate) limit: usize,
}

/// Marks the `put` of an open message. No slice of the text has this value.
const PENDING: Slice = Slice { start: 1, end: 0 };

/// Unchanged stretches of at least this length are linked, not copied, if they make up most of the body.
const MIN_LINKED_BYTES: usize = 16 << 10;

// === impl Slice ===

impl Slice {
    /// Makes a slice of a body that [`Splices::new`] accepted: positions in it have 32 bits.
    pub(crate) fn new(range: Range<usize>) -> Self {
        Self { start: range.start as u32, end: range.end as u32 }
    }

    #[inline]
    pub(crate) fn len(self) -> usize {
        (self.end as usize).saturating_sub(self.start as usize)
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    #[inline]
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

// === impl Splices ===

impl Splices {
    /// Makes an empty list for a body of `len` bytes, which may become `max_bytes` long. The list may take as much again.
    pub(crate) fn new(len: usize, max_bytes: usize) -> Result<Self, TooLarge> {
        if len > u32::MAX as usize {
            return Err(TooLarge { limit: u32::MAX as usize });
        }
        let max_bytes = max_bytes.min(u32::MAX as usize);
        Ok(Self { notes: Vec::new(), text: Vec::new(), growth: 0, in_order: true, max_bytes })
    }

    /// Returns the inserted bytes, to append to. Callers call [`check`](Self::check) now and then.
    #[inline]
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Returns the inserted bytes so far.
    #[inline]
    pub(crate) fn put_so_far(&self) -> &[u8] {
        &self.text
    }

    /// Checks that the list of changes is within the limit.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), TooLarge> {
        let size = self.text.len() + self.notes.len() * size_of::<Splice>();
        if size > self.max_bytes { Err(TooLarge { limit: self.max_bytes }) } else { Ok(()) }
    }

    /// Opens a message of `len` bytes, whose length is encoded at `prefix`.
    #[inline]
    pub(crate) fn open(&mut self, prefix: Range<usize>, len: usize) -> Mark {
        let mark = Mark { note: self.notes.len(), text: self.text.len(), growth: self.growth, len };
        self.push(Slice::new(prefix), PENDING);
        mark
    }

    /// Closes a message.
    #[inline]
    pub(crate) fn close(&mut self, mark: Mark) {
        if self.notes.len() == mark.note + 1 {
            self.notes.pop();
            return;
        }
        let grown = self.growth - mark.growth;
        let len = (mark.len as i64 + grown).max(0) as u64;
        let put = self.text.len();
        let Some(note) = self.notes.get_mut(mark.note) else { return };
        if grown == 0 {
            // The encoded length stays, also if it is padded.
            note.cut.start = note.cut.end;
            note.put = Slice::default();
            return;
        }
        put_varint(&mut self.text, len);
        note.put = Slice::new(put..self.text.len());
        self.growth += varint_len(len) as i64 - note.cut.len() as i64;
    }

    /// Removes all changes since the message was opened, and cuts the message.
    pub(crate) fn drop_message(&mut self, mark: Mark, whole: Range<usize>) {
        self.notes.truncate(mark.note);
        self.text.truncate(mark.text);
        self.growth = mark.growth;
        self.cut(whole);
    }

    /// Cuts a field.
    #[inline]
    pub(crate) fn cut(&mut self, whole: Range<usize>) {
        self.growth -= whole.len() as i64;
        let whole = Slice::new(whole);
        match self.notes.last_mut() {
            Some(last) if last.cut.end == whole.start && last.put.start == last.put.end => {
                last.cut.end = whole.end;
            }
            _ => self.push(whole, Slice::default()),
        }
    }

    /// Replaces a slice of the body by a slice of the text.
    #[inline]
    pub(crate) fn put(&mut self, cut: Slice, put: Slice) {
        self.growth += put.len() as i64 - cut.len() as i64;
        match self.notes.last_mut() {
            Some(last)
                if cut.len() == 0
                    && last.cut.end == cut.start
                    && last.put.end == put.start
                    && last.put != PENDING =>
            {
                last.put.end = put.end;
            }
            _ => self.push(cut, put),
        }
    }

    /// Replaces a range of the body by the bytes that `write` appends.
    #[inline]
    pub(crate) fn replace(&mut self, cut: Range<usize>, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.text.len();
        write(&mut self.text);
        self.put(Slice::new(cut), Slice::new(start..self.text.len()));
    }

    /// Returns a copy of the body with the changes; `None` if there are no changes.
    pub(crate) fn copy(mut self, body: &[u8]) -> Result<Option<Bytes>, TooLarge> {
        let Some(len) = self.settle(body.len())? else { return Ok(None) };
        let mut out = Vec::with_capacity(len);
        let mut puts = self.puts();
        for kept in self.kept(body.len()) {
            out.extend_from_slice(body.get(kept).unwrap_or_default());
            out.extend_from_slice(puts.next().unwrap_or_default());
        }
        Ok(Some(out.into()))
    }

    /// Returns the body with the changes; `None` if there are no changes. Long unchanged stretches are linked if they make up
    /// most of the body.
    pub(crate) fn link(mut self, body: &Bytes) -> Result<Option<Payload>, TooLarge> {
        let linked: usize = self.kept(body.len()).map(|kept| kept.len()).filter(|&len| is_long(len)).sum();
        if linked <= body.len() / 2 || !self.in_order {
            return Ok(self.copy(body)?.map(Payload::from));
        }
        let Some(len) = self.settle(body.len())? else { return Ok(None) };
        let mut payload = Payload::new();
        let mut out = BytesMut::with_capacity(len.saturating_sub(linked));
        let mut puts = self.puts();
        for kept in self.kept(body.len()) {
            if is_long(kept.len()) {
                payload.push(out.split().freeze());
                payload.push(body.slice(kept));
            } else {
                out.extend_from_slice(body.get(kept).unwrap_or_default());
            }
            out.extend_from_slice(puts.next().unwrap_or_default());
        }
        payload.push(out.freeze());
        Ok(Some(payload))
    }

    /// Sorts the changes. Returns the new length of the body; `None` if there are no changes.
    fn settle(&mut self, len: usize) -> Result<Option<usize>, TooLarge> {
        if self.notes.is_empty() {
            return Ok(None);
        }
        let len = (len as i64 + self.growth).max(0) as usize;
        if len > self.max_bytes {
            return Err(TooLarge { limit: self.max_bytes });
        }
        if !self.in_order {
            // An insertion comes before a cut that starts at the same position.
            self.notes.sort_by_key(|note| (note.cut.start, note.cut.end));
        }
        Ok(Some(len))
    }

    fn puts(&self) -> impl Iterator<Item = &[u8]> {
        self.notes.iter().map(|note| note.put.of(&self.text))
    }

    /// Iterates over the unchanged ranges of the body: before each change, and after the last.
    fn kept(&self, len: usize) -> impl Iterator<Item = Range<usize>> {
        let starts = std::iter::once(0).chain(self.notes.iter().map(|note| note.cut.end as usize));
        let ends = self.notes.iter().map(|note| note.cut.start as usize).chain(std::iter::once(len));
        starts.zip(ends).map(|(start, end)| start..end.max(start))
    }

    #[inline]
    fn push(&mut self, cut: Slice, put: Slice) {
        let place = |cut: Slice| (cut.start, cut.end);
        self.in_order &= self.notes.last().is_none_or(|last| place(last.cut) <= place(cut));
        self.notes.push(Splice { cut, put });
    }
}

fn is_long(len: usize) -> bool {
    len >= MIN_LINKED_BYTES
}
