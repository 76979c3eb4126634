//! Metrics of the process: memory, CPU time, file descriptors, version.

use super::{MetricKind, Registration, Registry};
use otlp_transport::Clock;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// Registers `otelcol_process_*`, Prometheus' `process_*`, and version and instance id. Without Linux' `/proc`, memory, CPU time and
/// file descriptors are 0.
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

/// Registers the labels that Collectors report of themselves, and the version as `otlp_build_info`.
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

/// Returns the number of open file descriptors, and the largest number; `None` where they are not known.
pub(crate) fn descriptors() -> Option<(u64, u64)> {
    let open = std::fs::read_dir("/proc/self/fd").ok()?.count();
    let max = read("/proc/self/limits", max_descriptors);
    (max > 0.0).then_some((open as u64, max as u64))
}

/// Reads a value from a file of `/proc`; 0 if that fails.
fn read(file: &str, value: fn(&str) -> Option<f64>) -> f64 {
    std::fs::read_to_string(file).ok().and_then(|text| value(&text)).unwrap_or(0.0)
}

/// Parses the soft limit of open files in `/proc/<pid>/limits`.
pub(super) fn max_descriptors(limits: &str) -> Option<f64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Parses `VmRSS` of `/proc/<pid>/status`, in bytes.
pub(super) fn rss_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

/// Parses `utime + stime` of `/proc/<pid>/stat`, in seconds.
pub(super) fn cpu_seconds(stat: &str) -> Option<f64> {
    // The name of the program, in parentheses, may contain any character.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11);
    let mut seconds = || Some(times.next()?.parse::<f64>().ok()? / TICKS_PER_SECOND);
    Some(seconds()? + seconds()?)
}

/// USER_HZ, the unit of times in `/proc` on all supported architectures of Linux.
const TICKS_PER_SECOND: f64 = 100.0;
