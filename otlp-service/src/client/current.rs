//! The current trace context of a thread.

use super::TraceContext;
use super::engine::local;
use std::marker::PhantomData;

/// Restores the thread's former context when it is dropped. Guards are dropped in the reverse order of their making.
#[derive(Debug)]
#[must_use = "the context is current until the guard is dropped"]
pub struct ContextGuard {
    former: Option<TraceContext>,
    /// The guard belongs to its thread.
    thread: PhantomData<*const ()>,
}

/// Returns the thread's current context: the parent of new spans, and the context of log records.
pub fn current() -> Option<TraceContext> {
    local::current()
}

/// Makes a context the thread's current one until the guard is dropped. A task that is moved between threads attaches its
/// context at each poll.
pub fn attach(context: TraceContext) -> ContextGuard {
    ContextGuard { former: local::set_current(Some(context)), thread: PhantomData }
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        local::set_current(self.former.take());
    }
}
