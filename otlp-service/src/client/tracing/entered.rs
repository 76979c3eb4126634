//! The spans that a thread has entered.
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
            span.previous = current.replace(context.clone());
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
            local::with_current(|current| *current = span.previous.take());
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

/// The parent of a door's span, in place of the thread's current context.
pub(super) enum Around {
    /// The door's own span that was entered last.
    Span(SlabId),
    /// The context that was current before the spans of other doors were entered.
    Context(Option<TraceContext>),
}

/// Returns what stands for the thread's current context if the context is a span of another door.
#[inline]
pub(super) fn around(door: u64, current: Option<&TraceContext>) -> Option<Around> {
    let around = |stack: &RefCell<Stack>| {
        let stack = stack.try_borrow().ok()?;
        let last = stack.entered().last().filter(|last| last.door != door)?;
        current.filter(|current| current.span_id == last.span_id)?;
        let own = stack.entered().iter().rfind(|span| span.door == door);
        let before = || stack.entered().first().and_then(|span| span.previous.clone());
        Some(own.map_or_else(|| Around::Context(before()), |span| Around::Span(span.id)))
    };
    ENTERED.try_with(around).ok().flatten()
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
