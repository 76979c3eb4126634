//! The way through a request: what is shown to the editor, and notes of what it did.

use super::attribute::Attribute;
use super::attributes::State;
use super::dictionary::Dictionary;
use super::levels::Numbers;
use super::{AttributeEdits, EditError, Editor, Fate, Item, Levels};
use crate::body::tally;
use crate::field::{Field, LastArm, fields, joined, pieces};
use crate::signal::{BELOW_RESOURCE, HEADER, RESOURCES};
use crate::splice::{Mark, Slice, Splices};
use crate::wire::{WireType, put_tag, put_varint, varint_len};
use crate::{Count, Items, Signal};

/// An editor on its way through a body.
pub(super) struct Walk<'a, E: ?Sized> {
    body: &'a [u8],
    editor: &'a mut E,
    levels: Levels,
    items: Items,
    numbers: Numbers,
    dictionary: Dictionary,
    /// The attributes of one message after the other.
    list: Vec<Attribute>,
    splices: Splices,
    dropped: Count,
    /// Resources before the one being read.
    resource_index: usize,
}

/// An envelope: of a resource, or of a scope.
struct Level {
    /// The number of the attributes of what it says of its children.
    attributes: u32,
    /// Whether the editor wants to see that.
    is_shown: bool,
    /// Whether the editor wants to see something in it.
    is_opened: bool,
    /// The field numbers of the levels below it.
    below: &'static [u32],
}

/// How many children an envelope had, and how many of those went.
#[derive(Default)]
struct Children {
    all: u64,
    gone: u64,
}

// === impl Walk ===

impl<'a, E: Editor + ?Sized> Walk<'a, E> {
    pub(super) fn new(
        signal: Signal,
        body: &'a [u8],
        editor: &'a mut E,
        max_bytes: usize,
    ) -> Result<Self, EditError> {
        let levels = editor.levels();
        let numbers = Numbers::of(signal);
        let dictionary = if levels.resources || levels.scopes || (levels.items && numbers.have_items()) {
            Dictionary::read(signal.request, body)?
        } else {
            Dictionary::default()
        };
        Ok(Self {
            body,
            levels,
            editor,
            items: signal.items,
            numbers,
            dictionary,
            list: Vec::new(),
            splices: Splices::new(body.len(), max_bytes)?,
            dropped: Count::default(),
            resource_index: 0,
        })
    }

    /// All resources of the request.
    pub(super) fn request(&mut self) -> Result<(), EditError> {
        for field in fields(self.body, 0) {
            if field.is(RESOURCES) {
                self.resource(&field)?;
                self.resource_index += 1;
            }
        }
        Ok(())
    }

    /// The notes, and what was dropped.
    pub(super) fn finish(self) -> (Splices, Count) {
        (self.splices, self.dropped)
    }

