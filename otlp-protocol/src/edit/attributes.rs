//! The attributes of one message, as an editor sees and changes them.
//!
//! They are read at the first question, into a list that all messages of a request share; changes are written once,
//! when they are made. A list that is sent in pieces, between other fields, is one list.

use super::attribute::{Attribute, Part, Place, write_field};
use super::dictionary::Dictionary;
use super::{AttributeValue, EditError, MAX_ATTRIBUTES, Value};
use crate::field::{Field, fields};
use crate::splice::{Slice, Splices};
use crate::view::{AnyValue, text};
use crate::wire::WireType;

/// The attributes of a resource, scope or item, to be read and changed.
///
/// Keys are meant to be unique. Where they are not, the first attribute of a key is the one that is read, and whatever
/// writes or deletes a key leaves no other of that key: what is deleted or overwritten must not come back. New
/// attributes stand at the end.
///
/// Values are `AnyValue` messages: [`view::AnyValue`](crate::view::AnyValue) reads them, [`Value`] writes them.
#[derive(Debug)]
pub struct AttributeEdits<'a> {
    pub(super) body: &'a [u8],
    /// The pieces of the message; none if it is absent.
    pub(super) pieces: &'a [Field],
    /// Number of the field that holds the attributes; 0 if there is none.
    pub(super) number: u32,
    pub(super) dictionary: &'a Dictionary,
    pub(super) list: &'a mut Vec<Attribute>,
    pub(super) splices: &'a mut Splices,
    pub(super) state: State,
}

/// How far an [`AttributeEdits`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody asked.
    Unread,
    /// The list is what the message has.
    Read,
    /// Something in the list has changed.
    Changed,
    /// The list cannot be read.
    Failed(EditError),
}

/// When [`AttributeEdits::put`] gives a key its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// If the key is not there.
    Insert,
    /// If the key is there.
    Update,
    /// In either case.
    Upsert,
}

/// What becomes of an attribute in [`AttributeEdits::for_each`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It stays.
    Keep,
    /// It goes.
    Delete,
    /// Its value becomes the one that was set.
    Replace,
}

// === impl AttributeEdits ===

