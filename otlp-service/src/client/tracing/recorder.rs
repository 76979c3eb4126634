//! Recording of spans and events: what the layer and the subscriber have in common.
//!
//! Values are encoded into a buffer of the thread, because `Debug` and `Display` are code of the user, which may record telemetry
//! itself. Only then is the span locked, and the encoded bytes are copied or swapped in. Samplers run without a lock for the same
//! reason.
//!
//! A span is started when its context is needed first: when the span is entered, becomes a parent, is linked to, or closes. Until
//! then its parent can be set.

use super::activity::Activity;
use super::attributes::Attributes;
use super::callsite::{Callsite, SPAN_ATTRIBUTE};
use super::entered;
use super::key::Choice;
use super::open::{HEAD, Open};
use super::options::{SpanEnd, TracingOptions};
use super::sink::Sink;
use super::slab::{Slab, SlabId};
use super::span_fields::{Marks, SpanFields};
use super::thread;
use crate::client::TraceContext;
use crate::client::engine::{Kind, LossReason};
use parking_lot::MutexGuard;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::span::{Attributes as NewSpan, Record};

/// Records the spans and events of one door.
pub(super) struct Recorder {
    pub(super) sink: Sink,
    pub(super) options: TracingOptions,
    /// The attributes of metadata that spans have.
    choice: Choice,
    /// Different for all doors of the process.
    pub(super) door: u64,
    slab: Slab,
}

/// The parent of a new span, or the span of an event.
#[derive(Clone, Copy)]
pub(super) enum Parent {
    /// The span or context that is current on the thread.
    Current,
    /// None.
    Root,
    /// This span.
    Span(SlabId),
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
    pub(super) fn new(sink: Sink, options: TracingOptions) -> Self {
        static DOORS: AtomicU64 = AtomicU64::new(0);
        let choice = choice(&options);
        Self { sink, options, choice, door: DOORS.fetch_add(1, Ordering::Relaxed), slab: Slab::new() }
    }

    pub(super) fn set_options(&mut self, options: TracingOptions) {
        self.choice = choice(&options);
        self.options = options;
    }

    /// Makes a span. `None` if the span is not recorded.
    #[inline]
    pub(super) fn new_span(&self, span: &NewSpan<'_>, parent: Parent) -> Option<SlabId> {
        if self.sink.is_suppressed() {
            return None;
        }
        let Some(callsite) = Callsite::of(span.metadata()) else {
            self.sink.count_lost(Kind::Spans, LossReason::CallsitesLimit);
            return None;
        };
        let mut context = None;
        self.copy_parent(parent, &mut context);
        let start = self.sink.now();
        let limits = self.sink.span_limits();
        let max_value = limits.attribute_value_length;
        let mut encoded = thread::take_buffer();
        encoded.extend_from_slice(&HEAD);
        let mut extras = callsite.extras.get(self.choice, max_value).count;
        if self.options.threads && !callsite.extras.has_thread {
            extras += thread::put_attributes(&mut encoded, max_value);
        }
        let has_extras = extras <= limits.attributes;
        if !has_extras {
            encoded.truncate(HEAD.len());
        }
        let base = if has_extras { extras } else { 0 };
        let room = limits.attributes - base;
        let attributes = Attributes::new(&mut encoded, SPAN_ATTRIBUTE, room, max_value);
        let mut fields = SpanFields::new(callsite, attributes);
        span.record(&mut fields);
        let (marks, left, dropped) = (fields.marks, fields.attributes.room, fields.attributes.dropped);
        let started = self.start_early(context.as_ref(), marks.as_deref(), callsite, start);
        let id = self.slab.insert(|open| {
            open.handles = 1;
            open.callsite = Some(callsite);
            entered::copy_option(&mut open.parent, context.as_ref());
            open.is_recording = true;
            open.start = start;
            if self.options.activity {
                open.activity = Activity::default();
            }
            open.has_extras = has_extras;
            open.attributes = base + room - left;
            open.dropped_attributes = dropped + extras - base;
            open.mark(marks);
            mem::swap(&mut open.encoded, &mut encoded);
            if let Some(context) = &started {
                open.start(context, true);
            }
        });
        thread::keep_buffer(encoded);
        if id.is_none() {
            self.sink.count_lost(Kind::Spans, LossReason::OpenSpansLimit);
        }
        id
    }

