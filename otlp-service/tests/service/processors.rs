//! The contract of processors: what they emit goes on, what they settle is in the ledger, and they cost nobody else.

use crate::harness::*;
use otlp_protocol::{Batch, ByteBudget, Charge, ErrorKind, Retry, Signal};
use otlp_service::{Access, Hop, Out, Processor, ProcessorChain, ProcessorStats, Reason};
use otlp_transport::{BoxExport, Export, ExportError, TokioClock};
use parking_lot::Mutex;
use std::sync::Arc;
use std::thread::{self, ThreadId};

/// What a processor does to each batch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    Pass,
    /// Takes out every item but so many.
    Keep(u64, Reason),
    /// The same, without a word about it.
    Lose(u64),
    Double,
    /// Emits each item as a batch of its own.
    Single,
    Fail,
    Panic,
}

impl Processor for Deed {
    fn access(&self) -> Access {
        Access::Edit
    }

    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        let items = batch.items();
        match *self {
            Self::Pass => out.emit(batch),
            Self::Keep(kept, reason) if kept < items => {
                out.emit(shortened(batch, kept));
                out.settle(reason, items - kept);
            }
            Self::Lose(kept) if kept < items => out.emit(shortened(batch, kept)),
            Self::Keep(..) | Self::Lose(_) => out.emit(batch),
            Self::Double => {
                let mut batch = batch;
                out.emit(batch.share());
                out.emit(batch);
            }
            Self::Single => (0..items).for_each(|_| out.emit(logs(1))),
            Self::Fail => return Err(ExportError::new(ErrorKind::InvalidData, Retry::Never, "as told")),
            Self::Panic => panic!("as told"),
        }
        Ok(())
    }
}

fn shortened(batch: Batch, items: u64) -> Batch {
    let (body, charge) = logs(items).into_parts();
    batch.with_body(body, charge)
}

pub(crate) fn chain(rig: &Rig, deeds: &[Deed], next: impl Export, hop: &Hop) -> Arc<ProcessorChain> {
    let processors = deeds.iter().enumerate().map(|(index, deed)| {
        let id = format!("deed/{index}");
        let stats = ProcessorStats::new(&rig.registry, &id, "logs", Signal::LOGS);
        (id, Arc::new(*deed) as Arc<dyn Processor>, stats)
    });
    Arc::new(ProcessorChain::new(processors, BoxExport::new(next), hop.clone(), Arc::new(TokioClock)))
}

fn direct(rig: &Rig, deeds: &[Deed], sinks: &[(&str, &Sink)]) -> Arc<ProcessorChain> {
    let fanout = rig.fanout(sinks.iter().map(|(id, sink)| rig.direct(id, sink)).collect());
    chain(rig, deeds, fanout.clone(), fanout.hop())
}

/// Accepted, refused, produced, sent, filtered, sampled and dropped items.
fn books(rig: &Rig, destination: &str) -> [u64; 7] {
    let line = rig.line(destination);
    let dropped = line.dropped_items();
    [line.accepted, line.refused, line.produced, line.sent, line.filtered, line.sampled, dropped]
}

