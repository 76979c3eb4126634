//! One signal's way to a destination: attempts, retries, and what they count.

use crate::health::Reachability;
use crate::retry::ExponentialBackoffRetry;
use crate::telemetry::ExporterStats;
use otlp_protocol::Batch;
use otlp_transport::{BoxExport, Export, ExportResult};
use std::sync::Arc;

/// Exports with retries, for one signal of an exporter. The retries, and the delays a destination asks for, are shared
/// by the exporter's signals.
#[derive(Clone)]
pub(crate) struct Outlet {
    pub(crate) retry: Arc<ExponentialBackoffRetry<Attempt>>,
    pub(crate) stats: Arc<ExporterStats>,
}

/// One attempt, whose outcome is remembered.
pub(crate) struct Attempt {
    pub(crate) client: BoxExport,
    pub(crate) reachability: Arc<Reachability>,
}

impl Export for Outlet {
    async fn export(&self, batch: Batch) -> ExportResult {
        let (signal, count) = (batch.signal, batch.count());
        let in_flight = self.stats.start();
        let result = self.retry.export(batch).await;
        drop(in_flight);
        let failed = match &result {
            Ok(accepted) => count.rejected_items(signal, accepted.rejected),
            Err(_) => count.items,
        };
        self.stats.send_failed.add(failed);
        self.stats.sent.add(count.items - failed);
        result
    }
}

impl Export for Attempt {
    async fn export(&self, batch: Batch) -> ExportResult {
        let result = self.client.export(batch).await;
        self.reachability.note(&result);
        result
    }
}
