//! Scripted destinations, hand-made batches, and a pipeline to put between them.

use crate::slow_queue::{Commits, SlowQueue};
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{Accepted, Batch, Charge, Count, ErrorKind, Origin, Retry, Signal};
use otlp_service::{
    BatchConfig, BatchProcessor, BatchStats, Destination, ExponentialBackoffRetry, ExporterStats, FanOut,
    Ledger, LedgerLine, MemoryQueue, Queue, QueueConfig, Registry, RetryConfig,
};
use otlp_transport::{Attempt, Clock, Export, ExportError, ExportResult, TokioClock};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a destination does with one attempt.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Accept,
    Reject(u64, &'static str),
    Fail(ErrorKind, Retry, &'static str),
    Hang,
    Panic,
    /// Waits, then accepts.
    Slow(Duration),
}

/// A destination that follows a script, and accepts everything once that is at its end.
#[derive(Clone, Default)]
pub(crate) struct Sink(Arc<Mutex<SinkState>>);

#[derive(Default)]
struct SinkState {
    script: VecDeque<Step>,
    forever: Option<Step>,
    max_items: Option<u64>,
    /// What happens to batches that hold these bytes.
    holding: Vec<(Vec<u8>, Step)>,
    attempts: Vec<(Instant, u64)>,
    accepted: Vec<Taken>,
}

/// What is kept of a batch that was accepted.
struct Taken {
    signal: &'static str,
    items: u64,
    origin: Option<Arc<Origin>>,
    body: bytes::Bytes,
}

impl Sink {
    pub(crate) fn scripted(script: impl IntoIterator<Item = Step>) -> Self {
        let sink = Self::default();
        sink.0.lock().script.extend(script);
        sink
    }

    /// Does the same with every attempt.
    pub(crate) fn always(step: Step) -> Self {
        let sink = Self::default();
        sink.0.lock().forever = Some(step);
        sink
    }

    /// Finds batches of more items too large.
    pub(crate) fn taking_at_most(items: u64) -> Self {
        let sink = Self::default();
        sink.0.lock().max_items = Some(items);
        sink
    }

    /// Does this with every batch that holds `text`.
    pub(crate) fn when_holding(&self, text: &str, step: Step) {
        self.0.lock().holding.push((text.as_bytes().to_vec(), step));
    }

    pub(crate) fn then(&self, step: Step) {
        self.0.lock().script.push_back(step);
    }

    /// Accepts everything from now on.
    pub(crate) fn recover(&self) {
        let mut state = self.0.lock();
        state.script.clear();
        state.holding.clear();
        state.forever = None;
    }

    /// When attempts were made.
    pub(crate) fn times(&self) -> Vec<Instant> {
        self.0.lock().attempts.iter().map(|(at, _)| *at).collect()
    }

    pub(crate) fn attempts(&self) -> usize {
        self.0.lock().attempts.len()
    }

    /// Items of the batches it accepted, in order.
    pub(crate) fn sizes(&self) -> Vec<u64> {
        self.0.lock().accepted.iter().map(|taken| taken.items).collect()
    }

    pub(crate) fn items(&self) -> u64 {
        self.sizes().iter().sum()
    }

    /// Origins and items of the batches it accepted, in order.
    pub(crate) fn origins(&self) -> Vec<(Option<Origin>, u64)> {
        let copy = |origin: &Origin| Origin {
            headers: origin.headers.clone(),
            identity: origin.identity.clone(),
            tenant: origin.tenant.clone(),
            peer: origin.peer,
            resource: origin.resource.clone(),
            charge: None,
        };
        let state = self.0.lock();
        state.accepted.iter().map(|taken| (taken.origin.as_deref().map(copy), taken.items)).collect()
    }

    /// Signals and items of the batches it accepted, in order.
    pub(crate) fn signals(&self) -> Vec<(&'static str, u64)> {
        self.0.lock().accepted.iter().map(|taken| (taken.signal, taken.items)).collect()
    }

    /// The bodies of the batches it accepted, in order.
    pub(crate) fn bodies(&self) -> Vec<bytes::Bytes> {
        self.0.lock().accepted.iter().map(|taken| taken.body.clone()).collect()
    }
}

impl Attempt for Sink {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let body = batch.body().plain().to_contiguous();
        let step = {
            let mut state = self.0.lock();
            state.attempts.push((TokioClock.now(), batch.items()));
            let holds = |text: &[u8]| body.windows(text.len()).any(|window| window == text);
            let by_content = state.holding.iter().find(|(text, _)| holds(text)).map(|(_, step)| step.clone());
            match state.max_items {
                Some(max) if batch.items() > max => {
                    Step::Fail(ErrorKind::TooLarge, Retry::Never, "too large")
                }
                _ => by_content
                    .or_else(|| state.script.pop_front())
                    .or(state.forever.clone())
                    .unwrap_or(Step::Accept),
            }
        };
        let accepted = match step {
            Step::Accept => Accepted::FULL,
            Step::Reject(rejected, message) => Accepted { rejected, message: message.into() },
            Step::Fail(kind, retry, message) => return Err(ExportError::new(kind, retry, message)),
            Step::Hang => std::future::pending().await,
            Step::Panic => panic!("as scripted"),
            Step::Slow(time) => {
                TokioClock.sleep(time).await;
                Accepted::FULL
            }
        };
        let (signal, items, origin) = (batch.signal().name, batch.items(), batch.origin.clone());
        let taken = Taken { signal, items, origin, body };
        self.0.lock().accepted.push(taken);
        Ok(accepted)
    }
}

