//! Work that would hold up the other tasks of its thread: from which size on, for each kind of work, and where it runs then.
//!
//! Up to the sizes here, work takes about a millisecond at most. `benches/benches/` measures what they are made of: `walkers`
//! checks, cuts, edits and JSON of many short records, `protocol`, `edit` and `json` those of ordinary ones. How much an
//! encoding inflates in that time is told by [`Codec::quick_bytes`](crate::Codec::quick_bytes).

use otlp_protocol::Batch;
use tokio::task::{JoinError, spawn_blocking};

/// Runs the work, on a thread for blocking work if it is large. Dropping the future does not end work on such a thread.
///
/// # Errors
/// If the runtime ends before the work does, or work on such a thread panics.
pub async fn run<T: Send + 'static>(
    is_large: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    if is_large { spawn_blocking(work).await } else { Ok(work()) }
}

/// Whether to edit each item of a batch, or to cut the batch by size, is large work: from 1 MiB or 16,384 items on.
pub fn is_large(batch: &Batch) -> bool {
    let count = batch.count();
    batch.len() >= EDITED_BYTES || count.items.max(count.entries) >= EDITED_ITEMS
}

/// Whether to look through a body of `bytes` and to show `items` of it as text is large work: over 64 KiB or 50 items.
pub fn is_large_to_show(bytes: usize, items: u64) -> bool {
    bytes > SHOWN_BYTES || items > SHOWN_ITEMS
}

/// Whether to cut a body by the candidates that its items go to is large work. Each byte may be half of an envelope, and each
/// item may be compared with every candidate.
pub(crate) fn is_large_to_route(bytes: usize, items: u64, candidates: usize) -> bool {
    bytes > ROUTED_BYTES || items.saturating_mul(candidates as u64) > COMPARISONS
}

/// The check of a protobuf body that came takes well under a millisecond up to here.
pub(crate) const CHECKED_BYTES: usize = 1 << 20;
/// The same for JSON that came, which has to be rewritten.
pub(crate) const CHECKED_JSON_BYTES: usize = 256 << 10;
/// The same for what is to be inflated, as it came: tables of codes cost as much as many bytes of result.
pub(crate) const INFLATED_BYTES: usize = 64 << 10;
/// To write a body in JSON takes about a millisecond from here on, in bytes of protobuf.
pub(crate) const WRITTEN_JSON_BYTES: usize = 256 << 10;
/// To compress a body at the fastest level takes about a millisecond from here on. It is done in pieces, between which the
/// thread's other tasks run.
pub(crate) const COMPRESSED_BYTES: usize = 512 << 10;
/// One such piece: about half a millisecond.
pub(crate) const COMPRESSED_PIECE_BYTES: usize = 256 << 10;

const EDITED_BYTES: usize = 1 << 20;
/// The same for items of a few bytes.
const EDITED_ITEMS: u64 = 16 << 10;

/// To look through these takes less than a millisecond.
const SHOWN_BYTES: usize = 64 << 10;
const SHOWN_ITEMS: u64 = 50;

/// 32,768 envelopes of two bytes: about 30 ns each.
const ROUTED_BYTES: usize = 64 << 10;
/// About 4 ns each.
const COMPARISONS: u64 = 128 << 10;

#[cfg(test)]
mod tests;
