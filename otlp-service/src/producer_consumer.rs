//! Pipelines between many producers and many consumers, for programs of your own: bounded in items and bytes.
//!
//! A producer waits while the pipeline is full, so that no more is held than the limits allow: items that wait and items
//! that a consumer works on. An item that goes in is counted as sent, and later once more as delivered, failed or dropped.

mod backlog;
mod producer;

pub use producer::{Producer, SendError};

use crate::retry::PartlyDelivered;
use crate::tasks::join_until;
use backlog::{Backlog, Waiting};
use futures_util::FutureExt;
use otlp_protocol::Batch;
use otlp_transport::{Clock, Export};
use parking_lot::Mutex;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

/// A bounded pipeline from many [producers](Producer) to many consumers.
///
/// Consumers are tasks that all run the same asynchronous function, or export to the same [`Export`]. An item is consumed
/// once: an item that fails is counted, and not tried again; for that put a retry into the consumer. A panic of a consumer costs
/// the item that it worked on, which counts as failed; the consumer goes on.
///
/// Dropping the pipeline ends its consumers and drops what is in the pipeline; [`drain`](Self::drain) lets them finish first.
///
/// ```
/// use otlp_service::{ProducerConsumerConfig, ProducerConsumerPipeline, ProducerOrder};
/// use otlp_transport::{Clock, TokioClock};
/// use std::{sync::Arc, time::Duration};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = ProducerConsumerConfig::default();
/// (config.max_items, config.max_bytes, config.consumers) = (1000, 1 << 20, 4);
/// config.order = ProducerOrder::PerProducer;
/// let write = |line: String| async move {
///     tokio::task::yield_now().await; // Writes the line somewhere.
///     if line.is_empty() { Err("an empty line") } else { Ok(()) }
/// };
/// let pipeline = ProducerConsumerPipeline::start(config, write, Arc::new(TokioClock));
///
/// for name in ["cart", "checkout"] {
///     let producer = pipeline.producer();
///     tokio::spawn(async move {
///         for number in 0..100 {
///             producer.send(format!("{name} {number}")).await?; // Waits while the pipeline is full.
///         }
///         producer.send(String::new()).await
///     })
///     .await??;
/// }
/// let counts = pipeline.drain(TokioClock.now() + Duration::from_secs(5)).await;
/// assert_eq!((counts.sent, counts.delivered, counts.failed), (202, 200, 2));
/// # Ok(())
/// # }
/// ```
pub struct ProducerConsumerPipeline<T: PipelineItem> {
    shared: Arc<Shared<T>>,
    /// Locked by a drain.
    consumers: tokio::sync::Mutex<JoinSet<()>>,
    clock: Arc<dyn Clock>,
    last_producer: AtomicU64,
}

/// Settings of a [`ProducerConsumerPipeline`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProducerConsumerConfig {
    /// Largest number of items in the pipeline, waiting or with a consumer; 1 to 2³² − 1, the nearest of which a value outside
    /// counts as. Default 100,000.
    pub max_items: usize,
    /// Largest number of bytes of these items; 1 to 2³² − 1 likewise. Default 64 MiB.
    pub max_bytes: usize,
    /// Number of consumers; at least 1. Default 10.
    pub consumers: usize,
    /// Order in which items are consumed. Default [`ProducerOrder::Any`].
    pub order: ProducerOrder,
}

/// Order in which a [`ProducerConsumerPipeline`] consumes items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProducerOrder {
    /// Consumers take items in the order in which they were sent, and work on all of them at the same time.
    #[default]
    Any,
    /// An item is consumed once the item before it, of the same producer, is settled. Items of different producers are
    /// consumed at the same time.
    PerProducer,
}

/// An item of a [`ProducerConsumerPipeline`], with the size by which the pipeline is bounded.
///
/// ```
/// use otlp_service::PipelineItem;
///
/// struct Line(String);
///
/// impl PipelineItem for Line {
///     fn bytes(&self) -> usize {
///         self.0.len()
///     }
/// }
/// assert_eq!((Line("started".into()).items(), Line("started".into()).bytes()), (1, 7));
/// ```
pub trait PipelineItem: Send + 'static {
    /// Returns the number of items that this counts as. Default 1.
    fn items(&self) -> u64 {
        1
    }

    /// Returns the length in bytes.
    fn bytes(&self) -> usize;
}