    fn resource(&mut self, envelope: &Field) -> Result<Fate, EditError> {
        let Levels { resources, scopes, entries, items } = self.levels;
        let level = Level {
            attributes: self.numbers.resource,
            is_shown: resources,
            is_opened: scopes || entries || items,
            below: &BELOW_RESOURCE,
        };
        let ask = |editor: &mut E, resource: &[u8], edits: &mut AttributeEdits<'_>| {
            editor.resource(resource, edits)
        };
        self.envelope(envelope, level, ask, |walk, scope, resource| walk.scope(&scope, resource))
    }

    fn scope(&mut self, envelope: &Field, resource: &[u8]) -> Result<Fate, EditError> {
        let Levels { scopes, entries, items, .. } = self.levels;
        let level = Level {
            attributes: self.numbers.scope,
            is_shown: scopes,
            is_opened: entries || items,
            below: &BELOW_RESOURCE[1..],
        };
        let ask = |editor: &mut E, scope: &[u8], edits: &mut AttributeEdits<'_>| {
            editor.scope(resource, scope, edits)
        };
        self.envelope(envelope, level, ask, |walk, entry, scope| {
            let (resource_index, bytes) = (walk.resource_index, entry.bytes(walk.body));
            walk.entry(entry, &Item { resource_index, resource, scope, entry: bytes, point: None })
        })
    }

    /// Shows what an envelope says of its children, asks about that, and hands on each `child`.
    #[inline]
    fn envelope(
        &mut self,
        envelope: &Field,
        level: Level,
        ask: impl FnOnce(&mut E, &[u8], &mut AttributeEdits<'_>) -> Fate,
        mut child: impl FnMut(&mut Self, Field, &[u8]) -> Result<Fate, EditError>,
    ) -> Result<Fate, EditError> {
        let body = self.body;
        let pieces = pieces(body, envelope, HEADER);
        let header = joined(body, &pieces);
        let mark = self.splices.open(envelope.prefix(), envelope.value.len());
        let mut fate = Fate::Keep;
        if level.is_shown {
            fate = self
                .change(envelope, &pieces, level.attributes, |editor, edits| ask(editor, &header, edits))?;
        }
        if fate == Fate::Drop {
            self.dropped += tally(self.items, envelope.bytes(body), level.below);
        } else if let (true, Some(&number)) = (level.is_opened, level.below.first()) {
            let mut children = Children::default();
            for field in envelope.fields(body).filter(|field| field.is(number)) {
                children.add(child(self, field, &header)?);
            }
            fate = children.fate();
        }
        self.end(mark, envelope, fate);
        Ok(fate)
    }

    fn entry(&mut self, entry: Field, item: &Item<'_>) -> Result<Fate, EditError> {
        if self.levels.entries && self.editor.entry(item) == Fate::Drop {
            self.dropped += tally(self.items, item.entry, &[]);
            self.splices.cut(entry.whole);
            return Ok(Fate::Drop);
        }
        if !self.levels.items {
            return Ok(Fate::Keep);
        }
        if self.items == Items::Entries {
            let number = self.numbers.entry;
            return self.item(&[entry], number, Count { items: 1, entries: 1 }, item);
        }
        let mark = self.splices.open(entry.prefix(), entry.value.len());
        let points = match self.items {
            Items::Inside { containers, field } => self.containers(&entry, containers, field, item)?,
            Items::Repeated { field } => self.points(&entry, field, self.numbers.point(0), item)?,
            Items::Entries => Children::default(),
        };
        let fate = points.fate();
        if fate == Fate::Drop {
            self.dropped.entries += 1;
        }
        self.end(mark, &entry, fate);
        Ok(fate)
    }

    /// The items in the arm of a `oneof` that counts: a decoder forgets what other arms had before it.
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
        }
        Ok(points)
    }

    /// The items that are in a message as field `number`.
    fn points(
        &mut self,
        message: &Field,
        number: u32,
        attributes: u32,
        item: &Item<'_>,
    ) -> Result<Children, EditError> {
        let mut points = Children::default();
        for point in message.fields(self.body) {
            if point.is(number) {
                let item = Item { point: Some(point.bytes(self.body)), ..*item };
                points.add(self.item(&[point], attributes, Count { items: 1, entries: 0 }, &item)?);
            }
        }
        Ok(points)
    }

    #[inline]
    fn item(
        &mut self,
        piece: &[Field; 1],
        number: u32,
        count: Count,
        item: &Item<'_>,
    ) -> Result<Fate, EditError> {
        let [field] = piece;
        let fate = self.change(field, piece, number, |editor, edits| editor.item(item, edits))?;
        if fate == Fate::Drop {
            self.dropped += count;
            self.splices.cut(field.whole.clone());
        }
        Ok(fate)
    }

    /// Shows a message and its attributes to the editor, and notes what it changed, unless the message goes anyway.
    /// `envelope` is where a message is put that is absent.
    #[inline]
    fn change(
        &mut self,
        envelope: &Field,
        pieces: &[Field],
        number: u32,
        ask: impl FnOnce(&mut E, &mut AttributeEdits<'_>) -> Fate,
    ) -> Result<Fate, EditError> {
        let text = self.splices.put_so_far().len();
        let mut edits = AttributeEdits {
            body: self.body,
            pieces,
            number,
            dictionary: &self.dictionary,
            list: &mut self.list,
            splices: &mut self.splices,
            state: State::Unread,
        };
        let fate = ask(self.editor, &mut edits);
        let changed = edits.finish()?;
        if !changed || fate == Fate::Drop {
            self.splices.text().truncate(text);
            return Ok(fate);
        }
        match pieces {
            [] => self.add_message(envelope),
            pieces => self.note(pieces),
        }
        self.splices.check()?;
        Ok(fate)
    }

    /// Notes the changes of the list, which is that of the message in these pieces.
    fn note(&mut self, pieces: &[Field]) {
        let mut list = self.list.iter().peekable();
        for (index, piece) in pieces.iter().enumerate() {
            let mark = self.splices.open(piece.prefix(), piece.value.len());
            let is_last = index + 1 == pieces.len();
            let end = Slice::new(piece.value.end..piece.value.end);
            while let Some(attribute) = list
                .next_if(|attribute| is_last || (attribute.whole.len() > 0 && attribute.whole.end <= end.end))
            {
                match (attribute.is_live, attribute.whole.len()) {
                    (true, 0) => self.splices.put(end, attribute.written),
                    (true, _) if attribute.written.len() > 0 => {
                        self.splices.put(attribute.whole, attribute.written);
                    }
                    (true, _) | (false, 0) => {}
                    (false, _) => self.splices.cut(attribute.whole.range()),
                }
            }
            self.splices.close(mark);
        }
    }

    /// Notes a message that the envelope did not have, with the attributes of the list.
    fn add_message(&mut self, envelope: &Field) {
        let live =
            || self.list.iter().filter(|attribute| attribute.is_live).map(|attribute| attribute.written);
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
    fn end(&mut self, mark: Mark, field: &Field, fate: Fate) {
        match fate {
            Fate::Keep => self.splices.close(mark),
            Fate::Drop => self.splices.drop_message(mark, field.whole.clone()),
        }
    }
}

// === impl Children ===

impl Children {
    fn add(&mut self, fate: Fate) {
        self.all += 1;
        self.gone += u64::from(fate == Fate::Drop);
    }

    /// What becomes of what they are in: it goes when the last of them does.
    fn fate(&self) -> Fate {
        if self.gone > 0 && self.gone == self.all { Fate::Drop } else { Fate::Keep }
    }
}

impl std::ops::AddAssign for Children {
    fn add_assign(&mut self, other: Self) {
        self.all += other.all;
        self.gone += other.gone;
    }
}
