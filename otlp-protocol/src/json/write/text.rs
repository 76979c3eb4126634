//! Strings, ids and bytes in JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Appends a string in quotes.
#[inline(always)]
pub(crate) fn put_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let plain = super::super::lexer::plain_len(text);
    out.extend_from_slice(&text[..plain]);
    if plain < text.len() {
        put_escaped(out, &text[plain..]);
    }
    out.push(b'"');
}

#[inline(never)]
fn put_escaped(out: &mut Vec<u8>, mut rest: &[u8]) {
    while let [byte, after @ ..] = rest {
        match letter(*byte) {
            Some(letter) => out.extend_from_slice(&[b'\\', letter]),
            None => {
                out.extend_from_slice(b"\\u00");
                put_hex(out, &[*byte]);
            }
        }
        let (plain, stop) = after.split_at(super::super::lexer::plain_len(after));
        out.extend_from_slice(plain);
        rest = stop;
    }
}

/// Returns the length of a string with escapes, without quotes.
pub(super) fn escaped_len(text: &[u8]) -> usize {
    let len = |&byte: &u8| match letter(byte) {
        Some(_) => 2,
        None if byte >= 0x20 => 1,
        None => 6,
    };
    text.iter().map(len).sum()
}

/// Returns the letter of a byte's escape, if it has one.
fn letter(byte: u8) -> Option<u8> {
    match byte {
        b'"' | b'\\' => Some(byte),
        b'\n' => Some(b'n'),
        b'\r' => Some(b'r'),
        b'\t' => Some(b't'),
        _ => None,
    }
}

/// Appends bytes in hex, without quotes.
#[inline]
pub(super) fn put_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + 2 * bytes.len(), 0);
    let (pairs, _) = out[start..].as_chunks_mut::<2>();
    for (pair, &byte) in pairs.iter_mut().zip(bytes) {
        *pair = HEX[usize::from(byte)];
    }
}

/// Appends bytes in base64, without quotes.
pub(super) fn put_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let encoded = STANDARD.encode_slice(bytes, &mut out[start..]);
    debug_assert!(encoded.is_ok(), "four characters for every three bytes");
}

/// The two hex digits of each byte.
static HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 0xf]];
        byte += 1;
    }
    pairs
};