/// Counts of the items of a [`ProducerConsumerPipeline`]: `sent = delivered + failed + dropped + queued`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProducerConsumerCounts {
    /// Items that the pipeline took.
    pub sent: u64,
    /// Items that a consumer finished.
    pub delivered: u64,
    /// Items for which a consumer returned an error or panicked.
    pub failed: u64,
    /// Items that were left at the deadline of a drain.
    pub dropped: u64,
    /// Items in the pipeline now, waiting or with a consumer.
    pub queued: u64,
    /// Items that the pipeline did not take: full without waiting, too large, or draining.
    pub refused: u64,
    /// Number of times that a producer had to wait for room.
    pub blocked: u64,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Wakes one consumer, which wakes the next if more items wait.
    ready: Notify,
    room: Room,
}

/// Free room in items and in bytes.
struct Room {
    max_items: u32,
    max_bytes: u32,
    items: Semaphore,
    bytes: Semaphore,
}

struct State<T> {
    backlog: Backlog<T>,
    counts: ProducerConsumerCounts,
    is_draining: bool,
}

/// An item with a consumer. Unless it is settled, it is dropped.
struct Taken<'a, T> {
    shared: &'a Shared<T>,
    producer: u64,
    size: Size,
    failed: Option<u64>,
}

/// Size of an item.
#[derive(Clone, Copy, Debug)]
struct Size {
    items: u64,
    /// Permits of the semaphores.
    room: (u32, u32),
}

// === impl ProducerConsumerPipeline ===

impl<T: PipelineItem> ProducerConsumerPipeline<T> {
    /// Starts a pipeline whose consumers run `consume` with each item. Must be called within a tokio runtime. `clock` measures
    /// the deadline of a drain.
    pub fn start<F, Consumed, A, E>(config: ProducerConsumerConfig, consume: F, clock: Arc<dyn Clock>) -> Self
    where
        F: Fn(T) -> Consumed + Send + Sync + 'static,
        Consumed: Future<Output = Result<A, E>> + Send,
    {
        let consume = Arc::new(consume);
        Self::spawn(config, clock, move |item: T| {
            let (items, consume) = (item.items(), consume.clone());
            async move { if consume(item).await.is_ok() { 0 } else { items } }
        })
    }

