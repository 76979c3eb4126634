//! Fast path for attributes as encoders write them: a key and one plain value.
//!
//! The fast path accepts only attributes that the walk would accept. Unusual attributes (fields twice or in another order,
//! lists and maps, long or empty strings, padded varints, faults) are left to the walk.

use super::scalar::{is_utf8, put_quoted};
use super::text::put_string;
use crate::attribute::{BOOL, INT, STRING, plain, short};
use crate::wire::Cursor;

/// Appends the object of a plain attribute to `out`. Returns false for any other attribute.
#[inline(always)]
pub(super) fn put(out: &mut Vec<u8>, attribute: &[u8]) -> bool {
    let Some((key, value)) = plain(attribute, 0, attribute.len()) else { return false };
    let (key, value) = (&attribute[key], &attribute[value]);
    if key.is_empty() || !is_utf8(key) {
        return false;
    }
    match *value {
        [STRING, ..] => {
            let Some(text) = short(value, 0, value.len(), STRING) else { return false };
            let is_all = text.end == value.len();
            let text = &value[text];
            if !is_all || !is_utf8(text) {
                return false;
            }
            put_key(out, key, b",\"value\":{\"stringValue\":");
            put_string(out, text);
        }
        [INT, ref digits @ ..] => {
            let mut cursor = Cursor::new(digits);
            let Ok(integer) = cursor.varint() else { return false };
            if !cursor.is_at_end() {
                return false;
            }
            put_key(out, key, b",\"value\":{\"intValue\":");
            put_quoted(out, integer as i64);
        }
        [BOOL, bit @ (0 | 1)] => {
            put_key(out, key, b",\"value\":{\"boolValue\":");
            out.extend_from_slice(if bit == 1 { b"true" } else { b"false" });
        }
        _ => return false,
    }
    out.extend_from_slice(b"}}");
    true
}

#[inline(always)]
fn put_key(out: &mut Vec<u8>, key: &[u8], then: &[u8]) {
    out.extend_from_slice(b"{\"key\":");
    put_string(out, key);
    out.extend_from_slice(then);
}
