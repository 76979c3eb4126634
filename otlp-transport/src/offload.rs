//! The sizes from which on work is moved to a blocking thread, so that it does not delay the other tasks of its thread.
//!
//! Work below these sizes takes about a millisecond at most. `benches/benches/` measures the costs: `walkers` has checks,
//! cuts, edits and JSON of many short records; `protocol`, `edit` and `json` have ordinary records.
//! [`Codec::quick_bytes`](crate::Codec::quick_bytes) tells how much an encoding inflates in that time.

use otlp_protocol::Batch;
use std::fmt;
use tokio::sync::oneshot;
use tokio::task::{JoinError, spawn_blocking};

/// Runs work that blocks, passed in so that tests can simulate time and files.
pub trait Offload: fmt::Debug + Send + Sync + 'static {
    /// Runs `work` to its end, here or on another thread.
    fn start(&self, work: Box<dyn FnOnce() + Send>);
}

/// Runs work on tokio's blocking threads. Must be used within a runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct BlockingThreads;

/// Runs work at once, on the thread that asks for it: the order of events is the same in each run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inline;

impl Offload for BlockingThreads {
    fn start(&self, work: Box<dyn FnOnce() + Send>) {
        drop(spawn_blocking(work));
    }
}

impl Offload for Inline {
    fn start(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }
}

/// Runs work that blocks, and returns its result; `None` if it panicked, or the runtime ended. Dropping the future does not stop the
/// work.
pub async fn on<T: Send + 'static>(
    offload: &dyn Offload,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (send, result) = oneshot::channel();
    offload.start(Box::new(move || {
        // The caller may have gone away.
        drop(send.send(work()));
    }));
    result.await.ok()
}

/// Runs `work`, on a blocking thread if it is large. Dropping the future does not stop work on such a thread.
///
/// # Errors
/// If the runtime ends before the work does, or work on a blocking thread panics.
pub async fn run<T: Send + 'static>(
    is_large: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    if is_large { spawn_blocking(work).await } else { Ok(work()) }
}

/// True if editing each item of a batch, or cutting the batch by size, is large work: from 1 MiB or 16,384 items on.
pub fn is_large(batch: &Batch) -> bool {
    let count = batch.count();
    batch.len() >= EDITED_BYTES || count.items.max(count.entries) >= EDITED_ITEMS
}

/// True if formatting `items` items of a body of `bytes` bytes as text is large work: over 64 KiB or 50 items.
pub fn is_large_to_show(bytes: usize, items: u64) -> bool {
    bytes > SHOWN_BYTES || items > SHOWN_ITEMS
}

/// True if cutting a body by the candidates of its items is large work. Each byte may be half of an envelope, and each
/// item may be compared with every candidate.
pub(crate) fn is_large_to_route(bytes: usize, items: u64, candidates: usize) -> bool {
    bytes > ROUTED_BYTES || items.saturating_mul(candidates as u64) > COMPARISONS
}

/// Checking a received protobuf body of this size takes well under a millisecond.
pub(crate) const CHECKED_BYTES: usize = 1 << 20;
/// Checking and rewriting a received JSON body of this size takes well under a millisecond.
pub(crate) const CHECKED_JSON_BYTES: usize = 256 << 10;
/// Inflating a received body of this size, before inflation, takes well under a millisecond: code tables cost as much as
/// many bytes of output.
pub(crate) const INFLATED_BYTES: usize = 64 << 10;
/// Writing a protobuf body of this size as JSON takes about a millisecond.
pub(crate) const WRITTEN_JSON_BYTES: usize = 256 << 10;
/// Compressing a body of this size at the fastest level takes about a millisecond. Larger bodies are compressed in
/// pieces of half this size, and other tasks run in between.
pub(crate) const COMPRESSED_BYTES: usize = 512 << 10;

const EDITED_BYTES: usize = 1 << 20;
/// Many items of a few bytes cost as much as a large body.
const EDITED_ITEMS: u64 = 16 << 10;

/// Formatting this much takes less than a millisecond.
const SHOWN_BYTES: usize = 64 << 10;
const SHOWN_ITEMS: u64 = 50;

/// 32,768 envelopes of two bytes: about 30 ns each.
const ROUTED_BYTES: usize = 64 << 10;
/// About 4 ns each.
const COMPARISONS: u64 = 128 << 10;

#[cfg(test)]
mod tests;
