//! Recording of spans and events: what the layer and the subscriber have in common.
//!
//! Values are encoded into a buffer of the thread, because `Debug` and `Display` are code of the user, which may record telemetry
//! itself. Only then is the span locked, and the encoded bytes are copied or swapped in. Samplers run without a lock for the same
//! reason.
//!
//! The start of spans is in [`start`](super::start).

use super::activity::Activity;
use super::attributes::AttributeWriter;
use super::callsite::{Callsite, SPAN_ATTRIBUTE};
use super::entered::{self, Around};
use super::key::{Choice, Extra};
use super::open::Open;
use super::options::{SpanEnd, TracingOptions};
use super::sink::Sink;
use super::slab::{Slab, SlabId};
use super::span_fields::SpanFields;
use super::thread;
use crate::client::TraceContext;
use crate::client::engine::{Kind, Locked, LossReason, local};
use crate::client::key::AttributeKey as _;
use crate::client::trace::{AttributeLimits, Attributes, OpenSpan};
use otlp_protocol::Value;
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
    pub(super) slab: Slab,
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
    pub(super) fn new_span(&self, new: &NewSpan<'_>, parent: Parent) -> Option<SlabId> {
        let (mut span, is_of_other) = self.sink.open(self.door)?;
        let Some(callsite) = Callsite::of(new.metadata()) else {
            self.sink.count_lost(Kind::Spans, LossReason::CallsitesLimit);
            local::discard(span);
            return None;
        };
        self.set_new_parent(&mut span, parent, is_of_other);
        span.scope = self.options.scope;
        span.start = self.sink.now();
        let has_extras = self.put_extras(&mut span, callsite);
        let attributes = AttributeWriter::new(span.parts(), SPAN_ATTRIBUTE);
        let mut fields = SpanFields::new(callsite, attributes);
        new.record(&mut fields);
        let marks = fields.marks;
        span.parts().1.seen |= callsite.fingerprints;
        let has_name = marks.is_some_and(|marks| marks.apply(&mut span));
        let is_started = self.start_early(&mut span, has_name, has_extras, callsite);
        let mut span = Some(span);
        let id = self.slab.insert(|open| {
            open.handles = 1;
            open.callsite = Some(callsite);
            (open.is_started, open.is_used, open.is_recording) = (is_started, false, true);
            (open.has_extras, open.has_name, open.exit) = (has_extras, has_name, 0);
            if self.options.activity {
                open.activity = Activity::default();
            }
            open.span = span.take();
        });
        if let Some(span) = span {
            self.sink.count_lost(Kind::Spans, LossReason::OpenSpansLimit);
            local::discard(span);
        }
        id
    }

    /// Sets the parent of a span whose parent is the thread's current context; `is_of_other` if the context is a span of another
    /// door.
    #[inline]
    fn set_new_parent(&self, span: &mut OpenSpan, parent: Parent, is_of_other: bool) {
        let context = match parent {
            Parent::Current if !is_of_other => return,
            Parent::Current => match entered::around(self.door, span.parent()) {
                None => return,
                Some(Around::Span(id)) => self.context(id),
                Some(Around::Context(context)) => context,
            },
            Parent::Root => None,
            Parent::Span(id) => self.context(id),
        };
        span.set_parent(context.as_ref());
    }

    /// Writes the attributes of the thread, and counts those of the metadata, which are written at the end. False if all are beyond
    /// the limit.
    #[inline]
    fn put_extras(&self, span: &mut OpenSpan, callsite: &'static Callsite) -> bool {
        let (out, attributes, limits) = span.parts();
        let extras = callsite.extras.get(self.choice, limits.value_length, &mut None).count;
        if !self.options.threads || callsite.extras.has_thread {
            return attributes.admit_encoded(extras, limits.count);
        }
        let mut has_extras = false;
        thread::with_attributes(limits.value_length, |thread| {
            has_extras = attributes.admit_encoded(extras + thread.count, limits.count);
            if has_extras {
                out.put(&thread.bytes);
                attributes.seen |= thread.fingerprints;
            }
        });
        has_extras
    }

    /// Records values of a span after its creation.
    pub(super) fn record(&self, id: SlabId, values: &Record<'_>) {
        let Some(callsite) = self.slab.lock(id).and_then(|open| open.callsite) else { return };
        let limits = self.sink.span_limits();
        let limits = AttributeLimits::new(limits.attributes, limits.attribute_value_length);
        let (mut encoded, mut list) = (thread::take_buffer(), Attributes::default());
        let fields = AttributeWriter::new((&mut encoded, &mut list, limits), SPAN_ATTRIBUTE);
        let mut fields = SpanFields::new(callsite, fields);
        values.record(&mut fields);
        let marks = fields.marks;
        list.seen |= callsite.fingerprints;
        if let Some(mut open) = self.recording(id) {
            open.merge(&list, encoded.as_slice(), self.extras(callsite, &mut None));
            open.mark(marks);
        }
        thread::keep_buffer(encoded);
    }

    /// Sets an attribute of a span that records.
    pub(super) fn set_attribute(&self, id: SlabId, key: &str, value: Value<'_>) {
        self.with_writer(id, key.fingerprint(), |attributes| attributes.other(0, key, value));
    }

    /// Calls `write` with the writer of a recording span's attributes, under the span's lock. `fingerprints` are those of the keys
    /// that are written. `write` runs no code of the user.
    pub(super) fn with_writer(
        &self,
        id: SlabId,
        fingerprints: u64,
        write: impl FnOnce(&mut AttributeWriter<'_>),
    ) {
        if let Some(mut open) = self.recording(id)
            && let Some(callsite) = open.callsite
            && let Some(mut writer) = open.writer(fingerprints, self.extras(callsite, &mut None))
        {
            write(&mut writer);
        }
    }

    /// Returns the attributes of the metadata; `made` keeps them if they are made for this call.
    #[inline]
    pub(super) fn extras<'a>(&self, callsite: &'static Callsite, made: &'a mut Option<Extra>) -> &'a Extra {
        callsite.extras.get(self.choice, self.sink.span_limits().attribute_value_length, made)
    }

    /// Links a span to the span that it follows from.
    pub(super) fn follows_from(&self, id: SlabId, follows: SlabId) {
        if let Some(context) = self.context(follows) {
            self.link(id, &context);
        }
    }

    /// Links a span to a context.
    pub(super) fn link(&self, id: SlabId, to: &TraceContext) {
        if let Some(mut open) = self.recording(id)
            && let Some(span) = &mut open.span
        {
            span.begin_link(to);
        }
    }

    /// Makes the span current on the thread. `key` is the span's id in tracing.
    #[inline]
    pub(super) fn enter(&self, key: u64, id: SlabId) {
        if let Some(mut open) = self.started(id) {
            if self.options.activity {
                open.activity.enter(self.sink.now());
            }
            if let (Some(callsite), Some(span)) = (open.callsite, &open.span) {
                entered::push(self.door, key, id, callsite, &span.context);
            }
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
                open.exit = if is_end { now } else { 0 };
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

    /// Locks a span that records.
    pub(super) fn recording(&self, id: SlabId) -> Option<Locked<'_, Open>> {
        self.slab.lock(id).filter(|open| open.is_recording)
    }

    /// Returns the context of the parent.
    #[inline]
    pub(super) fn parent_context(&self, parent: Parent) -> Option<TraceContext> {
        match parent {
            Parent::Current => {
                let current = local::current();
                match entered::around(self.door, current.as_ref()) {
                    None => current,
                    Some(Around::Span(id)) => self.context(id),
                    Some(Around::Context(context)) => context,
                }
            }
            Parent::Root => None,
            Parent::Span(id) => self.context(id),
        }
    }

    /// Hands a started span to the engine and frees its slot.
    #[inline]
    fn finish(&self, id: SlabId, mut open: Locked<'_, Open>) {
        if self.options.activity {
            open.put_activity(self);
        }
        let (span, callsite) = (open.span.take(), open.callsite);
        let Open { is_recording, has_extras, has_name, exit, .. } = *open;
        self.slab.remove(id, open);
        let (Some(mut span), Some(callsite)) = (span, callsite) else {
            return;
        };
        if !is_recording {
            return local::discard(span);
        }
        span.end = exit;
        let name = (!has_name).then(|| callsite.metadata.name());
        let mut made = None;
        let extras = self.extras(callsite, &mut made);
        span.finish(name, if has_extras { &extras.bytes } else { &[] });
    }
}

fn choice(options: &TracingOptions) -> Choice {
    Choice { location: options.location, target: options.targets, level: options.levels }
}