    /// Makes a producer. Items of one producer and its clones have an order, items of two producers have none.
    pub fn producer(&self) -> Producer<T> {
        Producer::new(self.shared.clone(), self.last_producer.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns the counts as they are now.
    pub fn counts(&self) -> ProducerConsumerCounts {
        self.shared.counts()
    }

    /// Refuses new items, and waits until all items in the pipeline are settled, at most until `deadline`: then the consumers are
    /// cancelled, and the items that are left are dropped. Returns the final counts.
    ///
    /// A drain whose future is dropped leaves the consumers at work, and another drain goes on with them. Of several drains at a
    /// time the first one's deadline counts; the others return the counts at their own deadlines, without dropping anything.
    pub async fn drain(&self, deadline: Instant) -> ProducerConsumerCounts {
        self.shared.room.close();
        self.shared.state.lock().is_draining = true;
        self.shared.ready.notify_one();
        tokio::select! {
            biased;
            mut consumers = self.consumers.lock() => {
                join_until(&mut consumers, &*self.clock, deadline).await;
                self.shared.drop_backlog();
            }
            () = self.clock.sleep_until(deadline) => {}
        }
        self.counts()
    }

    /// `consume` returns the number of items that failed.
    fn spawn<F, Consumed>(config: ProducerConsumerConfig, clock: Arc<dyn Clock>, consume: F) -> Self
    where
        F: Fn(T) -> Consumed + Send + Sync + 'static,
        Consumed: Future<Output = u64> + Send,
    {
        let state = State {
            backlog: Backlog::new(config.order),
            counts: ProducerConsumerCounts::default(),
            is_draining: false,
        };
        let room = Room::new(config.max_items, config.max_bytes);
        let shared = Arc::new(Shared { state: Mutex::new(state), ready: Notify::new(), room });
        let consume = Arc::new(consume);
        let mut consumers = JoinSet::new();
        for _ in 0..config.consumers.max(1) {
            let (shared, consume) = (shared.clone(), consume.clone());
            consumers.spawn(async move { shared.consume(&*consume).await });
        }
        Self {
            shared,
            consumers: tokio::sync::Mutex::new(consumers),
            clock,
            last_producer: AtomicU64::new(0),
        }
    }
}

impl ProducerConsumerPipeline<Batch> {
    /// Starts a pipeline whose consumers export batches. Must be called within a tokio runtime. Items that the destination
    /// rejects in a partial success count as failed.
    pub fn exporting(config: ProducerConsumerConfig, export: impl Export, clock: Arc<dyn Clock>) -> Self {
        let export = Arc::new(export);
        Self::spawn(config, clock, move |batch: Batch| {
            let export = export.clone();
            async move {
                let (signal, count) = (batch.signal(), batch.count());
                match export.export(batch).await {
                    Ok(accepted) => count.rejected_items(signal, accepted.rejected),
                    Err(error) => {
                        let sent = PartlyDelivered::of(&error).map_or(0, |outcomes| outcomes.sent);
                        count.items.saturating_sub(sent)
                    }
                }
            }
        })
    }
}

impl<T: PipelineItem> fmt::Debug for ProducerConsumerPipeline<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProducerConsumerPipeline").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

// === impl Shared ===

impl<T: PipelineItem> Shared<T> {
    /// Runs one consumer until the pipeline drains and no item waits.
    async fn consume<Consumed: Future<Output = u64> + Send>(
        &self,
        consume: &(impl Fn(T) -> Consumed + Sync),
    ) {
        while let Some(Waiting { producer, item, size }) = self.next().await {
            let mut taken = Taken { shared: self, producer, size, failed: None };
            // The call may panic, too, before there is a future.
            let consumed = AssertUnwindSafe(async { consume(item).await }).catch_unwind().await;
            taken.failed = Some(consumed.unwrap_or(size.items).min(size.items));
        }
    }

    /// Waits for an item; `None` once the pipeline drains and no item is ready. Items that become ready later belong to
    /// producers of which another consumer has an item, and that consumer goes on with them.
    async fn next(&self) -> Option<Waiting<T>> {
        loop {
            let (next, more, is_draining) = {
                let mut state = self.state.lock();
                (state.backlog.pop(), state.backlog.is_ready(), state.is_draining)
            };
            // Notify stores one permit only: each consumer wakes the next.
            if more || is_draining {
                self.ready.notify_one();
            }
            if next.is_some() || is_draining {
                return next;
            }
            self.ready.notified().await;
        }
    }

    fn drop_backlog(&self) {
        let left = {
            let mut state = self.state.lock();
            let left = state.backlog.take_all();
            state.counts.dropped += left.iter().map(|waiting| waiting.size.items).sum::<u64>();
            left
        };
        left.iter().for_each(|waiting| self.room.release(waiting.size));
    }
}

impl<T> Shared<T> {
    fn counts(&self) -> ProducerConsumerCounts {
        let counts = self.state.lock().counts;
        let ProducerConsumerCounts { sent, delivered, failed, dropped, .. } = counts;
        ProducerConsumerCounts { queued: sent - delivered - failed - dropped, ..counts }
    }
}

// === impl Room ===

impl Room {
    fn new(max_items: usize, max_bytes: usize) -> Self {
        let permits = |limit: usize| u32::try_from(limit.max(1)).unwrap_or(u32::MAX);
        let (max_items, max_bytes) = (permits(max_items), permits(max_bytes));
        let semaphore = |permits: u32| {
            Semaphore::new(usize::try_from(permits).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS))
        };
        Self { max_items, max_bytes, items: semaphore(max_items), bytes: semaphore(max_bytes) }
    }

    fn release(&self, Size { room: (items, bytes), .. }: Size) {
        self.items.add_permits(items as usize);
        self.bytes.add_permits(bytes as usize);
    }

    fn close(&self) {
        self.items.close();
        self.bytes.close();
    }
}

// === impl Taken ===

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        let Self { shared, producer, size, failed } = *self;
        {
            let mut state = shared.state.lock();
            match failed {
                Some(failed) => {
                    state.counts.failed += failed;
                    state.counts.delivered += size.items - failed;
                }
                None => state.counts.dropped += size.items,
            }
            state.backlog.settled(producer);
        }
        shared.room.release(size);
    }
}

impl PipelineItem for Batch {
    fn items(&self) -> u64 {
        self.items()
    }

    fn bytes(&self) -> usize {
        self.len()
    }
}

impl PipelineItem for String {
    fn bytes(&self) -> usize {
        self.len()
    }
}

impl PipelineItem for Vec<u8> {
    fn bytes(&self) -> usize {
        self.len()
    }
}

impl Default for ProducerConsumerConfig {
    fn default() -> Self {
        Self { max_items: 100_000, max_bytes: 64 << 20, consumers: 10, order: ProducerOrder::Any }
    }
}
