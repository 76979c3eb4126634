//! HPACK's Huffman code, as far as authorities need it. RFC 7541 appendix B.

use super::is_unreserved;
use http::uri::Authority;

/// The same as for plain values, in place: each character that may be at fault becomes one whose code is as long. No
/// character of an authority has a code as long as those of `#`, `>`, `^` and `}`, which stay; a value with a character
/// whose code is longer than 14 bits, as those of `<`, `{` and whatever is not ASCII, stays as it is.
pub(super) fn repair(value: &mut [u8]) {
    let Some(symbols) = decode(value) else { return };
    let text: Vec<u8> = symbols.iter().map(|symbol| symbol.byte).collect();
    if Authority::try_from(&text[..]).is_ok() {
        return;
    }
    for symbol in symbols.iter().filter(|symbol| !is_unreserved(symbol.byte)) {
        if let Some((_, code)) = SUBSTITUTES.iter().find(|(len, _)| *len == symbol.len) {
            write(value, symbol.at, symbol.len, *code);
        }
    }
}

/// What a coded string says.
#[cfg(test)]
pub(super) fn text(value: &[u8]) -> Option<Vec<u8>> {
    Some(decode(value)?.iter().map(|symbol| symbol.byte).collect())
}

/// A text as a coded string, padded with ones.
#[cfg(test)]
pub(super) fn coded(text: &[u8]) -> Vec<u8> {
    let mut bits = Vec::new();
    for byte in text {
        let (code, len) = code(*byte);
        bits.extend((0..len).rev().map(|shift| code >> shift & 1 == 1));
    }
    bits.chunks(8)
        .map(|bits| (0..8).fold(0, |byte, at| byte << 1 | u8::from(*bits.get(at).unwrap_or(&true))))
        .collect()
}

/// The code of a printable character, and its length.
#[cfg(test)]
fn code(byte: u8) -> (usize, usize) {
    let rare = [(b'<', 0x7ffc, 15), (b'`', 0x7ffd, 15), (b'{', 0x7ffe, 15), (b'\\', 0x7_fff0, 19)];
    if let Some((_, code, len)) = rare.into_iter().find(|(rare, ..)| *rare == byte) {
        return (code, len);
    }
    let place = SYMBOLS.iter().position(|symbol| *symbol == byte).unwrap();
    let (mut code, mut before) = (0, 0);
    for (len, count) in (1..).zip(COUNTS) {
        code <<= 1;
        if place < before + count {
            return (code + place - before, len);
        }
        (code, before) = (code + count, before + count);
    }
    unreachable!("COUNTS add up to the number of SYMBOLS")
}

/// A character, where its code begins in bits, and how many it has.
struct Symbol {
    byte: u8,
    at: usize,
    len: usize,
}

fn decode(value: &[u8]) -> Option<Vec<Symbol>> {
    let bits = value.len() * 8;
    let mut symbols = Vec::with_capacity(bits / MIN_LEN);
    let mut at = 0;
    while bits - at >= MIN_LEN {
        match symbol(value, at) {
            Some(symbol) => {
                at += symbol.len;
                symbols.push(symbol);
            }
            // What is left is padding: less than a byte of ones.
            None if bits - at < 8 => break,
            None => return None,
        }
    }
    Some(symbols)
}

/// The code is canonical: codes of one length are consecutive, in the order of their characters.
fn symbol(value: &[u8], at: usize) -> Option<Symbol> {
    let (mut code, mut first, mut index) = (0, 0, 0);
    for (len, count) in (1..).zip(COUNTS) {
        code = code << 1 | bit(value, at + len - 1)?;
        if code - first < count {
            return Some(Symbol { byte: SYMBOLS[index + code - first], at, len });
        }
        index += count;
        first = (first + count) << 1;
    }
    None
}

fn bit(value: &[u8], at: usize) -> Option<usize> {
    value.get(at / 8).map(|byte| usize::from(byte >> (7 - at % 8) & 1))
}

fn write(value: &mut [u8], at: usize, len: usize, code: u16) {
    for offset in 0..len {
        let (place, mask) = ((at + offset) / 8, 0x80 >> ((at + offset) % 8));
        let is_set = code >> (len - 1 - offset) & 1 == 1;
        value[place] = if is_set { value[place] | mask } else { value[place] & !mask };
    }
}

const MIN_LEN: usize = 5;
/// Codes of each length, from 1 bit on.
const COUNTS: [usize; 14] = [0, 0, 0, 0, 10, 26, 32, 6, 0, 5, 3, 2, 6, 2];
/// The characters of these codes, in the order of the codes.
const SYMBOLS: &[u8; 92] =
    b"012aceiost %-./3456789=A_bdfghlmnpru:BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz&*,;XZ!\"()?'+|#>\0$@[]~^}";
/// By length, the code of a character that an authority may hold: `-`, `B`, `X`, `!`, `+`, `~`.
const SUBSTITUTES: [(usize, u16); 6] = [
    (6, 0b01_0110),
    (7, 0b101_1101),
    (8, 0b1111_1100),
    (10, 0b11_1111_1000),
    (11, 0b111_1111_1011),
    (13, 0b1_1111_1111_1101),
];
