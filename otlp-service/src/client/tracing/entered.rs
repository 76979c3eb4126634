//! The spans that a thread has entered.
//!
//! No borrow is held while code of the user runs. Once the thread's storage is gone, at the end of the thread, a span is entered
//! without effect.

use super::callsite::Callsite;
use super::slab::SlabId;
use crate::client::TraceContext;
use crate::client::engine::local;

/// An entered span.
pub(super) struct EnteredSpan {
    /// The door that recorded the span.
    door: u64,
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

/// The spans that a thread has entered, the last one at `len - 1`. Entries behind are free for the next spans.
pub(crate) struct Entered {
    spans: Vec<EnteredSpan>,
    len: usize,
}

/// The parent of a door's span, in place of the thread's current context.
pub(super) enum Around {
    /// The door's own span that was entered last.
    Span(SlabId),
    /// The context that was current before the spans of other doors were entered.
    Context(Option<TraceContext>),
}

/// Enters a span, unless [`MAX_ENTERED`] spans are entered: makes its context current.
#[inline]
pub(super) fn push(door: u64, key: u64, id: SlabId, callsite: &'static Callsite, context: &TraceContext) {
    local::with_entered(|entered, current| {
        let len = entered.len;
        if entered.spans.len() == len && !entered.grow(id, callsite) {
            return;
        }
        if let Some(span) = entered.spans.get_mut(len) {
            entered.len = len + 1;
            (span.door, span.key, span.id, span.callsite) = (door, key, id, callsite);
            (span.is_sampled, span.span_id) = (context.is_sampled(), context.span_id);
            span.previous = current.replace(context.clone());
        }
    });
}

/// Exits the span that was entered last with this key: makes the context current that was current before, unless spans that were
/// entered later are still entered.
#[inline]
pub(super) fn pop(door: u64, key: u64) -> Option<SlabId> {
    let pop = |entered: &mut Entered, current: &mut Option<TraceContext>| {
        let last = entered.len.checked_sub(1)?;
        match entered.spans.get_mut(last) {
            Some(span) if span.is(door, key) => {
                *current = span.previous.take();
                entered.len = last;
                Some(span.id)
            }
            _ => entered.remove(door, key),
        }
    };
    local::with_entered(pop).flatten()
}

/// Returns the door's span that was entered last, and what `read` reads of the span.
#[inline]
pub(super) fn last<R>(door: u64, read: impl FnOnce(&EnteredSpan) -> R) -> Option<R> {
    local::with_entered(|entered, _| entered.last(door).map(read)).flatten()
}

/// Returns what stands for the thread's current context if the context is a span of another door.
pub(super) fn around(door: u64, current: Option<&TraceContext>) -> Option<Around> {
    let around = |entered: &mut Entered, _: &mut Option<TraceContext>| {
        if !entered.is_of_other(door, current) {
            return None;
        }
        let before = || entered.all().first().and_then(|span| span.previous.clone());
        Some(entered.last(door).map_or_else(|| Around::Context(before()), |span| Around::Span(span.id)))
    };
    local::with_entered(around).flatten()
}

// === impl Entered ===

impl Entered {
    pub(crate) const fn new() -> Self {
        Self { spans: Vec::new(), len: 0 }
    }

    /// True if `current`, the thread's current context, is a span of another door.
    #[inline]
    pub(crate) fn is_of_other(&self, door: u64, current: Option<&TraceContext>) -> bool {
        self.all().last().is_some_and(|last| {
            last.door != door && current.is_some_and(|current| current.span_id == last.span_id)
        })
    }

    /// Returns the door's span that was entered last.
    #[inline]
    pub(super) fn last(&self, door: u64) -> Option<&EnteredSpan> {
        self.all().iter().rfind(|span| span.door == door)
    }

    #[inline]
    fn all(&self) -> &[EnteredSpan] {
        self.spans.get(..self.len).unwrap_or_default()
    }

    /// Adds a free entry. False if there are [`MAX_ENTERED`] entries.
    #[cold]
    fn grow(&mut self, id: SlabId, callsite: &'static Callsite) -> bool {
        if self.spans.len() >= MAX_ENTERED {
            return false;
        }
        let (door, key, is_sampled) = (0, 0, false);
        let (span_id, previous) = ([0; 8], None);
        self.spans.push(EnteredSpan { door, key, id, callsite, is_sampled, span_id, previous });
        true
    }

    /// Exits a span before spans that were entered later.
    #[cold]
    fn remove(&mut self, door: u64, key: u64) -> Option<SlabId> {
        let at = self.all().iter().rposition(|span| span.is(door, key))?;
        let span = self.spans.remove(at);
        self.len -= 1;
        if let Some(later) = self.spans.get_mut(at) {
            later.previous = span.previous;
        }
        Some(span.id)
    }
}

// === impl EnteredSpan ===

impl EnteredSpan {
    #[inline]
    fn is(&self, door: u64, key: u64) -> bool {
        self.door == door && self.key == key
    }
}

/// The most spans that are entered on a thread at a time; further spans are entered without effect.
const MAX_ENTERED: usize = 16_384;
