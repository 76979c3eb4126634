//! A connector: it stands at the end of a pipeline, and emits into others; here another signal.

use otlp_protocol::encode::Metrics;
use otlp_protocol::{Accepted, Batch, Body, Charge, Signal};
use otlp_service::{
    Answers, BuildContext, Holder, HolderAccount, HolderContext, HolderSpec, Outlet, Reason, SettingsError,
};
use otlp_transport::{Clock, Export, ExportResult};
use serde::Deserialize;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// Settings of the connector `span_count`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The metric's name. Default `spans`.
    metric_name: String,
    /// The metric's description. Default none.
    description: String,
}

/// Makes the connector, once for each pipeline that it ends.
pub(crate) fn make(given: Settings, _: &BuildContext<'_>) -> Result<HolderSpec, SettingsError> {
    if given.metric_name.is_empty() {
        return Err(SettingsError::at("metric_name", "it is empty"));
    }
    let settings = Arc::new(given);
    Ok(HolderSpec::new(Answers::AfterCommit, move |context: HolderContext| {
        let HolderContext { account, outlets, clock, signal, .. } = context;
        if signal != Signal::TRACES {
            return Err("it counts spans: its pipeline must be one of traces".into());
        }
        if let Some(other) = outlets.iter().find(|outlet| outlet.signal() != Signal::METRICS) {
            return Err(format!("it emits metrics, but {} takes {}", other.pipeline(), other.signal()).into());
        }
        Ok(SpanCount { settings: settings.clone(), account, outlets, clock })
    }))
}

/// Emits one data point a request, with the number of its spans.
struct SpanCount {
    settings: Arc<Settings>,
    account: HolderAccount,
    outlets: Vec<Outlet>,
    clock: Arc<dyn Clock>,
}

impl SpanCount {
    fn metric(&self, spans: u64) -> Batch {
        let now = self.clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let Settings { metric_name, description } = &*self.settings;
        let body = Body::write::<Metrics>(|request| {
            request.resource_group(|group| {
                group.scope_group(|scope| {
                    scope.metric(|metric| {
                        metric.name(metric_name).description(description).unit("{span}").sum(|sum| {
                            sum.aggregation_temporality(1).is_monotonic(true).point(|point| {
                                point.time_unix_nano(now).int(i64::try_from(spans).unwrap_or(i64::MAX));
                            });
                        })
                    });
                });
            });
        });
        Batch::new(body, Charge::none())
    }
}

impl Export for SpanCount {
    async fn export(&self, batch: Batch) -> ExportResult {
        let spans = batch.items();
        let mut held = self.account.hold(spans);
        // The point stands for the spans.
        held.settle(Reason::Sampled, spans);
        for outlet in &self.outlets {
            outlet.export(self.metric(spans), held.split_off(0)).await?;
        }
        Ok(Accepted::FULL)
    }
}

impl Holder for SpanCount {}

impl Default for Settings {
    fn default() -> Self {
        Self { metric_name: "spans".into(), description: String::new() }
    }
}
