//! Memory that the process may use.

mod cgroup;

use rustix::process::{Resource, getrlimit};
use std::fs;

/// A memory limit of the process. It may be above the machine's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// The memory that the process may use, in bytes.
    pub(crate) bytes: u64,
    /// Name of the limit.
    pub(crate) by: &'static str,
    /// Advice that raises the limit.
    pub(crate) remedy: &'static str,
}

/// Returns the memory that the process may use, in bytes: the least of its limits and the machine's memory, else 2 GiB.
pub(crate) fn memory_bytes() -> u64 {
    let limit = process_limit().map_or(u64::MAX, |limit| limit.bytes);
    usable_bytes(&text_of).min(limit)
}

/// Returns the least memory limit of the process.
pub(crate) fn process_limit() -> Option<Limit> {
    limit_of(cgroup::limit_bytes(&text_of), |resource| getrlimit(resource).current)
}

/// Returns a note if a memory limit is above the machine's memory.
pub(crate) fn beyond_machine(limit_bytes: u64) -> Option<String> {
    let machine = total_of(&text_of("/proc/meminfo")?)?;
    (limit_bytes > machine).then(|| {
        format!(
            "memory_limiter: the limit of {} MiB is more than the memory of this machine, {} MiB",
            limit_bytes >> 20,
            machine >> 20
        )
    })
}

fn limit_of(cgroup: Option<u64>, rlimit: impl Fn(Resource) -> Option<u64>) -> Option<Limit> {
    let limits = [
        (cgroup, "memory limit of the cgroup", "raise the memory limit of the container or cgroup"),
        (rlimit(Resource::As), "RLIMIT_AS", "raise `ulimit -v` or LimitAS="),
        (rlimit(Resource::Data), "RLIMIT_DATA", "raise `ulimit -d` or LimitDATA="),
    ];
    let known =
        limits.into_iter().filter_map(|(bytes, by, remedy)| Some(Limit { bytes: bytes?, by, remedy }));
    known.min_by_key(|limit| limit.bytes)
}

fn usable_bytes(read: &cgroup::Read<'_>) -> u64 {
    let machine = read("/proc/meminfo").and_then(|text| total_of(&text));
    machine.into_iter().chain(cgroup::limit_bytes(read)).min().unwrap_or(2 << 30)
}

/// Returns the memory limit for bodies without a setting, in bytes: a quarter of the memory, at most 512 MiB.
pub(crate) fn default_budget_bytes() -> u64 {
    (memory_bytes() / 4).min(MAX_DEFAULT_BUDGET_BYTES)
}

/// Reads a file as text. Invalid UTF-8, such as in paths of mounts, is replaced.
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
