//! A queue whose commits take time, fail or panic: what one on disk may do.

use otlp_protocol::{ErrorKind, Retry};
use otlp_service::{Delivery, MemoryQueue, Queue, QueueEntry, QueueFuture, Size, Slot, Wait};
use otlp_transport::{Clock, ExportError, TokioClock};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What one commit does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Commit {
    /// Goes through, after other tasks had their turn.
    Yield,
    /// Goes through at once.
    Now,
    Slow(Duration),
    /// Fails after a while, in a way that may pass or not.
    Fail(Retry),
    /// Panics when it is called, or later.
    Panic,
    PanicLater,
}

/// What the next commits do; those after them yield.
#[derive(Clone, Default)]
pub(crate) struct Commits(Arc<Mutex<VecDeque<Commit>>>);

/// A queue in memory behind such commits.
pub(crate) struct SlowQueue {
    inner: Arc<MemoryQueue>,
    commits: Commits,
}

struct SlowSlot {
    inner: Box<dyn Slot>,
    commits: Commits,
}

// === impl Commits ===

impl Commits {
    pub(crate) fn then(&self, commit: Commit) {
        self.0.lock().push_back(commit);
    }

    fn next(&self) -> Commit {
        self.0.lock().pop_front().unwrap_or(Commit::Yield)
    }
}

// === impl SlowQueue ===

impl SlowQueue {
    pub(crate) fn new(inner: Arc<MemoryQueue>, commits: Commits) -> Self {
        Self { inner, commits }
    }
}

impl Queue for SlowQueue {
    fn reserve(&self, size: Size, wait: Wait) -> QueueFuture<'_, Result<Box<dyn Slot>, ExportError>> {
        QueueFuture::new(async move {
            tokio::task::yield_now().await;
            let inner = self.inner.reserve(size, wait).await?;
            let slot: Box<dyn Slot> = Box::new(SlowSlot { inner, commits: self.commits.clone() });
            Ok(slot)
        })
    }

    fn delivery(&self) -> Delivery {
        self.inner.delivery()
    }

    fn len(&self) -> usize {
        self.inner.len()
    }

    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn capacity(&self) -> u64 {
        self.inner.capacity()
    }

    fn drain(&self, deadline: Instant) -> QueueFuture<'_, ()> {
        self.inner.drain(deadline)
    }
}

impl Slot for SlowSlot {
    fn commit(self: Box<Self>, entry: QueueEntry) -> QueueFuture<'static, Result<(), ExportError>> {
        let Self { inner, commits } = *self;
        let commit = commits.next();
        match commit {
            Commit::Now => return inner.commit(entry),
            Commit::Panic => panic!("as scripted"),
            _ => {}
        }
        QueueFuture::new(async move {
            match commit {
                Commit::Slow(time) => TokioClock.sleep(time).await,
                _ => tokio::task::yield_now().await,
            }
            match commit {
                Commit::Fail(retry) => {
                    Err(ExportError::new(ErrorKind::Unavailable, retry, "the disk is full"))
                }
                Commit::PanicLater => panic!("as scripted"),
                _ => inner.commit(entry).await,
            }
        })
    }
}
