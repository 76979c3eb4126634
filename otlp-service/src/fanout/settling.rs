//! Batches whose senders wait for what becomes of them.

use super::{Committing, Delivery, FanOut, Place, Room, join_answers, shutting_down};
use crate::queue::{QueueEntry, Size, Wait};
use crate::tasks::Tasks;
use futures_util::future::join_all;
use otlp_protocol::{Accepted, Batch};
use otlp_transport::{Export, ExportFuture, ExportResult};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// The answer to a batch that is on its way.
enum Settling {
    /// Without a queue: polling it makes the attempts.
    Direct(ExportFuture<'static>),
    /// On its way into a queue; who waits for the destination's answer does so afterwards.
    Committing(Committing, Option<oneshot::Receiver<ExportResult>>),
    /// In a queue, whose consumers make the attempts.
    Queued(oneshot::Receiver<ExportResult>),
}

/// A future that, dropped unfinished, goes on in a task of its own: a caller that goes away cancels nothing.
struct Detached<'a, F: Future<Output: Send> + Send + Unpin + 'static> {
    running: Option<F>,
    tasks: &'a Tasks,
}

impl Export for FanOut {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        let size = Size::of(&batch);
        let unsent = self.0.hop.unsent(size.items);
        let mut places = self.reserve(size, Wait::AsConfigured).await?;
        unsent.send();
        self.0.observe(&mut batch);
        let Some(last) = places.pop() else { return Ok(Accepted::FULL) };
        let mut settlings: Vec<Settling> =
            places.into_iter().map(|place| place.take(batch.share())).collect();
        let last = last.take(batch);
        if settlings.is_empty() {
            return Detached::new(last, &self.0.tasks).await;
        }
        settlings.push(last);
        join_answers(Detached::new(join_all(settlings), &self.0.tasks).await, u64::max)
    }
}

impl Place<'_> {
    /// Sends a batch on its way, whose sender waits for what comes of it.
    fn take(self, batch: Batch) -> Settling {
        let held = self.hop.unaccepted(batch.items());
        let (queue, slot) = match self.room {
            Room::Direct(export, _) => return Settling::Direct(export.clone().deliver(batch, held)),
            Room::Slot(queue, slot) => (queue, slot),
        };
        let (answer, waiting) = if queue.delivery() == Delivery::EndToEnd {
            let (answer, waiting) = oneshot::channel();
            (Some(answer), Some(waiting))
        } else {
            (None, None)
        };
        Settling::Committing(Committing::new(slot, QueueEntry::new(batch, held, answer)), waiting)
    }
}

// === impl Settling ===

impl Future for Settling {
    type Output = ExportResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ExportResult> {
        loop {
            match &mut *self {
                Self::Direct(export) => return export.as_mut().poll(cx),
                Self::Committing(committing, waiting) => {
                    if let Err(error) = ready!(Pin::new(committing).poll(cx)) {
                        return Poll::Ready(Err(error));
                    }
                    let Some(waiting) = waiting.take() else { return Poll::Ready(Ok(Accepted::FULL)) };
                    *self = Self::Queued(waiting);
                }
                Self::Queued(answer) => {
                    let answer = ready!(Pin::new(answer).poll(cx));
                    return Poll::Ready(answer.unwrap_or_else(|_| Err(shutting_down())));
                }
            }
        }
    }
}

// === impl Detached ===

impl<'a, F: Future<Output: Send> + Send + Unpin> Detached<'a, F> {
    fn new(running: F, tasks: &'a Tasks) -> Self {
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
