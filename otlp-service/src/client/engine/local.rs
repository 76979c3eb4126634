//! State of a thread: its slots in the engines, spans for reuse, ids, and the current trace context.
//!
//! No borrow of the state is held while code of the user runs. When a thread ends, the destructor hands its unfinished chunks
//! over; entries that other destructors make later go to a slot that such threads share.

#[cfg(feature = "tracing")]
mod doors;

#[cfg(feature = "tracing")]
pub(crate) use doors::{open_behind, unless_suppressed, with_entered};

use super::buffer::Buffer;
use super::fork;
use super::ids::Ids;
use super::kind::Kind;
use super::leases::BLOCK;
use super::losses::LossReason;
use super::scope::ScopeId;
use super::shared::Shared;
use super::slot::Slot;
use super::sync::thread_local;
use crate::client::TraceContext;
use crate::client::trace::OpenSpan;
#[cfg(feature = "tracing")]
use crate::client::tracing::Entered;
use std::cell::{Cell, RefCell, RefMut};
use std::sync::Arc;

thread_local! {
    static LOCAL: Local = const { Local::new() };
}

/// State of a thread.
struct Local {
    /// True on threads whose telemetry is not recorded: the engines' own.
    is_suppressed: Cell<bool>,
    ids: Ids,
    current: RefCell<Option<TraceContext>>,
    /// The spans of `tracing` that the thread has entered.
    #[cfg(feature = "tracing")]
    entered: RefCell<Entered>,
    engines: RefCell<Vec<LocalEngine>>,
}

/// State of a thread in one engine.
#[expect(clippy::vec_box, reason = "spans go from thread to thread as pointers")]
struct LocalEngine {
    id: u64,
    /// The engine that was asked for last: this engine, or one of a process from which this process was forked.
    asked: u64,
    /// Number of forks before the last look at the process.
    forks: u32,
    shared: Arc<Shared>,
    slot: Arc<Slot>,
    /// Finished spans, for reuse.
    spare: Vec<Box<OpenSpan>>,
    /// Buffers of finished log records, for reuse.
    buffers: Vec<Buffer>,
    /// Unused permits for open spans.
    permits: u32,
}

/// Finished spans that a thread keeps for reuse.
const MAX_SPARE: usize = BLOCK as usize;

/// Buffers that a thread keeps for log records.
const MAX_BUFFERS: usize = 4;

/// Buffers beyond this capacity, in bytes, are not kept.
pub(crate) const MAX_KEPT_BYTES: usize = 16 << 10;

/// Takes a span for a new operation, whose parent is the thread's current context. The span is absent if the thread is suppressed
/// or too many spans are open, which is counted.
#[inline(never)]
pub(crate) fn open(shared: &Arc<Shared>) -> Box<OpenSpan> {
    try_open(shared, |_, _| ()).unwrap_or_else(|| open_absent(shared))
}

/// As [`open`], but without a span in place of an absent one. `look` looks at the span and at the thread's state.
#[inline(always)]
fn try_open(shared: &Arc<Shared>, look: impl FnOnce(&Local, &OpenSpan)) -> Option<Box<OpenSpan>> {
    let opened = LOCAL.try_with(|local| {
        if local.is_suppressed.get() {
            return Some(None);
        }
        let mut engine = local.engine(shared)?;
        let Some(mut span) = engine.take() else {
            return Some(None);
        };
        drop(engine);
        local.identify(&mut span);
        look(local, &span);
        Some(Some(span))
    });
    opened.ok().flatten().unwrap_or_else(|| open_without_thread(shared))
}

#[cold]
fn open_absent(shared: &Arc<Shared>) -> Box<OpenSpan> {
    let mut span = OpenSpan::absent(shared);
    let identified = LOCAL.try_with(|local| local.identify(&mut span));
    if identified.is_err() {
        span.context.span_id = Ids::new().span_id();
    }
    span
}

/// Takes a span when the thread-local storage is gone.
#[cold]
fn open_without_thread(shared: &Arc<Shared>) -> Option<Box<OpenSpan>> {
    let Some(rest) = shared.leases.take().checked_sub(1) else {
        shared.losses.add(Kind::Spans, LossReason::OpenSpansLimit, 1);
        return None;
    };
    shared.leases.give_back(rest);
    let mut span = Box::new(OpenSpan::new(shared.clone()));
    span.context.span_id = Ids::new().span_id();
    Some(span)
}

