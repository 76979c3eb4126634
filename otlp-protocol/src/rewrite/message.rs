//! Changes to one open message.

use super::children::Nest;
use super::field::{FieldValue, Places, encode, replaces};
use crate::attribute::{KEY, KEY_VALUE, VALUE, plain, put_head};
use crate::field::{Field, fields};
use crate::schema::Message;
use crate::view::KeyValue;
use crate::wire::put_len_delimited;
use crate::{EditError, ToValue, Value};
use memchr::memmem;
use std::fmt;
use std::ops::Range;

/// The changes to one message: setters write their field at once, and reads see what was written.
///
/// Fields are named by their numbers, and written by [the schema](crate::schema): a setter that gets an unknown number or a
/// value of another type does nothing and returns false. If a field was given several times, a change replaces all of them.
/// An arm of a `oneof` replaces the other arms.
pub struct MessageEdits<'m> {
    pub(super) schema: Option<&'static Message>,
    /// The message as it was opened.
    pub(super) base: &'m [u8],
    pub(super) own: &'m mut Own,
    pub(super) limit: usize,
    pub(super) failed: &'m mut Option<EditError>,
}

/// Copy of a message that was changed.
#[derive(Debug, Default)]
pub(super) struct Own {
    pub(super) bytes: Vec<u8>,
    /// True if `bytes` is the message.
    pub(super) is_used: bool,
    /// The children that the copy leaves out, while the children are walked.
    pub(super) without: Option<Nest>,
    /// Encoded field that is about to be written.
    scratch: Vec<u8>,
}

// === impl MessageEdits ===

impl MessageEdits<'_> {
    /// Returns the encoded message, with the changes.
    pub fn bytes(&self) -> &[u8] {
        if self.own.is_used { &self.own.bytes } else { self.base }
    }

    /// Sets the field at the end of a path of field numbers: `&[5]` is the name of a span, `&[15, 3]` the code of a span's
    /// status. Absent messages on the path are made. The default of a field without presence is written as an absent field.
    /// Returns false if there is no such field, or the value is not of the field's type.
    pub fn set(&mut self, path: &[u32], value: FieldValue<'_>) -> bool {
        self.put_path(path, Some(value))
    }

    /// Removes the field at the end of a path of field numbers. Returns false if there is no such field in the schema.
    pub fn clear(&mut self, path: &[u32]) -> bool {
        self.put_path(path, None)
    }

    /// Sets the value of an attribute in the list of attributes in field `number`. The attribute keeps its position; other
    /// attributes with this key are removed. Returns false if the field is not a list of attributes.
    pub fn set_attribute(&mut self, number: u32, key: &str, value: impl ToValue) -> bool {
        if !self.has_attributes(number) {
            return false;
        }
        let mut put = self.take_scratch();
        let is_replaced = |field: &Field, message: &[u8]| is_attribute(field, message, number, key);
        let places = self.places_of(key, is_replaced);
        let others = others(self.bytes(), places.first.clone());
        value.with_value(|value| put_attribute(&mut put, number, key, value, &others));
        self.put(places, is_replaced, &mut put, |_, _| {});
        self.own.scratch = put;
        true
    }

    /// Removes all attributes with this key. Returns true if there was one.
    pub fn delete_attribute(&mut self, number: u32, key: &str) -> bool {
        let is_replaced = |field: &Field, message: &[u8]| is_attribute(field, message, number, key);
        if !self.has_attributes(number) {
            return false;
        }
        let places = self.places_of(key, is_replaced);
        self.put(places, is_replaced, &mut Vec::new(), |_, _| {})
    }

    /// Finds the attributes with a key, which `is_replaced` selects. A missing key is noticed by a search, which is faster than reading
    /// all keys.
    fn places_of(&self, key: &str, is_replaced: impl Fn(&Field, &[u8]) -> bool) -> Places {
        let message = self.bytes();
        match memmem::find(message, key.as_bytes()) {
            Some(_) => Places::find(message, |field| is_replaced(field, message)),
            None => Places::default(),
        }
    }

    fn has_attributes(&self, number: u32) -> bool {
        let field = self.schema.and_then(|schema| schema.field(number));
        field.is_some_and(|field| {
            field.is_repeated() && field.message().is_some_and(|message| std::ptr::eq(message, KEY_VALUE))
        })
    }

    fn put_path(&mut self, path: &[u32], value: Option<FieldValue<'_>>) -> bool {
        let (Some(schema), Some(&number)) = (self.schema, path.first()) else { return false };
        let mut put = self.take_scratch();
        let encoded = encode(schema, self.bytes(), path, value, &mut put);
        if encoded == Some(true) {
            let again = |message: &[u8], put: &mut Vec<u8>| {
                put.clear();
                encode(schema, message, path, value, put);
            };
            let is_replaced = |field: &Field, _: &[u8]| replaces(schema, number, field.number);
            let places = Places::find(self.bytes(), |field| is_replaced(field, &[]));
            self.put(places, is_replaced, &mut put, again);
        }
        self.own.scratch = put;
        encoded.is_some()
    }

    /// Replaces the fields at these places, which `is_replaced` selects, by the encoded field `put`. Returns true if the message
    /// changed. If the message is copied without its children, `again` encodes the field again.
    fn put(
        &mut self,
        mut places: Places,
        is_replaced: impl Fn(&Field, &[u8]) -> bool,
        put: &mut Vec<u8>,
        again: impl FnOnce(&[u8], &mut Vec<u8>),
    ) -> bool {
        let message = self.bytes();
        if places.hold(message, put) || self.failed.is_some() {
            return false;
        }
        if message.len().saturating_add(put.len()) > self.limit {
            *self.failed = Some(EditError::TooLarge { limit: self.limit });
            return false;
        }
        if !self.own.is_used {
            self.copy();
            if self.own.without.is_some() {
                let copy = &self.own.bytes;
                again(copy, put);
                places = Places::find(copy, |field| is_replaced(field, copy));
            }
        }
        places.replace(&mut self.own.bytes, put);
        true
    }

    fn copy(&mut self) {
        self.own.is_used = true;
        self.own.bytes.clear();
        match self.own.without {
            Some(nest) => nest.copy_without(self.base, &mut self.own.bytes),
            None => self.own.bytes.extend_from_slice(self.base),
        }
    }

    fn take_scratch(&mut self) -> Vec<u8> {
        let mut scratch = std::mem::take(&mut self.own.scratch);
        scratch.clear();
        scratch
    }
}

