//! Walks a request, shows its messages to the editor, and records the changes.

mod parts;

use super::attribute::Attribute;
use super::attributes::State;
use super::dictionary::Dictionary;
use super::numbers::{Editable, Numbers};
use super::{AttributeEdits, Decision, EditError, Editor, Item};
use crate::body::tally;
use crate::field::{Field, LastArm, fields, joined, pieces};
use crate::signal::{BELOW_RESOURCE, HEADER, RESOURCES};
use crate::splice::{Mark, Slice, Splices};
use crate::wire::{WireType, put_tag, put_varint, varint_len};
use crate::{Count, Items, Signal};

/// Walk of an editor through a body.
pub(super) struct Walk<'a, E: ?Sized> {
    body: &'a [u8],
    editor: &'a mut E,
    shown: Shown,
    items: Items,
    numbers: Numbers,
    dictionary: Dictionary,
    /// The attributes of the current message.
    list: Vec<Attribute>,
    /// Other fields of the current message that were set: numbers, and the encoded fields in the inserted text.
    fields: Vec<(u32, Slice)>,
    splices: Splices,
    dropped: Count,
    /// Number of resources before the current one.
    resource_index: usize,
}

/// Levels of a request that the editor wants to see.
struct Shown([bool; 5]);

// Levels, as indices of `Shown`.
const RESOURCE: usize = 0;
const SCOPE: usize = 1;
const ENTRY: usize = 2;
const ITEM: usize = 3;
const PART: usize = 4;

/// An envelope: the message of a resource or of a scope, with its children.
struct Level {
    index: usize,
    /// The resource or scope.
    edited: Editable,
    /// Field numbers of the levels below.
    below: &'static [u32],
}

/// Numbers of an envelope's children.
#[derive(Default)]
struct Children {
    all: u64,
    dropped: u64,
}

// === impl Walk ===

impl<'a, E: Editor + ?Sized> Walk<'a, E> {
    pub(super) fn new(
        signal: Signal,
        body: &'a [u8],
        editor: &'a mut E,
        max_bytes: usize,
    ) -> Result<Self, EditError> {
        Ok(Self {
            body,
            shown: Shown([true, true, true, true, editor.shows_parts()]),
            editor,
            items: signal.items,
            numbers: Numbers::of(signal),
            dictionary: Dictionary::new(signal.request),
            list: Vec::new(),
            fields: Vec::new(),
            splices: Splices::new(body.len(), max_bytes)?,
            dropped: Count::default(),
            resource_index: 0,
        })
    }

    /// Walks all resources of the request.
    pub(super) fn request(&mut self) -> Result<(), EditError> {
        for field in fields(self.body, 0) {
            if field.is(RESOURCES) {
                self.resource(&field)?;
                self.resource_index += 1;
            }
            if !self.shown.any_from(RESOURCE) {
                break;
            }
        }
        Ok(())
    }

    /// Returns the changes, and the number of dropped items and entries.
    pub(super) fn finish(self) -> (Splices, Count) {
        (self.splices, self.dropped)
    }

