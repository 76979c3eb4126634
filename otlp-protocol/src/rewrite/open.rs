//! The messages that are open at the same time: one at each level.

use super::Level;
use super::children::{Children, Nest};
use super::message::{MessageEdits, Own};
use crate::field::{Field, LastArm, joined, pieces};
use crate::schema::Message;
use crate::signal::HEADER;
use crate::view::text;
use crate::{EditError, Signal};
use bytes::Bytes;
use std::fmt;
use std::ops::Range;

/// The open messages: a message and the messages around it, with all changes so far.
pub struct OpenMessages {
    body: Bytes,
    signal: Signal,
    limit: usize,
    slots: [Slot; LEVELS],
    /// Copies of changed messages, by level.
    owns: [Own; LEVELS],
    /// Messages as they were when their children were opened, if they were changed before; by level.
    held: [Vec<u8>; LEVELS],
    /// Schema URLs of the resource and of the scope.
    schema_urls: [SchemaUrl; 2],
    added: Added,
    pub(super) resource_index: usize,
    pub(super) failed: Option<EditError>,
}

/// The message of one level.
#[derive(Debug, Default)]
struct Slot {
    schema: Option<&'static Message>,
    base: Base,
    children: Children,
}

/// Place of a message as it was opened.
#[derive(Clone, Debug, Default)]
pub(super) struct Base {
    buffer: Buffer,
    range: Range<usize>,
}

/// Buffer that a message is read from.
#[derive(Clone, Copy, Debug, Default)]
enum Buffer {
    /// The entries that were added to the open scope.
    Added,
    #[default]
    Body,
    /// The changed message of a level above.
    Held(Level),
}

#[derive(Debug, Default)]
struct SchemaUrl {
    range: Range<usize>,
    new: Option<String>,
}

/// Entries that were added to the open scope, one after the other.
#[derive(Debug, Default)]
struct Added {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

const LEVELS: usize = Level::ALL.len();

// === impl OpenMessages ===

impl OpenMessages {
    pub(super) fn new(signal: Signal, body: Bytes, limit: usize) -> Self {
        Self {
            body,
            signal,
            limit,
            slots: Default::default(),
            owns: Default::default(),
            held: Default::default(),
            schema_urls: Default::default(),
            added: Added::default(),
            resource_index: 0,
            failed: None,
        }
    }

    /// Returns the signal of the request.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Returns the index of the open resource among the resources of the request, from 0.
    pub fn resource_index(&self) -> usize {
        self.resource_index
    }

    /// Returns the index of the open data point or span event in its entry, from 0.
    pub fn child_index(&self) -> usize {
        self.slots[Level::Entry as usize].children.current
    }

    /// Returns the encoded message that is open at a level, with its changes; empty if no message is open there.
    ///
    /// While the children of a message are open, the message is read without these children once it is changed: an entry
    /// without data points or span events, a data point without exemplars.
    #[inline]
    pub fn bytes(&self, level: Level) -> &[u8] {
        let own = &self.owns[level as usize];
        if own.is_used { &own.bytes } else { self.base(level) }
    }

    /// Returns the field number of the data (gauge, sum, …) that the open data point is in; 0 if no data point is open.
    pub fn data_number(&self) -> u32 {
        self.slots[Level::Entry as usize].children.arm.number
    }

    /// Returns the schema URL in the envelope of the open resource or scope; empty for other levels.
    pub fn schema_url(&self, level: Level) -> &str {
        match self.schema_urls.get(level as usize) {
            Some(SchemaUrl { new: Some(new), .. }) => new,
            Some(SchemaUrl { range, .. }) => text(self.body.get(range.clone()).unwrap_or_default()),
            None => "",
        }
    }

    /// Sets the schema URL of the open resource or scope. Returns false for other levels.
    pub fn set_schema_url(&mut self, level: Level, url: &str) -> bool {
        if url.len() > self.limit {
            self.failed = Some(EditError::TooLarge { limit: self.limit });
            return false;
        }
        match self.schema_urls.get_mut(level as usize) {
            Some(place) => place.new = Some(url.to_owned()),
            None => return false,
        }
        true
    }

