//! Recording of events: as events of the span, as log records, or both.

use super::attributes::AttributeWriter;
use super::callsite::{Callsite, EVENT_ATTRIBUTE, LOG_ATTRIBUTE};
use super::entered::Entered;
use super::event_fields::{EVENT_NAME, EventFields, Target};
use super::failure::Failure;
use super::key::Choice;
use super::recorder::{Parent, Recorder};
use super::slab::SlabId;
use super::thread;
use crate::client::TraceContext;
use crate::client::engine::{Kind, LossReason};
use crate::client::trace::{AttributeLimits, Attributes};
use otlp_protocol::StatusCode;
use tracing::Event;

/// The effect of an event on its span.
struct Effect {
    exception: Option<Failure>,
    /// Text for the status.
    description: Option<String>,
}

// === impl Recorder ===

impl Recorder {
    /// Records an event of a span, or of none.
    #[inline]
    pub(super) fn event(&self, event: &Event<'_>, parent: Parent) {
        let last = |entered: Option<&Entered>| {
            entered.and_then(|entered| entered.last(self.door)).map(|span| (span.id, span.is_sampled))
        };
        let Some(last) = self.sink.unless_suppressed(last) else { return };
        let Some(callsite) = Callsite::of(event.metadata()) else {
            return self.sink.count_lost(Kind::Logs, LossReason::CallsitesLimit);
        };
        let span = match parent {
            Parent::Current => last,
            Parent::Root => None,
            Parent::Span(id) => Some((id, self.recording(id).is_some())),
        };
        let forms = self.options.events;
        if let Some((id, true)) = span.filter(|_| forms.has_span_events()) {
            self.span_event(event, callsite, id);
        }
        if (span.is_none() || forms.has_logs()) && self.sink.records_logs() {
            self.log(event, callsite, self.parent_context(parent).as_ref());
        }
    }

    #[inline]
    fn span_event(&self, event: &Event<'_>, callsite: &'static Callsite, id: SlabId) {
        let time = self.sink.now();
        let limits = self.sink.span_limits();
        let limits = AttributeLimits::new(limits.attributes_per_event, limits.attribute_value_length);
        let (mut encoded, mut list) = (thread::take_buffer(), Attributes::default());
        let choice = Choice { location: self.options.location, target: self.options.targets, level: true };
        let mut made = None;
        let extras = callsite.extras.get(choice, limits.value_length, &mut made);
        let has_extras = list.admit_encoded(extras.count, limits.count);
        let attributes = AttributeWriter::new((&mut encoded, &mut list, limits), EVENT_ATTRIBUTE);
        let mut fields = EventFields::new(callsite, attributes, Target::SpanEvent);
        event.record(&mut fields);
        let EventFields { has_message, exception, description, .. } = fields;
        if !has_message {
            encoded.put_len_delimited(EVENT_NAME, callsite.metadata.name().as_bytes());
        }
        encoded.put_uint(EVENT_DROPPED, u64::from(list.dropped));
        let extras: &[u8] = if has_extras { &extras.bytes } else { &[] };
        self.add_event(id, callsite, time, [extras, encoded.as_slice()], Effect { exception, description });
        thread::keep_buffer(encoded);
    }

    /// Adds an encoded event to its span; an event of level ERROR makes the span's status Error.
    #[inline]
    fn add_event(
        &self,
        id: SlabId,
        callsite: &'static Callsite,
        time: u64,
        fields: [&[u8]; 2],
        effect: Effect,
    ) {
        if let Some(mut open) = self.recording(id)
            && let Some(span) = &mut open.span
        {
            span.push_event(time, fields);
            if callsite.is_error {
                span.set_error();
            }
        }
        if effect.description.is_some() || effect.exception.is_some() {
            self.mark_span(id, effect);
        }
    }

    /// Sets the status and the attributes `exception.*` of a span after an event with an error.
    #[cold]
    fn mark_span(&self, id: SlabId, effect: Effect) {
        if let Some(exception) = effect.exception {
            self.with_writer(id, u64::MAX, |attributes| exception.put_exception(attributes, 0));
        }
        if let (Some(description), Some(mut open)) = (effect.description, self.recording(id))
            && let Some(span) = &mut open.span
        {
            span.set_status(StatusCode::Error, &description);
        }
    }

    #[inline]
    fn log(&self, event: &Event<'_>, callsite: &'static Callsite, context: Option<&TraceContext>) {
        let time = self.sink.now();
        let limits = self.sink.log_limits();
        let limits = AttributeLimits::new(limits.attributes, limits.attribute_value_length);
        let (mut encoded, mut list) = (thread::take_buffer(), Attributes::default());
        if self.options.log_location {
            let choice = Choice { location: true, target: false, level: false };
            let mut made = None;
            let extras = callsite.log_extras.get(choice, limits.value_length, &mut made);
            if list.admit_encoded(extras.count, limits.count) {
                encoded.put(&extras.bytes);
            }
        }
        let attributes = AttributeWriter::new((&mut encoded, &mut list, limits), LOG_ATTRIBUTE);
        event.record(&mut EventFields::new(callsite, attributes, Target::LogRecord));
        encoded.put_uint(LOG_DROPPED, u64::from(list.dropped));
        let head = LogHead::new(time, context);
        self.sink.append_log(callsite, &[head.as_bytes(), &callsite.log_head, encoded.as_slice()]);
        thread::keep_buffer(encoded);
    }
}

/// The fixed fields of a log record, encoded.
struct LogHead {
    bytes: [u8; LOG_HEAD.len()],
    len: usize,
}

// === impl LogHead ===

impl LogHead {
    #[inline]
    fn new(time: u64, context: Option<&TraceContext>) -> Self {
        let mut bytes = LOG_HEAD;
        bytes[1..9].copy_from_slice(&time.to_le_bytes());
        let mut len = 9;
        if let Some(context) = context {
            bytes[10..14].copy_from_slice(&u32::from(context.flags).to_le_bytes());
            bytes[16..32].copy_from_slice(&context.trace_id);
            bytes[34..42].copy_from_slice(&context.span_id);
            len = 42;
        }
        Self { bytes, len }
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

/// Fields of a log record with zeros for the values: observed time, flags, trace id, span id.
const LOG_HEAD: [u8; 42] = {
    let mut head = [0; 42];
    head[0] = 0x59;
    head[9] = 0x45;
    head[14] = 0x4a;
    head[15] = 16;
    head[32] = 0x52;
    head[33] = 8;
    head
};

/// Tag of the number of dropped attributes in a span event.
const EVENT_DROPPED: u8 = 0x20;
/// Tag of the number of dropped attributes in a log record.
const LOG_DROPPED: u8 = 0x38;
