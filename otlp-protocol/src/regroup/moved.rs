//! The attributes of an item that move to its resource.

use crate::field::{Field, fields};
use crate::wire::put_len_delimited;
use std::ops::Range;

/// The attributes of an item that move.
#[derive(Default)]
pub(super) struct Moved {
    /// Fields of the item, in order.
    cuts: Vec<Range<usize>>,
    /// Index of the key, and the attribute; in order of the keys, one for each.
    found: Vec<(usize, Range<usize>)>,
    /// The attributes that are found, encoded: for each the index of its key, the length of its value, and its value.
    attributes: Vec<u8>,
}

// === impl Moved ===

impl Moved {
    /// Reads the attributes of an item in field `number` (0: there are none) that have one of the keys.
    pub(super) fn read(&mut self, body: &[u8], item: &Field, number: u32, keys: &[&[u8]]) {
        self.cuts.clear();
        self.found.clear();
        self.attributes.clear();
        if number == 0 || keys.is_empty() {
            return;
        }
        for attribute in item.fields(body).filter(|field| field.is(number)) {
            let key = key_of(attribute.bytes(body));
            if let Some(index) = keys.iter().position(|known| *known == key) {
                self.found.push((index, attribute.value));
                self.cuts.push(attribute.whole);
            }
        }
        if self.found.is_empty() {
            return;
        }
        // The first attribute of a key counts.
        self.found.sort_by_key(|(index, _)| *index);
        self.found.dedup_by_key(|(index, _)| *index);
        for (index, attribute) in &self.found {
            self.attributes.extend_from_slice(&(*index as u32).to_le_bytes());
            let start = self.attributes.len();
            self.attributes.extend_from_slice(&[0; 4]);
            let attribute = body.get(attribute.clone()).unwrap_or_default();
            // The pieces of a message, concatenated, are the message.
            for piece in fields(attribute, 0).filter(|field| field.is(VALUE)) {
                self.attributes.extend_from_slice(piece.bytes(attribute));
            }
            let len = (self.attributes.len() - start - 4) as u32;
            if let Some(prefix) = self.attributes.get_mut(start..start + 4) {
                prefix.copy_from_slice(&len.to_le_bytes());
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }

    /// Fields of the item that go.
    pub(super) fn cuts(&self) -> &[Range<usize>] {
        &self.cuts
    }

    /// The attributes, encoded: equal for items whose attributes are equal.
    pub(super) fn attributes(&self) -> &[u8] {
        &self.attributes
    }

    /// Returns a resource with the attributes, in place of those with the same key. Field `number` of the resource has its attributes.
    pub(super) fn merge_into(&self, resource: &[u8], number: u32, keys: &[&[u8]]) -> Vec<u8> {
        let mut left: Vec<_> = self.iter().map(Some).collect();
        let mut out = Vec::with_capacity(resource.len() + self.attributes.len() + 32);
        for field in fields(resource, 0) {
            let key = if field.is(number) { key_of(field.bytes(resource)) } else { &[] };
            let is_same =
                |index: usize| field.is(number) && keys.get(index).is_some_and(|known| *known == key);
            match self.iter().position(|(index, _)| is_same(index)) {
                None => out.extend_from_slice(resource.get(field.whole.clone()).unwrap_or_default()),
                Some(at) => {
                    if let Some((_, value)) = left.get_mut(at).and_then(Option::take) {
                        put_attribute(&mut out, number, key, value);
                    }
                }
            }
        }
        for (index, value) in left.into_iter().flatten() {
            put_attribute(&mut out, number, keys.get(index).copied().unwrap_or_default(), value);
        }
        out
    }

    /// Indices of keys, and encoded values.
    fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut rest = self.attributes.as_slice();
        std::iter::from_fn(move || {
            let (index, after) = rest.split_first_chunk()?;
            let (len, after) = after.split_first_chunk()?;
            let (value, after) = after.split_at_checked(u32::from_le_bytes(*len) as usize)?;
            rest = after;
            Some((u32::from_le_bytes(*index) as usize, value))
        })
    }
}

/// The key of an attribute: the last one counts.
fn key_of(attribute: &[u8]) -> &[u8] {
    let keys = fields(attribute, 0).filter(|field| field.is(KEY));
    keys.last().map(|field| field.bytes(attribute)).unwrap_or_default()
}

fn put_attribute(out: &mut Vec<u8>, number: u32, key: &[u8], value: &[u8]) {
    let mut attribute = Vec::with_capacity(key.len() + value.len() + 20);
    put_len_delimited(&mut attribute, KEY, key);
    put_len_delimited(&mut attribute, VALUE, value);
    put_len_delimited(out, number, &attribute);
}

// `KeyValue` in the schema.
const KEY: u32 = 1;
const VALUE: u32 = 2;
