//! Search in messages in the usual encoding: short tags and lengths, no groups, keys in front of values.
//!
//! Most lookups are of a key that is absent, so a lookup is as fast as the other fields are skipped. A message in another encoding is
//! left to the general reader, which gives the same results.

use crate::wire::count_work;

/// A message is not in the usual encoding.
pub(super) struct Unusual;

/// Returns the first `KeyValue` with a key, among those in field `number`.
#[inline]
pub(super) fn find<'a>(message: &'a [u8], number: u32, key: &[u8]) -> Result<Option<&'a [u8]>, Unusual> {
    let wanted = tag(number)?;
    let mut at = 0;
    while at < message.len() {
        let (tag, start, end) = step(message, at).ok_or(Unusual)?;
        if tag == wanted {
            let attribute = message.get(start..end).ok_or(Unusual)?;
            if has_key(attribute, key)? {
                return Ok(Some(attribute));
            }
        }
        at = end;
    }
    Ok(None)
}

/// Returns the last value of a length-delimited field.
#[inline]
pub(super) fn last(message: &[u8], number: u32) -> Result<Option<&[u8]>, Unusual> {
    let wanted = tag(number)?;
    let (mut at, mut found) = (0, None);
    while at < message.len() {
        let (tag, start, end) = step(message, at).ok_or(Unusual)?;
        if tag == wanted {
            found = message.get(start..end);
        }
        at = end;
    }
    Ok(found)
}

/// Returns the tag of a length-delimited field with a short number.
#[inline]
fn tag(number: u32) -> Result<u8, Unusual> {
    if (1..16).contains(&number) { Ok((number << 3) as u8 | LEN) } else { Err(Unusual) }
}

/// Reads the field at a position. Returns its tag (of a field with a long number, the tag's first byte), and the range of its value;
/// `None` if the field is not in the usual encoding.
#[inline(always)]
fn step(message: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    count_work(1);
    let tag = *message.get(at)?;
    let mut at = at + 1;
    if tag >= 0x80 {
        let second = *message.get(at)?;
        if second == 0 || second >= 0x80 {
            return None;
        }
        at += 1;
    } else if tag < 8 {
        return None;
    }
    let (start, end) = match tag & 7 {
        0 => (at, varint_end(message, at)?),
        1 => (at, at + 8),
        LEN => {
            let (len, start) = length(message, at)?;
            (start, start + len)
        }
        5 => (at, at + 4),
        _ => return None,
    };
    (end <= message.len()).then_some((tag, start, end))
}

/// Reads a length of at most two bytes. Returns its end, too.
#[inline(always)]
fn length(message: &[u8], at: usize) -> Option<(usize, usize)> {
    let first = *message.get(at)?;
    if first < 0x80 {
        return Some((usize::from(first), at + 1));
    }
    let second = *message.get(at + 1)?;
    (second < 0x80).then(|| (usize::from(first & 0x7f) | usize::from(second) << 7, at + 2))
}

#[inline(always)]
fn varint_end(message: &[u8], at: usize) -> Option<usize> {
    let rest = message.get(at..)?;
    rest.iter().take(MAX_VARINT).position(|byte| *byte < 0x80).map(|last| at + last + 1)
}

/// Returns true if an attribute has a key. The usual encoding is the key, and then perhaps the value.
#[inline(always)]
fn has_key(attribute: &[u8], key: &[u8]) -> Result<bool, Unusual> {
    let [KEY, len, rest @ ..] = attribute else { return Err(Unusual) };
    let len = usize::from(*len);
    if len >= 0x80 {
        return Err(Unusual);
    }
    let (found, rest) = rest.split_at_checked(len).ok_or(Unusual)?;
    // Anything behind the value could be a second key, which would count.
    let is_usual = match rest {
        [] => true,
        [VALUE, ..] => length(rest, 1).is_some_and(|(len, start)| start + len == rest.len()),
        _ => false,
    };
    if is_usual { Ok(found == key) } else { Err(Unusual) }
}

/// Wire type of length-delimited fields.
const LEN: u8 = 2;

// Tags of a `KeyValue`.
const KEY: u8 = 1 << 3 | LEN;
const VALUE: u8 = 2 << 3 | LEN;

/// Longest varint that cannot overflow 64 bits.
const MAX_VARINT: usize = 9;
