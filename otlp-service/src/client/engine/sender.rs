//! The task that sends one kind of telemetry: one request at a time.

use super::chunk::Chunk;
use super::clock::unix_nanos;
use super::control::Order;
use super::kind::Kind;
use super::losses::LossReason;
use super::problem::ClientProblem;
use super::request::request;
use super::shared::Shared;
use super::sync::CLOCK;
use crate::retry::PartlyDelivered;
use otlp_protocol::{Accepted, Batch, Body, Charge, Count, ErrorKind, Retry};
use otlp_transport::{BoxExport, Clock as _, Export as _, ExportError, ExportResult};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Sends one kind of telemetry.
pub(crate) struct Sender {
    shared: Arc<Shared>,
    kind: Kind,
    orders: watch::Receiver<Order>,
    export: Result<BoxExport, String>,
    /// Number of flushes done.
    flushed: u64,
    /// Number of items dropped, as far as reported.
    reported: [u64; DROPPED.len()],
}

/// Reasons that are counted where items are recorded, and reported later.
const DROPPED: [(LossReason, &str); 3] = [
    (LossReason::QueueFull, "the memory for finished items is full"),
    (LossReason::OpenSpansLimit, "too many spans are open"),
    (LossReason::Fork, "recorded before a fork"),
];

/// The end of one export.
enum Outcome {
    Answered(ExportResult),
    Panicked,
    TimedOut,
    /// The time limit of the shutdown passed.
    Stopped,
}

impl Sender {
    pub(crate) fn new(shared: &Arc<Shared>, kind: Kind) -> Self {
        let export = catch_unwind(AssertUnwindSafe(|| (shared.config.exporter)(kind.signal())));
        let export = export.unwrap_or_else(|_| Err("the maker of the exporter panicked".into()));
        Self {
            shared: shared.clone(),
            kind,
            orders: shared.control.orders(),
            export,
            flushed: 0,
            reported: [0; DROPPED.len()],
        }
    }

    /// Sends until the engine is stopped.
    pub(crate) async fn run(mut self) {
        let delay = self.shared.batch(self.kind).delay;
        let mut next = CLOCK.now() + delay;
        loop {
            let order = *self.orders.borrow_and_update();
            let is_due = CLOCK.now() >= next;
            let is_ordered = order.flushes > self.flushed || order.stop.is_some();
            if is_due {
                next = CLOCK.now() + delay;
                self.shared.store.shrink();
                self.report_dropped();
            }
            self.send(is_due || is_ordered, order).await;
            if order.flushes > self.flushed {
                self.flushed = order.flushes;
                self.shared.control.set_flushed(self.kind, order.flushes);
            }
            if order.stop.is_some() {
                return;
            }
            if self.has_full_request() {
                tokio::task::yield_now().await;
                continue;
            }
            tokio::select! {
                biased;
                _ = self.orders.changed() => {}
                () = self.shared.control.enough[self.kind.index()].notified() => {}
                () = CLOCK.sleep_until(next) => {}
            }
        }
    }

    /// True if the items of a whole request wait.
    fn has_full_request(&self) -> bool {
        self.shared.store.waiting(self.kind) >= self.shared.max_items(self.kind)
    }

    /// Sends the full requests that wait by now; with `all`, everything that is recorded by now.
    async fn send(&mut self, all: bool, order: Order) {
        if self.kind == Kind::Points {
            if all {
                self.send_points().await;
            }
            return;
        }
        // First of all, so that the store has room for what is collected.
        self.send_waiting(false, false).await;
        if all {
            let is_last = order.stop.is_some();
            let must_wait = order.flushes > self.flushed || is_last;
            self.shared.collect(self.kind, must_wait, is_last);
            self.send_waiting(true, is_last).await;
        }
    }

    /// Sends the full requests that wait by now; with `all`, also the rest. Threads may record faster than requests are sent: what
    /// they record from now on is not waited for, unless `is_last`, when their chunks are closed.
    async fn send_waiting(&mut self, all: bool, is_last: bool) {
        let max_items = self.shared.max_items(self.kind);
        let mut waiting = self.shared.store.waiting(self.kind);
        while waiting > 0 || is_last {
            let chunks = self.shared.store.take(self.kind, max_items, all);
            if chunks.is_empty() {
                return;
            }
            waiting = waiting.saturating_sub(chunks.iter().map(Chunk::items).sum());
            let body = request(&self.shared, self.kind, chunks);
            self.export(body).await;
        }
    }