    /// Opens the message of a level to be changed.
    ///
    /// The data of a metric is changed from one kind to another at [`Level::Entry`], before the data points are open. While
    /// data points are open, such a change removes the data points.
    #[inline]
    pub fn edit(&mut self, level: Level) -> MessageEdits<'_> {
        let slot = &self.slots[level as usize];
        let buffer: &[u8] = match slot.base.buffer {
            Buffer::Added => &self.added.bytes,
            Buffer::Body => &self.body,
            Buffer::Held(above) => &self.held[above as usize],
        };
        MessageEdits {
            schema: slot.schema,
            base: buffer.get(slot.base.range.clone()).unwrap_or_default(),
            own: &mut self.owns[level as usize],
            limit: self.limit,
            failed: &mut self.failed,
        }
    }

    /// Adds an entry to the open scope: a copy of the open entry, changed by `change`. The entry is visited after the other
    /// entries of the scope.
    pub fn add_entry(&mut self, change: impl FnOnce(&mut MessageEdits<'_>)) {
        let mut own = Own::default();
        let mut edits = MessageEdits {
            schema: self.slots[Level::Entry as usize].schema,
            base: self.bytes(Level::Entry),
            own: &mut own,
            limit: self.limit,
            failed: &mut None,
        };
        change(&mut edits);
        let is_failed = edits.failed.is_some();
        let entry = if own.is_used { own.bytes } else { self.bytes(Level::Entry).to_vec() };
        let size = self.added.bytes.len() + entry.len() + self.added.ends.len() * size_of::<usize>();
        if is_failed || size > self.limit {
            self.failed = Some(EditError::TooLarge { limit: self.limit });
            return;
        }
        self.added.bytes.extend_from_slice(&entry);
        self.added.ends.push(self.added.bytes.len());
    }

    /// Returns the message of a level as it was opened.
    fn base(&self, level: Level) -> &[u8] {
        self.at(&self.slots[level as usize].base)
    }

    /// Opens the resource or scope of an envelope.
    pub(super) fn open_header(&mut self, level: Level, schema: Option<&'static Message>, envelope: &Field) {
        let pieces = pieces(&self.body, envelope, HEADER);
        let whole = pieces.first().map_or(0..0, |piece| piece.value.clone());
        self.open(level, schema, Base { buffer: Buffer::Body, range: whole });
        if pieces.len() > 1 {
            // The pieces are one message, and no change: `base` of such a header is in the buffer for changed messages.
            let held = &mut self.held[level as usize];
            held.clear();
            held.extend_from_slice(&joined(&self.body, &pieces));
            let range = 0..held.len();
            self.slots[level as usize].base = Base { buffer: Buffer::Held(level), range };
        }
        if level == Level::Scope {
            self.added.bytes.clear();
            self.added.ends.clear();
        }
        let url = envelope.fields(&self.body).filter(|field| field.is(SCHEMA_URL)).last();
        if let Some(place) = self.schema_urls.get_mut(level as usize) {
            *place = SchemaUrl { range: url.map_or(0..0, |field| field.value), new: None };
        }
    }

    /// Opens a message.
    #[inline]
    pub(super) fn open(&mut self, level: Level, schema: Option<&'static Message>, base: Base) {
        let slot = &mut self.slots[level as usize];
        (slot.schema, slot.base) = (schema, base);
        slot.children.arm = LastArm::default();
        let own = &mut self.owns[level as usize];
        (own.is_used, own.without) = (false, None);
    }

    /// Closes the messages below a level.
    pub(super) fn close_below(&mut self, level: Level) {
        for below in Level::ALL.into_iter().filter(|below| *below > level) {
            self.open(below, None, Base::default());
        }
    }

    /// Opens the list of children of a level's message. Returns the place of the message.
    pub(super) fn open_children(&mut self, level: Level, nest: Nest) -> Base {
        let own = &mut self.owns[level as usize];
        own.without = Some(nest);
        if own.is_used {
            own.is_used = false;
            std::mem::swap(&mut own.bytes, &mut self.held[level as usize]);
            let range = 0..self.held[level as usize].len();
            self.slots[level as usize].base = Base { buffer: Buffer::Held(level), range };
        }
        let mut children = std::mem::take(&mut self.slots[level as usize].children);
        children.find(nest, self.base(level));
        self.slots[level as usize].children = children;
        self.slots[level as usize].base.clone()
    }

    pub(super) fn children(&mut self, level: Level) -> &mut Children {
        &mut self.slots[level as usize].children
    }

    pub(super) fn schema(&self, level: Level) -> Option<&'static Message> {
        self.slots[level as usize].schema
    }

