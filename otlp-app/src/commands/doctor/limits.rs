//! Limits of the process: file descriptors and memory.

use super::finding::Finding;
use crate::descriptors::max_connections;
use crate::memory::{memory_bytes, process_limit};
use rustix::process::{Resource, getrlimit};

/// Reads the limits of this process, which a gateway that is started in the same way has, too. `configured` is the limit of
/// `memory_limiter`.
pub(super) fn check(configured: Option<u64>) -> [Finding; 2] {
    let descriptors = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    let by = process_limit().map(|limit| (limit.bytes, limit.by, limit.remedy));
    [files(descriptors, max_connections()), memory(memory_bytes(), configured, by)]
}

fn files(descriptors: u64, connections: usize) -> Finding {
    let number = if descriptors == u64::MAX { "unlimited".to_owned() } else { descriptors.to_string() };
    let text = format!("{number}, enough for {connections} connections of senders");
    if descriptors >= MIN_DESCRIPTORS {
        return Finding::ok("files", "open files", text);
    }
    Finding::warning("files", "open files", text).help("raise `ulimit -Hn` or LimitNOFILE=")
}

fn memory(bytes: u64, configured: Option<u64>, by: Option<(u64, &str, &str)>) -> Finding {
    let limit = by.filter(|(limit, ..)| *limit <= bytes);
    let source = limit.map_or("the memory of this machine", |(_, by, _)| by);
    let remedy = limit.map_or("use a machine with more memory", |(_, _, remedy)| remedy);
    let text = format!("{} MiB ({source})", bytes >> 20);
    if let Some(configured) = configured.filter(|configured| *configured > bytes) {
        let text = format!("{text}, less than the {} MiB of memory_limiter", configured >> 20);
        return Finding::problem("memory", "memory", text).help("lower limit_mib").help(remedy);
    }
    if bytes < MIN_MEMORY_BYTES {
        return Finding::warning("memory", "memory", text).help(remedy);
    }
    Finding::ok("memory", "memory", text)
}

/// The usual soft limit; with less a gateway of few hundred senders refuses connections.
const MIN_DESCRIPTORS: u64 = 1024;
/// Requests of several senders at their largest size, 64 MiB.
const MIN_MEMORY_BYTES: u64 = 128 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_limits_are_warnings() {
        assert!(files(100, 16).text().starts_with("warning "));
        assert!(
            files(u64::MAX, 9).text().starts_with("ok       files     open files: unlimited, enough for 9")
        );
        let by = Some((64 << 20, "RLIMIT_AS", "raise `ulimit -v`"));
        assert!(
            memory(1 << 30, None, None).text().starts_with("ok       memory    memory: 1024 MiB (the memory")
        );
        let low = memory(64 << 20, None, by).text();
        assert!(
            low.starts_with("warning ")
                && low.contains("(RLIMIT_AS)")
                && low.contains("-> raise `ulimit -v`")
        );
        assert!(
            memory(64 << 20, Some(1 << 30), by).text().contains("less than the 1024 MiB of memory_limiter")
        );
    }
}
