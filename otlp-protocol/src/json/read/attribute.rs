//! Fast path for attributes as most encoders write them: a key and a string or an integer, without spaces or with one space
//! after each colon and comma.
//!
//! The fast path accepts only attributes that the walk would accept. Unusual attributes (other types of values, escapes,
//! other spaces, keys in another order, faults) are left to the walk.

use super::super::lexer::plain_len;
use super::super::number;
use crate::attribute::{INT, STRING, put_head};
use crate::schema::Kind;
use crate::wire::{put_varint, varint_len};

/// Reads a plain attribute at the start of `text`, and appends it to `out` as field `number`. Returns its length in the text;
/// `None` for any other text.
#[inline]
pub(super) fn read(text: &[u8], number: u32, out: &mut Vec<u8>) -> Option<usize> {
    match text.get(7) {
        Some(b'"') => read_spaced::<false>(text, number, out),
        Some(b' ') => read_spaced::<true>(text, number, out),
        _ => None,
    }
}

/// Reads a plain attribute. `SPACED`: with a space after each colon and comma.
#[inline]
fn read_spaced<const SPACED: bool>(text: &[u8], number: u32, out: &mut Vec<u8>) -> Option<usize> {
    let rest = after::<SPACED>(text, b"{\"key\":\"", b"{\"key\": \"")?;
    let (key, rest) = rest.split_at(plain_len(rest));
    let rest = after::<SPACED>(rest, b"\",\"value\":{\"", b"\", \"value\": {\"")?;
    if let Some(rest) = after::<SPACED>(rest, b"stringValue\":\"", b"stringValue\": \"") {
        let (value, rest) = rest.split_at(plain_len(rest));
        let rest = rest.strip_prefix(b"\"}}")?;
        put_head(out, number, key, 1 + varint_len(value.len() as u64) + value.len());
        out.push(STRING);
        put_varint(out, value.len() as u64);
        out.extend_from_slice(value);
        return Some(text.len() - rest.len());
    }
    let rest = after::<SPACED>(rest, b"intValue\":", b"intValue\": ")?;
    let is_quoted = rest.first() == Some(&b'"');
    let rest = &rest[usize::from(is_quoted)..];
    let len = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
    let (digits, rest) = rest.split_at(len);
    let rest = rest.strip_prefix(if is_quoted { b"\"}}".as_slice() } else { b"}}" })?;
    let value = number::integer(Kind::Int64, digits).ok()?;
    put_head(out, number, key, 1 + varint_len(value));
    out.push(INT);
    put_varint(out, value);
    Some(text.len() - rest.len())
}

/// Returns the text after a prefix. The lengths of the prefixes are constants, so that the comparison is inlined.
#[inline]
fn after<'a, const SPACED: bool>(text: &'a [u8], compact: &[u8], spaced: &[u8]) -> Option<&'a [u8]> {
    text.strip_prefix(if SPACED { spaced } else { compact })
}
