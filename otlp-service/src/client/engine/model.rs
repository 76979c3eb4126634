//! A model of the engine: its own code, run by a model checker (shuttle), which chooses the order in which threads run, many times.
//!
//! `just model` runs it; `OTLP_MODEL_EXECUTIONS` is the number of executions of each test and scheduler. An execution that fails
//! prints its schedule, which `shuttle::replay` runs again.

use super::kind::Kind;
use super::sync::{CLOCK, Condvar, Mutex, block_on, thread, thread_local};
use super::{EngineConfig, FlushError, LossReason};
use crate::client::{OtlpClient, Sampler};
use otlp_protocol::view::{AnyValue, RequestView};
use otlp_protocol::{Accepted, Batch, ErrorKind, Retry, SeverityNumber, Signal};
use otlp_transport::{BoxExport, ExportError};
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Time limit of flushes and shutdowns, which no thread of the model reaches: a call that hangs is a deadlock, which is found.
const WAIT: Duration = Duration::from_secs(1);

/// Runs a model.
fn check(model: impl Fn() + Clone + Send + Sync + 'static) {
    let executions = std::env::var("OTLP_MODEL_EXECUTIONS").map_or(500, |value| value.parse().unwrap());
    let mut config = Config::new();
    config.stack_size = 512 << 10;
    Runner::new(RandomScheduler::new(executions), config.clone()).run(model.clone());
    Runner::new(PctScheduler::new(4, executions), config).run(model);
}

/// A recorded item: its kind, and a number that no other item of the kind has.
type Item = (usize, i64);

/// Items that the destination has received.
#[derive(Clone)]
struct Destination {
    /// No thread of the model waits for this lock.
    seen: Arc<parking_lot::Mutex<Seen>>,
    /// Number of exports that were answered.
    answered: Arc<(Mutex<usize>, Condvar)>,
}

#[derive(Default)]
struct Seen {
    offered: BTreeSet<Item>,
    accepted: BTreeSet<Item>,
    numbers: i64,
    recorded: [u64; Kind::BUFFERED],
}

impl Destination {
    fn new() -> Self {
        Self { seen: Arc::default(), answered: Arc::new((Mutex::new(0), Condvar::default())) }
    }

    /// Answers after a while; some exports fail if `fails`.
    fn export(&self, fails: bool) -> BoxExport {
        let destination = self.clone();
        BoxExport::from_fn(move |batch: Batch| {
            let destination = destination.clone();
            async move {
                let items = items(&batch);
                for item in &items {
                    assert!(destination.seen.lock().offered.insert(*item), "offered twice: {item:?}");
                }
                for _ in 0..thread_rng().gen_range(0..3) {
                    shuttle::future::yield_now().await;
                }
                if fails && thread_rng().gen_bool(0.2) {
                    return Err(ExportError::new(ErrorKind::InvalidData, Retry::Never, "refused"));
                }
                destination.seen.lock().accepted.extend(items);
                *destination.answered.0.lock() += 1;
                destination.answered.1.notify_all();
                Ok(Accepted::FULL)
            }
        })
    }

    /// Waits until so many items are accepted.
    fn wait_for(&self, items: usize) {
        let mut answered = self.answered.0.lock();
        while self.seen.lock().accepted.len() < items {
            (answered, _) = self.answered.1.wait_for(answered, Duration::MAX);
        }
    }

    fn has_accepted(&self, items: &[Item]) -> bool {
        let seen = self.seen.lock();
        items.iter().all(|item| seen.accepted.contains(item))
    }

    /// Checks that each recorded item was accepted or is counted as lost.
    fn all_are_accounted_for(&self, client: &OtlpClient) {
        let (stats, seen) = (client.stats(), self.seen.lock());
        for (kind, stats) in [(Kind::Spans, stats.spans), (Kind::Logs, stats.logs)] {
            let accepted = seen.accepted.iter().filter(|(of, _)| *of == kind.index()).count() as u64;
            assert_eq!(stats.sent(), accepted, "{kind:?}: {stats:?}");
            assert_eq!(
                stats.sent() + stats.lost_in_all(),
                seen.recorded[kind.index()],
                "{kind:?}: {stats:?}"
            );
        }
    }
}

