//! `service.telemetry.traces`, and the processors of own logs and traces: queues before destinations.

use super::exporter::{OwnExporter, Present};
use super::metrics::TelemetryLevel;
use super::{ProcessorPlan, Reading};
use otlp_service::{OwnQueueConfig, ParentBased, Sampler};
use serde::Deserialize;
use std::time::Duration;

/// Own traces.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OwnTraces {
    /// none turns own traces off; basic, normal and detailed are the same. Default normal.
    level: TelemetryLevel,
    /// Headers by which requests are linked to the spans of their senders and of destinations: tracecontext; others have no
    /// effect. Default none.
    propagators: Vec<String>,
    sampler: OwnSampler,
    /// Destinations that spans are sent to: each `batch` or `simple`. Default none: own traces are off.
    processors: Vec<OwnProcessor>,
}

/// Chooses the requests that are traced: one of these.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnSampler {
    /// All requests.
    always_on: Option<Present>,
    /// No request.
    always_off: Option<Present>,
    trace_id_ratio_based: Option<OwnRatio>,
    /// Samplers by the sender's span: `root` for requests without one, `remote_parent_sampled` (default always_on),
    /// `remote_parent_not_sampled` (default always_off). Default: `root` takes 1 request in 100.
    parent_based: Option<Box<OwnParentBased>>,
}

/// A share of the requests.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnRatio {
    /// Share of the requests, 0 to 1. Default 1.
    ratio: Option<f64>,
}

/// Samplers by the sender's span. A request has no local parent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnParentBased {
    root: Option<OwnSampler>,
    remote_parent_sampled: Option<OwnSampler>,
    remote_parent_not_sampled: Option<OwnSampler>,
    local_parent_sampled: Option<OwnSampler>,
    local_parent_not_sampled: Option<OwnSampler>,
}

/// A queue before a destination: one of the two.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OwnProcessor {
    batch: Option<OwnBatch>,
    simple: Option<OwnSimple>,
}

/// Sends requests of many entries.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnBatch {
    /// Milliseconds after which a request is sent that is not full. Default 1000 of logs, 5000 of traces.
    schedule_delay: Option<u64>,
    /// Milliseconds after which a request with its retries is given up; 0: no limit. Default 30000.
    export_timeout: Option<u64>,
    /// Most entries in the queue, at least 1; further entries are lost and counted. Default 2048.
    max_queue_size: Option<u64>,
    /// Most entries in a request, at least 1. Default 512.
    max_export_batch_size: Option<u64>,
    exporter: OwnExporter,
}

/// Sends each entry at once, with those that came meanwhile.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnSimple {
    exporter: OwnExporter,
}

/// Own traces that are on.
#[derive(Debug)]
pub(crate) struct SpansPlan {
    /// Chooses requests.
    pub(crate) sampler: Sampler,
    /// The spans of senders are read, and those of exports are sent.
    pub(crate) is_propagated: bool,
    /// Destinations.
    pub(crate) processors: Vec<ProcessorPlan>,
}

// === impl OwnTraces ===

impl OwnTraces {
    /// Returns the settings; `None` if own traces are off.
    pub(super) fn plan(self, reading: &mut Reading<'_>) -> Option<SpansPlan> {
        let is_known = |name: &str| name == TRACE_CONTEXT || name == "none";
        for (index, name) in self.propagators.iter().enumerate().filter(|(_, name)| !is_known(name)) {
            let text = format!("`{name}` has no effect: only {TRACE_CONTEXT} is read and sent");
            reading.note(&format!("traces.propagators.{index}"), &text);
        }
        let sampler = self.sampler.sampler("traces.sampler", reading).unwrap_or_default();
        let processors = OwnProcessor::plans(self.processors, "traces", SPANS_DELAY, reading);
        let is_on = self.level != TelemetryLevel::None && !processors.is_empty();
        let is_propagated = self.propagators.iter().any(|name| name == TRACE_CONTEXT);
        is_on.then_some(SpansPlan { sampler, is_propagated, processors })
    }
}

// === impl OwnSampler ===

