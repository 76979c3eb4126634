//! The engine, as the doors use the engine: time, ids, sampling, limits, the current context, and finished entries.

use super::callsite::Callsite;
use super::entered::Entered;
use super::start::Fields;
use crate::client::engine::{Kind, LossReason, ScopeId, Shared, local, unix_nanos};
use crate::client::trace::OpenSpan;
use crate::client::{LogLimits, NewSpan, SpanLimits, TraceContext};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// The engine that finished spans and log records go to.
pub(super) struct Sink {
    made_with: Arc<Shared>,
    /// The engine of this process, if this process was forked off the process that made the door.
    child: OnceLock<Arc<Shared>>,
    /// True if the sampler reads kind, attributes or links.
    reads_fields: bool,
}

/// The scope of a callsite's log records: the id, and the engine that the id is of. One engine at a time is cached.
#[derive(Default)]
pub(super) struct ScopeCache(AtomicU64);

// === impl Sink ===

impl Sink {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { reads_fields: shared.config.sampler.reads_fields(), made_with: shared, child: OnceLock::new() }
    }

    /// The engine of this process, as far as it is known.
    #[inline]
    pub(super) fn shared(&self) -> &Arc<Shared> {
        self.child.get().unwrap_or(&self.made_with)
    }

    /// The time in Unix nanoseconds.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        unix_nanos()
    }

    /// Calls `look` with the spans that the thread has entered, unless nothing is recorded: the client is disabled, or the thread's
    /// telemetry is suppressed.
    #[inline]
    pub(super) fn unless_suppressed<R>(&self, look: impl FnOnce(Option<&Entered>) -> R) -> Option<R> {
        if self.shared().config.is_disabled { None } else { local::unless_suppressed(look) }
    }

    /// True if the sampler reads kind, attributes or links of new spans.
    #[inline]
    pub(super) fn reads_fields(&self) -> bool {
        self.reads_fields
    }

    /// True if sampled spans are recorded.
    #[inline]
    pub(super) fn records_spans(&self) -> bool {
        self.shared().config.records_spans
    }

    /// True if log records are recorded.
    #[inline]
    pub(super) fn records_logs(&self) -> bool {
        self.shared().config.records_logs
    }

    #[inline]
    pub(super) fn span_limits(&self) -> &SpanLimits {
        &self.shared().config.span_limits
    }

    #[inline]
    pub(super) fn log_limits(&self) -> &LogLimits {
        &self.shared().config.log_limits
    }

    /// Takes a span whose parent is the thread's current context; true if the context is a span of another door than `door`. `None`
    /// if nothing is recorded, or too many spans are open, which is counted.
    #[inline]
    pub(super) fn open(&self, door: u64) -> Option<(Box<OpenSpan>, bool)> {
        let shared = self.shared();
        if shared.config.is_disabled { None } else { local::open_behind(shared, door) }
    }

    /// Makes the context of a new span, and asks the sampler, which may be code of the user.
    #[inline]
    pub(super) fn new_context(
        &self,
        parent: Option<&TraceContext>,
        name: &str,
        start: u64,
        fields: &Fields,
    ) -> TraceContext {
        let trace_id = match parent {
            Some(parent) => parent.trace_id,
            None => {
                if let Some(child) = self.shared().after_fork() {
                    // A process that was forked twice finds its engine by way of the first.
                    let _ = self.child.set(child);
                }
                local::trace_id()
            }
        };
        let span = NewSpan::new(parent, &trace_id, name, start).with_fields(fields.kind, &fields.bytes);
        self.shared().config.sampler.new_context(&span, local::span_id())
    }

    /// Appends a log record that is the concatenation of `parts`. The callsite's target is the scope.
    #[inline]
    pub(super) fn append_log(&self, callsite: &'static Callsite, parts: &[&[u8]]) {
        local::append(self.shared(), Kind::Logs, self.scope(callsite), parts);
    }

    /// Counts a span or a log record that is not recorded.
    #[cold]
    pub(super) fn count_lost(&self, kind: Kind, reason: LossReason) {
        let present = self.shared().after_fork();
        present.as_ref().unwrap_or(self.shared()).losses.add(kind, reason, 1);
    }

    #[inline]
    fn scope(&self, callsite: &'static Callsite) -> ScopeId {
        let cached = callsite.scope.0.load(Ordering::Relaxed);
        // Engines are numbered from 1: an empty cache is of none.
        if cached >> 32 == self.shared().id & 0xffff_ffff {
            return ScopeId::from_number(cached as u32);
        }
        let scope = self.shared().scopes.id(callsite.metadata.target(), "", |_| {});
        callsite.scope.0.store(self.shared().id << 32 | u64::from(scope.number()), Ordering::Relaxed);
        scope
    }
}
