//! File descriptors: the process raises its limit, and reserves some for health, metrics, exporters and files.

use crate::memory::memory_bytes;
use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the soft limit of file descriptors to the hard one: the soft one is low for the sake of programs that use
/// `select`.
pub(crate) fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

/// Returns the largest number of connections that all receivers together keep open: as many as the limit of file
/// descriptors allows after a reserve, and as a quarter of the memory pays for.
pub(crate) fn max_connections() -> usize {
    // `None` means no limit.
    max_of(getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX), memory_bytes())
}

fn max_of(descriptors: u64, memory_bytes: u64) -> usize {
    let reserve = (descriptors / RESERVE_SHARE).clamp(MIN_RESERVE, MAX_RESERVE);
    // While idle connections make room, an eighth more are open.
    let by_descriptors = descriptors.saturating_sub(reserve) / 9 * 8;
    let by_memory = memory_bytes / MEMORY_SHARE / CONNECTION_BYTES;
    usize::try_from(by_descriptors.min(by_memory)).unwrap_or(usize::MAX).max(MIN_CONNECTIONS)
}

/// Share of the descriptors reserved for health probes, metrics, exporters and files.
const RESERVE_SHARE: u64 = 4;
const MIN_RESERVE: u64 = 48;
const MAX_RESERVE: u64 = 256;
/// Share of the memory that idle connections may take.
const MEMORY_SHARE: u64 = 4;
/// Memory of an idle connection with TLS: docs/performance.md.
const CONNECTION_BYTES: u64 = 32 << 10;
const MIN_CONNECTIONS: usize = 16;

#[cfg(test)]
mod tests;
