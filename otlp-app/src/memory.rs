//! How much memory the process may use.

mod cgroup;

use std::fs;

/// Bytes: the least of what the cgroups and the machine allow, else 2 GiB.
pub(crate) fn memory_bytes() -> u64 {
    usable_bytes(&text_of)
}

fn usable_bytes(read: &cgroup::Read<'_>) -> u64 {
    let machine = read("/proc/meminfo").and_then(|text| total_of(&text));
    machine.into_iter().chain(cgroup::limit_bytes(read)).min().unwrap_or(2 << 30)
}

/// What bodies may take if the configuration says nothing: a quarter of the memory, at most 512 MiB.
pub(crate) fn default_budget_bytes() -> u64 {
    (memory_bytes() / 4).min(MAX_DEFAULT_BUDGET_BYTES)
}

/// The text of a file. Paths of mounts need not be UTF-8, and the other lines count all the same.
fn text_of(path: &str) -> Option<String> {
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024).filter(|&bytes| bytes > 0)
}

const MAX_DEFAULT_BUDGET_BYTES: u64 = 512 << 20;

#[cfg(test)]
mod tests;
