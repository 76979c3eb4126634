//! The spans that a thread has entered.
//!
//! Contexts are copied field by field into their places: processors stall when bytes that were just written in parts are read as a
//! whole, as moves of structs do.
//!
//! No borrow is held while code of the user runs. Once the thread's storage is gone, at the end of the thread, a span is entered
//! without effect.

use super::callsite::Callsite;
use super::slab::SlabId;
use crate::client::TraceContext;
use crate::client::engine::local;
use std::cell::RefCell;

/// An entered span.
pub(super) struct Entered {
    /// The door that recorded the span.
    pub(super) door: u64,
    /// The span's id in tracing.
    pub(super) key: u64,
    pub(super) id: SlabId,
    pub(super) callsite: &'static Callsite,
    pub(super) is_sampled: bool,
    /// The span's id in its trace.
    span_id: [u8; 8],
    /// The context that was current before.
    previous: Option<TraceContext>,
}

/// The entered spans, the last one at `len - 1`. Entries behind are free for the next spans.
struct Stack {
    entries: Vec<Entered>,
    len: usize,
}

/// Enters a span, unless [`MAX_ENTERED`] spans are entered: makes its context current.
#[inline]
pub(super) fn push(door: u64, key: u64, id: SlabId, callsite: &'static Callsite, context: &TraceContext) {
    let push = |stack: &RefCell<Stack>| {
        let mut stack = stack.try_borrow_mut().ok()?;
        let len = stack.len;
        if len >= MAX_ENTERED {
            return None;
        }
        if stack.entries.len() == len {
            stack.entries.push(Entered {
                door,
                key,
                id,
                callsite,
                is_sampled: false,
                span_id: [0; 8],
                previous: None,
            });
        }
        stack.len += 1;
        let span = stack.entries.get_mut(len)?;
        (span.door, span.key, span.id, span.callsite) = (door, key, id, callsite);
        (span.is_sampled, span.span_id) = (context.is_sampled(), context.span_id);
        local::with_current(|current| {
            copy_option(&mut span.previous, current.as_ref());
            copy_option(current, Some(context));
        })
    };
    let _ = ENTERED.try_with(push);
}

/// Exits the span that was entered last with this key: makes the context current that was current before, unless spans that were
/// entered later are still entered.
#[inline]
pub(super) fn pop(door: u64, key: u64) -> Option<SlabId> {
    let pop = |stack: &RefCell<Stack>| {
        let mut stack = stack.try_borrow_mut().ok()?;
        let last = stack.len.checked_sub(1)?;
        let is_it = |span: &Entered| span.door == door && span.key == key;
        if let Some(span) = stack.entries.get_mut(last).filter(|span| is_it(span)) {
            let id = span.id;
            local::with_current(|current| copy_option(current, span.previous.as_ref()));
            copy_option(&mut span.previous, None);
            stack.len = last;
            return Some(id);
        }
        let at = stack.entered().iter().rposition(is_it)?;
        let span = stack.entries.remove(at);
        stack.len = last;
        if let Some(later) = stack.entries.get_mut(at) {
            later.previous = span.previous;
        }
        Some(span.id)
    };
    ENTERED.try_with(pop).ok().flatten()
}

/// Calls `read` with the door's span that was entered last.
#[inline]
pub(super) fn last<R>(door: u64, read: impl FnOnce(&Entered) -> R) -> Option<R> {
    let last = |stack: &RefCell<Stack>| {
        let stack = stack.try_borrow().ok()?;
        stack.entered().iter().rfind(|span| span.door == door).map(read)
    };
    ENTERED.try_with(last).ok().flatten()
}

/// Copies the context that is current for a door to `to`. If the current context is a span of another door, returns the door's own
/// span that was entered last.
#[inline]
pub(super) fn copy_current(door: u64, to: &mut Option<TraceContext>) -> Option<SlabId> {
    local::with_current(|current| copy_option(to, current.as_ref()));
    let other = |stack: &RefCell<Stack>| {
        let stack = stack.try_borrow().ok()?;
        let last = stack.entered().last().filter(|last| last.door != door)?;
        to.as_ref().filter(|current| current.span_id == last.span_id)?;
        let own = stack.entered().iter().rfind(|span| span.door == door).map(|span| span.id);
        if own.is_none() {
            copy_option(to, stack.entered().first().and_then(|span| span.previous.as_ref()));
        }
        own
    };
    ENTERED.try_with(other).ok().flatten()
}

/// Copies a context, or its absence.
#[inline]
pub(super) fn copy_option(to: &mut Option<TraceContext>, from: Option<&TraceContext>) {
    match (&mut *to, from) {
        (Some(to), Some(from)) => copy(to, from),
        (_, from) => *to = from.cloned(),
    }
}

/// Copies a context field by field.
#[inline]
pub(super) fn copy(to: &mut TraceContext, from: &TraceContext) {
    to.trace_id = from.trace_id;
    to.span_id = from.span_id;
    (to.flags, to.is_remote, to.is_debug) = (from.flags, from.is_remote, from.is_debug);
    if to.state.is_some() || from.state.is_some() {
        to.state.clone_from(&from.state);
    }
}

// === impl Stack ===

impl Stack {
    #[inline]
    fn entered(&self) -> &[Entered] {
        self.entries.get(..self.len).unwrap_or_default()
    }
}

/// The most spans that are entered on a thread at a time; further spans are entered without effect.
const MAX_ENTERED: usize = 16_384;

thread_local! {
    static ENTERED: RefCell<Stack> = const { RefCell::new(Stack { entries: Vec::new(), len: 0 }) };
}