#[tokio::test(start_paused = true)]
async fn what_processors_do_is_in_the_ledger() {
    use Deed::{Double, Keep, Lose, Pass, Single};
    let filtering = |kept| Keep(kept, Reason::Filtered);
    let sampling = |kept| Keep(kept, Reason::Sampled);
    for (deeds, sizes, expect) in [
        (vec![Pass], vec![10], [10, 0, 0, 10, 0, 0, 0]),
        (vec![filtering(4)], vec![4], [10, 0, 0, 4, 6, 0, 0]),
        (vec![filtering(8), sampling(3), Keep(2, Reason::Dropped)], vec![2], [10, 0, 0, 2, 2, 5, 1]),
        (vec![filtering(0), Pass], vec![], [10, 0, 0, 0, 10, 0, 0]),
        (vec![Lose(7)], vec![7], [10, 0, 0, 7, 0, 0, 3]),
        (vec![Double], vec![10, 10], [10, 0, 10, 20, 0, 0, 0]),
        (vec![Double, filtering(9)], vec![9, 9], [10, 0, 10, 18, 2, 0, 0]),
        (vec![filtering(2), Single], vec![1, 1], [10, 0, 0, 2, 8, 0, 0]),
    ] {
        let rig = Rig::new();
        let sinks = [Sink::default(), Sink::default()];
        let chain = direct(&rig, &deeds, &[("a", &sinks[0]), ("b", &sinks[1])]);
        assert_eq!(send(&chain, logs(10)).await.unwrap().unwrap().rejected, 0);
        for (id, sink) in [("a", &sinks[0]), ("b", &sinks[1])] {
            assert_eq!((sink.sizes(), books(&rig, id)), (sizes.clone(), expect), "{deeds:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fails_stays_the_senders() {
    use Deed::{Double, Fail, Keep, Panic, Pass};
    for (deeds, message) in [
        (vec![Pass, Fail], "as told"),
        (vec![Keep(3, Reason::Filtered), Panic], "the processor deed/1 panicked; see the log"),
        (vec![Double, Fail], "as told"),
    ] {
        let rig = Rig::new();
        let sink = Sink::default();
        let chain = direct(&rig, &deeds, &[("a", &sink)]);
        let error = send(&chain, logs(10)).await.unwrap().unwrap_err();
        assert_eq!((error.message(), error.retry()), (message, Retry::Never), "{deeds:?}");
        assert_eq!((sink.attempts(), books(&rig, "a")), (0, [0, 10, 0, 0, 0, 0, 0]), "{deeds:?}");
    }
    // What was taken out shares the fate of the rest.
    let rig = Rig::new();
    let sink = Sink::scripted([UNAVAILABLE]);
    let chain = direct(&rig, &[Keep(3, Reason::Filtered)], &[("a", &sink)]);
    assert!(send(&chain, logs(10)).await.unwrap().unwrap_err().retry().is_retryable());
    assert_eq!(books(&rig, "a"), [0, 10, 0, 0, 0, 0, 0]);
    assert!(send(&chain, logs(10)).await.unwrap().is_ok());
    assert_eq!(books(&rig, "a"), [10, 10, 0, 3, 7, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn several_batches_have_one_answer() {
    let rig = Rig::new();
    let sink = Sink::scripted([Step::Reject(1, "no"), Step::Accept, Step::Reject(1, "never")]);
    let chain = direct(&rig, &[Deed::Single], &[("a", &sink)]);
    let answer = send(&chain, logs(3)).await.unwrap().unwrap();
    assert_eq!((answer.rejected, answer.message.as_str()), (2, "no; never"));
    sink.then(Step::Accept);
    sink.then(INVALID);
    sink.then(UNAVAILABLE);
    let error = send(&chain, logs(3)).await.unwrap().unwrap_err();
    assert!(error.retry().is_retryable());
    let line = rig.line("a");
    assert_eq!((line.accepted, line.rejected, line.refused), (4, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn in_memory_what_is_taken_out_is_answered_with_the_rest() {
    let mut rig = Rig::new();
    let sink = Sink::always(Step::Hang);
    let destination = rig.queued("a", &sink, queue(1, 1));
    let fanout = rig.fanout(vec![destination]);
    let batcher = rig.batcher_of(batch_config(), &fanout);
    let next = BoxExport::new(Shared(batcher.clone()));
    let chain = chain(&rig, &[Deed::Keep(6, Reason::Sampled)], next, fanout.hop());
    assert!(send(&chain, logs(10)).await.unwrap().is_ok());
    let line = rig.line("a");
    assert_eq!((line.accepted, line.sampled, line.queued), (10, 4, 6));
    let snapshot = rig.registry.snapshot();
    for (name, expect) in [("incoming", 10.0), ("outgoing", 6.0)] {
        let name = format!("otelcol_processor_{name}_items");
        let labels = [("processor", "deed/0"), ("otel_signal", "logs"), ("pipeline", "logs")];
        assert_eq!(snapshot.get(&name, &labels), Some(expect));
    }
    let duration =
        snapshot.families.iter().find(|family| family.name == "otelcol_processor_internal_duration");
    let samples = &duration.unwrap().samples;
    assert_eq!(samples.last().map(|sample| (sample.suffix, sample.value)), Some(("_count", 1.0)));
}

/// Notes where it runs.
struct Whereabouts(Access, Arc<Mutex<Vec<ThreadId>>>);

impl Processor for Whereabouts {
    fn access(&self) -> Access {
        self.0
    }

    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        self.1.lock().push(thread::current().id());
        out.emit(batch);
        Ok(())
    }
}

#[tokio::test]
async fn large_batches_hold_up_nobody() {
    for (access, items, bytes, here) in [
        (Access::Read, 1, 100, true),
        (Access::Edit, 1, 1 << 20, false),
        (Access::None, 1, 1 << 20, true),
        // Many items take their time, however small they are.
        (Access::Edit, 20_000, 0, false),
    ] {
        let rig = Rig::new();
        let (sink, threads) = (Sink::default(), Arc::default());
        let fanout = rig.fanout(vec![rig.direct("a", &sink)]);
        let processor: Arc<dyn Processor> = Arc::new(Whereabouts(access, Arc::clone(&threads)));
        let processors = [("w".to_owned(), processor, ProcessorStats::default())];
        let (hop, next) = (fanout.hop().clone(), BoxExport::new(fanout));
        let chain = ProcessorChain::new(processors, next, hop, Arc::new(TokioClock));
        chain.export(logs_of(items, bytes)).await.unwrap();
        assert_eq!(sink.items(), items);
        assert_eq!(*threads.lock() == [thread::current().id()], here, "{access:?} {bytes}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_charge_of_the_old_body_is_given_back() {
    let budget = ByteBudget::new(1 << 20);
    let (body, _) = logs(100).into_parts();
    let charge = budget.try_charge(body.plain().len() as u64).unwrap();
    let batch = Batch::new(body, charge);
    let (body, _) = logs(1).into_parts();
    let mut charge = batch.charge().another();
    charge.try_grow(body.plain().len() as u64).unwrap();
    let batch = batch.with_body(body, charge);
    assert_eq!((batch.items(), budget.used()), (1, batch.len() as u64));
    drop(batch);
    assert_eq!(budget.used(), 0);
    assert_eq!(Charge::none().another().bytes(), 0);
}
