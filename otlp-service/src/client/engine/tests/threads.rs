//! Threads that idle, end and come and go; spans that end on other threads.

use super::*;
use crate::client::OtlpClient;
use otlp_protocol::{Accepted, SeverityNumber};
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn idle_threads_are_emptied_from_outside() {
    let kept = Kept::default();
    let client = client(kept.export(), |config| config.spans.delay = Duration::from_millis(10));
    client.send_trace("only").finish();
    while client.stats().spans.sent() == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(kept.spans(), 1);
}

#[test]
fn spans_of_a_thread_that_ended_are_sent() {
    let kept = Kept::default();
    let client = client(kept.export(), |_| {});
    let of_thread = client.clone();
    thread::spawn(move || of_thread.send_trace("work").finish()).join().unwrap();
    client.force_flush(WAIT).unwrap();
    assert_eq!(kept.spans(), 1);
}

/// Records a span when the thread's storage is destroyed.
pub(super) struct Last(pub(super) OtlpClient);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.send_trace("last").attribute("a", 1).finish();
        self.0.send_log(SeverityNumber::Info).body("last").emit();
    }
}

#[test]
fn destructors_of_threads_record() {
    thread_local! {
        static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) };
    }
    let kept = Kept::default();
    let client = client(kept.export(), |_| {});
    for is_first in [true, false] {
        let of_thread = client.clone();
        let work = move || {
            // The order of the destructors is the reverse of the first uses.
            let record = |client: &OtlpClient| drop(client.send_trace("work").finish());
            if is_first {
                record(&of_thread);
            }
            LAST.with_borrow_mut(|last| *last = Some(Last(of_thread.clone())));
            if !is_first {
                record(&of_thread);
            }
        };
        thread::spawn(work).join().unwrap();
    }
    client.force_flush(WAIT).unwrap();
    assert_eq!((client.stats().spans.sent(), client.stats().logs.sent()), (4, 2));
}

#[test]
fn every_span_of_threads_that_come_and_go_arrives_or_is_counted() {
    const SPANS: u64 = 1_000_000;
    let kept = Arc::new(AtomicU64::new(0));
    let count = kept.clone();
    let export = BoxExport::from_fn(move |batch: Batch| {
        count.fetch_add(batch.items(), Ordering::Relaxed);
        async { Ok(Accepted::FULL) }
    });
    // Little memory: some spans are dropped.
    let client = client(export, |config| {
        config.max_finished_bytes = 1 << 20;
        config.spans.delay = Duration::from_millis(5);
        config.on_error.call = Some(Arc::new(|_| {}));
    });
    let line = |seed: u64| {
        let client = client.clone();
        move || {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut left = SPANS / 8;
            while left > 0 {
                let life = rng.u64(1..=20_000).min(left);
                left -= life;
                let client = client.clone();
                let work = move || (0..life).for_each(|_| drop(client.send_trace("work").finish()));
                thread::spawn(work).join().unwrap();
            }
        }
    };
    let lines: Vec<_> = (0..8).map(|seed| thread::spawn(line(seed))).collect();
    lines.into_iter().for_each(|line| line.join().unwrap());
    let _ = client.shutdown(WAIT);
    let stats = client.stats().spans;
    assert_eq!(stats.sent() + stats.lost_in_all(), SPANS, "{stats:?}");
    assert_eq!(stats.sent(), kept.load(Ordering::Relaxed));
    assert_eq!(stats.lost(LossReason::QueueFull), stats.lost_in_all(), "{stats:?}");
}

#[test]
fn spans_end_on_other_threads() {
    let kept = Kept::default();
    let client = client(kept.export(), |_| {});
    for _ in 0..1_000 {
        let mut span = client.send_trace("moved").start();
        let child = span.child("child").start();
        thread::scope(|scope| {
            scope.spawn(move || {
                span.attribute("late", true).update_name("renamed");
                drop(child);
            });
        });
    }
    client.force_flush(WAIT).unwrap();
    assert_eq!(kept.spans(), 2_000);
}
