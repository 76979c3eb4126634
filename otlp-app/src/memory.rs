//! How much memory the process may use.

mod cgroup;

use std::fs;

/// Bytes: the least of what the cgroups and the machine allow, else 2 GiB.
pub(crate) fn memory_bytes() -> u64 {
    let read = |path: &str| fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|text| total_of(&text));
    machine.into_iter().chain(cgroup::limit_bytes(&read)).min().unwrap_or(2 << 30)
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

const MAX_DEFAULT_BUDGET_BYTES: u64 = 512 << 20;

#[cfg(test)]
mod tests;
