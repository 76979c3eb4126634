//! What the process itself uses.

use super::{MetricKind, Registry};
use otlp_transport::Clock;
use std::sync::Arc;

/// Registers `otelcol_process_*`. Where `/proc` is not what Linux has, memory and CPU read 0.
pub(crate) fn register_process(registry: &Registry, clock: &Arc<dyn Clock>) {
    let started = clock.now();
    let clock = clock.clone();
    let uptime = move || clock.now().saturating_duration_since(started).as_secs_f64();
    registry.observe(
        MetricKind::Counter,
        "otelcol_process_uptime",
        "Seconds since the process started.",
        &[],
        uptime,
    );
    registry.observe(
        MetricKind::Gauge,
        "otelcol_process_memory_rss",
        "Resident memory, in bytes.",
        &[],
        || {
            std::fs::read_to_string("/proc/self/status")
                .ok()
                .and_then(|status| rss_bytes(&status))
                .unwrap_or(0.0)
        },
    );
    registry.observe(
        MetricKind::Counter,
        "otelcol_process_cpu_seconds",
        "CPU time used, user and system, in seconds.",
        &[],
        || std::fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu_seconds(&stat)).unwrap_or(0.0),
    );
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
