//! Results of a queue's methods, at hand or later.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that a [`Queue`](crate::Queue) returns. A result that is known at once takes no allocation.
#[must_use = "futures do nothing unless polled"]
pub struct QueueFuture<'a, T>(State<'a, T>);

enum State<'a, T> {
    Ready(T),
    Taken,
    Pending(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
}

// === impl QueueFuture ===

impl<'a, T> QueueFuture<'a, T> {
    /// Returns a future that is ready with `result`.
    pub fn ready(result: T) -> Self {
        Self(State::Ready(result))
    }

    /// Boxes a future.
    pub fn new(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self(State::Pending(Box::pin(future)))
    }
}

impl<T: Unpin> Future for QueueFuture<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if let State::Pending(future) = &mut self.0 {
            return future.as_mut().poll(cx);
        }
        match std::mem::replace(&mut self.0, State::Taken) {
            State::Ready(result) => Poll::Ready(result),
            // Polled again after its end.
            State::Taken | State::Pending(_) => Poll::Pending,
        }
    }
}

impl<T> fmt::Debug for QueueFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_ready = matches!(self.0, State::Ready(_));
        f.debug_struct("QueueFuture").field("is_ready", &is_ready).finish_non_exhaustive()
    }
}