fn items(batch: &Batch) -> Vec<Item> {
    let body = batch.body().plain().to_contiguous();
    let view = RequestView::new(batch.signal(), &body);
    let number = |value: Option<AnyValue<'_>>| match value {
        Some(AnyValue::Int(number)) => number,
        other => panic!("not the number of an item: {other:?}"),
    };
    if batch.signal() == Signal::TRACES {
        view.spans().map(|span| (Kind::Spans.index(), number(span.attributes().get("number")))).collect()
    } else {
        view.log_records().map(|record| (Kind::Logs.index(), number(Some(record.body())))).collect()
    }
}

/// A client in a model, and its destination.
#[derive(Clone)]
struct Model {
    client: OtlpClient,
    destination: Destination,
}

impl Model {
    /// Makes a client whose requests have two items. With `loses`, exports fail or last too long, and memory and permits are few.
    fn new(loses: bool) -> Self {
        CLOCK.begin(if loses { thread_rng().gen_range(0..6) } else { 0 });
        let destination = Destination::new();
        let export = destination.export(loses);
        let mut config = EngineConfig::new(Arc::new(move |_| Ok(export.clone())));
        config.sampler = Sampler::AlwaysOn;
        config.collects_points = false;
        config.on_error.call = Some(Arc::new(|_| {}));
        let is_always_due = thread_rng().gen_bool(0.5);
        for batch in [&mut config.spans, &mut config.logs] {
            batch.max_items = 2;
            if is_always_due {
                batch.delay = Duration::ZERO;
            }
        }
        if loses {
            config.max_finished_bytes = thread_rng().gen_range(1..4) * (64 << 10);
            config.max_open_spans = thread_rng().gen_range(1..4);
        }
        Self { client: OtlpClient::with_engine(config, WAIT).unwrap(), destination }
    }

    /// Records a span or a log record.
    fn record(&self) -> Item {
        let kind = if thread_rng().gen_bool(0.5) { Kind::Spans } else { Kind::Logs };
        self.record_of(kind)
    }

    fn record_of(&self, kind: Kind) -> Item {
        let number = {
            let mut seen = self.destination.seen.lock();
            seen.recorded[kind.index()] += 1;
            seen.numbers += 1;
            seen.numbers
        };
        match kind {
            Kind::Spans => drop(self.client.send_trace("work").attribute("number", number).finish()),
            _ => self.client.send_log(SeverityNumber::Info).body(number).emit(),
        }
        (kind.index(), number)
    }

    /// Records up to `most` items.
    fn record_some(&self, most: usize) -> Vec<Item> {
        (0..thread_rng().gen_range(0..=most)).map(|_| self.record()).collect()
    }

    /// Starts a thread that records up to `most` items and ends; sometimes it records when its storage is destroyed, too.
    fn thread(&self, most: usize) -> thread::JoinHandle<Vec<Item>> {
        let model = self.clone();
        thread::spawn(move || {
            let is_late = thread_rng().gen_bool(0.3);
            // The destructors run in the order of the first uses.
            if is_late && thread_rng().gen_bool(0.5) {
                LATE.with(|_| {});
            }
            let items = model.record_some(most);
            if is_late {
                LATE.with(|late| drop(late.replace(Some(Late(model)))));
            }
            items
        })
    }

    fn flush(&self) -> Result<(), FlushError> {
        if thread_rng().gen_bool(0.5) {
            self.client.force_flush(WAIT)
        } else {
            block_on(self.client.flush(WAIT))
        }
    }
}

thread_local! {
    static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
}

/// Records an item when a thread's storage is destroyed.
struct Late(Model);

impl Drop for Late {
    fn drop(&mut self) {
        self.0.record();
    }
}