    /// Decides about a child of a sampled span at once, which saves a lock later. A span that is not sampled keeps its fields until
    /// its context is used: another parent may be set until then.
    #[inline]
    fn start_early(
        &self,
        parent: Option<&TraceContext>,
        marks: Option<&Marks>,
        callsite: &'static Callsite,
        start: u64,
    ) -> Option<TraceContext> {
        let parent = parent.filter(|parent| parent.is_sampled() && self.sink.records_spans())?;
        let name = marks.and_then(|marks| marks.name.as_deref()).unwrap_or(callsite.metadata.name());
        Some(self.sink.new_context(Some(parent), name, start)).filter(TraceContext::is_sampled)
    }

    /// Records values of a span after its creation.
    pub(super) fn record(&self, id: SlabId, values: &Record<'_>) {
        let Some(callsite) = self.slab.lock(id).and_then(|open| open.callsite) else { return };
        let mut encoded = thread::take_buffer();
        let limits = self.sink.span_limits();
        let fields =
            Attributes::new(&mut encoded, SPAN_ATTRIBUTE, limits.attributes, limits.attribute_value_length);
        let mut fields = SpanFields::new(callsite, fields);
        values.record(&mut fields);
        let (marks, dropped) = (fields.marks, fields.attributes.dropped);
        self.update(id, &encoded, marks, dropped);
        thread::keep_buffer(encoded);
    }

    /// Adds encoded attributes and properties to a span that records.
    pub(super) fn update(&self, id: SlabId, attributes: &[u8], marks: Option<Box<Marks>>, dropped: u32) {
        if let Some(mut open) = self.recording(id) {
            let limits = self.sink.span_limits();
            if let Some(callsite) = open.callsite {
                let extras = callsite.extras.get(self.choice, limits.attribute_value_length);
                open.merge(attributes, limits, &extras.bytes);
            }
            open.dropped_attributes += dropped;
            open.mark(marks);
        }
    }

    /// Links a span to the span that it follows from.
    pub(super) fn follows_from(&self, id: SlabId, follows: SlabId) {
        if let Some(context) = self.context(follows) {
            self.link(id, &context);
        }
    }

    /// Links a span to a context.
    pub(super) fn link(&self, id: SlabId, to: &TraceContext) {
        if let Some(mut open) = self.recording(id) {
            open.push_link(to, self.sink.span_limits());
        }
    }

    /// Makes the span current on the thread. `key` is the span's id in tracing.
    #[inline]
    pub(super) fn enter(&self, key: u64, id: SlabId) {
        if let Some(mut open) = self.started(id)
            && let Some(callsite) = open.callsite
        {
            if self.options.activity {
                open.activity.enter(self.sink.now());
            }
            entered::push(self.door, key, id, callsite, &open.context);
        }
    }

    /// Ends [`enter`](Self::enter).
    #[inline]
    pub(super) fn exit(&self, key: u64) {
        let Some(id) = entered::pop(self.door, key) else { return };
        let is_end = self.options.ends == SpanEnd::LastExit;
        if is_end || self.options.activity {
            let now = self.sink.now();
            if let Some(mut open) = self.slab.lock(id) {
                open.exit = is_end.then_some(now);
                open.activity.exit(now);
            }
        }
    }

    /// Counts another handle of a span.
    #[inline]
    pub(super) fn add_handle(&self, id: SlabId) {
        if let Some(mut open) = self.slab.lock(id) {
            open.handles += 1;
        }
    }

