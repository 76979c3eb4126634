//! The way of own spans and log records to a destination, outside of the pipelines: a bounded queue, and a task that sends
//! what is queued in requests of many entries.
//!
//! Who adds an entry never waits. Entries are lost, and counted, if the queue is full, if a request fails after its retries, and
//! if the process ends before the queue is sent.

mod sending;

pub use sending::OwnSender;

use crate::telemetry::{Counter, Registry};
use otlp_protocol::encode::{Entries, ScopeGroupWriter};
use otlp_protocol::{AttributeValue, Body};
use otlp_transport::{BoxExport, Clock};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// An entry of own telemetry.
pub trait OwnEntry: Send + 'static {
    /// The kind of request that takes the entry.
    type Entries: Entries;

    /// Writes the entry into a request.
    fn write(&self, scope: &mut ScopeGroupWriter<'_, Self::Entries>);
}

/// Settings of an [`OwnQueue`]: those of OpenTelemetry's batch processors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnQueueConfig {
    /// Most entries in the queue, 1 at least; further entries are lost. Default 2048.
    pub max_queue_size: usize,
    /// Most entries in a request, 1 at least; a queue that holds fewer is sent when it is full. Default 512.
    pub max_export_batch_size: usize,
    /// Time after which entries are sent in a request that is not full. Default 5 s; zero: at once.
    pub schedule_delay: Duration,
}

/// Attributes of the resource of own telemetry.
pub type OwnResource = Arc<[(String, AttributeValue)]>;

/// A queue of own telemetry. Cloning shares the queue.
///
/// ```
/// use otlp_protocol::encode::{LogRecords, ScopeGroupWriter};
/// use otlp_protocol::{Accepted, AttributeValue, Batch};
/// use otlp_service::{OwnEntry, OwnQueue, OwnQueueConfig, Registry};
/// use otlp_transport::{BoxExport, TokioClock};
/// use std::sync::Arc;
///
/// struct Line(String);
///
/// impl OwnEntry for Line {
///     type Entries = LogRecords;
///
///     fn write(&self, scope: &mut ScopeGroupWriter<'_, LogRecords>) {
///         scope.log_record(|record| {
///             record.body(&self.0);
///         });
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let registry = Registry::new();
/// let queue = OwnQueue::new(OwnQueueConfig::default(), &registry);
/// let destination = BoxExport::from_fn(|batch: Batch| async move {
///     assert_eq!(batch.items(), 2);
///     Ok(Accepted::FULL)
/// });
/// let resource = [("service.name".to_owned(), AttributeValue::string("cart"))];
/// let sender = queue.start(resource.into(), destination, Arc::new(TokioClock));
/// queue.push(Line("started".into()));
/// queue.push(Line("stopped".into()));
/// sender.drain().await;
/// let sent = registry.snapshot().get("otlp_own_telemetry_sent_items", &[("otel_signal", "logs")]);
/// assert_eq!(sent, Some(2.0));
/// # }
/// ```
pub struct OwnQueue<T>(Arc<Shared<T>>);

struct Shared<T> {
    config: OwnQueueConfig,
    waiting: Mutex<Waiting<T>>,
    /// Notified when the queue gets its first entry, has enough for a request, or closes.
    changed: Notify,
    stats: Stats,
}

struct Waiting<T> {
    entries: VecDeque<T>,
    is_closed: bool,
}

/// Counters of entries, by outcome.
struct Stats {
    sent: Counter,
    queue_full: Counter,
    send_failed: Counter,
    shutdown: Counter,
}

/// A queue of entries of any type, as the task sees it.
trait Source: Send + Sync {
    fn config(&self) -> &OwnQueueConfig;

    fn changed(&self) -> &Notify;

    fn stats(&self) -> &Stats;

    /// Returns the number of entries, and true if no further entries come.
    fn state(&self) -> (usize, bool);

    /// Takes the entries of one request. `None` if there are no entries.
    fn take(&self, resource: &[(String, AttributeValue)]) -> Option<Body>;

    /// Accepts no further entries.
    fn close(&self);

    /// Drops all entries, and returns their number.
    fn clear(&self) -> u64;
}

impl<T: OwnEntry + Sync> OwnEntry for Arc<T> {
    type Entries = T::Entries;

    fn write(&self, scope: &mut ScopeGroupWriter<'_, T::Entries>) {
        T::write(self, scope);
    }
}

// === impl OwnQueueConfig ===

impl Default for OwnQueueConfig {
    fn default() -> Self {
        Self { max_queue_size: 2048, max_export_batch_size: 512, schedule_delay: Duration::from_secs(5) }
    }
}