impl AttributeEdits<'_> {
    /// Whether the message can have attributes at all; if not, nothing is found and nothing changes.
    pub fn is_editable(&self) -> bool {
        self.number != 0
    }

    /// The value of the first attribute of that key, as an `AnyValue` message.
    pub fn get(&mut self, key: &str) -> Option<&[u8]> {
        let index = self.find(key)?;
        let attribute = self.list.get(index)?;
        Some(self.bytes(attribute.value()))
    }

    /// Likewise, read. A value that the sender left out is [`AnyValue::Empty`].
    pub fn value(&mut self, key: &str) -> Option<AnyValue<'_>> {
        self.get(key).map(AnyValue::new)
    }

    /// Keys and values, in order.
    pub fn iter(&mut self) -> impl Iterator<Item = (&str, AnyValue<'_>)> {
        self.read();
        let this = &*self;
        let live = this.list.iter().filter(|attribute| attribute.is_live);
        live.map(|attribute| {
            (text(this.bytes(attribute.key())), AnyValue::new(this.bytes(attribute.value())))
        })
    }

    /// Gives a key a value if it has none; whether it had none.
    pub fn insert<'v>(&mut self, key: &str, value: impl Into<Value<'v>>) -> bool {
        self.put(Put::Insert, key, value)
    }

    /// Gives a key another value if it has one; whether it had one.
    pub fn update<'v>(&mut self, key: &str, value: impl Into<Value<'v>>) -> bool {
        self.put(Put::Update, key, value)
    }

    /// Gives a key that value.
    pub fn upsert<'v>(&mut self, key: &str, value: impl Into<Value<'v>>) {
        self.put(Put::Upsert, key, value);
    }

    /// Gives a key a value, if the condition holds; whether it does.
    pub fn put<'v>(&mut self, put: Put, key: &str, value: impl Into<Value<'v>>) -> bool {
        self.put_part(put, key, value.into().into())
    }

    fn put_part(&mut self, put: Put, key: &str, value: Part<'_>) -> bool {
        match (self.find(key), put) {
            (Some(index), Put::Update | Put::Upsert) => {
                self.delete_from(index + 1, key);
                self.set_value(index, value);
                true
            }
            (None, Put::Insert | Put::Upsert) => self.append(key, value),
            _ => false,
        }
    }

    /// Gives a key the value that another has, if that one is there and the condition holds; whether both do.
    pub fn put_from(&mut self, put: Put, key: &str, from: &str) -> bool {
        let Some(index) = self.find(from) else { return false };
        let Some(place) = self.list.get(index).map(|attribute| attribute.value()) else { return false };
        let body = self.body;
        if place.is_text {
            let value = self.bytes(place).to_vec();
            return self.put_part(put, key, Part::New(&value));
        }
        self.put_part(put, key, Part::New(place.of(body, &[])))
    }

    /// Deletes all attributes of a key; whether there was one.
    pub fn delete(&mut self, key: &str) -> bool {
        match self.find(key) {
            Some(index) => {
                self.delete_from(index, key);
                true
            }
            None => false,
        }
    }

    /// Gives the attribute of one key another key, in its place; whether there was one. Another attribute of the new key
    /// is deleted.
    pub fn rename(&mut self, key: &str, to: &str) -> bool {
        let Some(index) = self.find(key) else { return false };
        if key == to {
            return true;
        }
        self.delete(to);
        self.delete_from(index + 1, key);
        let Some(attribute) = self.list.get(index).copied() else { return false };
        self.write(index, attribute, Some(to), None);
        true
    }

    /// Asks about each attribute, in order, and does as told: key, encoded value, and where another value is
    /// [`set`](AttributeValue::set). One key may come several times.
    pub fn for_each(&mut self, mut ask: impl FnMut(&str, &[u8], &mut AttributeValue) -> Change) {
        self.read();
        let mut replacement = AttributeValue::empty();
        for index in 0..self.list.len() {
            let Some(attribute) = self.list.get(index).filter(|attribute| attribute.is_live) else {
                continue;
            };
            let (key, value) = (self.bytes(attribute.key()), self.bytes(attribute.value()));
            match ask(text(key), value, &mut replacement) {
                Change::Keep => {}
                Change::Delete => self.delete_at(index),
                Change::Replace => self.set_value(index, Part::New(replacement.as_bytes())),
            }
        }
    }

    /// Whether anything changed.
    pub(super) fn finish(self) -> Result<bool, EditError> {
        match self.state {
            State::Failed(error) => Err(error),
            state => Ok(state == State::Changed),
        }
    }

    fn find(&mut self, key: &str) -> Option<usize> {
        self.read();
        self.find_from(0, key)
    }

    #[inline]
    fn find_from(&self, start: usize, key: &str) -> Option<usize> {
        let is_it = |attribute: &Attribute| {
            crate::wire::count_work(1);
            attribute.key().len() == key.len()
                && attribute.is_live
                && self.bytes(attribute.key()) == key.as_bytes()
        };
        self.list.get(start..)?.iter().position(is_it).map(|index| start + index)
    }

    fn delete_from(&mut self, start: usize, key: &str) {
        let mut start = start;
        while let Some(index) = self.find_from(start, key) {
            self.delete_at(index);
            start = index + 1;
        }
    }

    fn delete_at(&mut self, index: usize) {
        if let Some(attribute) = self.list.get_mut(index) {
            attribute.is_live = false;
            self.set_changed();
        }
    }

    fn set_value(&mut self, index: usize, value: Part<'_>) {
        let Some(attribute) = self.list.get(index).copied() else { return };
        if matches!(value, Part::New(message) if attribute.has_value() && self.bytes(attribute.value()) == message)
        {
            return;
        }
        self.write(index, attribute, None, Some(value));
    }

    fn append(&mut self, key: &str, value: Part<'_>) -> bool {
        if !self.is_editable() || matches!(self.state, State::Failed(_)) {
            return false;
        }
        if self.list.len() >= MAX_ATTRIBUTES {
            self.state = State::Failed(EditError::TooManyAttributes { limit: MAX_ATTRIBUTES });
            return false;
        }
        let index = self.list.len();
        self.list.push(Attribute::default());
        self.write(index, Attribute::default(), Some(key), Some(value));
        true
    }

    /// Writes an attribute anew, with what is given instead of what it has.
    fn write(&mut self, index: usize, old: Attribute, key: Option<&str>, value: Option<Part<'_>>) {
        let others = old.others(self.body, self.splices.put_so_far());
        let key = key.map_or(Part::Old(old.key()), |key| Part::New(key.as_bytes()));
        let part = match value {
            Some(value) => value,
            None if old.has_value() => Part::Old(old.value()),
            None => Part::None,
        };
        let mut written = write_field(self.splices.text(), self.body, self.number, key, part, &others);
        written.whole = old.whole;
        if let Some(attribute) = self.list.get_mut(index) {
            *attribute = written;
        }
        self.set_changed();
    }

    /// A failure stays one.
    fn set_changed(&mut self) {
        if self.state == State::Read {
            self.state = State::Changed;
        }
    }

    fn bytes(&self, place: Place) -> &[u8] {
        place.of(self.body, self.splices.put_so_far())
    }

    #[inline]
    fn read(&mut self) {
        if self.state == State::Unread {
            self.list.clear();
            self.state = match self.read_list() {
                Ok(()) => State::Read,
                Err(error) => {
                    self.list.clear();
                    State::Failed(error)
                }
            };
        }
    }

    fn read_list(&mut self) -> Result<(), EditError> {
        if !self.is_editable() {
            return Ok(());
        }
        for piece in self.pieces {
            let base = piece.value.start;
            let bytes = piece.bytes(self.body);
            // A longer tag, and what may have to be looked up, is not read in the short way.
            let is_short = self.number < 16 && self.dictionary.is_empty();
            let tag = if is_short { (self.number << 3 | WireType::Len as u32) as u8 } else { 0 };
            let mut at = 0;
            while at < bytes.len() {
                crate::wire::count_work(1);
                if let Some((attribute, end)) = Attribute::read_plain(bytes, at, base, tag) {
                    self.add(attribute)?;
                    at = end;
                } else if let Some(end) = skip_short(bytes, at, self.number) {
                    at = end;
                } else if let Some((attribute, end)) = Attribute::read_long(bytes, at, base, tag) {
                    self.add(attribute)?;
                    at = end;
                } else {
                    at = self.read_other(bytes, at, base)?;
                }
            }
        }
        Ok(())
    }

    /// Reads an attribute of any form, or skips any other field; where it ends.
    #[cold]
    fn read_other(&mut self, bytes: &[u8], at: usize, base: usize) -> Result<usize, EditError> {
        let Some(field) = fields(bytes.get(at..).unwrap_or_default(), at).next() else {
            return Ok(bytes.len());
        };
        if field.is(self.number) {
            let value = base + field.value.start..base + field.value.end;
            let whole = Slice::new(base + at..base + field.whole.end);
            let attribute = Attribute::read(self.body, value, whole, self.splices, self.dictionary)?;
            self.add(attribute)?;
        }
        Ok(field.whole.end)
    }

    #[inline]
    fn add(&mut self, attribute: Attribute) -> Result<(), EditError> {
        if self.list.len() >= MAX_ATTRIBUTES {
            return Err(EditError::TooManyAttributes { limit: MAX_ATTRIBUTES });
        }
        self.list.push(attribute);
        Ok(())
    }
}

/// Where a field ends that is short, as most are, and not an attribute.
#[inline]
fn skip_short(bytes: &[u8], at: usize, attributes: u32) -> Option<usize> {
    let &[tag @ 0x08..=0x7f, next, ..] = bytes.get(at..)? else { return None };
    let end = match tag & 7 {
        0 if next < 0x80 => at + 2,
        1 => at + 9,
        2 if next < 0x80 && u32::from(tag >> 3) != attributes => at + 2 + usize::from(next),
        5 => at + 5,
        _ => return None,
    };
    (end <= bytes.len()).then_some(end)
}
