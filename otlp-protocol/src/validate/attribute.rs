//! The shortcut that most of a body takes: an attribute as every encoder writes it, a key and one plain value.
//!
//! It only ever says that an attribute is sound. Whatever is unusual about one (fields twice or in another order,
//! lists and maps, long strings, padded varints, faults) is left to the walk over the table.

use super::length;
use crate::attribute::{BOOL, DOUBLE, INT, STRING, plain, short};
use crate::wire::is_utf8;

/// Passes over plain attributes that stand one after the other from `at` on, in fields of one tag, up to `end`; at most
/// `most` of them. Where the next field starts, and how many they were.
///
/// They come in runs: a loop of their own needs no look-up in the table, and has all registers for itself.
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

/// Whether the `KeyValue` at `body[from..to]` is a key and one plain value, and sound.
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
