//! Removal of what readers of a request do not see: unknown fields, and values that a later value replaces.
//!
//! Such bytes pass through a gateway, and a reader of a later version, or one that reads loosely, may show them.

use crate::attribute::{ANY_VALUE, BOOL, DOUBLE, INT, KEY, KEY_VALUE, STRING, VALUE, plain};
use crate::encode::any_value;
use crate::field::{Field, fields};
use crate::schema::{MAX_NUMBER, Message, step};
use crate::splice::Splices;
use crate::view::{AnyValue, KeyValue};
use crate::wire::{Cursor, WireType, put_len_delimited, put_varint};
use crate::{Body, EditError};
use std::ops::Range;

/// Removes all fields of a body that OTLP does not know. Attributes and values that are written unusually (several values, a value of
/// several types, a reference to a dictionary that the request does not have) are written anew, as a decoder reads them. `None` if
/// there is nothing to remove. The new body may have up to `max_bytes`; it counts as many items as before.
///
/// ```
/// use otlp_protocol::{Body, Signal, ValidateLimits, known_fields};
///
/// // A request with a resource in which the field 15 is unknown.
/// let bytes = [0x0a, 5, 0x0a, 3, 0x7a, 1, b'x'];
/// let body = Body::check(Signal::LOGS, bytes.to_vec(), &ValidateLimits::default())?;
/// let known = known_fields(&body, 1 << 20)?.unwrap();
/// assert_eq!(known.to_bytes()[..], [0x0a, 2, 0x0a, 0]);
/// assert!(known_fields(&known, 1 << 20)?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the new body would be larger than `max_bytes`.
pub fn known_fields(body: &Body, max_bytes: usize) -> Result<Option<Body>, EditError> {
    let bytes = body.to_bytes();
    let request = body.signal().request;
    let has_dictionary = request.fields.iter().any(|field| field.name == DICTIONARY);
    let splices = Splices::new(bytes.len(), max_bytes)?;
    let mut walk = Walk { body: &bytes, has_dictionary, splices };
    walk.message(request, 0..bytes.len(), 0)?;
    let changed = walk.splices.copy(&bytes)?;
    Ok(changed.map(|bytes| body.with(bytes.into(), body.count())))
}

struct Walk<'a> {
    body: &'a [u8],
    /// The request has strings that attributes may refer to.
    has_dictionary: bool,
    splices: Splices,
}

// === impl Walk ===

impl Walk<'_> {
    fn message(
        &mut self,
        message: &'static Message,
        place: Range<usize>,
        depth: usize,
    ) -> Result<(), EditError> {
        let bytes = self.body.get(place.clone()).unwrap_or_default();
        for field in fields(bytes, place.start) {
            let step = self.step(message, &field);
            if step == step::UNKNOWN || depth > MAX_DEPTH {
                self.splices.cut(field.whole);
                self.splices.check()?;
                continue;
            }
            let child = (step >= step::MESSAGE).then(|| message.field(field.number)?.message()).flatten();
            let Some(child) = child else { continue };
            let value = field.bytes(self.body);
            if !self.has_dictionary && std::ptr::eq(child, KEY_VALUE) {
                if !is_usual_attribute(value, 0) {
                    self.write(&field, |out| put_attribute(out, KeyValue::from(value), 0))?;
                }
            } else if !self.has_dictionary && std::ptr::eq(child, ANY_VALUE) {
                if !is_usual_value(value, 0) {
                    self.write(&field, |out| put_value(out, AnyValue::new(value), 0))?;
                }
            } else {
                let mark = self.splices.open(field.prefix(), field.value.len());
                self.message(child, field.value, depth + 1)?;
                self.splices.close(mark);
            }
        }
        Ok(())
    }

    /// Returns the step of the validation for a field.
    #[inline]
    fn step(&self, message: &'static Message, field: &Field) -> u8 {
        let wire_type = self.body.get(field.whole.start).map_or(0, |tag| tag & 7);
        if field.number > MAX_NUMBER {
            return step::UNKNOWN;
        }
        let tag = field.number as usize * 8 + usize::from(wire_type);
        message.steps.get(tag).copied().unwrap_or(step::UNKNOWN)
    }

    /// Replaces the message of a field.
    fn write(&mut self, field: &Field, put: impl FnOnce(&mut Vec<u8>)) -> Result<(), EditError> {
        let mut value = Vec::with_capacity(field.value.len());
        put(&mut value);
        self.splices.replace(field.after_tag..field.value.end, |out| {
            put_varint(out, value.len() as u64);
            out.extend_from_slice(&value);
        });
        Ok(self.splices.check()?)
    }
}