#[test]
fn every_item_is_sent_or_counted_once() {
    check(|| {
        let model = Model::new(true);
        let threads: Vec<_> = (0..3).map(|_| model.thread(3)).collect();
        let flushing = model.clone();
        let flush = thread::spawn(move || drop(flushing.flush()));
        if thread_rng().gen_bool(0.5) {
            let _ = model.client.shutdown(WAIT);
        }
        threads.into_iter().for_each(|thread| drop(thread.join().unwrap()));
        flush.join().unwrap();
        let _ = model.client.shutdown(WAIT);
        model.record();
        model.destination.all_are_accounted_for(&model.client);
    });
}

#[test]
fn a_flush_hands_over_what_was_recorded_before() {
    check(|| {
        let model = Model::new(false);
        let ended = model.thread(3);
        let others: Vec<_> = (0..2)
            .map(|_| {
                let model = model.clone();
                thread::spawn(move || {
                    let items = model.record_some(3);
                    assert_eq!(model.flush(), Ok(()));
                    assert!(model.destination.has_accepted(&items), "not flushed: {items:?}");
                })
            })
            .collect();
        let items = ended.join().unwrap();
        assert_eq!(model.flush(), Ok(()));
        assert!(model.destination.has_accepted(&items), "not flushed: {items:?}");
        others.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(model.client.shutdown(WAIT), Ok(()));
        model.destination.all_are_accounted_for(&model.client);
        assert_eq!(model.client.stats().spans.lost_in_all() + model.client.stats().logs.lost_in_all(), 0);
    });
}

#[test]
fn a_shutdown_sends_what_was_recorded_before() {
    check(|| {
        let model = Model::new(false);
        let before: Vec<_> = (0..2).map(|_| model.thread(3)).collect();
        let items: Vec<_> = before.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        let during = [model.thread(3), model.thread(3)];
        let flushing = model.clone();
        let flush = thread::spawn(move || flushing.flush());
        let stopped = model.client.shutdown(WAIT);
        assert!(matches!(stopped, Ok(()) | Err(FlushError::Lost(_))), "{stopped:?}");
        assert!(model.destination.has_accepted(&items), "not sent: {items:?}");
        let flushed = flush.join().unwrap();
        assert!(matches!(flushed, Ok(()) | Err(FlushError::ShutDown | FlushError::Lost(_))), "{flushed:?}");
        during.into_iter().for_each(|thread| drop(thread.join().unwrap()));
        model.destination.all_are_accounted_for(&model.client);
        for stats in [model.client.stats().spans, model.client.stats().logs] {
            assert_eq!(stats.lost_in_all(), stats.lost(LossReason::Shutdown), "{stats:?}");
        }
    });
}

/// No flush and no timer wakes the engine's thread: only that enough items wait.
#[test]
fn full_requests_are_sent_when_they_are_full() {
    check(|| {
        let model = Model::new(false);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let model = model.clone();
                thread::spawn(move || {
                    for _ in 0..3 {
                        model.record_of(Kind::Logs);
                    }
                })
            })
            .collect();
        // Of six records, the last of each thread is handed over when the thread ends; one may be left for a request of its own.
        model.destination.wait_for(5);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// The last handle can be dropped on any thread, while others end.
#[test]
fn the_drop_of_the_last_handle_ends_the_engine() {
    check(|| {
        let model = Model::new(false);
        let destination = model.destination.clone();
        let threads: Vec<_> = (0..3).map(|_| model.thread(2)).collect();
        drop(model);
        let items: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert!(destination.has_accepted(&items), "not sent: {items:?}");
    });
}

/// Spans that end on other threads take their permits with them; none is lost.
#[test]
fn permits_of_open_spans_come_back() {
    check(|| {
        let model = Model::new(true);
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let model = model.clone();
                thread::spawn(move || {
                    let span = model.client.send_trace("first").start();
                    let child = span.child("second").start();
                    let ends = thread::spawn(move || drop(child));
                    drop(span);
                    ends.join().unwrap();
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let shared = model.client.0.engine.shared();
        let free = (0..).take_while(|_| shared.leases.take() > 0).count();
        assert_eq!(free, shared.config.max_open_spans as usize);
    });
}
