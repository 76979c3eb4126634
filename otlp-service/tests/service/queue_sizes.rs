//! Queues that are limited by items or bytes: what fits, in which order, and what the metrics show.

use crate::harness::*;
use otlp_service::{
    Delivery, Destination, DropReason, FanOut, OnFull, Queue, QueueConfig, QueueFuture, Size, Sizer, Slot,
    Wait,
};
use otlp_transport::{Export, ExportError};
use std::sync::Arc;
use std::time::Instant;

fn sized(sizer: Sizer, size: usize, on_full: OnFull) -> QueueConfig {
    let mut config = queue(size, 1);
    (config.sizer, config.on_full) = (sizer, on_full);
    config
}

/// A rig of a destination behind such a queue, whose consumer is busy with a batch of one item.
async fn busy(rig: &mut Rig, sink: &Sink, config: QueueConfig) -> Arc<FanOut> {
    let destination = rig.queued("out", sink, config);
    let fanout = Arc::new(rig.fanout(vec![destination]));
    fanout.export(logs(1)).await.unwrap();
    settle().await;
    fanout
}

fn shown(rig: &Rig) -> (u64, u64, usize) {
    (rig.queues[0].size(), rig.queues[0].capacity(), rig.queues[0].len())
}

#[tokio::test(start_paused = true)]
async fn a_queue_counts_in_the_unit_of_its_sizer() {
    let bytes = logs(40).len() as u64;
    for (sizer, capacity, each) in
        [(Sizer::Requests, 2, 1), (Sizer::Items, 100, 40), (Sizer::Bytes, 2 * bytes + 10, bytes)]
    {
        for mut rig in Rig::with_each_queue() {
            let sink = Sink::always(Step::Slow(seconds(1)));
            let fanout = busy(&mut rig, &sink, sized(sizer, capacity as usize, OnFull::Refuse)).await;
            assert_eq!(shown(&rig), (0, capacity, 0), "{sizer:?}");
            for batch in 1..=2 {
                fanout.export(logs(40)).await.unwrap();
                assert_eq!(shown(&rig), (batch * each, capacity, batch as usize), "{sizer:?}");
            }
            let refusal = fanout.export(logs(40)).await.unwrap_err();
            assert!(refusal.retry().is_retryable() && refusal.message().contains("queue is full"));
            pass(seconds(9)).await;
            assert_eq!(shown(&rig), (0, capacity, 0));
            let line = rig.line("out");
            assert_eq!((line.sent, line.accepted, line.refused), (81, 81, 40));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_larger_than_the_queue_takes_the_whole_queue() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::always(Step::Slow(seconds(1)));
        let fanout = busy(&mut rig, &sink, sized(Sizer::Items, 10, OnFull::Block)).await;
        fanout.export(logs(3)).await.unwrap();
        let large = send(&fanout, logs(500));
        settle().await;
        // The large batch is first: a small batch does not pass it.
        let small = send(&fanout, logs(1));
        settle().await;
        assert!(!large.is_finished() && !small.is_finished());
        pass(seconds(1)).await;
        settle().await;
        assert!(large.is_finished() && !small.is_finished());
        assert_eq!((rig.queues[0].size(), rig.queues[0].len()), (10, 1));
        pass(seconds(5)).await;
        assert!(small.is_finished());
        assert_eq!(sink.sizes(), [1, 3, 500, 1]);
        let line = rig.line("out");
        assert_eq!((line.sent, line.accepted, line.queued), (505, 505, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_batch_takes_room() {
    let (mut rig, sink) = (Rig::new(), Sink::always(Step::Hang));
    let fanout = busy(&mut rig, &sink, sized(Sizer::Items, 2, OnFull::Refuse)).await;
    fanout.export(logs(0)).await.unwrap();
    fanout.export(logs(0)).await.unwrap();
    assert!(fanout.export(logs(0)).await.is_err());
    rig.queues[0].drain(now() + seconds(1)).await;
    assert_eq!(rig.line("out").queued, 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_drops_what_does_not_fit() {
    let (mut rig, sink) = (Rig::new(), Sink::always(Step::Slow(seconds(1))));
    let fanout = busy(&mut rig, &sink, sized(Sizer::Items, 10, OnFull::Drop)).await;
    for items in [6, 5, 4] {
        fanout.export(logs(items)).await.unwrap();
    }
    pass(seconds(9)).await;
    let line = rig.line("out");
    assert_eq!((line.sent, line.dropped_for(DropReason::QueueFull)), (11, 5));
    assert_eq!(sink.sizes(), [1, 6, 4]);
}

/// Room is reserved for one size, and a batch of another size is committed.
#[tokio::test(start_paused = true)]
async fn a_commit_adjusts_the_reservation() {
    let (mut rig, sink) = (Rig::new(), Sink::always(Step::Hang));
    let fanout = busy(&mut rig, &sink, sized(Sizer::Items, 10, OnFull::Refuse)).await;
    let queue = rig.queues[0].clone();
    let nine = Size { items: 9, bytes: 100 };
    let slot = queue.reserve(nine, Wait::AsConfigured).await.unwrap();
    assert_eq!(queue.size(), 9);
    assert!(fanout.export(logs(2)).await.is_err());
    drop(slot);
    assert_eq!(queue.size(), 0);

    let guess = |items| Arc::new(Guess { inner: queue.clone(), size: Size { items, bytes: 100 } });
    for (reserved, committed) in [(4, 1), (1, 4)] {
        let destination = Destination::queued(rig.ledger.account("logs", "guess"), guess(reserved));
        rig.fanout(vec![destination]).export(logs(committed)).await.unwrap();
    }
    assert_eq!((queue.size(), queue.len()), (5, 2));
    // What grew after its reservation is taken, also over the limit.
    let destination = Destination::queued(rig.ledger.account("logs", "guess"), guess(5));
    rig.fanout(vec![destination]).export(logs(7)).await.unwrap();
    assert_eq!((queue.size(), queue.len()), (10, 3));
    queue.drain(now() + seconds(1)).await;
    assert_eq!((queue.size(), queue.len(), rig.line("guess").queued), (0, 0, 0));
}

/// Reserves room for the wrong size.
struct Guess {
    inner: Arc<dyn Queue>,
    size: Size,
}

impl Queue for Guess {
    fn reserve(&self, _: Size, wait: Wait) -> QueueFuture<'_, Result<Box<dyn Slot>, ExportError>> {
        self.inner.reserve(self.size, wait)
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
