//! Fields of events: the fields of a span event, or of a log record.

use super::attributes::{AttributeWriter, format_into, formatted};
use super::callsite::Callsite;
use super::failure::{EXCEPTION_MESSAGE, Failure};
use super::key::Role;
use crate::client::key::Key;
use crate::client::trace::STRING;
use std::error::Error;
use std::fmt::{self, Debug, Display};
use tracing::field::{Field, Visit};

/// Encodes the fields of an event.
pub(super) struct EventFields<'a> {
    callsite: &'static Callsite,
    pub(super) attributes: AttributeWriter<'a>,
    target: Target,
    /// True if the name of the span event, or the body of the log record, is written.
    pub(super) has_message: bool,
    /// An error, for the span.
    pub(super) exception: Option<Failure>,
    /// Text for the span's status.
    pub(super) description: Option<String>,
}

/// The message that an event is encoded as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    SpanEvent,
    LogRecord,
}

// === impl EventFields ===

impl<'a> EventFields<'a> {
    pub(super) fn new(callsite: &'static Callsite, attributes: AttributeWriter<'a>, target: Target) -> Self {
        Self { callsite, attributes, target, has_message: false, exception: None, description: None }
    }

    /// Calls `attribute` if the field is an attribute; writes the message if the field is the message.
    #[inline]
    fn field(
        &mut self,
        field: &Field,
        attribute: impl FnOnce(&mut AttributeWriter<'a>, &Key),
        text: &dyn Display,
    ) {
        match self.callsite.field(field.index()) {
            Some((key, Role::Attribute)) => attribute(&mut self.attributes, key),
            Some((_, Role::Message)) => self.message(format_args!("{text}")),
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
        let out = &mut *self.attributes.out;
        match self.target {
            Target::SpanEvent => {
                let name = out.begin_message(EVENT_NAME);
                format_into(out, text, None);
                out.end_message(name);
            }
            Target::LogRecord => {
                let body = out.begin_message(BODY);
                let value = out.begin_message(STRING);
                format_into(out, text, None);
                out.end_message(value);
                out.end_message(body);
            }
        }
    }

    /// Writes an error that is the whole event: an exception, whose text is also the status of the span.
    fn unnamed_error(&mut self, text: &dyn Display) {
        self.has_message = true;
        self.attributes.out.put_len_delimited(EVENT_NAME, b"exception");
        let text = formatted(format_args!("{text}"));
        self.attributes.other(self.callsite.fingerprints, EXCEPTION_MESSAGE, &text);
        self.description = Some(text);
    }
}

impl Visit for EventFields<'_> {
    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, |attributes, key| attributes.field(key, value), &value);
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, |attributes, key| attributes.field(key, value), &value);
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, |attributes, key| attributes.wide(key, value), &value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.field(field, |attributes, key| attributes.wide(key, value), &value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.field(field, |attributes, key| attributes.wide(key, value), &value);
    }

    #[inline]
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field, |attributes, key| attributes.field(key, value), &value);
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, |attributes, key| attributes.field(key, value), &value);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.field(field, |attributes, key| attributes.field(key, value), &Bytes(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let Some((key, role)) = self.callsite.field(field.index()) else { return };
        let failure = match role {
            Role::Attribute | Role::Error => Failure::new(value),
            Role::Message => return self.message(format_args!("{value}")),
            _ => return,
        };
        let Callsite { fingerprints, extras, .. } = self.callsite;
        if self.target == Target::SpanEvent {
            failure.put_field(&mut self.attributes, *fingerprints, key);
        }
        if !extras.has_exception && self.exception.is_none() {
            failure.put_exception(&mut self.attributes, *fingerprints);
            self.exception = Some(failure);
        }
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if let Some((_, Role::Message)) = self.callsite.field(field.index()) {
            return self.message(format_args!("{value:?}"));
        }
        let put = |attributes: &mut AttributeWriter<'_>, key: &Key| {
            attributes.formatted(key, format_args!("{value:?}"));
        };
        self.field(field, put, &Debugged(value));
    }
}

/// Bytes as a text.
struct Bytes<'a>(&'a [u8]);

/// A value as the text of its `Debug`.
struct Debugged<'a>(&'a dyn Debug);

impl Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}", self.0)
    }
}

impl Display for Debugged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Tag of the name in a span event.
pub(super) const EVENT_NAME: u8 = 0x12;
/// Tag of the body in a log record.
const BODY: u8 = 0x2a;