    /// Writes the changed children of a level's message into the message.
    pub(super) fn close_children(&mut self, level: Level, nest: Nest) {
        let own = &self.owns[level as usize];
        let children = &self.slots[level as usize].children;
        if own.is_used || children.is_changed() {
            let mut out = Vec::new();
            children.write(nest, self.base(level), own.is_used.then_some(own.bytes.as_slice()), &mut out);
            self.owns[level as usize].bytes = out;
            self.owns[level as usize].is_used = true;
        }
    }

    /// Returns the new encoding of an entry or a part of an entry, if it differs from the message at `before`.
    #[inline]
    pub(super) fn changed(&self, level: Level, before: &[u8]) -> Option<&[u8]> {
        let now = self.bytes(level);
        let is_same = std::ptr::eq(now.as_ptr(), before.as_ptr()) && now.len() == before.len();
        (!is_same && now != before).then_some(now)
    }

    /// Notes the new encoding of a child, if it differs from the message at `before`.
    ///
    /// # Errors
    /// If the children become larger than the limit.
    #[inline]
    pub(super) fn replace_child(
        &mut self,
        level: Level,
        index: usize,
        nest: Nest,
        before: &Base,
    ) -> Result<(), EditError> {
        let below = if level == Level::Entry { Level::Child } else { Level::Exemplar };
        if self.changed(below, self.at(before)).is_none() {
            return Ok(());
        }
        let mut children = std::mem::take(&mut self.slots[level as usize].children);
        children.replace(index, nest.number, self.bytes(below));
        let is_too_large = children.text_len() > self.limit;
        self.slots[level as usize].children = children;
        if is_too_large { Err(EditError::TooLarge { limit: self.limit }) } else { Ok(()) }
    }

    /// Returns the new encoding of a resource or scope, if it was changed.
    pub(super) fn changed_header(&self, level: Level) -> Option<&[u8]> {
        let own = &self.owns[level as usize];
        (own.is_used && own.bytes != self.base(level)).then_some(&own.bytes)
    }

    /// Returns the new schema URL of a resource or scope, if it was changed.
    pub(super) fn changed_schema_url(&self, level: Level) -> Option<&str> {
        let SchemaUrl { range, new } = self.schema_urls.get(level as usize)?;
        let before = text(self.body.get(range.clone()).unwrap_or_default());
        new.as_deref().filter(|new| *new != before)
    }

    /// Returns the place of an added entry.
    pub(super) fn added(&self, index: usize) -> Option<Base> {
        let end = *self.added.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.added.ends.get(before)).copied();
        Some(Base { buffer: Buffer::Added, range: start.unwrap_or(0)..end })
    }

    /// Returns the bytes at the place of a message.
    pub(super) fn at(&self, base: &Base) -> &[u8] {
        match base.buffer {
            Buffer::Added => self.added.bytes.get(base.range.clone()),
            Buffer::Body => self.body.get(base.range.clone()),
            Buffer::Held(level) => self.held[level as usize].get(base.range.clone()),
        }
        .unwrap_or_default()
    }
}

impl fmt::Debug for OpenMessages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lens = Level::ALL.map(|level| self.bytes(level).len());
        f.debug_struct("OpenMessages")
            .field("signal", &self.signal)
            .field("bytes", &lens)
            .finish_non_exhaustive()
    }
}

// === impl Base ===

impl Base {
    /// Makes the place of a message in the body.
    pub(super) fn in_body(range: Range<usize>) -> Self {
        Self { buffer: Buffer::Body, range }
    }

    /// Returns the place of a child at a range of the message.
    pub(super) fn child(&self, range: Range<usize>) -> Self {
        let start = self.range.start;
        Self { buffer: self.buffer, range: start + range.start..start + range.end }
    }
}

/// Field number of the schema URL in the envelopes of resources and scopes.
pub(super) const SCHEMA_URL: u32 = 3;
