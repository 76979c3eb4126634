//! The exporters that need no network: `debug`, `nop`.

use crate::config::component::Component;
use crate::config::decode::decode;
use crate::config::plan::{ExporterPlan, Outlet};
use crate::config::problem::Problems;
use crate::config::rules::{KeyRule, ignored};
use crate::output::Output;
use otlp_service::{ContextNeeds, DebugExporter, NopExporter, QueueConfig, RetryConfig, Verbosity};
use otlp_transport::BoxExport;
use serde::Deserialize;

/// Settings of the exporter `debug`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Debug {
    /// basic, normal, detailed. Default basic.
    verbosity: DebugVerbosity,
}

/// How much the exporter `debug` tells.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DebugVerbosity {
    /// Signal and items.
    #[default]
    Basic,
    /// Also entries and bytes.
    Normal,
    /// All there is to know of a batch.
    Detailed,
}

/// The exporter `nop` has no settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Nop {}

/// Keys of `debug` that mean nothing here.
pub(crate) const DEBUG_RULES: &[KeyRule] = &[
    ignored("sampling_initial", "every batch is shown"),
    ignored("sampling_thereafter", "every batch is shown"),
    ignored("use_internal_logger", "lines go to stderr"),
    ignored("output_paths", "lines go to stderr"),
    ignored("sending_queue", "there is nothing to queue for"),
];

/// The plan of `debug`.
pub(crate) fn debug(component: &mut Component, problems: &mut Problems) -> Option<ExporterPlan> {
    let verbosity = decode::<Debug>(&component.settings, problems)?.verbosity.into();
    Some(local(move || BoxExport::new(DebugExporter::new(verbosity, Output::stderr()))))
}

/// The plan of `nop`.
pub(crate) fn nop(component: &mut Component, problems: &mut Problems) -> Option<ExporterPlan> {
    decode::<Nop>(&component.settings, problems)?;
    Some(local(|| BoxExport::new(NopExporter)))
}

/// An exporter that answers at once: nothing to queue for, nothing to retry.
pub(crate) fn local(make: impl FnOnce() -> BoxExport + Send + 'static) -> ExporterPlan {
    let (mut queue, mut retry) = (QueueConfig::default(), RetryConfig::default());
    (queue.enabled, retry.enabled) = (false, false);
    ExporterPlan {
        connect: Box::new(|_, _| Ok(Outlet { export: make(), stats: None })),
        endpoints: Vec::new(),
        queue,
        retry,
        takes: None,
        auth: None,
        needs: ContextNeeds::default(),
    }
}

impl From<DebugVerbosity> for Verbosity {
    fn from(verbosity: DebugVerbosity) -> Self {
        match verbosity {
            DebugVerbosity::Basic => Self::Basic,
            DebugVerbosity::Normal => Self::Normal,
            DebugVerbosity::Detailed => Self::Detailed,
        }
    }
}
