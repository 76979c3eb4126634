//! The exporter that takes everything and keeps nothing.

use otlp_protocol::{Accepted, Batch};
use otlp_transport::{Export, ExportResult};

/// Accepts every batch and drops it: for tests, and for pipelines that only measure.
#[derive(Clone, Copy, Debug, Default)]
pub struct NopExporter;

impl Export for NopExporter {
    async fn export(&self, batch: Batch) -> ExportResult {
        drop(batch);
        Ok(Accepted::FULL)
    }
}
