//! Numbers in JSON: integers exactly, in any form; doubles to the nearest.
//!
//! The proto3 JSON mapping reads an integer from any number or string with an integer value: `12`, `"12"`, `1.2e1`. No integer
//! is converted through a double.

use super::error::JsonErrorKind;
use crate::schema::Kind;
use std::str::FromStr;

/// Returns the length of the number at the start of `text`, or the length of its valid beginning as an error.
pub(super) fn number_len(text: &[u8]) -> Result<usize, usize> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(text.first() == Some(&b'-'));
    at += match text.get(at) {
        Some(b'0') => 1,
        Some(b'1'..=b'9') => digits(at),
        _ => return Err(at),
    };
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return Err(at + 1);
        }
        at += 1 + fraction;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return Err(at + 1 + sign);
        }
        at += 1 + sign + exponent;
    }
    Ok(at)
}

/// Parses an integer for a field of `kind` (an integer or an enum). Returns the value of the varint or fixed-size field.
#[inline(always)]
pub(super) fn integer(kind: Kind, text: &[u8]) -> Result<u64, JsonErrorKind> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    let magnitude = match plain_digits(digits) {
        Some(magnitude) => magnitude,
        None => unusual_integer(kind, text, digits)?,
    };
    let (largest, smallest, _) = range(kind);
    if magnitude > if is_negative { smallest } else { largest } {
        return Err(out_of_range(kind));
    }
    let value = if is_negative { magnitude.wrapping_neg() } else { magnitude };
    Ok(match kind {
        Kind::Sint32 | Kind::Sint64 => value << 1 ^ ((value as i64) >> 63) as u64,
        _ => value,
    })
}

/// Parses a double: a number, or `NaN`, `Infinity` or `-Infinity`.
#[inline]
pub(super) fn double(text: &[u8]) -> Result<f64, JsonErrorKind> {
    if let Some(value) = plain_double(text) {
        return Ok(value);
    }
    floating(text, f64::is_finite, "a double")
}

/// Parses a float: a number, or `NaN`, `Infinity` or `-Infinity`.
#[inline]
pub(super) fn float(text: &[u8]) -> Result<f32, JsonErrorKind> {
    floating(text, f32::is_finite, "a float")
}

fn floating<T: FromStr + Copy>(
    text: &[u8],
    is_finite: impl Fn(T) -> bool,
    name: &'static str,
) -> Result<T, JsonErrorKind> {
    let is_word = matches!(text, b"NaN" | b"Infinity" | b"-Infinity");
    let is_number = is_word || number_len(text) == Ok(text.len());
    let text = Some(text).filter(|_| is_number).and_then(|text| std::str::from_utf8(text).ok());
    let number: Option<T> = text.and_then(|text| text.parse().ok());
    let number = number.ok_or(JsonErrorKind::Expected("a number, NaN, Infinity or -Infinity"))?;
    if is_word || is_finite(number) { Ok(number) } else { Err(JsonErrorKind::OutOfRange(name)) }
}

/// Parses a number of up to 15 digits without an exponent. Its digits and the power of ten that divides them are exact as
/// doubles, so that their quotient is the nearest double.
#[inline]
fn plain_double(text: &[u8]) -> Option<f64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    let (mut mantissa, mut whole) = (0u64, None);
    for (at, &byte) in digits.iter().take(17).enumerate() {
        match byte.wrapping_sub(b'0') {
            digit @ 0..=9 => mantissa = mantissa * 10 + u64::from(digit),
            _ if byte == b'.' && whole.is_none() => whole = Some(at),
            _ => return None,
        }
    }
    let point = whole.unwrap_or(digits.len());
    let fraction = digits.len() - point - usize::from(whole.is_some());
    let is_sound = point > 0 && (digits[0] != b'0' || point == 1) && (whole.is_none() || fraction > 0);
    if !is_sound || point + fraction > 15 {
        return None;
    }
    let value = mantissa as f64 / POWERS_OF_TEN.get(fraction)?;
    Some(if is_negative { -value } else { value })
}

