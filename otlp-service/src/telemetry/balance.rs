//! Metrics of load balancing: those of the Collector's `load_balancing` exporter, and own metrics.

use super::counted::Counted;
use super::registry::histogram_samples;
use super::{MetricKind, Registration, Registry, Sample};
use otlp_transport::{BalanceStats, EndpointStats, LATENCY_BOUNDS_MS};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Registers `otelcol_loadbalancer_*` and `otlp_client_*` for one exporter. An endpoint has metrics while it exists.
pub(crate) fn register_balance(
    registry: &Registry,
    exporter: &str,
    stats: &Arc<BalanceStats>,
) -> Vec<Registration> {
    let labels = [("exporter", exporter), ("resolver", stats.resolver)];
    let mut shown: Vec<_> = COUNTED.iter().map(|row| row.register(registry, &labels, stats)).collect();
    for (success, counter) in RESOLUTIONS {
        let stats = stats.clone();
        shown.push(registry.observe(
            MetricKind::Counter,
            "otelcol_loadbalancer_num_resolutions",
            "Lookups of endpoints by the resolver.",
            &[labels[0], labels[1], ("success", success)],
            move || counter(&stats).load(Ordering::Relaxed) as f64,
        ));
    }
    let backends = stats.clone();
    shown.push(registry.observe(
        MetricKind::Gauge,
        "otelcol_loadbalancer_num_backends",
        "Endpoints that the resolver found last.",
        &labels,
        move || backends.endpoints().len() as f64,
    ));
    shown.extend(ROWS.iter().map(|Row { name, help, kind, samples }| {
        let (stats, exporter) = (stats.clone(), exporter.to_owned());
        registry.observe_each(*kind, *name, help, move || {
            stats.endpoints().iter().flat_map(|endpoint| samples(&exporter, endpoint)).collect()
        })
    }));
    shown
}

/// A metric with a value for each endpoint.
struct Row {
    name: &'static str,
    help: &'static str,
    kind: MetricKind,
    samples: fn(&str, &EndpointStats) -> Vec<Sample>,
}

const COUNTED: &[Counted<BalanceStats>] = &[
    Counted::total(
        "otelcol_loadbalancer_num_backend_updates",
        "Lookups that changed the list of endpoints.",
        |stats| &stats.updates,
    ),
    Counted::total(
        "otlp_client_left_out_endpoints",
        "Endpoints that the resolver found but that cannot be used.",
        |stats| &stats.left_out_endpoints,
    ),
    Counted::total(
        "otlp_client_failovers",
        "Requests sent to another endpoint at once after an endpoint failed.",
        |stats| &stats.failovers,
    ),
    Counted::total(
        "otlp_client_throttled_requests",
        "Attempts that failed because all endpoints throttled requests.",
        |stats| &stats.throttled_requests,
    ),
];

type Read = fn(&BalanceStats) -> &AtomicU64;

const RESOLUTIONS: [(&str, Read); 2] =
    [("true", |stats| &stats.resolutions), ("false", |stats| &stats.failed_resolutions)];

const ROWS: &[Row] = &[
    Row {
        name: "otelcol_loadbalancer_backend_outcome",
        help: "Requests by endpoint and success.",
        kind: MetricKind::Counter,
        samples: |exporter, endpoint| {
            [("true", &endpoint.answered), ("false", &endpoint.failed)]
                .map(|(success, count)| {
                    sample(exporter, endpoint, Some(("success", success.to_owned())), count)
                })
                .into()
        },
    },
    Row {
        name: "otelcol_loadbalancer_backend_latency",
        help: "Duration of requests to an endpoint, in milliseconds.",
        kind: MetricKind::Histogram,
        samples: latency,
    },
    Row {
        name: "otlp_client_endpoint_in_flight",
        help: "Requests that an endpoint has not answered yet.",
        kind: MetricKind::Gauge,
        samples: |exporter, endpoint| vec![sample(exporter, endpoint, None, &endpoint.in_flight)],
    },
    Row {
        name: "otlp_client_endpoint_ejections",
        help: "Ejections of an endpoint for failed requests.",
        kind: MetricKind::Counter,
        samples: |exporter, endpoint| vec![sample(exporter, endpoint, None, &endpoint.ejections)],
    },
];

fn sample(
    exporter: &str,
    endpoint: &EndpointStats,
    label: Option<(&'static str, String)>,
    count: &AtomicU64,
) -> Sample {
    let labels = labels(exporter, endpoint).into_iter().chain(label).collect();
    Sample { suffix: "", labels, value: count.load(Ordering::Relaxed) as f64 }
}

fn latency(exporter: &str, endpoint: &EndpointStats) -> Vec<Sample> {
    let EndpointStats { latency_buckets, latency_ms, .. } = endpoint;
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (counts, sum) = (latency_buckets.iter().map(read).collect::<Vec<_>>(), read(latency_ms));
    histogram_samples(&labels(exporter, endpoint), &LATENCY_BOUNDS_MS, 1, &counts, sum.into())
}

fn labels(exporter: &str, endpoint: &EndpointStats) -> [(&'static str, String); 2] {
    [("exporter", exporter.to_owned()), ("endpoint", endpoint.endpoint.clone())]
}
