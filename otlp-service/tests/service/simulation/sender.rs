//! Senders that send again what was not answered with success.

use super::items::{Items, request};
use super::world::World;
use otlp_protocol::{ByteBudget, Retry};
use otlp_transport::{BoxExport, Clock as _, Export as _, TokioClock};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Where senders send to: the gateway of the present run. Cloning shares it.
#[derive(Clone)]
pub(super) struct Door {
    /// The inlets of the pipelines, by number; none while no gateway runs.
    inlets: Arc<Mutex<Inlets>>,
    /// No new requests: what was refused is sent until it is taken.
    is_ending: Arc<AtomicBool>,
    /// Requests that were not answered with success yet.
    pub(super) open: Arc<AtomicU64>,
    /// Requests and their answers.
    pub(super) figures: Arc<Mutex<Figures>>,
}

/// Requests, and how they were answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) requests: u64,
    pub(super) refused: u64,
    pub(super) unanswered: u64,
}

#[derive(Clone, Default)]
struct Inlets {
    run: usize,
    inlets: Vec<BoxExport>,
    budget: Option<ByteBudget>,
    /// The end of the run. A `watch` channel would wake senders in random order.
    broken: Arc<Notify>,
}

/// A sender to one pipeline.
pub(super) struct Sender {
    pub(super) pipeline: usize,
    pub(super) world: World,
    pub(super) items: Items,
    pub(super) door: Door,
    /// Largest time between two requests, in milliseconds.
    pub(super) period: u64,
    pub(super) pending: VecDeque<Pending>,
}

pub(super) struct Pending {
    numbers: Vec<u64>,
    text_bytes: usize,
}

/// What a request came to.
enum Answer {
    Taken,
    Refused(Retry),
    /// The connection broke, or the sender waited too long.
    None,
}

// === impl Door ===

impl Door {
    pub(super) fn new() -> Self {
        Self {
            inlets: Arc::default(),
            is_ending: Arc::default(),
            open: Arc::default(),
            figures: Arc::default(),
        }
    }

    /// Lets senders send to a run of the gateway.
    pub(super) fn open(&self, run: usize, inlets: Vec<BoxExport>, budget: ByteBudget) {
        *self.inlets.lock() = Inlets { run, inlets, budget: Some(budget), broken: Arc::default() };
    }

    /// Breaks all connections.
    pub(super) fn close(&self) {
        let before = std::mem::take(&mut *self.inlets.lock());
        before.broken.notify_waiters();
    }

    pub(super) fn end(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }

    fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }
}

// === impl Sender ===

impl Sender {
    /// Sends until the end, and then what is left.
    pub(super) async fn run(mut self) {
        loop {
            let period = if self.door.is_ending() { 200 } else { self.period };
            TokioClock.sleep(self.world.millis(0, period)).await;
            if !self.door.is_ending() && (self.pending.is_empty() || self.world.once_in(3)) {
                self.make();
            }
            let Some(next) = self.pending.pop_front() else {
                if self.door.is_ending() {
                    return;
                }
                continue;
            };
            match self.send(&next).await {
                Answer::Taken => {
                    self.door.open.fetch_sub(1, Ordering::Relaxed);
                }
                answer => {
                    self.pending.push_back(next);
                    if let Answer::Refused(Retry::After(delay)) = answer {
                        TokioClock.sleep(delay.min(MAX_DELAY)).await;
                    }
                }
            }
        }
    }

    fn make(&mut self) {
        let world = &self.world;
        let count = if world.once_in(20) { 1 + world.below(60) } else { 1 + world.below(6) };
        let poisoned = world.once_in(40).then(|| world.below(count));
        let numbers = self.items.add(self.pipeline, count, poisoned);
        self.pending.push_back(Pending { numbers, text_bytes: world.below(300) as usize });
        self.door.open.fetch_add(1, Ordering::Relaxed);
    }

    /// Sends a request once.
    async fn send(&self, Pending { numbers, text_bytes }: &Pending) -> Answer {
        let Inlets { run, inlets, budget, broken } = self.door.inlets.lock().clone();
        let (Some(inlet), Some(budget)) = (inlets.get(self.pipeline), budget) else { return Answer::None };
        let bytes = numbers.len() * (text_bytes + 20);
        let Ok(charge) = budget.try_charge(bytes as u64) else { return Answer::Refused(Retry::Backoff) };
        let batch = request(numbers, *text_bytes, charge);
        self.items.sent(numbers);
        self.door.figures.lock().requests += 1;
        let answer = tokio::select! {
            biased;
            // An answer after the end of the process is none.
            () = broken.notified() => return self.unanswered(numbers),
            answer = inlet.export(batch) => answer,
            () = TokioClock.sleep(self.world.millis(1_000, 20_000)) => return self.unanswered(numbers),
        };
        let (first, pipeline) = (numbers[0], self.pipeline);
        match answer {
            Ok(accepted) => {
                self.items.acked(numbers, run);
                self.world.note(format!("pipeline {pipeline} took {first}, rejected {}", accepted.rejected));
                Answer::Taken
            }
            // Poison end to end: the sender is told, and keeps nothing.
            Err(error)
                if error.retry() == Retry::Never && numbers.iter().any(|n| self.items.is_poison(*n)) =>
            {
                self.world.note(format!("pipeline {pipeline} refused {first} for good"));
                Answer::Taken
            }
            Err(error) => {
                self.door.figures.lock().refused += 1;
                self.world.note(format!("pipeline {pipeline} refused {first}: {error}"));
                Answer::Refused(error.retry())
            }
        }
    }

    fn unanswered(&self, numbers: &[u64]) -> Answer {
        self.door.figures.lock().unanswered += 1;
        self.world.note(format!("pipeline {} did not answer {}", self.pipeline, numbers[0]));
        Answer::None
    }
}

const MAX_DELAY: Duration = Duration::from_secs(5);
