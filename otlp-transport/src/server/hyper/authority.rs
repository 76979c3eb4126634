//! Accepts requests whose `:authority` the `http` crate cannot parse.
//!
//! gRPC's C core, and so Python, Ruby, PHP and C++, sends the percent-encoded path of a Unix socket as `:authority`;
//! other clients send the path itself. h2 resets such a request before the server sees it, and has no setting for that.
//! Routing does not use the authority, so the connection's bytes are changed before h2 reads them: in an `:authority`
//! that does not parse, each character that could be the reason becomes another character of the same encoded length.
//! Frames, header blocks and the sizes in HPACK's dynamic table keep their lengths.
//!
//! Left to h2: header blocks with CONTINUATION frames or over [`MAX_FRAME_BYTES`], an empty `:authority`, which RFC 9110
//! §4.2.1 says to reject, names that refer to HPACK's dynamic table (the static table has `:authority`), and
//! Huffman-coded values with a character that has no substitute of the same encoded length: see [`repair_coded`].

use super::open_requests::OpenRequests;
use http::uri::Authority;
use std::ops::Range;
use std::sync::Arc;

/// Parses the frames that a client sends.
#[derive(Debug)]
pub(super) struct FrameWatch {
    requests: Arc<OpenRequests>,
    last_stream: u32,
    /// Bytes to pass on before the next frame begins.
    due: usize,
}

/// A Huffman-coded character: position and length of its code, in bits.
struct Symbol {
    byte: u8,
    at: usize,
    len: usize,
}

// === impl FrameWatch ===

impl FrameWatch {
    /// Makes a watch for a connection from its first byte, the preface, on.
    pub(super) fn new(requests: Arc<OpenRequests>) -> Self {
        Self { requests, last_stream: 0, due: PREFACE_LEN }
    }

    /// Reads the next bytes of a connection and changes them where needed. Returns the number of bytes that may be passed
    /// on; the caller must pass the rest again with more bytes.
    pub(super) fn see(&mut self, bytes: &mut [u8]) -> usize {
        let mut at = 0;
        loop {
            let passed = self.due.min(bytes.len() - at);
            at += passed;
            self.due -= passed;
            let Some((header, rest)) = bytes[at..].split_first_chunk_mut::<FRAME_HEADER_LEN>() else {
                return at;
            };
            let len = usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
            let (kind, flags) = (header[3], header[4]);
            let stream = u32::from_be_bytes([header[5] & 0x7f, header[6], header[7], header[8]]);
            let is_whole = kind == HEADERS && flags & END_HEADERS != 0 && len <= MAX_FRAME_BYTES;
            if is_whole {
                let Some(payload) = rest.get_mut(..len) else { return at };
                repair(block(payload, flags));
            }
            if kind == HEADERS && stream > self.last_stream {
                self.last_stream = stream;
                self.requests.opened();
            }
            self.due = FRAME_HEADER_LEN + len;
        }
    }
}

/// Returns the header block of a HEADERS frame, without padding and priority. RFC 9113 §6.2.
fn block(payload: &mut [u8], flags: u8) -> &mut [u8] {
    let padding = if flags & PADDED != 0 { payload.first().map_or(0, |&len| usize::from(len)) } else { 0 };
    let begin = usize::from(flags & PADDED != 0) + if flags & PRIORITY != 0 { PRIORITY_LEN } else { 0 };
    let end = payload.len().saturating_sub(padding);
    payload.get_mut(begin..end).unwrap_or_default()
}

/// Makes the `:authority` of a header block parse. RFC 7541 §6.
fn repair(block: &mut [u8]) {
    let mut at = 0;
    while let Some(&first) = block.get(at) {
        let (prefix_bits, is_literal) = match first {
            0x80.. => (7, false),
            0x40..0x80 => (6, true),
            0x20..0x40 => (5, false),
            _ => (4, true),
        };
        let Some(index) = integer(block, &mut at, prefix_bits) else { return };
        if !is_literal {
            continue;
        }
        let mut is_authority = index == AUTHORITY_INDEX;
        if index == 0 {
            let Some((name, _)) = string(block, &mut at) else { return };
            is_authority = [&AUTHORITY[..], AUTHORITY_CODED].contains(&&block[name]);
        }
        let Some((value, is_huffman)) = string(block, &mut at) else { return };
        if is_authority {
            return if is_huffman {
                repair_coded(&mut block[value])
            } else {
                repair_plain(&mut block[value])
            };
        }
    }
}

