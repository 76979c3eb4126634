//! What the process itself uses.

use super::{MetricKind, Registration, Registry};
use otlp_transport::Clock;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// Registers `otelcol_process_*`, Prometheus' own `process_*`, and what the program is. Where `/proc` is not what Linux
/// has, memory, CPU and descriptors read 0.
pub(crate) fn register_process(registry: &Registry, clock: &Arc<dyn Clock>) -> Vec<Registration> {
    let since_epoch = clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let started = clock.now();
    let clock = clock.clone();
    let uptime = move || clock.now().saturating_duration_since(started).as_secs_f64();
    let start_help = "Start time of the process, in seconds since 1970-01-01 UTC.";
    let uptime_help = "Seconds since the process started.";
    let memory_help = "Resident memory, in bytes.";
    let cpu_help = "User and system CPU time, in seconds.";
    let mut shown = Vec::from(register_program(registry));
    shown.extend(register_descriptors(registry));
    shown.extend([
        registry
            .observe(MetricKind::Gauge, "process_start_time_seconds", start_help, &[], move || since_epoch),
        registry.observe(MetricKind::Counter, "otelcol_process_uptime", uptime_help, &[], uptime),
        registry.observe(MetricKind::Gauge, "otelcol_process_memory_rss", memory_help, &[], || {
            read("/proc/self/status", rss_bytes)
        }),
        registry.observe(MetricKind::Counter, "otelcol_process_cpu_seconds", cpu_help, &[], || {
            read("/proc/self/stat", cpu_seconds)
        }),
    ]);
    shown
}

/// The labels that Collectors have of themselves, and the version under a name of ours.
fn register_program(registry: &Registry) -> [Registration; 2] {
    let version = env!("CARGO_PKG_VERSION");
    let instance = format!("{:032x}", fastrand::u128(..));
    let labels = [("service_name", "otlp"), ("service_version", version), ("service_instance_id", &instance)];
    let of_us = [("version", version)];
    [
        registry.observe(
            MetricKind::Gauge,
            "target_info",
            "Name, version and instance id of the process; always 1.",
            &labels,
            || 1.0,
        ),
        registry.observe(
            MetricKind::Gauge,
            "otlp_build_info",
            "Version of the program; always 1.",
            &of_us,
            || 1.0,
        ),
    ]
}

fn register_descriptors(registry: &Registry) -> [Registration; 2] {
    let open_help = "Open file descriptors.";
    let max_help = "Largest number of open file descriptors.";
    [
        registry.observe(MetricKind::Gauge, "process_open_fds", open_help, &[], || {
            std::fs::read_dir("/proc/self/fd").map_or(0.0, |open| open.count() as f64)
        }),
        registry.observe(MetricKind::Gauge, "process_max_fds", max_help, &[], || {
            read("/proc/self/limits", max_descriptors)
        }),
    ]
}

/// What a file of `/proc` says; 0 if it does not.
fn read(file: &str, value: fn(&str) -> Option<f64>) -> f64 {
    std::fs::read_to_string(file).ok().and_then(|text| value(&text)).unwrap_or(0.0)
}

/// The soft limit of open files in `/proc/<pid>/limits`.
pub(super) fn max_descriptors(limits: &str) -> Option<f64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// `VmRSS` of `/proc/<pid>/status`, in bytes.
pub(super) fn rss_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

/// `utime + stime` of `/proc/<pid>/stat`, in seconds.
pub(super) fn cpu_seconds(stat: &str) -> Option<f64> {
    // The name of the program, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11);
    let mut seconds = || Some(times.next()?.parse::<f64>().ok()? / TICKS_PER_SECOND);
    Some(seconds()? + seconds()?)
}

/// USER_HZ: Linux shows times to programs in this unit on every architecture we build for.
const TICKS_PER_SECOND: f64 = 100.0;
