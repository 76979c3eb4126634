//! The exporter `nop`.

use otlp_protocol::{Accepted, Batch};
use otlp_transport::{Attempt, ExportResult};

/// Accepts every batch and drops it: for tests, and for pipelines that only measure.
#[derive(Clone, Copy, Debug, Default)]
pub struct NopExporter;

impl Attempt for NopExporter {
    async fn attempt(&self, _: &Batch) -> ExportResult {
        Ok(Accepted::FULL)
    }
}
