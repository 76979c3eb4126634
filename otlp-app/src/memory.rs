//! How much memory the process may use.

mod cgroup;

use rustix::process::{Resource, getrlimit};
use std::fs;

/// A limit of the process, below the machine's memory or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// The memory that the process may use, in bytes.
    pub(crate) bytes: u64,
    /// What limits it.
    pub(crate) by: &'static str,
    /// How to raise the limit.
    pub(crate) remedy: &'static str,
}

/// Bytes: the least of what the limits of the process and the machine allow, else 2 GiB.
pub(crate) fn memory_bytes() -> u64 {
    let limit = process_limit().map_or(u64::MAX, |limit| limit.bytes);
    usable_bytes(&text_of).min(limit)
}

/// The least of the limits that the process was started under.
pub(crate) fn process_limit() -> Option<Limit> {
    limit_of(cgroup::limit_bytes(&text_of), |resource| getrlimit(resource).current)
}

/// A line about a memory limit that the process may use but the machine does not have.
pub(crate) fn beyond_machine(limit_bytes: u64) -> Option<String> {
    let machine = total_of(&text_of("/proc/meminfo")?)?;
    (limit_bytes > machine).then(|| {
        format!(
            "memory_limiter: the limit of {} MiB is more than the {} MiB of this machine",
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
