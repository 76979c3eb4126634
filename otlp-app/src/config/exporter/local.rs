//! The exporters that need no network: `debug`, `nop`.

use crate::logging::LogLines;
use crate::output::Output;
use otlp_service::{
    BuildContext, DebugConfig, DebugExporter, DebugFormat, ExporterPart, ExporterSpec, KeyRule, NopExporter,
    SettingsError,
};
use otlp_transport::{BoxAttempt, TransportContext};
use serde::Deserialize;

/// Settings of the exporter `debug`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Debug {
    /// basic: a line for each batch; normal: also a line for each resource, scope and item; detailed: everything. Default
    /// basic.
    pub(super) verbosity: DebugVerbosity,
    /// Number of batches of each signal that are always shown in a second. Default 2.
    pub(super) sampling_initial: u64,
    /// Shows one in this many of the further batches in a second; 0 shows none. Default 1: all.
    pub(super) sampling_thereafter: u64,
    /// true: write log lines of level info to stderr, with the level and encoding of `service.telemetry.logs`; false: write
    /// plain text to stdout. Default true.
    pub(super) use_internal_logger: bool,
    /// The largest number of items shown in a second, with `verbosity: basic` of batches; further items are counted.
    /// Default 1000. Not a key of the Collector.
    pub(super) max_items_per_second: u64,
}

/// Values of `verbosity` of the exporter `debug`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DebugVerbosity {
    /// A line for each batch.
    #[default]
    Basic,
    /// A line for each batch, resource, scope and item.
    Normal,
    /// All fields.
    Detailed,
}

/// The exporter `nop` has no settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Nop {}

/// Keys of the Collector's `debug` that have no effect here.
pub(crate) const DEBUG_RULES: &[KeyRule] = &[
    KeyRule::ignored("output_paths", "lines go to stderr"),
    KeyRule::ignored("sending_queue", "the exporter answers at once and needs no queue"),
];

/// Makes `debug`.
pub(crate) fn debug(debug: Debug, _: &BuildContext<'_>) -> Result<ExporterPart, SettingsError> {
    let is_logged = debug.use_internal_logger;
    let config = DebugConfig::from(debug);
    Ok(local(move |context| {
        let clock = context.clock.clone();
        BoxAttempt::new(match is_logged {
            true => DebugExporter::new(config, clock, LogLines),
            false => DebugExporter::new(config, clock, Output::stdout()),
        })
    }))
}

/// Makes `nop`.
pub(crate) fn nop(_: Nop, _: &BuildContext<'_>) -> Result<ExporterPart, SettingsError> {
    Ok(local(|_| BoxAttempt::new(NopExporter)))
}

/// Makes an exporter that answers at once, and so has neither queue nor retry.
pub(crate) fn local(make: impl FnOnce(&TransportContext) -> BoxAttempt + Send + 'static) -> ExporterPart {
    ExporterPart::new(|id, context, _| Ok(ExporterSpec::new(id, make(context)))).direct()
}

impl Default for Debug {
    fn default() -> Self {
        let DebugConfig { sampling_initial, sampling_thereafter, max_items_per_second, .. } =
            DebugConfig::default();
        Self {
            verbosity: DebugVerbosity::default(),
            sampling_initial,
            sampling_thereafter,
            use_internal_logger: true,
            max_items_per_second,
        }
    }
}

impl From<Debug> for DebugConfig {
    fn from(debug: Debug) -> Self {
        let mut config = Self::default();
        config.format = match debug.verbosity {
            DebugVerbosity::Basic => DebugFormat::Basic,
            DebugVerbosity::Normal => DebugFormat::Normal,
            DebugVerbosity::Detailed => DebugFormat::Detailed,
        };
        config.sampling_initial = debug.sampling_initial;
        config.sampling_thereafter = debug.sampling_thereafter;
        config.max_items_per_second = debug.max_items_per_second;
        config
    }
}
