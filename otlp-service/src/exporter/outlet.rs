//! One signal's way to a destination: attempts, retries, what they count and what the log says of them.

use super::watch::Watch;
use crate::health::Reachability;
use crate::retry::{ExponentialBackoffRetry, PartlyDelivered};
use crate::telemetry::ExporterStats;
use otlp_protocol::Batch;
use otlp_transport::{Attempt, BoxAttempt, Clock, Export, ExportResult};
use std::sync::Arc;

/// Exports with retries, for one signal of an exporter.
pub(crate) struct Outlet {
    pub(crate) retry: ExponentialBackoffRetry<WatchedAttempt>,
    pub(crate) stats: Arc<ExporterStats>,
    pub(crate) watch: Arc<Watch>,
}

/// One attempt, whose outcome is remembered.
pub(crate) struct WatchedAttempt {
    pub(crate) client: BoxAttempt,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stats: Arc<ExporterStats>,
    pub(crate) reachability: Arc<Reachability>,
    pub(crate) watch: Arc<Watch>,
}

impl Export for Outlet {
    async fn export(&self, batch: Batch) -> ExportResult {
        let (signal, count) = (batch.signal(), batch.count());
        let in_flight = self.stats.start();
        let result = self.retry.export(batch).await;
        drop(in_flight);
        let sent = match &result {
            Ok(accepted) => count.items - count.rejected_items(signal, accepted.rejected),
            Err(error) => PartlyDelivered::of(error).map_or(0, |fates| fates.sent),
        };
        self.stats.sent.add(sent);
        self.stats.send_failed.add(count.items.saturating_sub(sent));
        self.watch.settled(count, &result);
        result
    }
}

impl Attempt for WatchedAttempt {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let started = self.clock.now();
        let result = self.client.attempt(batch).await;
        self.stats.attempted(self.clock.now().saturating_duration_since(started));
        self.reachability.note(&result);
        self.watch.attempted(&result);
        result
    }
}
