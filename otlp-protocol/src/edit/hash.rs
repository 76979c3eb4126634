//! The hash that takes the place of a value.

use crate::view::AnyValue;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a value in lower-case hex, as the Collector's `attributes` processor computes it: of a string its
/// UTF-8, of a boolean one byte, of a number its eight bytes, little endian. Other values, which the Collector does
/// not hash, give the empty string: nothing of them is left either way.
pub fn sha256_hex(value: AnyValue<'_>) -> String {
    let digest = match value {
        AnyValue::String(value) => Sha256::digest(value),
        AnyValue::Bool(value) => Sha256::digest([u8::from(value)]),
        AnyValue::Int(value) => Sha256::digest(value.to_le_bytes()),
        AnyValue::Double(value) => Sha256::digest(value.to_le_bytes()),
        _ => return String::new(),
    };
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half & 15)]);
    digest.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte)]).collect()
}
