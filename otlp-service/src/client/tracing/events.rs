//! Recording of events: as events of the span, as log records, or both.

use super::attributes::Attributes;
use super::callsite::{Callsite, EVENT_ATTRIBUTE, LOG_ATTRIBUTE};
use super::entered;
use super::event_fields::{EventFields, Target};
use super::key::Choice;
use super::open::retag;
use super::recorder::{Parent, Recorder};
use super::slab::SlabId;
use super::span_fields::Marks;
use super::thread;
use crate::client::TraceContext;
use crate::client::engine::{Kind, LossReason};
use otlp_protocol::StatusCode;
use otlp_protocol::wire::{put_len_delimited, put_uint};
use std::ops::Range;
use tracing::Event;

/// The effect of an event on its span.
struct Effect {
    /// Position of the attributes of an error in the encoded event.
    exception: Option<Range<usize>>,
    /// Position of the text for the span's status.
    description: Option<Range<usize>>,
}

// === impl Recorder ===

impl Recorder {
    /// Records an event of a span, or of none.
    #[inline]
    pub(super) fn event(&self, event: &Event<'_>, parent: Parent) {
        if self.sink.is_suppressed() {
            return;
        }
        let Some(callsite) = Callsite::of(event.metadata()) else {
            return self.sink.count_lost(Kind::Logs, LossReason::CallsitesLimit);
        };
        let span = match parent {
            Parent::Current => entered::last(self.door, |span| (span.id, span.is_sampled)),
            Parent::Root => None,
            Parent::Span(id) => Some((id, self.recording(id).is_some())),
        };
        let forms = self.options.events;
        if let Some((id, true)) = span.filter(|_| forms.has_span_events()) {
            self.span_event(event, callsite, id);
        }
        if (span.is_none() || forms.has_logs()) && self.sink.records_logs() {
            let mut context = None;
            self.copy_parent(parent, &mut context);
            self.log(event, callsite, context.as_ref());
        }
    }

    #[inline]
    fn span_event(&self, event: &Event<'_>, callsite: &'static Callsite, id: SlabId) {
        let time = self.sink.now();
        let limits = self.sink.span_limits();
        let mut encoded = thread::take_buffer();
        let [a, b, c, d, e, f, g, h] = time.to_le_bytes();
        encoded.extend_from_slice(&[EVENT_TIME, a, b, c, d, e, f, g, h]);
        let choice = Choice { location: self.options.location, target: self.options.targets, level: true };
        let extras = callsite.extras.get(choice, limits.attribute_value_length);
        let mut room = limits.attributes_per_event;
        if extras.count <= room {
            encoded.extend_from_slice(&extras.bytes);
            room -= extras.count;
        }
        let attributes = Attributes::new(&mut encoded, EVENT_ATTRIBUTE, room, limits.attribute_value_length);
        let mut fields = EventFields::new(callsite, attributes, Target::SpanEvent);
        event.record(&mut fields);
        let EventFields { attributes, has_message, exception, description, .. } = fields;
        let dropped = attributes.dropped;
        if !has_message {
            put_len_delimited(&mut encoded, EVENT_NAME, callsite.metadata.name().as_bytes());
        }
        put_uint(&mut encoded, EVENT_DROPPED, u64::from(dropped));
        self.add_event(id, callsite, &encoded, Effect { exception, description });
        thread::keep_buffer(encoded);
    }

    /// Adds an encoded event to its span; an event of level ERROR makes the span's status Error.
    #[inline]
    fn add_event(&self, id: SlabId, callsite: &'static Callsite, event: &[u8], effect: Effect) {
        if let Some(mut open) = self.recording(id) {
            open.push_event(event, self.sink.span_limits());
            if callsite.is_error {
                open.set_error();
            }
        }
        if effect.description.is_some() || effect.exception.is_some() {
            self.mark_span(id, event, effect);
        }
    }

    /// Sets the status and the attributes `exception.*` of a span after an event with an error.
    #[cold]
    fn mark_span(&self, id: SlabId, event: &[u8], effect: Effect) {
        let part = |range: Range<usize>| event.get(range).unwrap_or_default();
        let description = effect.description.map(|range| String::from_utf8_lossy(part(range)).into_owned());
        let mut attributes = Vec::new();
        retag(&mut attributes, effect.exception.map(part).unwrap_or_default());
        let status = description.is_some().then_some(StatusCode::Error);
        let marks = Marks { status, description, ..Marks::default() };
        self.update(id, &attributes, Some(Box::new(marks)), 0);
    }

    #[inline]
    fn log(&self, event: &Event<'_>, callsite: &'static Callsite, context: Option<&TraceContext>) {
        let time = self.sink.now();
        let limits = self.sink.log_limits();
        let mut encoded = thread::take_buffer();
        let mut room = limits.attributes;
        if self.options.log_location {
            let choice = Choice { location: true, target: false, level: false };
            let extras = callsite.log_extras.get(choice, limits.attribute_value_length);
            if extras.count <= room {
                encoded.extend_from_slice(&extras.bytes);
                room -= extras.count;
            }
        }
        let attributes = Attributes::new(&mut encoded, LOG_ATTRIBUTE, room, limits.attribute_value_length);
        let mut fields = EventFields::new(callsite, attributes, Target::LogRecord);
        event.record(&mut fields);
        let dropped = fields.attributes.dropped;
        put_uint(&mut encoded, LOG_DROPPED, u64::from(dropped));
        let head = LogHead::new(time, context);
        self.sink.append_log(callsite, &[head.as_bytes(), &callsite.log_head, &encoded]);
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

/// Tag of the time in a span event.
const EVENT_TIME: u8 = 0x09;
/// Fields of a span event.
const EVENT_NAME: u32 = 2;
const EVENT_DROPPED: u32 = 4;
/// Field of a log record.
const LOG_DROPPED: u32 = 7;
