//! Halves of surrogate pairs in the escapes of a JSON text. JavaScript writes a string that was cut within a character as
//! `"\ud83d"`, which is invalid in every encoding.

use memchr::memchr;

/// Replaces each half without its other half by U+FFFD, and returns the number of replacements. No length changes.
pub(super) fn replace(text: &mut [u8]) -> u64 {
    let (mut at, mut replaced) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| memchr(b'\\', rest)) {
        at += found;
        let (first, second) = (code_unit(text, at), code_unit(text, at + ESCAPE_LEN));
        at += match (first, second) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 2 * ESCAPE_LEN,
            (Some(0xd800..0xe000), _) => {
                text[at..at + ESCAPE_LEN].copy_from_slice(REPLACEMENT);
                replaced += 1;
                ESCAPE_LEN
            }
            (Some(_), _) => ESCAPE_LEN,
            // A backslash and the character that it escapes, which may be a backslash.
            (None, _) => 2,
        };
    }
    replaced
}

/// Parses the code unit in the escape that begins at `at`.
fn code_unit(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + ESCAPE_LEN)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}

const REPLACEMENT: &[u8; ESCAPE_LEN] = b"\\ufffd";
const ESCAPE_LEN: usize = 6;

#[cfg(test)]
mod tests;
