//! The attributes of one message, as an editor reads and changes them.
//!
//! Attributes are read when the editor first asks for one, into a list that all messages of a request share. Changes are
//! written once, when they are made. A list of attributes that is sent in pieces, between other fields, is one list.

use super::attribute::{AnySlice, Attribute, Content, write_field};
use super::dictionary::Dictionary;
use super::{EditError, MAX_ATTRIBUTES};
use crate::field::{Field, fields};
use crate::schema::Message;
use crate::splice::{Slice, Splices};
use crate::view::{AnyValue, text};
use crate::wire::WireType;
use crate::{AttributeValue, ToValue, Value};
use std::fmt;

/// The attributes of a resource, scope or item, to be read and changed; [`set_string`](Self::set_string) sets other fields.
///
/// Keys should be unique. If a key is there several times, reads take its first attribute, and every change that writes or
/// deletes the key removes its other attributes: a deleted or overwritten value must not remain in a duplicate. New
/// attributes are appended.
///
/// Values are `AnyValue` messages: [`view::AnyValue`](crate::view::AnyValue) reads them, [`ToValue`] lists the types that
/// they can be made of.
pub struct AttributeEdits<'a> {
    pub(super) body: &'a [u8],
    /// The pieces of the message; empty if the message is absent.
    pub(super) pieces: &'a [Field],
    /// Number of the field that holds the attributes; 0 if the message has no such field.
    pub(super) number: u32,
    pub(super) dictionary: &'a mut Dictionary,
    pub(super) list: &'a mut Vec<Attribute>,
    pub(super) splices: &'a mut Splices,
    pub(super) state: State,
    /// Type of the message.
    pub(super) message: Option<&'static Message>,
    /// Fields that were set beside the attributes: numbers, and the encoded fields in the inserted text.
    pub(super) fields: &'a mut Vec<(u32, Slice)>,
}

/// State of an [`AttributeEdits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The list has not been read.
    Unread,
    /// The list is that of the message.
    Read,
    /// The list has been changed.
    Changed,
    /// The list cannot be read.
    Failed(EditError),
}

/// Condition under which [`AttributeEdits::put`] writes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The key is absent.
    Insert,
    /// The key is present.
    Update,
    /// Always.
    Upsert,
}

/// Change of one attribute in [`AttributeEdits::for_each`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The attribute stays.
    Keep,
    /// The attribute is deleted.
    Delete,
    /// The attribute gets the value that was set.
    Replace,
}

// === impl AttributeEdits ===

