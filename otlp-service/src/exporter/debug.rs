//! The exporter that shows what passes: one line a batch.

use otlp_protocol::{Accepted, Batch};
use otlp_transport::{Export, ExportResult};
use parking_lot::Mutex;
use std::io::Write;

/// Writes what it is given to a sink, one line a batch, and accepts it.
///
/// Lines are written whole, also when several batches pass at once. A sink that fails costs lines, never batches.
pub struct DebugExporter {
    verbosity: Verbosity,
    sink: Mutex<Box<dyn Write + Send>>,
}

/// How much a [`DebugExporter`] tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verbosity {
    /// Signal and items. The Collector's default.
    #[default]
    Basic,
    /// Also entries and bytes.
    Normal,
    /// Also segments, the origin and whether the batch may be merged.
    Detailed,
}

impl DebugExporter {
    /// An exporter that writes to `sink`.
    pub fn new(verbosity: Verbosity, sink: impl Write + Send + 'static) -> Self {
        Self { verbosity, sink: Mutex::new(Box::new(sink)) }
    }

    /// The one line about a batch.
    fn line(&self, batch: &Batch) -> String {
        let mut line = format!("{} {}={}", batch.signal, batch.signal.items_noun, batch.items());
        if self.verbosity != Verbosity::Basic {
            line += &format!(" entries={} bytes={}", batch.count().entries, batch.len());
        }
        if self.verbosity == Verbosity::Detailed {
            let segments = batch.body().plain().segments().count();
            line += &format!(" segments={segments} mergeable={}", batch.is_mergeable());
            if let Some(tenant) = batch.origin.as_ref().and_then(|origin| origin.tenant.as_deref()) {
                line += &format!(" tenant={tenant:?}");
            }
        }
        line.push('\n');
        line
    }
}

impl Export for DebugExporter {
    async fn export(&self, batch: Batch) -> ExportResult {
        let line = self.line(&batch);
        if let Err(error) = self.sink.lock().write_all(line.as_bytes()) {
            tracing::debug!(%error, "the debug exporter could not write");
        }
        Ok(Accepted::FULL)
    }
}