pub(crate) const UNAVAILABLE: Step = Step::Fail(ErrorKind::Unavailable, Retry::Backoff, "out of order");
pub(crate) const INVALID: Step = Step::Fail(ErrorKind::InvalidData, Retry::Never, "not to my taste");
/// Refused for a reason that no part of the batch escapes.
pub(crate) const DENIED: Step = Step::Fail(ErrorKind::PermissionDenied, Retry::Never, "not yours");

/// An export that its test keeps as well.
pub(crate) struct Shared<E>(pub(crate) Arc<E>);

impl<E: Export> Export for Shared<E> {
    async fn export(&self, batch: Batch) -> ExportResult {
        self.0.export(batch).await
    }
}

/// Everything around a pipeline that keeps books.
pub(crate) struct Rig {
    pub(crate) ledger: Ledger,
    pub(crate) registry: Registry,
    pub(crate) queues: Vec<Arc<dyn Queue>>,
    /// What commits to its queues do; `None`: the queues are those in memory.
    pub(crate) commits: Option<Commits>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self { ledger: Ledger::new(), registry: Registry::new(), queues: Vec::new(), commits: None }
    }

    /// One with queues in memory, and one with queues whose commits take a while.
    pub(crate) fn with_each_queue() -> [Self; 2] {
        [Self::new(), Self { commits: Some(Commits::default()), ..Self::new() }]
    }

    /// A destination without a queue and without retries.
    pub(crate) fn direct(&self, id: &str, sink: &Sink) -> Destination {
        Destination::direct(self.ledger.account("logs", id), sink.clone())
    }

    /// A destination behind a queue, without retries.
    pub(crate) fn queued(&mut self, id: &str, sink: &Sink, config: QueueConfig) -> Destination {
        self.retried(id, sink, config, no_retry())
    }

    pub(crate) fn retried(
        &mut self,
        id: &str,
        sink: &Sink,
        config: QueueConfig,
        retry: RetryConfig,
    ) -> Destination {
        let stats = ExporterStats::new(&self.registry, id, Signal::LOGS);
        let retry = ExponentialBackoffRetry::new(retry, clock(), sink.clone()).with_seed(7);
        let queue: Arc<dyn Queue> = match &self.commits {
            None => MemoryQueue::start(config, stats, retry, clock()),
            Some(commits) => {
                Arc::new(SlowQueue::new(MemoryQueue::start(config, stats, retry, clock()), commits.clone()))
            }
        };
        self.queues.push(queue.clone());
        Destination::queued(self.ledger.account("logs", id), queue)
    }

    /// A destination without a queue, but with retries.
    pub(crate) fn retried_direct(&self, id: &str, sink: &Sink) -> Destination {
        let retry = ExponentialBackoffRetry::new(retry_config(), clock(), sink.clone()).with_seed(7);
        Destination::direct(self.ledger.account("logs", id), retry)
    }

    pub(crate) fn fanout(&self, destinations: Vec<Destination>) -> FanOut {
        FanOut::new(destinations, clock())
    }

    pub(crate) fn batcher(&self, config: BatchConfig, destinations: Vec<Destination>) -> Arc<BatchProcessor> {
        self.batcher_of(config, &self.fanout(destinations))
    }

    pub(crate) fn batcher_of(&self, config: BatchConfig, fanout: &FanOut) -> Arc<BatchProcessor> {
        let stats = BatchStats::new(&self.registry, "batch", "logs", Signal::LOGS);
        Arc::new(BatchProcessor::start_before(config, fanout, clock(), stats))
    }

    /// The line of the pipeline `logs` and a destination; checks that all lines balance.
    pub(crate) fn line(&self, destination: &str) -> LedgerLine {
        let snapshot = self.ledger.snapshot();
        assert_eq!(snapshot.check(), Ok(()));
        snapshot.line("logs", destination).unwrap().clone()
    }

    pub(crate) fn metric(&self, name: &str) -> f64 {
        self.registry.snapshot().get(name, &[]).unwrap()
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(TokioClock)
}