impl AttributeEdits<'_> {
    /// True if the message has a field for attributes. Otherwise reads find nothing and changes do nothing.
    pub fn is_editable(&self) -> bool {
        self.number != 0
    }

    /// Returns the value of the first attribute with this key, as an encoded `AnyValue`.
    pub fn get(&mut self, key: &str) -> Option<&[u8]> {
        let index = self.find(key)?;
        let attribute = self.list.get(index)?;
        Some(self.bytes(attribute.value()))
    }

    /// Returns the value of the first attribute with this key. A value that the sender left out is [`AnyValue::Empty`].
    pub fn value(&mut self, key: &str) -> Option<AnyValue<'_>> {
        self.get(key).map(AnyValue::new)
    }

    /// Iterates over keys and values, in order.
    pub fn iter(&mut self) -> impl Iterator<Item = (&str, AnyValue<'_>)> {
        self.read();
        let this = &*self;
        let live = this.list.iter().filter(|attribute| attribute.is_live);
        live.map(|attribute| {
            (text(this.bytes(attribute.key())), AnyValue::new(this.bytes(attribute.value())))
        })
    }

    /// Sets the value of `key` if the key is absent. True if the key was absent.
    pub fn insert(&mut self, key: &str, value: impl ToValue) -> bool {
        self.put(Put::Insert, key, value)
    }

    /// Sets the value of `key` if the key is present. True if the key was present.
    pub fn update(&mut self, key: &str, value: impl ToValue) -> bool {
        self.put(Put::Update, key, value)
    }

    /// Sets the value of `key`.
    pub fn upsert(&mut self, key: &str, value: impl ToValue) {
        self.put(Put::Upsert, key, value);
    }

    /// Sets the value of `key` if the condition holds. True if the condition holds.
    pub fn put(&mut self, put: Put, key: &str, value: impl ToValue) -> bool {
        value.with_value(|value| match value {
            Value::Any(AnyValue::Array(_) | AnyValue::Map(_)) => {
                let encoded = AttributeValue::from(value);
                self.put_content(put, key, Content::Encoded(encoded.as_bytes()))
            }
            value => self.put_content(put, key, value.into()),
        })
    }

    fn put_content(&mut self, put: Put, key: &str, value: Content<'_>) -> bool {
        match (self.find(key), put) {
            (Some(index), Put::Update | Put::Upsert) => {
                self.delete_from(index + 1, key);
                self.replace_value(index, value);
                true
            }
            (None, Put::Insert | Put::Upsert) => self.append(key, value),
            _ => false,
        }
    }

    /// Sets the value of `key` to the value of the key `from`, if `from` is present and the condition holds. True if both
    /// are so.
    pub fn put_from(&mut self, put: Put, key: &str, from: &str) -> bool {
        let Some(index) = self.find(from) else { return false };
        let Some(slice) = self.list.get(index).map(|attribute| attribute.value()) else { return false };
        let body = self.body;
        if slice.is_text {
            let value = self.bytes(slice).to_vec();
            return self.put_content(put, key, Content::Encoded(&value));
        }
        self.put_content(put, key, Content::Encoded(slice.of(body, &[])))
    }

    /// Deletes all attributes with this key. True if there was one.
    pub fn delete(&mut self, key: &str) -> bool {
        match self.find(key) {
            Some(index) => {
                self.delete_from(index, key);
                true
            }
            None => false,
        }
    }

    /// Changes the key of an attribute, which keeps its position and value. True if `key` was present. Attributes that had
    /// the new key before are deleted.
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

    /// Calls `ask` for each attribute, in order, with the key, the encoded value, and an [`AttributeValue`] in which to
    /// [`set`](AttributeValue::set) the value for [`Change::Replace`]. A key may come several times.
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
                Change::Replace => self.replace_value(index, Content::Encoded(replacement.as_bytes())),
            }
        }
    }

    /// Returns true if the message changed.
    ///
    /// # Errors
    /// If the attributes could not be read.
    pub(super) fn finish(self) -> Result<bool, EditError> {
        match self.state {
            State::Failed(error) => Err(error),
            State::Unread => {
                // The list is that of another message.
                self.list.clear();
                Ok(!self.fields.is_empty())
            }
            state => Ok(state == State::Changed || !self.fields.is_empty()),
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

    fn replace_value(&mut self, index: usize, value: Content<'_>) {
        let Some(attribute) = self.list.get(index).copied() else { return };
        if matches!(value, Content::Encoded(message) if attribute.has_value() && self.bytes(attribute.value()) == message)
        {
            return;
        }
        self.write(index, attribute, None, Some(value));
    }

    fn append(&mut self, key: &str, value: Content<'_>) -> bool {
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

    /// Rewrites an attribute: `key` and `value`, if given, replace the old ones.
    fn write(&mut self, index: usize, old: Attribute, key: Option<&str>, value: Option<Content<'_>>) {
        let others = old.others(self.body, self.splices.put_so_far());
        let key = key.map_or(Content::Kept(old.key()), |key| Content::Encoded(key.as_bytes()));
        let value = match value {
            Some(value) => value,
            None if old.has_value() => Content::Kept(old.value()),
            None => Content::Absent,
        };
        let mut written = write_field(self.splices.text(), self.body, self.number, key, value, &others);
        written.whole = old.whole;
        if let Some(attribute) = self.list.get_mut(index) {
            *attribute = written;
        }
        self.set_changed();
    }

    /// Notes a change. A failed state stays failed.
    fn set_changed(&mut self) {
        if self.state == State::Read {
            self.state = State::Changed;
        }
    }

    fn bytes(&self, slice: AnySlice) -> &[u8] {
        slice.of(self.body, self.splices.put_so_far())
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
        self.dictionary.read(self.body)?;
        for piece in self.pieces {
            let base = piece.value.start;
            let bytes = piece.bytes(self.body);
            // Long tags and attributes that may refer to the dictionary are read by `read_other`.
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

    /// Reads an attribute of any form, or skips another field. Returns the end of the field.
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

impl fmt::Debug for AttributeEdits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttributeEdits").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Returns the end of the field at `at`, if its tag and length have one byte each and it is not an attribute.
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
