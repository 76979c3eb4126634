//! CPU work on large batches, where it holds up no other task of the thread.

use otlp_protocol::Batch;
use tokio::task::{JoinError, spawn_blocking};

/// Whether work on each item or byte of a batch takes more than about a millisecond.
pub(crate) fn is_large(batch: &Batch) -> bool {
    let count = batch.count();
    batch.len() >= LARGE_BYTES || count.items.max(count.entries) >= LARGE_ITEMS
}

/// Runs the work, on a thread for blocking work if it is large.
///
/// # Errors
/// If the runtime ends before the work does, or the work panics.
pub(crate) async fn run<T: Send + 'static>(
    is_large: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    if is_large { spawn_blocking(work).await } else { Ok(work()) }
}

/// From about here on, an edit of each item takes a millisecond.
const LARGE_BYTES: usize = 1 << 20;

/// The same for items of a few bytes.
const LARGE_ITEMS: u64 = 16 << 10;
