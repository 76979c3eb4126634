//! The thread's state, as the doors for `tracing` use it: one access for each operation on a span.

use super::{LOCAL, Local, try_open};
use crate::client::TraceContext;
use crate::client::engine::Shared;
use crate::client::trace::OpenSpan;
use crate::client::tracing::Entered;
use std::sync::Arc;

/// As [`open`](super::open), but without a span in place of an absent one. Also returns true if the current context, the parent, is a
/// span of another door than `door`.
#[inline(always)]
pub(crate) fn open_behind(shared: &Arc<Shared>, door: u64) -> Option<(Box<OpenSpan>, bool)> {
    let mut is_of_other = false;
    let look = |local: &Local, span: &OpenSpan| {
        let entered = local.entered.try_borrow();
        is_of_other = entered.is_ok_and(|entered| entered.is_of_other(door, span.parent()));
    };
    try_open(shared, look).map(|span| (span, is_of_other))
}

/// Calls `call` with the spans that the thread has entered and the thread's current context, which `call` may replace. `None` once the
/// thread's storage is gone, at the end of the thread. `call` runs no code of the user.
#[inline(always)]
pub(crate) fn with_entered<R>(call: impl FnOnce(&mut Entered, &mut Option<TraceContext>) -> R) -> Option<R> {
    let with = |local: &Local| {
        let mut entered = local.entered.try_borrow_mut().ok()?;
        let mut current = local.current.try_borrow_mut().ok()?;
        Some(call(&mut entered, &mut current))
    };
    LOCAL.try_with(with).ok().flatten()
}

/// Calls `call` with the spans that the thread has entered, unless the thread's telemetry is not recorded. `call` runs no code of the
/// user.
#[inline(always)]
pub(crate) fn unless_suppressed<R>(call: impl FnOnce(Option<&Entered>) -> R) -> Option<R> {
    let mut call = Some(call);
    let with = |local: &Local| {
        if local.is_suppressed.get() {
            return None;
        }
        let entered = local.entered.try_borrow().ok();
        call.take().map(|call| call(entered.as_deref()))
    };
    match LOCAL.try_with(with) {
        Ok(result) => result,
        Err(_) => call.take().map(|call| call(None)),
    }
}
