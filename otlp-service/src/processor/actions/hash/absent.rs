//! Without the feature `hash`: the action `hash` is refused.

use crate::processor::pattern::Pattern;
use otlp_protocol::AttributeEdits;

/// Refuses the action.
pub(super) fn check() -> Result<(), &'static str> {
    Err("hash is not compiled in: build with the feature `hash`")
}

/// Changes nothing: no action was accepted.
pub(super) fn apply(_key: Option<&str>, _pattern: Option<&Pattern>, _attributes: &mut AttributeEdits<'_>) {}
