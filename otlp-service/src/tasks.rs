//! Background work that goes on after the request that caused it has ended, and that a drain waits for.

use crate::fanout::caught;
use futures_util::FutureExt;
use otlp_protocol::{Batch, Retry};
use otlp_transport::{Clock, Export, ExportError, ExportResult};
use parking_lot::Mutex;
use std::pin::Pin;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// The pauses between exports of a batch whose sender has its answer.
pub(crate) struct Pauses(Duration);

/// A set of tasks; dropping the set aborts them. The byte budget bounds the memory of their batches.
pub(crate) struct Tasks {
    running: Mutex<JoinSet<()>>,
    runtime: Handle,
}

impl Tasks {
    /// Creates an empty set, whose tasks run on the current runtime.
    pub(crate) fn new() -> Self {
        Self { running: Mutex::new(JoinSet::new()), runtime: Handle::current() }
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.run(Box::pin(task));
    }

    fn run(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let mut running = self.running.lock();
        while running.try_join_next().is_some() {}
        running.spawn_on(task, &self.runtime);
    }

    /// Polls the work once; if the work is not finished then, it goes on as a task.
    pub(crate) fn start(&self, mut task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        if task.as_mut().now_or_never().is_none() {
            self.run(task);
        }
    }

    /// Waits until all tasks have ended. Tasks that are left at `deadline` are aborted.
    pub(crate) async fn drain(&self, clock: &dyn Clock, deadline: Instant) {
        loop {
            let mut running = std::mem::take(&mut *self.running.lock());
            if running.is_empty() {
                return;
            }
            join_until(&mut running, clock, deadline).await;
        }
    }
}

// === impl Pauses ===

impl Pauses {
    pub(crate) fn new() -> Self {
        Self(MIN_PAUSE)
    }

    /// Returns the pause after a refusal: the delay that the refusal asks for, or twice the last pause.
    pub(crate) fn next(&mut self, refusal: &ExportError) -> Duration {
        let pause = self.0;
        self.0 = (2 * pause).min(MAX_PAUSE);
        if let Retry::After(delay) = refusal.retry() { delay.max(MIN_PAUSE) } else { pause }
    }
}

/// Exports a batch whose sender has its answer, again and again until the batch is accepted or refused with a final error.
/// Cancel-safe if `next` is. The caller counts the items.
pub(crate) async fn export_until_taken(
    next: &impl Export,
    mut batch: Batch,
    clock: &dyn Clock,
) -> ExportResult {
    let mut pauses = Pauses::new();
    loop {
        match caught(next.export(batch.share())).await {
            Err(error) if error.retry().is_retryable() => clock.sleep(pauses.next(&error)).await,
            result => return result,
        }
    }
}

/// Waits until all tasks have ended. Tasks that are left at `deadline` are aborted.
pub(crate) async fn join_until(tasks: &mut JoinSet<()>, clock: &dyn Clock, deadline: Instant) {
    let all_ended = async { while tasks.join_next().await.is_some() {} };
    tokio::select! {
        biased;
        () = all_ended => {}
        () = clock.sleep_until(deadline) => tasks.shutdown().await,
    }
}

const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(5);
