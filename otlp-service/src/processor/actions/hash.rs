//! The action `hash`.

use crate::processor::pattern::Pattern;
use otlp_protocol::view::AnyValue;
use otlp_protocol::{AttributeEdits, Change, sha256_hex};

/// Checks that the action can run.
pub(super) fn check() -> Result<(), &'static str> {
    Ok(())
}

/// Puts the SHA-256 of a value in its place: of `key`, and of the keys that `pattern` matches.
pub(super) fn apply(key: Option<&str>, pattern: Option<&Pattern>, attributes: &mut AttributeEdits<'_>) {
    if let Some(key) = key {
        attributes.hash(key);
    }
    if let Some(pattern) = pattern {
        attributes.for_each(|key, value, hashed| {
            if !pattern.matches(key) {
                return Change::Keep;
            }
            hashed.set(sha256_hex(AnyValue::new(value)).as_str());
            Change::Replace
        });
    }
}
