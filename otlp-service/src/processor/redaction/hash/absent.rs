//! Without the feature `hash`: what is masked becomes asterisks, and hashes are refused.

use super::config::{RedactionConfig, RedactionError, RedactionHash};

/// Writes the replacement of a masked text.
#[derive(Clone, Debug)]
pub(super) struct Mask;

// === impl Mask ===

impl Mask {
    pub(super) fn new(config: &RedactionConfig) -> Result<Self, RedactionError> {
        match config.hash {
            RedactionHash::Mask => Ok(Self),
            _ => Err(RedactionError {
                path: "hash_function".into(),
                problem: "hashes are not compiled in: build with the feature `hash`".into(),
            }),
        }
    }

    /// Appends the replacement of a text.
    pub(super) fn put(&self, _text: &str, out: &mut String) {
        out.push_str("****");
    }
}
