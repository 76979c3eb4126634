//! Batches that are lost for good.

use otlp_protocol::Batch;
use otlp_transport::ExportError;
use std::pin::Pin;

/// Gets the batches, and the parts of batches, that no attempt will send any more.
pub(crate) trait LostBatches: Send + Sync + 'static {
    /// Takes a batch whose last attempt ended with `error`. The export is answered afterwards.
    fn take<'a>(
        &'a self,
        batch: Batch,
        error: &'a ExportError,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}
