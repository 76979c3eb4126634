//! Strings of JSON and their escapes.

use super::super::error::JsonErrorKind;

/// A string between its quotes, with valid escapes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) has_escapes: bool,
}

/// An escaped character.
pub(super) struct Escape {
    character: char,
    /// Length of the escape, in bytes.
    pub(super) len: usize,
}

// === impl Raw ===

impl<'a> Raw<'a> {
    /// Returns the string without escapes: the slice, or a copy in `scratch` if the string has escapes.
    #[inline]
    pub(crate) fn unescape<'s>(self, scratch: &'s mut Vec<u8>) -> &'s [u8]
    where
        'a: 's,
    {
        if !self.has_escapes {
            return self.text;
        }
        scratch.clear();
        self.unescape_into(scratch);
        scratch
    }

    /// Appends the string without escapes.
    #[inline(never)]
    pub(in crate::json) fn unescape_into(self, out: &mut Vec<u8>) {
        let mut rest = self.text;
        loop {
            let (plain, after) = rest.split_at(plain_len(rest));
            out.extend_from_slice(plain);
            // The lexer has validated the escapes.
            let Ok(escape) = Escape::read(after) else { return };
            out.extend_from_slice(escape.character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &after[escape.len..];
        }
    }
}

// === impl Escape ===

impl Escape {
    /// Reads the escape at the start of `text`.
    pub(super) fn read(text: &[u8]) -> Result<Self, JsonErrorKind> {
        let &[b'\\', letter, ..] = text else { return Err(JsonErrorKind::Truncated) };
        let character = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return Self::read_unicode(text),
            _ => return Err(JsonErrorKind::Escape),
        };
        Ok(Self { character, len: 2 })
    }

    fn read_unicode(text: &[u8]) -> Result<Self, JsonErrorKind> {
        let first = code_unit(text)?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first)
                .map(|character| Self { character, len: 6 })
                .ok_or(JsonErrorKind::Surrogate);
        }
        let second = text.get(6..).filter(|rest| rest.starts_with(b"\\u")).map(code_unit);
        match second.transpose()? {
            Some(second @ 0xdc00..0xe000) if first < 0xdc00 => {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                let character = char::from_u32(code).ok_or(JsonErrorKind::Surrogate)?;
                Ok(Self { character, len: 12 })
            }
            _ => Err(JsonErrorKind::Surrogate),
        }
    }
}

/// Reads the four hex digits of a `\u` escape.
fn code_unit(text: &[u8]) -> Result<u32, JsonErrorKind> {
    let digits = text.get(2..6).ok_or(JsonErrorKind::Truncated)?;
    digits.iter().try_fold(0, |unit, &digit| {
        let digit = char::from(digit).to_digit(16).ok_or(JsonErrorKind::Escape)?;
        Ok(unit << 4 | digit)
    })
}

/// Returns the length of the text before the first quote, backslash or control character.
#[inline(always)]
pub(in crate::json) fn plain_len(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some((block, _)) = text[at..].split_first_chunk::<8>() {
        let stops = stops(u64::from_le_bytes(*block));
        if stops != 0 {
            return at + stops.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + text[at..].iter().take_while(|&&byte| byte >= b' ' && byte != b'"' && byte != b'\\').count()
}

/// Sets the high bit of the first quote, backslash or control character in a block. Higher bits may be set wrongly.
#[inline(always)]
fn stops(block: u64) -> u64 {
    let all = |byte: u8| ONES * u64::from(byte);
    let is_zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
    let (quote, backslash) = (block ^ all(b'"'), block ^ all(b'\\'));
    let control = block.wrapping_sub(all(b' ')) & !block;
    (is_zero(quote) | is_zero(backslash) | control) & (ONES << 7)
}

const ONES: u64 = 0x0101_0101_0101_0101;