fn repair_plain(value: &mut [u8]) {
    if Authority::try_from(&*value).is_err() {
        value.iter_mut().filter(|byte| !is_unreserved(**byte)).for_each(|byte| *byte = b'-');
    }
}

/// Repairs a Huffman-coded value (RFC 7541 appendix B) in place: each character that may be invalid becomes a character
/// whose code has the same length. `#`, `>`, `^` and `}` stay, since no character of an authority has a code of their
/// length. A value with a code longer than 14 bits (`<`, `{`, and all that is not ASCII) is not changed.
fn repair_coded(value: &mut [u8]) {
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

fn decode(value: &[u8]) -> Option<Vec<Symbol>> {
    let bits = value.len() * 8;
    let mut symbols = Vec::with_capacity(bits / MIN_CODE_LEN);
    let mut at = 0;
    while bits - at >= MIN_CODE_LEN {
        match symbol(value, at) {
            Some(symbol) => {
                at += symbol.len;
                symbols.push(symbol);
            }
            // The rest is padding: less than a byte of ones.
            None if bits - at < 8 => break,
            None => return None,
        }
    }
    Some(symbols)
}

/// Decodes one character. The code is canonical: codes of one length are consecutive, in the order of their characters.
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

/// True for characters that an authority may hold anywhere. RFC 3986 §2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Returns a string's bytes in the block, and true if they are Huffman-coded. RFC 7541 §5.2.
fn string(block: &[u8], at: &mut usize) -> Option<(Range<usize>, bool)> {
    let is_huffman = block.get(*at)? & 0x80 != 0;
    let len = integer(block, at, 7)?;
    let range = *at..at.checked_add(len)?;
    *at = range.end;
    (range.end <= block.len()).then_some((range, is_huffman))
}

/// Parses an integer of up to five bytes, as h2 does. RFC 7541 §5.1.
fn integer(block: &[u8], at: &mut usize, prefix_bits: u32) -> Option<usize> {
    let most = (1 << prefix_bits) - 1;
    let mut value = usize::from(*block.get(*at)?) & most;
    *at += 1;
    if value < most {
        return Some(value);
    }
    for shift in [0, 7, 14, 21] {
        let byte = usize::from(*block.get(*at)?);
        *at += 1;
        value += (byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

const PREFACE_LEN: usize = 24;
const FRAME_HEADER_LEN: usize = 9;
const HEADERS: u8 = 1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
const PRIORITY_LEN: usize = 5;
/// Index in the static table. RFC 7541 appendix A.
const AUTHORITY_INDEX: usize = 1;
const AUTHORITY: &[u8; 10] = b":authority";
/// `:authority`, Huffman-coded.
const AUTHORITY_CODED: &[u8] = b"\xb8\x3b\x53\x39\xec\x32\x7d\x7f";
/// HTTP/2's default frame size, which clients do not exceed for headers.
const MAX_FRAME_BYTES: usize = 16 << 10;
/// Length of the shortest code, in bits.
const MIN_CODE_LEN: usize = 5;
/// Number of Huffman codes of each length, from 1 bit on.
const COUNTS: [usize; 14] = [0, 0, 0, 0, 10, 26, 32, 6, 0, 5, 3, 2, 6, 2];
/// The characters of these codes, in the order of the codes.
const SYMBOLS: &[u8; 92] =
    b"012aceiost %-./3456789=A_bdfghlmnpru:BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz&*,;XZ!\"()?'+|#>\0$@[]~^}";
/// Substitutes by code length: `-`, `B`, `X`, `!`, `+`, `~`, which an authority may hold.
const SUBSTITUTES: [(usize, u16); 6] = [
    (6, 0b01_0110),
    (7, 0b101_1101),
    (8, 0b1111_1100),
    (10, 0b11_1111_1000),
    (11, 0b111_1111_1011),
    (13, 0b1_1111_1111_1101),
];

#[cfg(test)]
mod tests;
