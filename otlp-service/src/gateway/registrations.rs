//! Metrics of the gateway as a whole.

use super::shared::Shared;
use crate::health::{CheckReport, HealthChecker};
use crate::telemetry::{MetricKind, Registration, Registry, Sample, register_certificates, register_process};
use otlp_protocol::ByteBudget;
use otlp_transport::{ReloadStats, TransportContext};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Registers the metrics, for as long as the gateway lives.
pub(super) fn register(
    shared: &Shared,
    dropped_lines: Vec<(&'static str, Arc<AtomicU64>)>,
) -> Vec<Registration> {
    let Shared { registry, context, .. } = shared;
    let mut registrations = register_process(registry, &context.clock);
    registrations.extend(register_budget(registry, context));
    registrations.extend(register_reloads(registry, context));
    registrations.push(register_certificates(registry, context));
    registrations.push(register_health(registry, &shared.health));
    registrations.extend(dropped_lines.into_iter().map(|(stream, lines)| {
        let help = "Lines dropped because the stream was not read.";
        let read = move || lines.load(Ordering::Relaxed) as f64;
        let labels = [("stream", stream)];
        registry.observe(MetricKind::Counter, "otlp_process_dropped_lines", help, &labels, read)
    }));
    registrations
}

/// Registers the result of each health check.
fn register_health(registry: &Registry, health: &HealthChecker) -> Registration {
    let health = health.clone();
    let help = "Health of a check: 0 healthy, 1 degraded, 2 unhealthy.";
    registry.observe_each(MetricKind::Gauge, "otlp_health_status", help, move || {
        let sample = |check: CheckReport| Sample {
            suffix: "",
            value: f64::from(check.health.rank()),
            labels: vec![("check", check.name)],
        };
        health.report().checks.into_iter().map(sample).collect()
    })
}

fn register_budget(registry: &Registry, context: &TransportContext) -> [Registration; 3] {
    let gauge = |name, help, read: fn(&ByteBudget) -> u64, kind| {
        let budget = context.budget.clone();
        registry.observe(kind, name, help, &[], move || read(&budget) as f64)
    };
    let limit_help = "Bytes that bodies may pin.";
    let used_help = "Bytes that bodies pin.";
    let refusals_help = "Bodies refused because the memory budget was used up.";
    [
        gauge("otlp_memory_budget_limit", limit_help, |budget| budget.limit(), MetricKind::Gauge),
        gauge("otlp_memory_budget_used", used_help, |budget| budget.used(), MetricKind::Gauge),
        gauge("otlp_memory_budget_refusals", refusals_help, |budget| budget.refusals(), MetricKind::Counter),
    ]
}

fn register_reloads(registry: &Registry, context: &TransportContext) -> [Registration; 2] {
    let observe = |name, help, read: fn(&ReloadStats) -> &AtomicU64| {
        let stats = context.reloads.clone();
        let value = move || read(&stats).load(Ordering::Relaxed) as f64;
        registry.observe(MetricKind::Counter, name, help, &[], value)
    };
    let failures = "Changed files that could not be used.";
    [
        observe("otlp_file_reloads", "Changed files that were taken into use.", |stats| &stats.reloads),
        observe("otlp_file_reload_failures", failures, |stats| &stats.reload_failures),
    ]
}
