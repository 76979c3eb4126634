//! The task that sends the entries of a queue of own telemetry.

use super::{OwnResource, Source};
use crate::fanout::caught;
use crate::telemetry::Counter;
use futures_util::FutureExt;
use otlp_protocol::{Accepted, Batch, Charge};
use otlp_transport::{BoxExport, Clock, Export, ExportError};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// The task that sends the entries of an [`OwnQueue`](crate::OwnQueue). Dropping it stops the task; what is queued is lost then,
/// and counted.
pub struct OwnSender {
    source: Arc<dyn Source>,
    task: Mutex<JoinHandle<()>>,
}

/// Sends requests, and reports failures once a minute at most.
struct Sending {
    source: Arc<dyn Source>,
    resource: OwnResource,
    export: BoxExport,
    clock: Arc<dyn Clock>,
    last_warning: Option<Instant>,
    /// Entries lost since the last warning.
    unreported: u64,
}

/// Entries of a request that is under way: lost unless the request succeeds.
struct UnderWay<'a> {
    items: u64,
    lost: &'a Counter,
}

// === impl OwnSender ===

impl OwnSender {
    pub(super) fn start(
        source: Arc<dyn Source>,
        resource: OwnResource,
        export: BoxExport,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let sending =
            Sending { source: source.clone(), resource, export, clock, last_warning: None, unreported: 0 };
        Self { source, task: Mutex::new(tokio::spawn(sending.run().boxed())) }
    }

    /// Closes the queue, and waits until everything in it is sent or has failed.
    pub async fn drain(&self) {
        self.source.close();
        std::future::poll_fn(|cx| {
            let mut task = self.task.lock();
            // A task that has ended is not polled again.
            if task.is_finished() {
                return std::task::Poll::Ready(());
            }
            std::pin::Pin::new(&mut *task).poll(cx).map(drop)
        })
        .await;
    }
}

impl Drop for OwnSender {
    fn drop(&mut self) {
        self.source.close();
        self.task.lock().abort();
        self.source.stats().shutdown.add(self.source.clear());
    }
}

impl fmt::Debug for OwnSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnSender").field("queued", &self.source.state().0).finish_non_exhaustive()
    }
}

// === impl Sending ===

impl Sending {
    /// Sends requests until the queue is closed and empty.
    async fn run(mut self) {
        while self.wait().await {
            while let Some(body) = self.source.take(&self.resource) {
                self.send(Batch::new(body, Charge::none())).await;
                let (len, is_closed) = self.source.state();
                if len < self.source.config().max_export_batch_size && !is_closed {
                    break;
                }
            }
        }
    }

    /// Waits until a request is due: when there are enough entries, or the delay has passed since the first. Returns false when
    /// the queue is closed and empty.
    async fn wait(&self) -> bool {
        let config = self.source.config();
        let mut due: Option<Instant> = None;
        loop {
            match self.source.state() {
                (0, true) => return false,
                (len, is_closed) if is_closed || len >= config.max_export_batch_size => return true,
                (0, false) => self.source.changed().notified().await,
                (..) => {
                    let now = self.clock.now();
                    let due = *due.get_or_insert(now + config.schedule_delay);
                    if now >= due {
                        return true;
                    }
                    tokio::select! {
                        biased;
                        () = self.source.changed().notified() => {}
                        () = self.clock.sleep_until(due) => {}
                    }
                }
            }
        }
    }

    async fn send(&mut self, batch: Batch) {
        let (signal, count) = (batch.signal(), batch.count());
        let stats = self.source.stats();
        let under_way = UnderWay { items: count.items, lost: &stats.shutdown };
        let result = caught(self.export.export(batch)).await;
        under_way.ended();
        let rejected = match &result {
            Ok(Accepted { rejected, .. }) => count.rejected_items(signal, *rejected),
            Err(_) => count.items,
        };
        stats.sent.add(count.items - rejected);
        stats.send_failed.add(rejected);
        self.report(signal.name, rejected, &result);
    }

    fn report(&mut self, signal: &str, lost: u64, result: &Result<Accepted, ExportError>) {
        if lost == 0 {
            return;
        }
        self.unreported += lost;
        let now = self.clock.now();
        if self.last_warning.is_some_and(|last| now < last + WARNING_INTERVAL) {
            return;
        }
        self.last_warning = Some(now);
        let items = std::mem::take(&mut self.unreported);
        let cause = match result {
            Ok(accepted) => accepted.message.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(signal, items, cause, "own telemetry could not be sent");
    }
}

// === impl UnderWay ===

impl UnderWay<'_> {
    fn ended(mut self) {
        self.items = 0;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.lost.add(self.items);
    }
}

const WARNING_INTERVAL: Duration = Duration::from_secs(60);
