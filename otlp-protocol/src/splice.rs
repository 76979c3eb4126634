//! Notes of what to cut out of a body and what to put there; the body is written anew only once, at the end.
//!
//! The length of a message that encloses a change is a change too: [`open`](Splices::open) holds its place in the
//! notes, [`close`](Splices::close) fills it in, or gives it up if nothing changed. So what nobody touches is neither
//! noted nor written.

use crate::Payload;
use crate::wire::{put_varint, varint_len};
use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// A part of the body or of what is put into it. Four bytes a side: the notes are many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// The notes on one body.
#[derive(Debug)]
pub(crate) struct Splices {
    notes: Vec<Splice>,
    /// What is put in, in the order in which it came up.
    text: Vec<u8>,
    /// How much longer the body gets, up to here.
    growth: i64,
    in_order: bool,
    max_bytes: usize,
}

/// `cut` of the body gives way to `put` of the text.
#[derive(Clone, Copy, Debug)]
struct Splice {
    cut: Slice,
    put: Slice,
}

/// A message whose length may change: what [`Splices::open`] gives and [`Splices::close`] takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    note: usize,
    text: usize,
    growth: i64,
    /// Length of the message before.
    len: usize,
}

/// The body or the notes are larger than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge {
    pub(crate) limit: usize,
}

/// The `put` of a message that is still open; no slice of the text is like it.
const PENDING: Slice = Slice { start: 1, end: 0 };

/// A longer stretch of the body that stays is linked, not copied, if such stretches are most of it.
const MIN_LINKED_BYTES: usize = 16 << 10;

// === impl Slice ===

impl Slice {
    /// Only the bodies that [`Splices::new`] took are cut up: a position in them has 32 bits.
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
    /// Notes on a body of `len` bytes, which may become `max_bytes` long; the notes may take as much again.
    pub(crate) fn new(len: usize, max_bytes: usize) -> Result<Self, TooLarge> {
        if len > u32::MAX as usize {
            return Err(TooLarge { limit: u32::MAX as usize });
        }
        let max_bytes = max_bytes.min(u32::MAX as usize);
        Ok(Self { notes: Vec::new(), text: Vec::new(), growth: 0, in_order: true, max_bytes })
    }

    /// What is put in. Whoever appends to it calls [`check`](Self::check) now and then.
    #[inline]
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// The text so far.
    #[inline]
    pub(crate) fn put_so_far(&self) -> &[u8] {
        &self.text
    }

    /// Whether the notes are within the limit.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), TooLarge> {
        let size = self.text.len() + self.notes.len() * size_of::<Splice>();
        if size > self.max_bytes { Err(TooLarge { limit: self.max_bytes }) } else { Ok(()) }
    }

    /// A message begins whose length stands at `prefix` and says `len`.
    #[inline]
    pub(crate) fn open(&mut self, prefix: Range<usize>, len: usize) -> Mark {
        let mark = Mark { note: self.notes.len(), text: self.text.len(), growth: self.growth, len };
        self.push(Slice::new(prefix), PENDING);
        mark
    }

    /// The message has ended.
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
            // The length stays as it is, padded or not.
            note.cut.start = note.cut.end;
            note.put = Slice::default();
            return;
        }
        put_varint(&mut self.text, len);
        note.put = Slice::new(put..self.text.len());
        self.growth += varint_len(len) as i64 - note.cut.len() as i64;
    }

    /// Takes back all that was noted since the message was opened, and cuts out the field that it is.
    pub(crate) fn drop_message(&mut self, mark: Mark, whole: Range<usize>) {
        self.notes.truncate(mark.note);
        self.text.truncate(mark.text);
        self.growth = mark.growth;
        self.cut(whole);
    }

    /// Cuts out a field.
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

    /// Puts a piece of the text in place of a piece of the body.
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

    /// Puts what `write` appends in place of a piece of the body.
    #[inline]
    pub(crate) fn replace(&mut self, cut: Range<usize>, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.text.len();
        write(&mut self.text);
        self.put(Slice::new(cut), Slice::new(start..self.text.len()));
    }

    /// The body as the notes have it, written anew; `None` if there are none.
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

    /// Likewise, but where most of the body stays in long stretches, those are linked.
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

    /// Puts the notes in order; how long the body is with them, if there are any.
    fn settle(&mut self, len: usize) -> Result<Option<usize>, TooLarge> {
        if self.notes.is_empty() {
            return Ok(None);
        }
        let len = (len as i64 + self.growth).max(0) as usize;
        if len > self.max_bytes {
            return Err(TooLarge { limit: self.max_bytes });
        }
        if !self.in_order {
            // An addition at a place stands before what is cut from there on.
            self.notes.sort_by_key(|note| (note.cut.start, note.cut.end));
        }
        Ok(Some(len))
    }

    fn puts(&self) -> impl Iterator<Item = &[u8]> {
        self.notes.iter().map(|note| note.put.of(&self.text))
    }

    /// The stretches of the body before each note, and the one after the last.
    fn kept(&self, len: usize) -> impl Iterator<Item = Range<usize>> {
        let starts = std::iter::once(0).chain(self.notes.iter().map(|note| note.cut.end as usize));
        let ends = self.notes.iter().map(|note| note.cut.start as usize).chain(std::iter::once(len));
        starts.zip(ends).map(|(start, end)| start..end.max(start))
    }

    #[inline]
    fn push(&mut self, cut: Slice, put: Slice) {
        self.in_order &= self.notes.last().is_none_or(|last| last.cut.start <= cut.start);
        self.notes.push(Splice { cut, put });
    }
}

fn is_long(len: usize) -> bool {
    len >= MIN_LINKED_BYTES
}