impl OwnSampler {
    /// Returns the sampler; `None` if there is none.
    fn sampler(self, at: &str, reading: &mut Reading<'_>) -> Option<Sampler> {
        let Self { always_on, always_off, trace_id_ratio_based, parent_based } = self;
        let mut given = Vec::new();
        given.extend(always_on.map(|Present| Sampler::AlwaysOn));
        given.extend(always_off.map(|Present| Sampler::AlwaysOff));
        if let Some(OwnRatio { ratio }) = trace_id_ratio_based {
            let ratio = ratio.unwrap_or(1.0);
            if !(0.0..=1.0).contains(&ratio) {
                reading.wrong(&format!("{at}.trace_id_ratio_based.ratio"), "it must be 0 to 1");
            }
            given.push(Sampler::TraceIdRatio(ratio));
        }
        if let Some(of) = parent_based {
            let mut sampler = |key: &str, given: Option<OwnSampler>, default: Sampler| {
                let given =
                    given.and_then(|given| given.sampler(&format!("{at}.parent_based.{key}"), reading));
                given.unwrap_or(default)
            };
            let parent_based = ParentBased {
                root: sampler("root", of.root, Sampler::AlwaysOn),
                remote_parent_sampled: sampler(
                    "remote_parent_sampled",
                    of.remote_parent_sampled,
                    Sampler::AlwaysOn,
                ),
                remote_parent_not_sampled: sampler(
                    "remote_parent_not_sampled",
                    of.remote_parent_not_sampled,
                    Sampler::AlwaysOff,
                ),
            };
            for (key, local) in [
                ("local_parent_sampled", of.local_parent_sampled),
                ("local_parent_not_sampled", of.local_parent_not_sampled),
            ] {
                if local.is_some() {
                    reading.note(
                        &format!("{at}.parent_based.{key}"),
                        "it has no effect: no request has a local parent",
                    );
                }
            }
            given.push(Sampler::ParentBased(Box::new(parent_based)));
        }
        if given.len() > 1 {
            reading.wrong(at, "several samplers: one is expected");
        }
        given.pop()
    }
}

// === impl OwnProcessor ===

impl OwnProcessor {
    /// Makes the plans of the processors of `signal`, which are below that key.
    pub(super) fn plans(
        processors: Vec<Self>,
        signal: &str,
        delay: Duration,
        reading: &mut Reading<'_>,
    ) -> Vec<ProcessorPlan> {
        let mut plans = Vec::new();
        for (index, Self { batch, simple }) in processors.into_iter().enumerate() {
            let at = format!("{signal}.processors.{index}");
            plans.extend(batch.and_then(|batch| batch.plan(&format!("{at}.batch"), signal, delay, reading)));
            let simple = simple.and_then(|OwnSimple { exporter }| {
                let exporter = exporter.plan(&format!("{at}.simple.exporter"), signal, reading)?;
                let mut queue = OwnQueueConfig::default();
                queue.schedule_delay = Duration::ZERO;
                Some(ProcessorPlan { queue, export_timeout: DEFAULT_TIMEOUT, exporter })
            });
            plans.extend(simple);
        }
        plans
    }
}

impl OwnBatch {
    fn plan(
        self,
        at: &str,
        signal: &str,
        delay: Duration,
        reading: &mut Reading<'_>,
    ) -> Option<ProcessorPlan> {
        let mut queue = OwnQueueConfig::default();
        queue.schedule_delay = self.schedule_delay.map_or(delay, Duration::from_millis);
        let sizes = [
            ("max_queue_size", self.max_queue_size, &mut queue.max_queue_size),
            ("max_export_batch_size", self.max_export_batch_size, &mut queue.max_export_batch_size),
        ];
        for (key, given, size) in sizes {
            match given {
                Some(given) if !(1..=MAX_SIZE).contains(&given) => {
                    reading.wrong(&format!("{at}.{key}"), "it must be 1 to 1000000");
                }
                Some(given) => *size = usize::try_from(given).unwrap_or(usize::MAX),
                None => {}
            }
        }
        let export_timeout = self.export_timeout.map_or(DEFAULT_TIMEOUT, Duration::from_millis);
        let exporter = self.exporter.plan(&format!("{at}.exporter"), signal, reading)?;
        Some(ProcessorPlan { queue, export_timeout, exporter })
    }
}

/// Name of the W3C propagator.
const TRACE_CONTEXT: &str = "tracecontext";
/// Delay of spans, in the Collector's SDK.
const SPANS_DELAY: Duration = Duration::from_secs(5);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// Limit of a queue's entries: they are kept in memory.
const MAX_SIZE: u64 = 1_000_000;