/// Appends a finished span, under `name` in place of its own name if given, with the encoded fields `tail`, and keeps the span for
/// reuse.
#[inline(always)]
pub(crate) fn close(span: Box<OpenSpan>, name: Option<&str>, tail: &[u8]) {
    let mut span = Some(span);
    let _ = LOCAL.try_with(|local| {
        let engine = span.as_ref().and_then(|span| local.engine(&span.shared));
        if let (Some(mut engine), Some(span)) = (engine, span.take()) {
            append_span(&engine.shared, &engine.slot, &span, name, tail);
            engine.keep(span);
        }
    });
    if let Some(span) = span {
        close_without_thread(span, name, tail);
    }
}

/// As [`close`], when the thread-local storage is gone.
#[cold]
#[inline(never)]
fn close_without_thread(mut span: Box<OpenSpan>, name: Option<&str>, tail: &[u8]) {
    span.shared = span.shared.after_fork().unwrap_or_else(|| span.shared.clone());
    append_span(&span.shared, &span.shared.orphan_slot(), &span, name, tail);
    span.shared.leases.give_back(1);
}

#[inline(always)]
fn append_span(shared: &Shared, slot: &Slot, span: &OpenSpan, name: Option<&str>, tail: &[u8]) {
    let name = name.unwrap_or(&span.name);
    let len = span.encoded_len(name, tail);
    if let Some(mut chunk) = slot.begin(shared, Kind::Spans, len) {
        if let Some(message) = chunk.message(span.scope, len) {
            span.encode(name, tail, message);
        }
        chunk.end(shared);
    }
}

/// Keeps a span that is not recorded for reuse.
pub(crate) fn discard(span: Box<OpenSpan>) {
    if span.is_absent() {
        return;
    }
    let mut span = Some(span);
    let _ = LOCAL.try_with(|local| {
        let engine = span.as_ref().and_then(|span| local.engine(&span.shared));
        if let (Some(mut engine), Some(span)) = (engine, span.take()) {
            engine.keep(span);
        }
    });
    if let Some(span) = span {
        span.shared.leases.give_back(1);
    }
}

/// Appends a finished log record.
pub(crate) fn append_log(shared: &Arc<Shared>, scope: ScopeId, message: &[u8]) {
    append(shared, Kind::Logs, scope, &[message]);
}

/// Appends a finished entry that is the concatenation of `parts`.
#[inline]
pub(crate) fn append(shared: &Arc<Shared>, kind: Kind, scope: ScopeId, parts: &[&[u8]]) {
    let append = |shared: &Shared, slot: &Slot| {
        let len = parts.iter().map(|part| part.len()).sum();
        if let Some(mut chunk) = slot.begin(shared, kind, len) {
            if let Some(mut message) = chunk.message(scope, len) {
                parts.iter().for_each(|part| {
                    message.put_slice(part);
                });
            }
            chunk.end(shared);
        }
    };
    let appended =
        LOCAL.try_with(|local| local.engine(shared).map(|engine| append(&engine.shared, &engine.slot)));
    if appended.ok().flatten().is_none() {
        let present = shared.after_fork();
        let shared = present.as_ref().unwrap_or(shared);
        append(shared, &shared.orphan_slot());
    }
}

/// Takes an empty buffer.
pub(crate) fn take_buffer(shared: &Arc<Shared>) -> Buffer {
    let taken = LOCAL.try_with(|local| local.engine(shared)?.buffers.pop());
    taken.ok().flatten().unwrap_or_default()
}

/// Keeps a buffer for reuse.
pub(crate) fn keep_buffer(shared: &Arc<Shared>, mut buffer: Buffer) {
    buffer.clear();
    let _ = LOCAL.try_with(|local| {
        let mut engine = local.engine(shared)?;
        if engine.buffers.len() < MAX_BUFFERS && buffer.capacity() <= MAX_KEPT_BYTES {
            engine.buffers.push(buffer);
        }
        Some(())
    });
}

/// Makes the id of a new trace.
pub(crate) fn trace_id() -> [u8; 16] {
    LOCAL.try_with(|local| local.ids.trace_id()).unwrap_or_else(|_| Ids::new().trace_id())
}

/// Makes the id of a span.
pub(crate) fn span_id() -> [u8; 8] {
    LOCAL.try_with(|local| local.ids.span_id()).unwrap_or_else(|_| Ids::new().span_id())
}

/// Seeds the thread's ids anew, in a process that was forked.
pub(crate) fn seed_ids() {
    let _ = LOCAL.try_with(|local| local.ids.seed());
}

/// Leaves the engines of the process from which this process was forked.
pub(crate) fn leave_foreign() {
    let _ = LOCAL.try_with(|local| {
        let Ok(mut engines) = local.engines.try_borrow_mut() else {
            return;
        };
        let foreign: Vec<_> = engines.extract_if(.., |engine| engine.shared.is_foreign()).collect();
        drop(engines);
        drop(foreign);
    });
}