    async fn send_points(&mut self) {
        let config = &self.shared.config;
        if !config.collects_points {
            return;
        }
        let mut out = Vec::new();
        let (resource, schema_url) = (&config.resource, &config.resource_schema_url);
        let items = config.meters.collect(unix_nanos(), resource, schema_url, &mut out);
        if items > 0 {
            let body = Body::unchecked(self.kind.signal(), out, Count { items, entries: items }, true);
            self.export(body).await;
        }
    }

    /// Exports one request and counts its items.
    async fn export(&mut self, body: Body) {
        let items = body.count().items;
        let timeout = self.shared.batch(self.kind).timeout;
        let outcome = match &self.export {
            Err(problem) => {
                let problem = problem.clone();
                return self.lose(items, LossReason::SendFailed, problem);
            }
            Ok(export) => attempt(export, body, timeout, &mut self.orders.clone()).await,
        };
        match outcome {
            Outcome::Answered(Ok(accepted)) => self.accepted(items, &accepted),
            Outcome::Answered(Err(error)) => self.failed(items, &error),
            Outcome::Panicked => self.lose(items, LossReason::SendFailed, "the exporter panicked".into()),
            Outcome::TimedOut => {
                self.lose(items, LossReason::TimedOut, format!("no answer within {timeout:?}"));
            }
            Outcome::Stopped => {
                self.lose(items, LossReason::Shutdown, "no answer until the end of the shutdown".into());
            }
        }
    }

    fn accepted(&self, items: u64, accepted: &Accepted) {
        let rejected = accepted.rejected.min(items);
        self.shared.losses.add_sent(self.kind, items - rejected);
        if rejected > 0 {
            self.lose(rejected, LossReason::Refused, accepted.message.clone());
        }
    }

    fn failed(&self, items: u64, error: &ExportError) {
        let Some(partly) = PartlyDelivered::of(error) else {
            let reason = match (error.kind(), error.retry()) {
                (ErrorKind::Timeout, _) => LossReason::TimedOut,
                (_, Retry::Never) => LossReason::Refused,
                _ => LossReason::SendFailed,
            };
            return self.lose(items, reason, error.to_string());
        };
        let sent = partly.sent.min(items);
        let refused = (partly.rejected + partly.refused).min(items - sent);
        self.shared.losses.add_sent(self.kind, sent);
        self.lose(refused, LossReason::Refused, error.to_string());
        self.lose(items - sent - refused, LossReason::SendFailed, error.to_string());
    }

    /// Reports the items that were dropped where they were recorded.
    fn report_dropped(&mut self) {
        let stats = self.shared.losses.stats(self.kind);
        for ((reason, message), reported) in DROPPED.iter().zip(&mut self.reported) {
            let items = stats.lost(*reason) - *reported;
            if items > 0 {
                *reported += items;
                report(&self.shared, self.kind, items, *reason, (*message).into());
            }
        }
    }

    fn lose(&self, items: u64, reason: LossReason, message: String) {
        if items > 0 {
            self.shared.losses.add(self.kind, reason, items);
            report(&self.shared, self.kind, items, reason, message);
        }
    }
}

fn report(shared: &Shared, kind: Kind, items: u64, reason: LossReason, message: String) {
    let problem = ClientProblem { signal: kind.signal(), items, reason, message };
    shared.config.on_error.report(&problem, CLOCK.now());
}

/// Exports a request within a time limit, with all retries.
async fn attempt(
    export: &BoxExport,
    body: Body,
    timeout: Duration,
    orders: &mut watch::Receiver<Order>,
) -> Outcome {
    let deadline = CLOCK.now() + timeout;
    let mut batch = Batch::new(body, Charge::none());
    batch.deadline = Some(deadline);
    let Ok(export) = catch_unwind(AssertUnwindSafe(|| export.export(batch))) else {
        return Outcome::Panicked;
    };
    let mut export = pin!(export);
    let answered = poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| export.as_mut().poll(context)));
        polled.map_or(std::task::Poll::Ready(Outcome::Panicked), |poll| poll.map(Outcome::Answered))
    });
    tokio::select! {
        biased;
        outcome = answered => outcome,
        () = CLOCK.sleep_until(deadline) => Outcome::TimedOut,
        () = stopped(orders) => Outcome::Stopped,
    }
}

/// Resolves at the time limit of the shutdown.
async fn stopped(orders: &mut watch::Receiver<Order>) {
    let is_stopping = orders.wait_for(|order| order.stop.is_some()).await.map(|order| order.stop);
    match is_stopping {
        Ok(Some(deadline)) => CLOCK.sleep_until(deadline).await,
        // Without orders the thread is not stopped.
        _ => std::future::pending::<()>().await,
    }
}
