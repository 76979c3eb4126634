//! Receipts of batches that a queue stores: settled once when the outcome is final, and never if a shutdown leaves it open.

use crate::harness::*;
use otlp_protocol::Batch;
use otlp_service::{
    Delivery, Destination, DropReason, ExponentialBackoffRetry, ExporterStats, FanOut, MemoryQueue, Queue,
    QueueConfig, QueueEntry, QueueFuture, Receipt, Registry, RetryConfig, Size, Slot, Wait,
};
use otlp_transport::{Export, ExportError};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Numbers of receipts by outcome.
#[derive(Clone, Default)]
pub(crate) struct Receipts(Arc<[AtomicUsize; 2]>);

struct Counted(Receipts);

/// A queue that attaches receipts to the entries in it, as if the entries were stored.
struct Stored {
    inner: Arc<MemoryQueue>,
    receipts: Receipts,
    each: usize,
}

struct StoredSlot(Box<dyn Slot>, Receipts, usize);

// === impl Receipts ===

impl Receipts {
    /// Returns the numbers of settled and of all ended receipts.
    pub(crate) fn ended(&self) -> (usize, usize) {
        (self.0[0].load(Ordering::SeqCst), self.0[1].load(Ordering::SeqCst))
    }

    /// A destination behind a queue with `each` receipts on each entry.
    pub(crate) fn destination(
        &self,
        rig: &mut Rig,
        sink: &Sink,
        config: QueueConfig,
        retry: RetryConfig,
        each: usize,
    ) -> Destination {
        let stats = ExporterStats::new(&Registry::new(), "out", otlp_protocol::Signal::LOGS);
        let retry = ExponentialBackoffRetry::new(retry, clock(), sink.clone());
        let inner = MemoryQueue::start(config, stats, retry, clock());
        let queue = Arc::new(Stored { inner, receipts: self.clone(), each });
        rig.queues.push(queue.clone());
        Destination::queued(rig.ledger.account("logs", "out"), queue)
    }
}

impl Receipt for Counted {
    fn settled(self: Box<Self>) {
        self.0.0[0].fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0[1].fetch_add(1, Ordering::SeqCst);
    }
}

// === impl Stored ===

impl Queue for Stored {
    fn reserve(&self, size: Size, wait: Wait) -> QueueFuture<'_, Result<Box<dyn Slot>, ExportError>> {
        QueueFuture::new(async move {
            let slot = self.inner.reserve(size, wait).await?;
            let slot: Box<dyn Slot> = Box::new(StoredSlot(slot, self.receipts.clone(), self.each));
            Ok(slot)
        })
    }

    fn delivery(&self) -> Delivery {
        self.inner.delivery()
    }

    fn len(&self) -> usize {
        self.inner.len()
    }

    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn capacity(&self) -> u64 {
        self.inner.capacity()
    }

    fn drain(&self, deadline: Instant) -> QueueFuture<'_, ()> {
        self.inner.drain(deadline)
    }
}

impl Slot for StoredSlot {
    fn commit(self: Box<Self>, mut entry: QueueEntry) -> QueueFuture<'static, Result<(), ExportError>> {
        for _ in 0..self.2 {
            entry = entry.with_receipt(Box::new(Counted(self.1.clone())));
        }
        self.0.commit(entry)
    }
}

fn rig(sink: &Sink, retry: RetryConfig) -> (Rig, Receipts, FanOut) {
    let (mut rig, receipts) = (Rig::new(), Receipts::default());
    let destination = receipts.destination(&mut rig, sink, queue(10, 1), retry, 1);
    let fanout = rig.fanout(vec![destination]);
    (rig, receipts, fanout)
}

async fn sent(step: Step, batch: Batch) -> (Rig, Receipts) {
    let (rig, receipts, fanout) = rig(&Sink::always(step), no_retry());
    fanout.export(batch).await.unwrap();
    settle().await;
    (rig, receipts)
}

#[tokio::test(start_paused = true)]
async fn a_receipt_is_settled_with_each_final_outcome() {
    for step in [Step::Accept, Step::Reject(2, "too old"), INVALID, DENIED, UNAVAILABLE, Step::Panic] {
        let (rig, receipts) = sent(step.clone(), logs(5)).await;
        assert_eq!(receipts.ended(), (1, 1), "{step:?}");
        let line = rig.line("out");
        assert_eq!((line.accepted, line.queued, line.in_flight), (5, 0, 0), "{step:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn several_receipts_are_all_settled() {
    let (mut rig, receipts, sink) = (Rig::new(), Receipts::default(), Sink::default());
    let destination = receipts.destination(&mut rig, &sink, queue(10, 1), no_retry(), 3);
    rig.fanout(vec![destination]).export(logs(5)).await.unwrap();
    settle().await;
    assert_eq!((receipts.ended(), rig.line("out").sent), ((3, 3), 5));
}

/// What a shutdown cancels or leaves in the queue stays stored: it is not counted as dropped, and not settled.
#[tokio::test(start_paused = true)]
async fn a_shutdown_leaves_stored_batches_unsettled() {
    for (step, retry) in [(Step::Hang, no_retry()), (UNAVAILABLE, retry_config())] {
        let (rig, receipts, fanout) = rig(&Sink::always(step), retry);
        for items in [5, 6] {
            fanout.export(logs(items)).await.unwrap();
        }
        settle().await;
        let line = rig.line("out");
        assert_eq!((line.accepted, line.in_flight, line.queued), (11, 5, 6));
        rig.queues[0].drain(now() + seconds(2)).await;
        assert_eq!(receipts.ended(), (0, 2));
        let line = rig.line("out");
        assert_eq!((line.accepted, line.in_flight, line.queued, line.sent), (0, 0, 0, 0));
        assert_eq!(line.dropped_for(DropReason::Shutdown), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_that_drops_a_batch_settles_its_receipt() {
    let (mut rig, receipts, sink) = (Rig::new(), Receipts::default(), Sink::always(Step::Hang));
    let mut config = queue(1, 1);
    config.on_full = otlp_service::OnFull::Drop;
    let destination = receipts.destination(&mut rig, &sink, config, no_retry(), 1);
    let fanout = rig.fanout(vec![destination]);
    for items in [1, 2, 4] {
        fanout.export(logs(items)).await.unwrap();
        settle().await;
    }
    assert_eq!((receipts.ended(), rig.line("out").dropped_for(DropReason::QueueFull)), ((1, 1), 4));
}