pub(crate) fn now() -> Instant {
    TokioClock.now()
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) async fn pass(time: Duration) {
    TokioClock.sleep(time).await;
}

/// Lets all tasks run that can, without time passing.
pub(crate) async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// A queue of `size` with `consumers`.
pub(crate) fn queue(size: usize, consumers: usize) -> QueueConfig {
    let mut config = QueueConfig::default();
    config.queue_size = size;
    config.num_consumers = consumers;
    config
}

/// Waits of exactly 1 s, 2 s, 4 s, for at most a minute.
pub(crate) fn retry_config() -> RetryConfig {
    let mut config = RetryConfig::default();
    config.initial_interval = seconds(1);
    config.randomization_factor = 0.0;
    config.multiplier = 2.0;
    config.max_elapsed_time = Some(seconds(60));
    config
}

/// Batches of 100 items or 1 s.
pub(crate) fn batch_config() -> BatchConfig {
    let mut config = BatchConfig::default();
    config.send_batch_size = 100;
    config.timeout = seconds(1);
    config
}

/// A batch of `items` log records, of about 10 bytes each.
pub(crate) fn logs(items: u64) -> Batch {
    logs_of(items, 6)
}

/// A batch of `items` log records with a text of `text_bytes` each.
pub(crate) fn logs_of(items: u64, text_bytes: usize) -> Batch {
    let (mut record, mut scope, mut resource, mut body) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    put_len_delimited(&mut record, 3, &vec![b'x'; text_bytes]);
    for _ in 0..items {
        put_len_delimited(&mut scope, 2, &record);
    }
    put_len_delimited(&mut resource, 2, &scope);
    put_len_delimited(&mut body, 1, &resource);
    Batch::unchecked(Signal::LOGS, body, Count { items, entries: items }, true, Charge::none())
}

/// A batch of a log record for each number, whose text is the number between brackets: `[7]`.
pub(crate) fn numbered(numbers: std::ops::Range<u64>) -> Batch {
    let mut body = Vec::new();
    let items = numbers.end - numbers.start;
    for number in numbers {
        let (mut record, mut scope, mut resource) = (Vec::new(), Vec::new(), Vec::new());
        put_len_delimited(&mut record, 3, format!("[{number}]").as_bytes());
        put_len_delimited(&mut scope, 2, &record);
        put_len_delimited(&mut resource, 2, &scope);
        put_len_delimited(&mut body, 1, &resource);
    }
    Batch::unchecked(Signal::LOGS, body, Count { items, entries: items }, true, Charge::none())
}

pub(crate) fn unmergeable(items: u64) -> Batch {
    let (body, charge) = logs(items).into_parts();
    Batch::unchecked(Signal::LOGS, body.plain().clone(), body.count(), false, charge)
}

pub(crate) fn from_tenant(items: u64, tenant: &str) -> Batch {
    let mut batch = logs(items);
    batch.origin = Some(Arc::new(Origin { tenant: Some(tenant.into()), ..Origin::default() }));
    batch
}

pub(crate) fn with_header(items: u64, name: &str, value: &str) -> Batch {
    let mut batch = logs(items);
    let headers = vec![(name.into(), bytes::Bytes::copy_from_slice(value.as_bytes()))];
    batch.origin = Some(Arc::new(Origin { headers, ..Origin::default() }));
    batch
}

/// Starts an export that somebody waits for.
pub(crate) fn send<E: Export>(to: &Arc<E>, batch: Batch) -> tokio::task::JoinHandle<ExportResult> {
    let to = to.clone();
    tokio::spawn(async move { to.export(batch).await })
}

pub(crate) fn no_retry() -> RetryConfig {
    let mut config = retry_config();
    config.enabled = false;
    config
}