    fn resource(&mut self, envelope: &Field) -> Result<Decision, EditError> {
        let level = Level { index: RESOURCE, edited: self.numbers.resource, below: &BELOW_RESOURCE };
        let ask = |editor: &mut E, resource: &[u8], edits: &mut AttributeEdits<'_>| {
            editor.resource(resource, edits)
        };
        self.envelope(envelope, level, ask, |walk, scope, resource| walk.scope(&scope, resource))
    }

    fn scope(&mut self, envelope: &Field, resource: &[u8]) -> Result<Decision, EditError> {
        let level = Level { index: SCOPE, edited: self.numbers.scope, below: &BELOW_RESOURCE[1..] };
        let ask = |editor: &mut E, scope: &[u8], edits: &mut AttributeEdits<'_>| {
            editor.scope(resource, scope, edits)
        };
        self.envelope(envelope, level, ask, |walk, entry, scope| {
            let (resource_index, bytes) = (walk.resource_index, entry.bytes(walk.body));
            walk.entry(entry, &Item { resource_index, resource, scope, entry: bytes, ..Item::default() })
        })
    }

    /// Shows the resource or scope of an envelope to the editor by `ask`, then walks each child by `child`.
    #[inline]
    fn envelope(
        &mut self,
        envelope: &Field,
        level: Level,
        ask: impl FnOnce(&mut E, &[u8], &mut AttributeEdits<'_>) -> Decision,
        mut child: impl FnMut(&mut Self, Field, &[u8]) -> Result<Decision, EditError>,
    ) -> Result<Decision, EditError> {
        let body = self.body;
        let pieces = pieces(body, envelope, HEADER);
        let header = joined(body, &pieces);
        let mark = self.splices.open(envelope.prefix(), envelope.value.len());
        let mut decision = Decision::Keep;
        if self.shown.has(level.index) {
            let asked =
                self.change(envelope, &pieces, level.edited, |editor, edits| ask(editor, &header, edits))?;
            decision = self.shown.settle(level.index, asked);
        }
        if decision == Decision::Drop {
            self.dropped += tally(self.items, envelope.bytes(body), level.below);
        } else if let Some(&number) = level.below.first()
            && self.shown.any_from(level.index + 1)
        {
            let mut children = Children::default();
            for field in envelope.fields(body).filter(|field| field.is(number)) {
                children.add(child(self, field, &header)?);
                // The child that ended the last level was kept: so is the envelope.
                if !self.shown.any_from(level.index + 1) {
                    break;
                }
            }
            decision = children.decision();
        }
        self.end(mark, envelope, decision);
        Ok(decision)
    }

    fn entry(&mut self, entry: Field, item: &Item<'_>) -> Result<Decision, EditError> {
        if self.shown.has(ENTRY) {
            let asked = self.editor.entry(item);
            if self.shown.settle(ENTRY, asked) == Decision::Drop {
                self.dropped += tally(self.items, item.entry, &[]);
                self.splices.cut(entry.whole);
                return Ok(Decision::Drop);
            }
        }
        if !self.shown.any_from(ITEM) || !self.editor.looks_into(item) {
            return Ok(Decision::Keep);
        }
        if self.items == Items::Entries {
            let edited = self.numbers.entry;
            return self.item(&[entry], edited, Count { items: 1, entries: 1 }, item);
        }
        let mark = self.splices.open(entry.prefix(), entry.value.len());
        let points = match self.items {
            Items::Inside { containers, field } => self.containers(&entry, containers, field, item)?,
            Items::Repeated { field } => self.points(&entry, field, self.numbers.point(0), item)?,
            Items::Entries => Children::default(),
        };
        let decision = points.decision();
        if decision == Decision::Drop {
            self.dropped.entries += 1;
        }
        self.end(mark, &entry, decision);
        Ok(decision)
    }

    /// Walks the items in the last arm of a `oneof`: a decoder drops the arms before it.
    fn containers(
        &mut self,
        entry: &Field,
        containers: &[u32],
        number: u32,
        item: &Item<'_>,
    ) -> Result<Children, EditError> {
        let mut last = LastArm::default();
        for field in entry.fields(self.body) {
            if field.is_len && containers.contains(&field.number) {
                last.see(field.number, field.whole.start);
            }
        }
        let mut points = Children::default();
        for container in entry.fields(self.body) {
            if container.is_len && last.counts(container.number, container.whole.start) {
                let mark = self.splices.open(container.prefix(), container.value.len());
                points += self.points(&container, number, self.numbers.point(last.number), item)?;
                self.splices.close(mark);
            }
            if !self.shown.any_from(ITEM) {
                break;
            }
        }
        Ok(points)
    }

    /// Walks the items in field `number` of a message.
    fn points(
        &mut self,
        message: &Field,
        number: u32,
        edited: Editable,
        item: &Item<'_>,
    ) -> Result<Children, EditError> {
        let mut points = Children::default();
        for point in message.fields(self.body) {
            if point.is(number) {
                let item = Item { point: Some(point.bytes(self.body)), ..*item };
                points.add(self.item(&[point], edited, Count { items: 1, entries: 0 }, &item)?);
                if !self.shown.any_from(ITEM) {
                    break;
                }
            }
        }
        Ok(points)
    }

    #[inline]
    fn item(
        &mut self,
        piece: &[Field; 1],
        edited: Editable,
        count: Count,
        item: &Item<'_>,
    ) -> Result<Decision, EditError> {
        let [field] = piece;
        if self.shown.has(PART) {
            return self.item_with_parts(field, piece, edited, count, item);
        }
        let asked = self.change(field, piece, edited, |editor, edits| editor.item(item, edits))?;
        let decision = self.shown.settle(ITEM, asked);
        if decision == Decision::Drop {
            self.dropped += count;
            self.splices.cut(field.whole.clone());
        }
        Ok(decision)
    }

    /// Shows a message and its attributes to the editor, and records the changes unless the message is dropped. A message
    /// that is absent is added to `envelope`.
    #[inline]
    fn change(
        &mut self,
        envelope: &Field,
        pieces: &[Field],
        edited: Editable,
        ask: impl FnOnce(&mut E, &mut AttributeEdits<'_>) -> Decision,
    ) -> Result<Decision, EditError> {
        let (decision, changed) = self.ask(pieces, edited, ask)?;
        if changed {
            match pieces {
                [] => self.add_message(envelope),
                pieces => self.note(pieces),
            }
            self.splices.check()?;
        }
        Ok(decision)
    }

    /// Shows a message and its attributes to the editor. Returns the decision, and true if there are changes to be recorded.
    #[inline]
    fn ask(
        &mut self,
        pieces: &[Field],
        edited: Editable,
        ask: impl FnOnce(&mut E, &mut AttributeEdits<'_>) -> Decision,
    ) -> Result<(Decision, bool), EditError> {
        let text = self.splices.put_so_far().len();
        self.fields.clear();
        let mut edits = AttributeEdits {
            body: self.body,
            pieces,
            number: edited.attributes,
            dictionary: &mut self.dictionary,
            list: &mut self.list,
            splices: &mut self.splices,
            state: State::Unread,
            message: edited.message,
            fields: &mut self.fields,
        };
        let decision = ask(self.editor, &mut edits);
        let changed = edits.finish()?;
        let is_recorded = changed && decision != Decision::Drop;
        if !is_recorded {
            self.splices.text().truncate(text);
        }
        Ok((decision, is_recorded))
    }

    /// Adds a message with the attributes of the list and other fields to an envelope that had no such message.
    fn add_message(&mut self, envelope: &Field) {
        let live = || {
            let attributes = self.list.iter().filter(|attribute| attribute.is_live);
            let fields = self.fields.iter().map(|(_, field)| *field);
            fields.chain(attributes.map(|attribute| attribute.written))
        };
        let len: usize = live().map(Slice::len).sum();
        if len == 0 {
            return;
        }
        let at = envelope.value.start;
        self.splices.replace(at..at, |text| {
            text.reserve(len + 1 + varint_len(len as u64));
            put_tag(text, HEADER, WireType::Len);
            put_varint(text, len as u64);
            live().for_each(|slice| text.extend_from_within(slice.start as usize..slice.end as usize));
        });
    }

    /// Closes a message, or drops it.
    fn end(&mut self, mark: Mark, field: &Field, decision: Decision) {
        match decision {
            Decision::Keep | Decision::SkipLevel => self.splices.close(mark),
            Decision::Drop => self.splices.drop_message(mark, field.whole.clone()),
        }
    }
}

// === impl Shown ===

impl Shown {
    #[inline]
    fn has(&self, level: usize) -> bool {
        self.0[level]
    }

    /// True if a level from `level` down is shown.
    #[inline]
    fn any_from(&self, level: usize) -> bool {
        self.0[level..].contains(&true)
    }

    /// Ends the showing of a level if the editor decided so; the message then stays.
    #[inline]
    fn settle(&mut self, level: usize, decision: Decision) -> Decision {
        match decision {
            Decision::SkipLevel => {
                self.0[level] = false;
                Decision::Keep
            }
            decision => decision,
        }
    }
}

// === impl Children ===

impl Children {
    fn add(&mut self, decision: Decision) {
        self.all += 1;
        self.dropped += u64::from(decision == Decision::Drop);
    }

    /// Decision on the envelope: it is dropped if all of its children were.
    fn decision(&self) -> Decision {
        if self.dropped > 0 && self.dropped == self.all { Decision::Drop } else { Decision::Keep }
    }
}

impl std::ops::AddAssign for Children {
    fn add_assign(&mut self, other: Self) {
        self.all += other.all;
        self.dropped += other.dropped;
    }
}
