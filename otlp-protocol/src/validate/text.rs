//! Is it UTF-8? Most strings are short and ASCII; that takes two loads and a mask.

/// Whether `body[from..to]` is UTF-8.
#[inline(always)]
pub(super) fn is_utf8(body: &[u8], from: usize, to: usize) -> bool {
    is_ascii(body, from, to) || simdutf8::basic::from_utf8(&body[from..to]).is_ok()
}

/// Where the first byte of `text` stands that is not UTF-8.
#[cold]
pub(crate) fn first_invalid(text: &[u8]) -> usize {
    simdutf8::compat::from_utf8(text).err().map_or(text.len(), |error| error.valid_up_to())
}

/// Short strings are looked at sixteen bytes at a time, with what follows them masked out.
#[inline(always)]
fn is_ascii(body: &[u8], from: usize, to: usize) -> bool {
    let len = to - from;
    match body.get(from..from + 16) {
        Some(block) if len <= 16 => block_of(block) & HIGH_BITS[len] == 0,
        Some(block) if len <= 32 => (block_of(block) | block_of(&body[to - 16..to])) & HIGH_BITS[16] == 0,
        _ => body[from..to].is_ascii(),
    }
}

#[inline(always)]
fn block_of(bytes: &[u8]) -> u128 {
    bytes.try_into().map_or(u128::MAX, u128::from_le_bytes)
}

/// The high bit of each of the first so many bytes.
const HIGH_BITS: [u128; 17] = {
    let mut masks = [0; 17];
    let mut len = 1;
    while len <= 16 {
        masks[len] = masks[len - 1] << 8 | 0x80;
        len += 1;
    }
    masks
};