/// Parses up to 19 digits without leading zeros, which always fit.
#[inline(always)]
fn plain_digits(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 || digits[0] == b'0' && digits.len() > 1 {
        return None;
    }
    let mut value = 0u64;
    let (blocks, rest) = digits.as_chunks::<8>();
    for block in blocks {
        value = value * 100_000_000 + eight_digits(u64::from_le_bytes(*block))?;
    }
    for &digit in rest {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value)
}

/// Parses eight digits at once, by pairs.
#[inline(always)]
fn eight_digits(block: u64) -> Option<u64> {
    let nibbles = block ^ ZEROS;
    // A digit stays below ten, and below 0x80 with 0x76 added.
    if (nibbles | nibbles.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = nibbles.wrapping_mul(10).wrapping_add(nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

/// Parses the magnitude of an integer with 20 or more digits, a fraction or an exponent. `digits` is `text` without its sign.
#[cold]
fn unusual_integer(kind: Kind, text: &[u8], digits: &[u8]) -> Result<u64, JsonErrorKind> {
    if number_len(text) != Ok(text.len()) {
        return Err(JsonErrorKind::Expected("an integer"));
    }
    let (digits, exponent) = match digits.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&digits[..at], exponent(&digits[at + 1..])),
        None => (digits, 0),
    };
    let (whole, fraction) = match digits.iter().position(|&byte| byte == b'.') {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &[][..]),
    };
    // The value is the digits times ten to the power of the scale. Zeros at the end belong to the scale.
    let mut scale = exponent - fraction.len() as i64;
    let significant = |digits: &[u8]| digits.iter().rposition(|&digit| digit != b'0').map_or(0, |at| at + 1);
    let (kept_whole, kept_fraction) = match significant(fraction) {
        0 => (significant(whole), 0),
        kept => (whole.len(), kept),
    };
    scale += (whole.len() - kept_whole + fraction.len() - kept_fraction) as i64;
    let mut value = 0u64;
    for &digit in whole[..kept_whole].iter().chain(&fraction[..kept_fraction]) {
        let shifted = value.checked_mul(10).and_then(|value| value.checked_add(u64::from(digit - b'0')));
        value = shifted.ok_or_else(|| out_of_range(kind))?;
    }
    match (value, scale) {
        (0, _) => Ok(0),
        (_, ..0) => Err(JsonErrorKind::Expected("an integer")),
        _ => u32::try_from(scale)
            .ok()
            .and_then(|scale| 10u64.checked_pow(scale))
            .and_then(|factor| value.checked_mul(factor))
            .ok_or_else(|| out_of_range(kind)),
    }
}

/// Parses an exponent. An exponent beyond ±10^9 is capped: no text is long enough to compensate for it.
fn exponent(text: &[u8]) -> i64 {
    let is_negative = text.first() == Some(&b'-');
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    let value = digits.fold(0i64, |value, digit| (value * 10 + i64::from(digit - b'0')).min(1_000_000_000));
    if is_negative { -value } else { value }
}

/// Returns the largest value of a kind, the magnitude of the smallest, and the kind's name.
#[inline(always)]
fn range(kind: Kind) -> (u64, u64, &'static str) {
    match kind {
        Kind::Uint64 | Kind::Fixed64 => (u64::MAX, 0, "a uint64"),
        Kind::Uint32 | Kind::Fixed32 => (u32::MAX as u64, 0, "a uint32"),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Enum => (i32::MAX as u64, 1 << 31, "an int32"),
        _ => (i64::MAX as u64, 1 << 63, "an int64"),
    }
}

#[cold]
fn out_of_range(kind: Kind) -> JsonErrorKind {
    JsonErrorKind::OutOfRange(range(kind).2)
}

/// Powers of ten that are exact as doubles.
const POWERS_OF_TEN: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// The digit 0, eight times.
const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
