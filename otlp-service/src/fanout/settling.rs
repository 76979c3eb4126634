//! A batch on its way to a destination's answer.

use crate::ledger::Holding;
use crate::retry::PartlyDelivered;
use crate::tasks::Tasks;
use futures_util::FutureExt;
use otlp_protocol::{Batch, ErrorKind, Retry};
use otlp_transport::{Export, ExportError, ExportFuture, ExportResult};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// The answer to a batch that is on its way.
pub(super) enum Settling {
    /// Without a queue: polling it makes the attempts.
    Direct(ExportFuture<'static>),
    /// Through a queue, whose consumers make the attempts.
    Queued(oneshot::Receiver<ExportResult>),
}

/// A future that, dropped unfinished, goes on in a task of its own: a caller that goes away cancels nothing.
pub(super) struct Detached<'a, F: Future<Output: Send> + Send + Unpin + 'static> {
    running: Option<F>,
    tasks: &'a Tasks,
}

/// Exports a batch and settles what is held for it.
///
/// A panic in the exporter becomes an error, so that it costs neither the queue's consumer nor the process.
pub(crate) async fn deliver<E: Export>(export: &E, batch: Batch, holding: Holding) -> ExportResult {
    let (signal, count) = (batch.signal(), batch.count());
    let outcome = AssertUnwindSafe(export.export(batch)).catch_unwind().await;
    let error = match outcome.unwrap_or_else(|_| Err(panicked())) {
        Ok(mut accepted) => {
            // What comes from the network may be more than there was.
            accepted.rejected = accepted.rejected.min(count.rejectable(signal));
            holding.accept(count.rejected_items(signal, accepted.rejected));
            return Ok(accepted);
        }
        Err(error) => error,
    };
    match PartlyDelivered::of(&error) {
        Some(fates) => {
            holding.settle(fates);
            if fates.failed == 0 { Ok(fates.answer.clone()) } else { Err(error) }
        }
        None => {
            holding.fail(&error);
            Err(error)
        }
    }
}

/// The answer to what a drain found unfinished.
pub(crate) fn shutting_down() -> ExportError {
    ExportError::refused(ErrorKind::Unavailable, "the gateway is shutting down")
}

fn panicked() -> ExportError {
    ExportError::new(ErrorKind::Internal, Retry::Never, "the exporter panicked; see the log")
}

// === impl Settling ===

impl Future for Settling {
    type Output = ExportResult;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ExportResult> {
        match self.get_mut() {
            Self::Direct(export) => export.as_mut().poll(cx),
            Self::Queued(answer) => {
                Pin::new(answer).poll(cx).map(|answer| answer.unwrap_or_else(|_| Err(shutting_down())))
            }
        }
    }
}

// === impl Detached ===

impl<'a, F: Future<Output: Send> + Send + Unpin> Detached<'a, F> {
    pub(super) fn new(running: F, tasks: &'a Tasks) -> Self {
        Self { running: Some(running), tasks }
    }
}

impl<F: Future<Output: Send> + Send + Unpin> Future for Detached<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(running) = &mut self.running else { return Poll::Pending };
        let output = Pin::new(running).poll(cx);
        if output.is_ready() {
            self.running = None;
        }
        output
    }
}

impl<F: Future<Output: Send> + Send + Unpin + 'static> Drop for Detached<'_, F> {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.tasks.spawn(async move { drop(running.await) });
        }
    }
}
