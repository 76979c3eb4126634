//! Extensions of the Collector that a file may list though they do nothing here: `zpages`, `pprof`, `memory_ballast`.

use crate::config::component::Component;
use crate::config::plan::ExtensionPlan;
use crate::config::problem::Problems;
use crate::config::rules::{KeyRule, ignored};

/// All of `zpages`.
pub(crate) const ZPAGES_RULES: &[KeyRule] =
    &[ignored("", "there are no such pages; own metrics and health_check say how the gateway is")];

/// All of `pprof`.
pub(crate) const PPROF_RULES: &[KeyRule] = &[ignored("", "there is no Go runtime to profile")];

/// All of `memory_ballast`.
pub(crate) const MEMORY_BALLAST_RULES: &[KeyRule] =
    &[ignored("", "there is no garbage collector, which a ballast is for")];

/// The plan of an extension that does nothing.
pub(crate) fn inert(_: &mut Component, _: &mut Problems) -> Option<ExtensionPlan> {
    Some(ExtensionPlan::Inert)
}
