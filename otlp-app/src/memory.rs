//! How much memory the process may use.

use std::fs;

/// Bytes: the cgroup's limit, else the machine's memory, else 2 GiB.
pub(crate) fn memory_bytes() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_of(&text));
    let cgroup = CGROUP_FILES
        .iter()
        .find_map(|file| fs::read_to_string(file).ok())
        .and_then(|text| text.trim().parse::<u64>().ok());
    match (machine, cgroup) {
        (Some(machine), Some(cgroup)) => machine.min(cgroup),
        (Some(bytes), None) | (None, Some(bytes)) => bytes,
        (None, None) => 2 << 30,
    }
}

/// What bodies may take if the configuration says nothing: a quarter of the memory, at most 512 MiB.
pub(crate) fn default_budget_bytes() -> u64 {
    (memory_bytes() / 4).min(MAX_DEFAULT_BUDGET_BYTES)
}

fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Of cgroups 2 and 1; without a limit the first says `max`, the second a number larger than any memory.
const CGROUP_FILES: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
const MAX_DEFAULT_BUDGET_BYTES: u64 = 512 << 20;

#[cfg(test)]
mod tests;
