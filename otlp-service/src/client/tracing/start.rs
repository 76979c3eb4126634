//! Start of spans: their parent, their context, the sampler's decision.
//!
//! A span is started when its context is needed first: when the span is entered, becomes a parent, is linked to, or closes. Until
//! then its parent can be set. The sampler may be code of the user: it runs while the span is not locked.

use super::callsite::Callsite;
use super::open::Open;
use super::recorder::Recorder;
use super::slab::SlabId;
use crate::client::TraceContext;
use crate::client::engine::Locked;
use crate::client::trace::OpenSpan;
use otlp_protocol::SpanKind;
use std::mem;
use std::sync::Arc;

/// The kind and the encoded fields of a span, for a sampler that reads them.
pub(super) struct Fields {
    pub(super) kind: SpanKind,
    pub(super) bytes: Vec<u8>,
}

/// The reason why a span's parent could not be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetParentError {
    /// The span is started already.
    #[error(
        "span is started already; set the parent before the span is entered, has a child, or is asked for its context"
    )]
    Started,
    /// The span is not recorded by an `OtlpLayer` or an `OtlpSubscriber`.
    #[error(
        "span is not recorded: disabled by a filter, over a limit, or of a subscriber without an OtlpLayer"
    )]
    NotRecorded,
}

// === impl Recorder ===

impl Recorder {
    /// Decides about a child of a sampled span at once, which saves a lock later. A span that is not sampled keeps its fields until
    /// its context is used: another parent may be set until then.
    #[inline]
    pub(super) fn start_early(
        &self,
        span: &mut OpenSpan,
        has_name: bool,
        has_extras: bool,
        callsite: &'static Callsite,
    ) -> bool {
        if !span.parent().is_some_and(TraceContext::is_sampled) {
            return false;
        }
        if has_extras && self.sink.reads_fields() {
            return self.start_with_extras(span, has_name, callsite);
        }
        decide(span, has_name, callsite)
    }

    /// As [`start_early`](Self::start_early), by a sampler that sees the attributes of the metadata, which are written at the end of
    /// the span.
    #[cold]
    fn start_with_extras(&self, span: &mut OpenSpan, has_name: bool, callsite: &'static Callsite) -> bool {
        let len = span.bytes.len();
        span.bytes.put(&self.extras(callsite, &mut None).bytes);
        let is_started = decide(span, has_name, callsite);
        span.bytes.truncate(len);
        is_started
    }

    /// Returns the span's context. The span is started if it was not.
    pub(super) fn context(&self, id: SlabId) -> Option<TraceContext> {
        self.started(id)?.span.as_ref().map(|span| span.context.clone())
    }

    /// Sets the parent of a span whose context was not used.
    pub(super) fn set_parent(&self, id: SlabId, parent: &TraceContext) -> Result<(), SetParentError> {
        let mut open = self.slab.lock(id).ok_or(SetParentError::NotRecorded)?;
        if open.is_used {
            return Err(SetParentError::Started);
        }
        let span = open.span.as_mut().ok_or(SetParentError::NotRecorded)?;
        span.set_parent(Some(parent));
        open.is_started = false;
        Ok(())
    }

    /// Starts a span whose context is used from now on: decides about sampling and makes the ids. Returns the span locked.
    #[inline]
    pub(super) fn started(&self, id: SlabId) -> Option<Locked<'_, Open>> {
        let mut open = self.slab.lock(id)?;
        if !open.is_started {
            drop(open);
            open = self.start(id)?;
        }
        open.is_used = true;
        Some(open)
    }

    #[inline(never)]
    fn start(&self, id: SlabId) -> Option<Locked<'_, Open>> {
        let (parent, name, start, fields) = {
            let open = self.slab.lock(id)?;
            let span = open.span.as_ref()?;
            (span.parent().cloned(), open.name(), span.start, self.fields(&open, span))
        };
        let context = self.sink.new_context(parent.as_ref(), &name, start, &fields);
        let mut open = self.slab.lock(id)?;
        if !open.is_started {
            open.is_started = true;
            open.is_recording = context.is_sampled() && self.sink.records_spans();
            let is_recording = open.is_recording;
            let span = open.span.as_mut()?;
            span.set_parent(parent.as_ref());
            span.set_context(context);
            if !Arc::ptr_eq(&span.shared, self.sink.shared()) {
                span.shared = self.sink.shared().clone();
            }
            if !is_recording {
                span.bytes.clear();
            }
        }
        Some(open)
    }

    /// Copies what the sampler reads of a span, if it does.
    fn fields(&self, open: &Open, span: &OpenSpan) -> Fields {
        if !self.sink.reads_fields() {
            return Fields { kind: SpanKind::Internal, bytes: Vec::new() };
        }
        let mut bytes = span.bytes.as_slice().to_vec();
        if let Some(callsite) = open.callsite.filter(|_| open.has_extras) {
            bytes.extend_from_slice(&self.extras(callsite, &mut None).bytes);
        }
        Fields { kind: span.kind(), bytes }
    }
}

/// Asks the sampler about a span that is not in the slab yet.
#[inline]
fn decide(span: &mut OpenSpan, has_name: bool, callsite: &'static Callsite) -> bool {
    if !has_name {
        return span.decide(callsite.metadata.name());
    }
    let name = mem::take(&mut span.name);
    let is_started = span.decide(&name);
    span.name = name;
    is_started
}
