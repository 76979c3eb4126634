//! The shortcut that most of a body takes: an attribute as every encoder writes it, a key and one plain value.
//!
//! It only ever says that an attribute is sound. Whatever is unusual about one (fields twice or in another order,
//! lists and maps, long strings, padded varints, faults) is left to the walk over the table.

use super::length;
use super::text::is_utf8;
use crate::attribute::{BOOL, DOUBLE, INT, KEY, STRING, VALUE};

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
        crate::work::count(1);
        match length(window, at + 1) {
            Ok((from, to)) if is_plain(body, from, to) => (at, count) = (to, count + 1),
            _ => break,
        }
    }
    (at, count)
}

/// Whether the `KeyValue` at `body[from..to]` is a key and one plain value, and sound.
#[inline(always)]
fn is_plain(body: &[u8], from: usize, to: usize) -> bool {
    let Some((key, key_end)) = short(body, from, to, KEY) else { return false };
    let Some((value, value_end)) = short(body, key_end, to, VALUE) else { return false };
    value_end == to && is_utf8(body, key, key_end) && is_plain_value(body, value, to)
}

#[inline(always)]
fn is_plain_value(body: &[u8], from: usize, to: usize) -> bool {
    match &body[from..to] {
        [] => true,
        [STRING, ..] => match short(body, from, to, STRING) {
            Some((text, end)) => end == to && is_utf8(body, text, to),
            None => false,
        },
        [INT | BOOL, digits @ .., last] => {
            *last < 0x80 && digits.len() < 9 && digits.iter().all(|&digit| digit >= 0x80)
        }
        [DOUBLE, bits @ ..] => bits.len() == 8,
        _ => false,
    }
}

/// Where the bytes of a field start and end, if its tag is next and its length has one byte.
#[inline(always)]
fn short(body: &[u8], from: usize, to: usize, tag: u8) -> Option<(usize, usize)> {
    match body[from..to] {
        [found, len, ref rest @ ..] if found == tag && len < 0x80 && usize::from(len) <= rest.len() => {
            Some((from + 2, from + 2 + usize::from(len)))
        }
        _ => None,
    }
}