/// True if a `KeyValue` is a key, a value, and nothing else.
fn is_usual_attribute(bytes: &[u8], depth: usize) -> bool {
    if let Some((_, value)) = plain(bytes, 0, bytes.len()) {
        return is_usual_value(bytes.get(value).unwrap_or_default(), depth);
    }
    let mut cursor = Cursor::new(bytes);
    let mut next = |tag: u8| -> Option<&[u8]> {
        let at = cursor.position();
        match bytes.get(at) {
            Some(found) if *found == tag => {
                cursor.tag().ok()?;
                cursor.len_delimited().ok()
            }
            _ => None,
        }
    };
    let (_, value) = (next(KEY), next(VALUE));
    cursor.is_at_end() && value.is_none_or(|value| is_usual_value(value, depth))
}

/// True if an `AnyValue` has one known field at most, and what is in it is usual, too.
fn is_usual_value(bytes: &[u8], depth: usize) -> bool {
    let Some(&tag) = bytes.first() else { return true };
    let mut cursor = Cursor::new(bytes);
    if cursor.tag().is_err() || depth > MAX_DEPTH {
        return false;
    }
    let is_inside = match tag {
        STRING | BYTES => cursor.len_delimited().is_ok(),
        BOOL | INT => cursor.varint().is_ok(),
        DOUBLE => cursor.fixed64().is_ok(),
        ARRAY => {
            cursor.len_delimited().is_ok_and(|list| are_usual(list, |value| is_usual_value(value, depth + 1)))
        }
        MAP => cursor
            .len_delimited()
            .is_ok_and(|map| are_usual(map, |entry| is_usual_attribute(entry, depth + 1))),
        _ => false,
    };
    is_inside && cursor.is_at_end()
}

/// True if a list or a map has nothing but usual elements.
fn are_usual(list: &[u8], is_usual: impl Fn(&[u8]) -> bool) -> bool {
    fields(list, 0).all(|field| field.is(ELEMENTS) && is_usual(field.bytes(list)))
}

fn put_attribute(out: &mut Vec<u8>, attribute: KeyValue<'_>, depth: usize) {
    put_len_delimited(out, 1, attribute.key().as_bytes());
    let mut value = Vec::new();
    put_value(&mut value, attribute.value(), depth);
    put_len_delimited(out, 2, &value);
}

/// Writes a value as a view reads it. References to a dictionary, and values that are nested too deep, become empty.
fn put_value(out: &mut Vec<u8>, value: AnyValue<'_>, depth: usize) {
    let mut list = Vec::new();
    let mut element = Vec::new();
    match value {
        AnyValue::Array(_) | AnyValue::Map(_) if depth >= MAX_DEPTH => {}
        AnyValue::Array(values) => {
            for value in values.iter() {
                element.clear();
                put_value(&mut element, value, depth + 1);
                put_len_delimited(&mut list, ELEMENTS, &element);
            }
            put_len_delimited(out, u32::from(ARRAY >> 3), &list);
        }
        AnyValue::Map(attributes) => {
            for attribute in attributes.iter() {
                element.clear();
                put_attribute(&mut element, attribute, depth + 1);
                put_len_delimited(&mut list, ELEMENTS, &element);
            }
            put_len_delimited(out, u32::from(MAP >> 3), &list);
        }
        AnyValue::StringIndex(_) => {}
        value => any_value(out, value),
    }
}

/// Tags in an `AnyValue`, beside those of [`attribute`](crate::attribute).
const ARRAY: u8 = 5 << 3 | WireType::Len as u8;
const MAP: u8 = 6 << 3 | WireType::Len as u8;
const BYTES: u8 = 7 << 3 | WireType::Len as u8;
/// Field number of the elements of a list and of the entries of a map.
const ELEMENTS: u32 = 1;

const DICTIONARY: &str = "dictionary";
/// Validation accepts 100 by default.
const MAX_DEPTH: usize = 128;

#[cfg(test)]
mod tests;