// === impl OwnQueue ===

impl<T: OwnEntry> OwnQueue<T> {
    /// Makes a queue. Its counters are `otlp_own_telemetry_sent_items` and `otlp_own_telemetry_lost_items`.
    pub fn new(mut config: OwnQueueConfig, registry: &Registry) -> Self {
        // A request that never gets full would wait for the delay while entries are lost.
        config.max_queue_size = config.max_queue_size.max(1);
        config.max_export_batch_size = config.max_export_batch_size.clamp(1, config.max_queue_size);
        config.schedule_delay = config.schedule_delay.min(MAX_DELAY);
        let waiting = Mutex::new(Waiting { entries: VecDeque::new(), is_closed: false });
        let stats = Stats::new(registry, T::Entries::SIGNAL.name);
        Self(Arc::new(Shared { config, waiting, changed: Notify::new(), stats }))
    }

    /// Adds an entry. The entry is lost if the queue is full or closed.
    pub fn push(&self, entry: T) {
        let Shared { config, waiting, changed, stats } = &*self.0;
        let len = {
            let mut waiting = waiting.lock();
            if waiting.is_closed {
                return stats.shutdown.add(1);
            }
            if waiting.entries.len() >= config.max_queue_size {
                return stats.queue_full.add(1);
            }
            waiting.entries.push_back(entry);
            waiting.entries.len()
        };
        if len == 1 || len == config.max_export_batch_size {
            changed.notify_one();
        }
    }

    /// Counts entries that were lost before they came here, for lack of room.
    pub fn count_lost(&self, entries: u64) {
        self.0.stats.queue_full.add(entries);
    }

    /// Starts the task that sends the entries to `export`, as telemetry of `resource`. Must be called within a tokio runtime.
    pub fn start(&self, resource: OwnResource, export: BoxExport, clock: Arc<dyn Clock>) -> OwnSender {
        OwnSender::start(self.0.clone(), resource, export, clock)
    }
}

impl<T> Clone for OwnQueue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for OwnQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnQueue").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl<T: OwnEntry> Source for Shared<T> {
    fn config(&self) -> &OwnQueueConfig {
        &self.config
    }

    fn changed(&self) -> &Notify {
        &self.changed
    }

    fn stats(&self) -> &Stats {
        &self.stats
    }

    fn state(&self) -> (usize, bool) {
        let waiting = self.waiting.lock();
        (waiting.entries.len(), waiting.is_closed)
    }

    fn take(&self, resource: &[(String, AttributeValue)]) -> Option<Body> {
        let entries: Vec<T> = {
            let mut waiting = self.waiting.lock();
            let count = waiting.entries.len().min(self.config.max_export_batch_size);
            waiting.entries.drain(..count).collect()
        };
        if entries.is_empty() {
            return None;
        }
        Some(Body::write::<T::Entries>(|request| {
            request.resource_group(|group| {
                group.resource(|writer| {
                    for (key, value) in resource {
                        writer.attribute(key, value);
                    }
                });
                group.scope_group(|scope| {
                    scope.scope(|scope| {
                        scope.name(SCOPE_NAME).version(env!("CARGO_PKG_VERSION"));
                    });
                    entries.iter().for_each(|entry| entry.write(scope));
                });
            });
        }))
    }

    fn close(&self) {
        self.waiting.lock().is_closed = true;
        self.changed.notify_one();
    }

    fn clear(&self) -> u64 {
        std::mem::take(&mut self.waiting.lock().entries).len() as u64
    }
}

// === impl Stats ===

impl Stats {
    fn new(registry: &Registry, signal: &str) -> Self {
        let lost = |reason| {
            let help = "Own spans and log records that were not delivered, by reason.";
            registry.counter(
                "otlp_own_telemetry_lost_items",
                help,
                &[("otel_signal", signal), ("reason", reason)],
            )
        };
        Self {
            sent: registry.counter(
                "otlp_own_telemetry_sent_items",
                "Own spans and log records that their destination accepted.",
                &[("otel_signal", signal)],
            ),
            queue_full: lost("queue_full"),
            send_failed: lost("send_failed"),
            shutdown: lost("shutdown"),
        }
    }
}

/// A year: sums of instants and longer times could overflow.
const MAX_DELAY: Duration = Duration::from_secs(365 * 24 * 3600);
/// Name of the scope of own telemetry.
const SCOPE_NAME: &str = "otlp";

#[cfg(test)]
mod tests;