/// Returns the thread's current context.
pub(crate) fn current() -> Option<TraceContext> {
    LOCAL.try_with(|local| local.current.borrow().clone()).ok().flatten()
}

/// Replaces the thread's current context, and returns the previous one.
pub(crate) fn set_current(context: Option<TraceContext>) -> Option<TraceContext> {
    LOCAL.try_with(|local| local.current.replace(context)).ok().flatten()
}

/// True if the thread's telemetry is not recorded.
#[inline]
pub(crate) fn is_suppressed() -> bool {
    LOCAL.try_with(|local| local.is_suppressed.get()).unwrap_or(false)
}

/// Stops the recording of the thread's telemetry.
pub(crate) fn suppress() {
    let _ = LOCAL.try_with(|local| local.is_suppressed.set(true));
}

// === impl Local ===

impl Local {
    const fn new() -> Self {
        Self {
            is_suppressed: Cell::new(false),
            ids: Ids::new(),
            current: RefCell::new(None),
            #[cfg(feature = "tracing")]
            entered: RefCell::new(Entered::new()),
            engines: RefCell::new(Vec::new()),
        }
    }

    /// Makes the id of a span, whose parent is the thread's current context.
    #[inline(always)]
    fn identify(&self, span: &mut OpenSpan) {
        span.context.span_id = self.ids.span_id();
        if let Some(current) = &*self.current.borrow() {
            span.set_parent(Some(current));
        }
    }

    /// Returns the thread's state in an engine; a new one at the first use. `None` while the state is in use.
    #[inline]
    fn engine(&self, shared: &Arc<Shared>) -> Option<RefMut<'_, LocalEngine>> {
        let mut engines = self.engines.try_borrow_mut().ok()?;
        if engines.first().is_none_or(|first| !first.is_of(shared)) {
            drop(engines);
            self.bring_forward(shared);
            engines = self.engines.try_borrow_mut().ok()?;
        }
        RefMut::filter_map(engines, |engines| engines.first_mut()).ok()
    }

    /// Makes an engine the first in the list.
    #[cold]
    fn bring_forward(&self, shared: &Arc<Shared>) {
        let (asked, present) = (shared.id, shared.after_fork());
        let shared = present.as_ref().unwrap_or(shared);
        let mut engines = self.engines.borrow_mut();
        let mut ended = Vec::new();
        match engines.iter().position(|engine| engine.id == shared.id) {
            Some(at) => engines.swap(0, at),
            None => {
                ended.extend(engines.extract_if(.., |engine| engine.shared.control.is_stopping()));
                engines.insert(0, LocalEngine::new(shared));
            }
        }
        if let Some(first) = engines.first_mut() {
            (first.asked, first.forks) = (asked, fork::count());
        }
        drop(engines);
        // With them, functions of the user may be dropped.
        drop(ended);
    }
}

// === impl LocalEngine ===

impl LocalEngine {
    fn new(shared: &Arc<Shared>) -> Self {
        Self {
            id: shared.id,
            asked: shared.id,
            forks: fork::count(),
            shared: shared.clone(),
            slot: shared.new_slot(),
            spare: Vec::with_capacity(MAX_SPARE),
            buffers: Vec::with_capacity(MAX_BUFFERS),
            permits: 0,
        }
    }

    /// True if this is the thread's state in the engine, or in the engine's child in this process.
    #[inline]
    fn is_of(&self, shared: &Shared) -> bool {
        (self.id == shared.id || self.asked == shared.id) && self.forks == fork::count()
    }

    /// Takes a permit and a span; `None` without a permit, which is counted.
    #[inline]
    fn take(&mut self) -> Option<Box<OpenSpan>> {
        if self.permits == 0 {
            self.permits = self.shared.leases.take();
        }
        let Some(rest) = self.permits.checked_sub(1) else {
            self.shared.losses.add(Kind::Spans, LossReason::OpenSpansLimit, 1);
            return None;
        };
        self.permits = rest;
        Some(self.spare.pop().unwrap_or_else(|| Box::new(OpenSpan::new(self.shared.clone()))))
    }

    /// Keeps a span for reuse, with its permit.
    #[inline(always)]
    fn keep(&mut self, mut span: Box<OpenSpan>) {
        self.permits += 1;
        let excess = self.shared.leases.excess(self.permits);
        if excess > 0 {
            self.permits -= excess;
            self.shared.leases.give_back(excess);
        }
        if self.spare.len() < MAX_SPARE && span.bytes.capacity() <= MAX_KEPT_BYTES {
            span.reset();
            self.spare.push(span);
        }
    }
}

impl Drop for LocalEngine {
    fn drop(&mut self) {
        self.shared.retire_slot(&self.slot);
        self.shared.leases.give_back(self.permits);
    }
}
