//! Extensions of the Collector that are accepted without effect: `zpages`, `pprof`, `memory_ballast`.

use otlp_service::{BuildContext, ExtensionPart, KeyRule, SettingsError};
use serde::Deserialize;

/// No settings: rules take out all keys, with a note.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Inert {}

/// The rule for all settings of `zpages`.
pub(crate) const ZPAGES_RULES: &[KeyRule] =
    &[KeyRule::ignored("", "zPages are not served; use own metrics and health_check")];

/// The rule for all settings of `pprof`.
pub(crate) const PPROF_RULES: &[KeyRule] = &[KeyRule::ignored("", "there is no Go runtime to profile")];

/// The rule for all settings of `memory_ballast`.
pub(crate) const MEMORY_BALLAST_RULES: &[KeyRule] =
    &[KeyRule::ignored("", "there is no garbage collector, which a ballast is for")];

/// Makes an extension that does nothing.
pub(crate) fn inert(_: Inert, _: &BuildContext<'_>) -> Result<ExtensionPart, SettingsError> {
    Ok(ExtensionPart::Inert)
}
