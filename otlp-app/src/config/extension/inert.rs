//! Extensions of the Collector that a file may list though they do nothing here: `zpages`, `pprof`, `memory_ballast`.

use otlp_service::{BuildContext, ExtensionPart, KeyRule, SettingsError};
use serde::Deserialize;

/// No settings: all keys are noted before.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Inert {}

/// All of `zpages`.
pub(crate) const ZPAGES_RULES: &[KeyRule] =
    &[KeyRule::ignored("", "there are no such pages; own metrics and health_check say how the gateway is")];

/// All of `pprof`.
pub(crate) const PPROF_RULES: &[KeyRule] = &[KeyRule::ignored("", "there is no Go runtime to profile")];

/// All of `memory_ballast`.
pub(crate) const MEMORY_BALLAST_RULES: &[KeyRule] =
    &[KeyRule::ignored("", "there is no garbage collector, which a ballast is for")];

/// Makes an extension that does nothing.
pub(crate) fn inert(_: Inert, _: &BuildContext<'_>) -> Result<ExtensionPart, SettingsError> {
    Ok(ExtensionPart::Inert)
}
