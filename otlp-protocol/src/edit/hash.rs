//! The hash that replaces an attribute's value.

use super::{AttributeEdits, Put};
use crate::view::AnyValue;
use sha2::{Digest as _, Sha256};

// === impl AttributeEdits ===

impl AttributeEdits<'_> {
    /// Replaces the value of `key` by its hash, as [`sha256_hex`] computes it. True if the key is there.
    ///
    /// Needs the feature `hash`.
    pub fn hash(&mut self, key: &str) -> bool {
        let Some(hash) = self.value(key).map(sha256_hex) else { return false };
        self.put(Put::Update, key, hash.as_str())
    }
}

/// Computes the SHA-256 of a value in lower-case hex, as the Collector's `attributes` processor does: of the UTF-8 of a
/// string, of one byte for a boolean, of the eight bytes of a number, little endian. Returns the empty string for values
/// that the Collector does not hash (bytes, lists, maps), so that nothing of them remains.
///
/// Needs the feature `hash`.
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