impl fmt::Debug for MessageEdits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageEdits")
            .field("bytes", &self.bytes().len())
            .field("is_changed", &self.own.is_used)
            .finish_non_exhaustive()
    }
}

/// True if a field is an attribute with this key.
#[inline]
fn is_attribute(field: &Field, message: &[u8], number: u32, key: &str) -> bool {
    if !field.is(number) {
        return false;
    }
    match plain(message, field.value.start, field.value.end) {
        Some((found, _)) => message.get(found) == Some(key.as_bytes()),
        None => KeyValue::new(field.bytes(message)).has_key(key),
    }
}

/// Appends an attribute: key, value, and other fields that the attribute had.
fn put_attribute(out: &mut Vec<u8>, number: u32, key: &str, value: Value<'_>, others: &[u8]) {
    let mut encoded = Vec::new();
    match value.encoded_len() {
        Some(len) if others.is_empty() => {
            put_head(out, number, key.as_bytes(), len);
            return value.encode(out);
        }
        _ => value.encode(&mut encoded),
    }
    if others.is_empty() {
        put_head(out, number, key.as_bytes(), encoded.len());
        return out.extend_from_slice(&encoded);
    }
    let mut content = Vec::new();
    put_len_delimited(&mut content, u32::from(KEY >> 3), key.as_bytes());
    put_len_delimited(&mut content, u32::from(VALUE >> 3), &encoded);
    content.extend_from_slice(others);
    put_len_delimited(out, number, &content);
}

/// Returns the fields besides key and value of the attribute in a field of the message.
fn others(message: &[u8], attribute: Option<Range<usize>>) -> Vec<u8> {
    let field = attribute.and_then(|at| fields(message.get(at.clone())?, at.start).next());
    let Some(field) = field.filter(|field| plain(message, field.value.start, field.value.end).is_none())
    else {
        return Vec::new();
    };
    let is_other = |field: &Field| !field.is(u32::from(KEY >> 3)) && !field.is(u32::from(VALUE >> 3));
    let others = field.fields(message).filter(is_other);
    others.flat_map(|field| message.get(field.whole).unwrap_or_default()).copied().collect()
}
