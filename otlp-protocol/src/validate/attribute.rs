//! Fast path for attributes as encoders write them: a key and one plain value.
//!
//! The fast path accepts attributes or does not decide. Unusual attributes (fields twice or in another order, lists and
//! maps, long strings, padded varints, faults) are left to the walk over the schema table.

use super::length;
use crate::attribute::{BOOL, DOUBLE, INT, STRING, plain, short};
use crate::wire::is_utf8;

/// Passes over consecutive plain attributes from `at` to `end`, in fields with the same tag, at most `most`. Returns the
/// start of the next field and the number of attributes.
///
/// Attributes come in runs: this loop needs no look-ups in the schema table.
#[inline(never)]
pub(super) fn pass(body: &[u8], at: usize, end: usize, most: usize) -> (usize, usize) {
    let window = &body[..end];
    let (mut at, mut count) = (at, 0);
    let Some(&tag @ ..0x80) = window.get(at) else { return (at, 0) };
    while count < most && window.get(at) == Some(&tag) {
        crate::wire::count_work(1);
        match length(window, at + 1) {
            Ok((from, to)) if is_plain(body, from, to) => (at, count) = (to, count + 1),
            _ => break,
        }
    }
    (at, count)
}

/// True if the `KeyValue` at `body[from..to]` is valid and consists of a key and one plain value.
#[inline]
fn is_plain(body: &[u8], from: usize, to: usize) -> bool {
    match plain(body, from, to) {
        Some((key, value)) => is_utf8(body, key.start, key.end) && is_plain_value(body, value.start, to),
        None => false,
    }
}

#[inline]
fn is_plain_value(body: &[u8], from: usize, to: usize) -> bool {
    match &body[from..to] {
        [] => true,
        [STRING, ..] => match short(body, from, to, STRING) {
            Some(text) => text.end == to && is_utf8(body, text.start, to),
            None => false,
        },
        [INT | BOOL, digits @ .., last] => {
            *last < 0x80 && digits.len() < 9 && digits.iter().all(|&digit| digit >= 0x80)
        }
        [DOUBLE, bits @ ..] => bits.len() == 8,
        _ => false,
    }
}
