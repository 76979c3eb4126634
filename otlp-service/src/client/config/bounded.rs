//! One time limit over an export and all its retries.

use otlp_protocol::{Batch, ErrorKind, Retry};
use otlp_transport::{Clock, Export, ExportError, ExportResult};
use std::sync::Arc;
use std::time::Duration;

/// Ends exports after a time limit, retries included.
pub(super) struct Bounded<E> {
    pub(super) inner: E,
    /// `None`: no limit.
    pub(super) limit: Option<Duration>,
    pub(super) clock: Arc<dyn Clock>,
}

impl<E: Export> Export for Bounded<E> {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        let end = self.limit.and_then(|limit| Some((limit, self.clock.now().checked_add(limit)?)));
        let Some((limit, end)) = end else { return self.inner.export(batch).await };
        batch.deadline = Some(batch.deadline.map_or(end, |deadline| deadline.min(end)));
        tokio::select! {
            biased;
            result = self.inner.export(batch) => result,
            () = self.clock.sleep_until(end) => {
                let message = format!("the export did not end within {limit:?}, retries included (timeout)");
                Err(ExportError::new(ErrorKind::Timeout, Retry::Backoff, message))
            }
        }
    }
}
