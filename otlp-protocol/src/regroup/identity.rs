//! Identity of a header: equal bytes for headers that mean the same.

use crate::field::{Field, fields};
use crate::view::AnyValue;

/// Bytes that are equal for equal headers alone. Attributes and the keys of maps may be in any order. A part that is encoded in an
/// unusual way, or has unknown fields, stands as it is encoded: then headers that mean the same may differ.
pub(super) struct Identity(Vec<u8>);

// === impl Identity ===

impl Identity {
    /// Begins the identity of a header of some level.
    pub(super) fn new(level: u8) -> Self {
        Self(vec![level])
    }

    /// Adds a message whose field `attributes` has attributes.
    pub(super) fn message(&mut self, message: &[u8], attributes: u32) {
        let is_attribute = |field: &Field| attributes > 0 && field.is(attributes);
        let list = fields(message, 0).filter(is_attribute).map(|field| field.bytes(message));
        put_map(list, 0, &mut self.0);
        self.rest(message, fields(message, 0).filter(|field| !is_attribute(field)));
    }

    /// Adds fields as they are encoded.
    pub(super) fn rest(&mut self, body: &[u8], fields: impl Iterator<Item = Field>) {
        put_nested(&mut self.0, |out| {
            fields.for_each(|field| out.extend_from_slice(body.get(field.whole).unwrap_or_default()));
        });
    }

    /// Adds a number.
    pub(super) fn number(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Appends attributes in the order of their bytes.
fn put_map<'a>(attributes: impl Iterator<Item = &'a [u8]>, depth: usize, out: &mut Vec<u8>) {
    let mut list: Vec<_> = attributes
        .map(|encoded| {
            let mut attribute = Vec::with_capacity(encoded.len() + 16);
            put_attribute(encoded, depth, &mut attribute);
            attribute
        })
        .collect();
    list.sort_unstable();
    put_len(out, list.len());
    list.iter().for_each(|attribute| put_nested(out, |out| out.extend_from_slice(attribute)));
}

fn put_attribute(encoded: &[u8], depth: usize, out: &mut Vec<u8>) {
    let (mut key, mut value) = (None, None);
    for field in fields(encoded, 0) {
        let part = match field.number {
            1 => &mut key,
            2 => &mut value,
            _ => return put_raw(encoded, out),
        };
        if !field.is_len || part.replace(field.bytes(encoded)).is_some() {
            return put_raw(encoded, out);
        }
    }
    out.push(b'k');
    put_nested(out, |out| out.extend_from_slice(key.unwrap_or_default()));
    put_value(value.unwrap_or_default(), depth, out);
}

fn put_value(encoded: &[u8], depth: usize, out: &mut Vec<u8>) {
    let mut parts = fields(encoded, 0);
    let (Some(only), None, true) = (parts.next(), parts.next(), depth < MAX_DEPTH) else {
        return put_raw(encoded, out);
    };
    let is_list = only.is_len && fields(only.bytes(encoded), 0).all(|field| field.is(1));
    let children = || fields(only.bytes(encoded), 0).map(|field| field.bytes(only.bytes(encoded)));
    match AnyValue::new(encoded) {
        AnyValue::Array(_) if is_list => {
            out.push(b'a');
            put_len(out, children().count());
            children().for_each(|value| put_value(value, depth + 1, out));
        }
        AnyValue::Map(_) if is_list => {
            out.push(b'm');
            put_map(children(), depth + 1, out);
        }
        AnyValue::Bool(value) => out.extend_from_slice(&[b'b', u8::from(value)]),
        AnyValue::Int(value) => {
            out.push(b'i');
            out.extend_from_slice(&value.to_le_bytes());
        }
        _ => put_raw(encoded, out),
    }
}

fn put_raw(encoded: &[u8], out: &mut Vec<u8>) {
    out.push(b'e');
    put_nested(out, |out| out.extend_from_slice(encoded));
}

/// Appends bytes behind their length.
fn put_nested(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    put_len(out, 0);
    let begin = out.len();
    write(out);
    let len = (out.len() - begin) as u64;
    if let Some(prefix) = out.get_mut(start..begin) {
        prefix.copy_from_slice(&len.to_le_bytes());
    }
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(&(len as u64).to_le_bytes());
}

/// Depth from which on values are compared as they are encoded, since values may be nested deeper than the stack allows.
const MAX_DEPTH: usize = 32;
