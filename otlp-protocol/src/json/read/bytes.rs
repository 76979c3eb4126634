//! Bytes in JSON: ids in hex, other bytes in base64.

use super::super::error::JsonErrorKind;
use crate::schema::Field;
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// Decodes hex digits and appends the bytes.
#[inline]
pub(super) fn decode_hex(text: &[u8], out: &mut Vec<u8>) -> Result<(), JsonErrorKind> {
    let start = out.len();
    out.resize(start + text.len() / 2, 0);
    let (pairs, rest) = text.as_chunks::<2>();
    // An invalid digit sets the high bits.
    let mut faults = u8::from(!rest.is_empty()) << 7;
    for (byte, &[high, low]) in out[start..].iter_mut().zip(pairs) {
        let (high, low) = (HEX_DIGITS[usize::from(high)], HEX_DIGITS[usize::from(low)]);
        faults |= high | low;
        *byte = high << 4 | low & 0xf;
    }
    if faults & 0xf0 == 0 {
        return Ok(());
    }
    out.truncate(start);
    Err(JsonErrorKind::Expected("hex digits, two a byte"))
}

/// Decodes a profile id in base64 and appends it: the specification prescribes hex for trace and span ids only.
#[cold]
pub(super) fn decode_profile_id(field: &Field, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    // 16 bytes, padded or not.
    let may_be_base64 = field.name == "profile_id" && matches!(text.len(), 22 | 24);
    Some(text).filter(|_| may_be_base64).and_then(|text| decode_base64(text, out).ok())
}

/// Decodes base64, in the standard or the URL alphabet, padded or not, and appends the bytes.
pub(super) fn decode_base64(text: &[u8], out: &mut Vec<u8>) -> Result<(), JsonErrorKind> {
    let is_url_safe = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if is_url_safe { &URL_SAFE_BASE64 } else { &BASE64 };
    engine.decode_vec(text, out).map_err(|_| JsonErrorKind::Expected("base64"))
}

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
static BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
static URL_SAFE_BASE64: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Values of hex digits; 0xff for other bytes.
static HEX_DIGITS: [u8; 256] = {
    let mut digits = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};