    /// Drops a handle; the last one closes the span, then the result is true.
    #[inline]
    pub(super) fn drop_handle(&self, id: SlabId) -> bool {
        let Some(mut open) = self.slab.lock(id) else { return false };
        open.handles = open.handles.saturating_sub(1);
        if open.handles > 0 {
            return false;
        }
        if open.is_started {
            self.finish(id, open);
        } else {
            drop(open);
            self.close(id);
        }
        true
    }

    /// Ends a span and hands it to the engine.
    pub(super) fn close(&self, id: SlabId) {
        if let Some(open) = self.started(id) {
            self.finish(id, open);
        }
    }

    /// Returns the span's context. The span is started if it was not.
    pub(super) fn context(&self, id: SlabId) -> Option<TraceContext> {
        self.started(id).map(|open| open.context.clone())
    }

    /// Sets the parent of a span whose context was not used.
    pub(super) fn set_parent(&self, id: SlabId, parent: &TraceContext) -> Result<(), SetParentError> {
        let mut open = self.slab.lock(id).ok_or(SetParentError::NotRecorded)?;
        if open.is_used {
            return Err(SetParentError::Started);
        }
        open.parent = Some(parent.clone());
        open.is_started = false;
        Ok(())
    }

    /// Locks a span that records.
    pub(super) fn recording(&self, id: SlabId) -> Option<MutexGuard<'_, Open>> {
        self.slab.lock(id).filter(|open| open.is_recording)
    }

    /// Copies the context of the parent.
    #[inline]
    pub(super) fn copy_parent(&self, parent: Parent, to: &mut Option<TraceContext>) {
        let own = match parent {
            Parent::Current => entered::copy_current(self.door, to),
            Parent::Root => None,
            Parent::Span(id) => Some(id),
        };
        if let Some(id) = own {
            *to = self.context(id);
        }
    }

    /// Starts a span whose context is used from now on: decides about sampling and makes the ids. Returns the span locked.
    #[inline]
    fn started(&self, id: SlabId) -> Option<MutexGuard<'_, Open>> {
        let mut open = self.slab.lock(id)?;
        if !open.is_started {
            drop(open);
            open = self.start(id)?;
        }
        open.is_used = true;
        Some(open)
    }

    #[inline(never)]
    fn start(&self, id: SlabId) -> Option<MutexGuard<'_, Open>> {
        let (parent, name, callsite, start) = {
            let open = self.slab.lock(id)?;
            (open.parent.clone(), open.name.clone(), open.callsite?, open.start)
        };
        let name = name.as_deref().unwrap_or(callsite.metadata.name());
        // The sampler may be code of the user: the span is not locked.
        let context = self.sink.new_context(parent.as_ref(), name, start);
        let mut open = self.slab.lock(id)?;
        if !open.is_started {
            open.parent = parent;
            open.start(&context, context.is_sampled() && self.sink.records_spans());
        }
        Some(open)
    }

    /// Hands a started span to the engine and frees its slot.
    #[inline]
    fn finish(&self, id: SlabId, mut open: MutexGuard<'_, Open>) {
        if open.is_recording
            && let Some(callsite) = open.callsite
        {
            let end = open.exit.unwrap_or_else(|| self.sink.now());
            let max_value = self.sink.span_limits().attribute_value_length;
            let extras = callsite.extras.get(self.choice, max_value);
            if self.options.activity {
                open.put_activity(end, self.sink.span_limits(), &extras.bytes);
            }
            let extras: &[u8] = if open.has_extras { &extras.bytes } else { &[] };
            let name: &[u8] = if open.name.is_none() { &callsite.span_name } else { &[] };
            self.sink.append_span(self.options.scope, &[open.finish(end), name, extras]);
        }
        self.slab.remove(id, open);
    }
}

fn choice(options: &TracingOptions) -> Choice {
    Choice { location: options.location, target: options.targets, level: options.levels }
}
