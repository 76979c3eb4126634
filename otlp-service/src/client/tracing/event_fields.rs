//! Fields of events: the fields of a span event, or of a log record.

use super::attributes::{Attributes, STRING, format_into};
use super::callsite::Callsite;
use super::failure::{EXCEPTION_MESSAGE, Failure};
use super::key::Role;
use otlp_protocol::wire::{put_varint, varint_len};
use std::error::Error;
use std::fmt::{self, Debug};
use std::ops::Range;
use tracing::field::{Field, Visit};

/// Encodes the fields of an event.
pub(super) struct EventFields<'a> {
    callsite: &'static Callsite,
    pub(super) attributes: Attributes<'a>,
    target: Target,
    /// True if the name of the span event, or the body of the log record, is written.
    pub(super) has_message: bool,
    /// Position of the attributes of an error, for the span.
    pub(super) exception: Option<Range<usize>>,
    /// Position of the text for the span's status.
    pub(super) description: Option<Range<usize>>,
}

/// The message that an event is encoded as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    SpanEvent,
    LogRecord,
}

// === impl EventFields ===

impl<'a> EventFields<'a> {
    pub(super) fn new(callsite: &'static Callsite, attributes: Attributes<'a>, target: Target) -> Self {
        Self { callsite, attributes, target, has_message: false, exception: None, description: None }
    }

    /// Calls `attribute` if the field is an attribute; writes the message if the field is the message.
    #[inline]
    fn field(
        &mut self,
        field: &Field,
        attribute: impl FnOnce(&mut Attributes<'a>, &[u8]),
        text: fmt::Arguments<'_>,
    ) {
        match self.callsite.field(field.index()) {
            Some((key, Role::Attribute)) => attribute(&mut self.attributes, key),
            Some((_, Role::Message)) => self.message(text),
            Some((key, Role::Error)) if self.has_message || self.target == Target::LogRecord => {
                attribute(&mut self.attributes, key);
            }
            Some((_, Role::Error)) => self.unnamed_error(text),
            Some(_) | None => {}
        }
    }

    /// Writes the name of the span event, or the body of the log record.
    #[inline]
    fn message(&mut self, text: fmt::Arguments<'_>) {
        if self.has_message {
            return;
        }
        self.has_message = true;
        let out = self.attributes.out();
        match self.target {
            Target::SpanEvent => {
                out.extend_from_slice(&[EVENT_NAME, 0]);
                let from = out.len();
                format_into(out, text, None);
                close(out, from, &[]);
            }
            Target::LogRecord => {
                out.extend_from_slice(&[BODY, 0, STRING, 0]);
                let from = out.len();
                format_into(out, text, None);
                close(out, from, &[STRING]);
            }
        }
    }

    /// Writes an error that is the whole event: an exception, whose text is also the status of the span.
    fn unnamed_error(&mut self, text: fmt::Arguments<'_>) {
        self.has_message = true;
        self.attributes.out().extend_from_slice(b"\x12\x09exception");
        let len = self.attributes.formatted(EXCEPTION_MESSAGE, text);
        let end = self.attributes.out().len();
        self.description = Some(end - len..end);
    }
}

impl Visit for EventFields<'_> {
    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, |attributes, key| attributes.text(key, value), format_args!("{value}"));
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, |attributes, key| attributes.int(key, value), format_args!("{value}"));
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, |attributes, key| attributes.wide(key, value), format_args!("{value}"));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.field(field, |attributes, key| attributes.wide(key, value), format_args!("{value}"));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.field(field, |attributes, key| attributes.wide(key, value), format_args!("{value}"));
    }

    #[inline]
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field, |attributes, key| attributes.double(key, value), format_args!("{value}"));
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, |attributes, key| attributes.boolean(key, value), format_args!("{value}"));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.field(field, |attributes, key| attributes.bytes(key, value), format_args!("{value:02x?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let Some((key, role)) = self.callsite.field(field.index()) else { return };
        let failure = match role {
            Role::Attribute | Role::Error => Failure::new(value),
            Role::Message => return self.message(format_args!("{value}")),
            _ => return,
        };
        if self.target == Target::SpanEvent {
            failure.put_field(&mut self.attributes, key, field.name());
        }
        if !self.callsite.extras.has_exception && self.exception.is_none() {
            let from = self.attributes.out().len();
            failure.put_exception(&mut self.attributes);
            self.exception = Some(from..self.attributes.out().len());
        }
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let put = |attributes: &mut Attributes<'_>, key: &[u8]| {
            attributes.formatted(key, format_args!("{value:?}"));
        };
        self.field(field, put, format_args!("{value:?}"));
    }
}

/// Writes the lengths before the text at `from`: its own, and the length of the message around the text, which has `inner`
/// between the two lengths.
#[inline]
fn close(out: &mut Vec<u8>, from: usize, inner: &[u8]) {
    let len = out.len() - from;
    if len + 2 < 0x80 {
        match (inner, out.get_mut(..from)) {
            ([], Some([.., text])) => *text = len as u8,
            (_, Some([.., outer, _, text])) => {
                *outer = len as u8 + 2;
                *text = len as u8;
            }
            _ => {}
        }
        return;
    }
    let mut lengths = Vec::with_capacity(16);
    if inner.is_empty() {
        put_varint(&mut lengths, len as u64);
        out.splice(from - 1..from, lengths);
    } else {
        put_varint(&mut lengths, (inner.len() + varint_len(len as u64) + len) as u64);
        lengths.extend_from_slice(inner);
        put_varint(&mut lengths, len as u64);
        out.splice(from - 3..from, lengths);
    }
}

/// Tag of the name in a span event.
const EVENT_NAME: u8 = 0x12;
/// Tag of the body in a log record.
const BODY: u8 = 0x2a;
