//! Outlets of a holder or a connector: the ways into what stands behind.

use crate::component::Tally;
use crate::event::Event;
use crate::fanout::{caught, shutting_down};
use crate::ledger::Held;
use crate::tasks::Pauses;
use otlp_protocol::{Accepted, Batch, ErrorKind, Retry, Signal};
use otlp_transport::{BoxExport, Clock, Export, ExportError, ExportResult};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Leads from a holder to the rest of its pipeline, or from a connector to another pipeline. Cloning shares it.
#[derive(Clone)]
pub struct Outlet {
    pipeline: Arc<str>,
    signal: Signal,
    next: BoxExport,
    clock: Arc<dyn Clock>,
    emissions: Emissions,
}

/// Emissions of one holder that are under way: the holder's drain waits for them, and cuts them off at the deadline. Cloning
/// shares the emissions.
#[derive(Clone, Default)]
pub(crate) struct Emissions(Arc<Running>);

#[derive(Default)]
struct Running {
    /// Emissions that are under way.
    count: AtomicUsize,
    /// Notified when none is under way any more.
    ended: Notify,
    /// The emissions are to end.
    stopped: Event,
}

/// An emission that is under way.
struct Emission(Arc<Running>);

// === impl Outlet ===

impl Outlet {
    pub(crate) fn new(
        pipeline: &str,
        signal: Signal,
        next: BoxExport,
        clock: Arc<dyn Clock>,
        emissions: Emissions,
    ) -> Self {
        Self { pipeline: pipeline.into(), signal, next, clock, emissions }
    }

    /// The id of the pipeline that the outlet leads to.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// The signal that the pipeline takes.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Emits a batch that was answered for: tries again after every retryable error, until the gateway stops. `held` are
    /// the items that came in for the batch. Items of the batch beyond those count as produced, held items beyond the
    /// batch as dropped. Items that others stand for are [settled](Held::settle) before.
    ///
    /// Dropping the future gives the items up.
    pub async fn emit(&self, mut batch: Batch, mut held: Held) {
        let emission = self.emissions.enter();
        // The sender has its answer; its deadline must not cost what was answered for.
        batch.deadline = None;
        held.admit();
        held.cover(batch.items());
        held.start();
        let (signal, count) = (batch.signal(), batch.count());
        tokio::select! {
            biased;
            result = self.emit_until_final(&mut batch) => match result {
                Ok(accepted) => held.accept(count.rejected_items(signal, accepted.rejected)),
                Err(error) => held.fail(&error),
            },
            // What is held is given up.
            () = emission.stopped() => {}
        }
    }

    /// Emits a batch that was not answered for: the answer is the answer to `held`, the items that came in for the batch,
    /// which are counted as [`emit`](Self::emit) counts them.
    ///
    /// Dropping the future gives the items up; the batch may still arrive.
    ///
    /// # Errors
    /// The error of what stands behind, or retryably if the gateway stops.
    pub async fn export(&self, batch: Batch, held: Held) -> ExportResult {
        match self.try_export(batch, held).await {
            Ok(accepted) => Ok(accepted),
            Err((error, held)) => {
                held.fail(&error);
                Err(error)
            }
        }
    }

    /// Exports as [`export`](Self::export) does, but gives the guard back with an error, uncounted, so that the items can be
    /// exported again.
    pub(crate) async fn try_export(
        &self,
        batch: Batch,
        mut held: Held,
    ) -> Result<Accepted, (ExportError, Held)> {
        let emission = self.emissions.enter();
        let produced = held.cover(batch.items());
        held.start();
        let (signal, count) = (batch.signal(), batch.count());
        let result = tokio::select! {
            biased;
            result = self.attempt(batch) => result,
            () = emission.stopped() => Err(shutting_down()),
        };
        match result {
            Ok(accepted) => {
                let hop = held.hop().clone();
                held.accept(count.rejected_items(signal, accepted.rejected));
                hop.settle(&Tally { produced, ..Tally::default() });
                Ok(accepted)
            }
            Err(error) => {
                held.uncover(produced);
                Err((error, held))
            }
        }
    }

    /// Waits before a batch is exported again. Returns false if the gateway stops meanwhile.
    pub(crate) async fn pause(&self, time: Duration) -> bool {
        let emission = self.emissions.enter();
        tokio::select! {
            biased;
            () = emission.stopped() => false,
            () = self.clock.sleep(time) => true,
        }
    }

    async fn emit_until_final(&self, batch: &mut Batch) -> ExportResult {
        let mut pauses = Pauses::new();
        loop {
            match self.attempt(batch.share()).await {
                Err(error) if error.retry().is_retryable() => self.clock.sleep(pauses.next(&error)).await,
                result => return result,
            }
        }
    }

    async fn attempt(&self, batch: Batch) -> ExportResult {
        if batch.signal() == self.signal {
            return caught(self.next.export(batch)).await;
        }
        let (emitted, taken) = (batch.signal(), self.signal);
        let message =
            format!("{emitted} were emitted into the pipeline {}, which takes {taken}", self.pipeline);
        Err(ExportError::new(ErrorKind::Internal, Retry::Never, message))
    }
}

// === impl Emissions ===

impl Emissions {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Counts as being emitted for as long as the emission lives.
    fn enter(&self) -> Emission {
        self.0.count.fetch_add(1, Ordering::AcqRel);
        Emission(self.0.clone())
    }

    /// Waits until nothing is being emitted, but not beyond `deadline`: what is left then, and what comes later, is cut
    /// off, and counted before this returns.
    pub(crate) async fn finish(&self, clock: &dyn Clock, deadline: Instant) {
        tokio::select! {
            biased;
            () = self.0.ended() => {}
            () = clock.sleep_until(deadline) => {}
        }
        self.0.stopped.happen();
        tokio::select! {
            biased;
            () = self.0.ended() => {}
            // A holder may keep a future that it polls no more.
            () = clock.sleep(CUT_TIME) => {}
        }
    }
}

// === impl Running ===

impl Running {
    /// Waits until nothing is being emitted.
    async fn ended(&self) {
        loop {
            let ended = self.ended.notified();
            if self.count.load(Ordering::Acquire) == 0 {
                return;
            }
            ended.await;
        }
    }
}

// === impl Emission ===

impl Emission {
    /// Waits until the emission is to end.
    async fn stopped(&self) {
        self.0.stopped.wait().await;
    }
}

impl Drop for Emission {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.ended.notify_waiters();
        }
    }
}

/// Time for emissions that are cut off to end in.
const CUT_TIME: Duration = Duration::from_millis(100);
