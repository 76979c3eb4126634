//! The exporter `logging`, which the Collector has replaced by `debug`.

use super::local::{Debug, DebugVerbosity, debug};
use otlp_service::{BuildContext, ExporterPart, KeyRule, SettingsError};
use serde::Deserialize;

/// Settings of the exporter `logging`: the settings of `debug`, and `loglevel`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Logging {
    /// Level that stands for `verbosity`: debug for `detailed`, anything else for `normal`. `verbosity` overrides it.
    loglevel: String,
    verbosity: Option<DebugVerbosity>,
    sampling_initial: Option<u64>,
    sampling_thereafter: Option<u64>,
    use_internal_logger: Option<bool>,
    max_items_per_second: Option<u64>,
}

/// Rules beside those of `debug`. Collectors that had the exporter took its keys in upper or lower case.
pub(crate) const LOGGING_RULES: &[KeyRule] = &[KeyRule::old_name("debug"), KeyRule::any_case("loglevel")];

/// Makes `logging`: the exporter `debug` with other defaults.
pub(crate) fn logging(given: Logging, context: &BuildContext<'_>) -> Result<ExporterPart, SettingsError> {
    let is_debug = given.loglevel.eq_ignore_ascii_case("debug");
    let of_level = if is_debug { DebugVerbosity::Detailed } else { DebugVerbosity::Normal };
    let known = Debug::default();
    let settings = Debug {
        verbosity: given.verbosity.unwrap_or(of_level),
        sampling_initial: given.sampling_initial.unwrap_or(known.sampling_initial),
        sampling_thereafter: given.sampling_thereafter.unwrap_or(known.sampling_thereafter),
        use_internal_logger: given.use_internal_logger.unwrap_or(known.use_internal_logger),
        max_items_per_second: given.max_items_per_second.unwrap_or(known.max_items_per_second),
    };
    debug(settings, context)
}
