//! Log records.

use super::context::TraceContext;
use super::engine::{Buffer, ScopeId, Shared, local, to_unix_nanos, unix_nanos};
use super::key::AttributeKey;
use super::trace::{AttributeLimits, Attributes, encode};
use otlp_protocol::{SeverityNumber, ToValue};
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

/// Describes a log record; [`emit`](Self::emit) records it. A builder that is dropped records nothing.
///
/// The record has the thread's current trace context unless another is set.
#[derive(Debug)]
#[must_use = "nothing is recorded without `emit`"]
pub struct LogBuilder<'a> {
    /// `None` if nothing is recorded: on a suppressed thread, or in a client that sends no logs.
    shared: Option<&'a Arc<Shared>>,
    scope: ScopeId,
    severity: SeverityNumber,
    severity_text: &'a str,
    event_name: &'a str,
    /// Nanoseconds since 1970; 0 for none.
    time: u64,
    context: Option<TraceContext>,
    attributes: Attributes,
    /// Encoded body and attributes.
    bytes: Buffer,
    body: Range<usize>,
}

impl<'a> LogBuilder<'a> {
    pub(crate) fn begin(shared: &'a Arc<Shared>, severity: SeverityNumber) -> Self {
        let shared = Some(shared).filter(|shared| shared.config.records_logs && !local::is_suppressed());
        Self {
            scope: ScopeId::default(),
            severity,
            severity_text: "",
            event_name: "",
            time: 0,
            context: None,
            attributes: Attributes::default(),
            bytes: shared.map(local::take_buffer).unwrap_or_default(),
            body: 0..0,
            shared,
        }
    }

    /// Sets the body: a text, or any other value.
    pub fn body(mut self, body: impl ToValue) -> Self {
        let (bytes, range) = (&mut self.bytes, &mut self.body);
        bytes.remove(range.clone());
        body.with_value(|value| {
            range.start = bytes.len();
            let at = bytes.begin_message(BODY);
            encode(bytes, value);
            bytes.end_message(at);
            range.end = bytes.len();
        });
        self
    }

    /// Adds an attribute. A later value of the same key replaces the former.
    pub fn attribute(mut self, key: impl AttributeKey, value: impl ToValue) -> Self {
        if let Some(shared) = self.shared {
            let limits = &shared.config.log_limits;
            let limits = AttributeLimits::new(limits.attributes, limits.attribute_value_length);
            self.attributes.put(&mut self.bytes, ATTRIBUTE, &limits, &key, value);
        }
        self
    }

    /// Sets the text of the severity, as the source of the record has it.
    pub fn severity_text(mut self, text: &'a str) -> Self {
        self.severity_text = text;
        self
    }

    /// Makes the record an event of this name.
    pub fn event_name(mut self, name: &'a str) -> Self {
        self.event_name = name;
        self
    }

    /// Sets the span that the record belongs to. Default: the thread's current span.
    pub fn context(mut self, context: &TraceContext) -> Self {
        self.context = Some(context.clone());
        self
    }

    /// Sets the time of the event that the record describes. Default: none; the time of [`emit`](Self::emit) is the time of
    /// observation in any case, which receivers take for a time that is not set.
    pub fn time(mut self, time: SystemTime) -> Self {
        self.time = to_unix_nanos(time);
        self
    }

    /// Sets the instrumentation scope. Default: the client's own.
    pub fn scope(mut self, scope: ScopeId) -> Self {
        self.scope = scope;
        self
    }

    /// Records the log record.
    pub fn emit(mut self) {
        let Some(shared) = self.shared else {
            return;
        };
        let observed = unix_nanos();
        let out = &mut self.bytes;
        if self.time != 0 {
            out.append(9).put(&[TIME]).put(&self.time.to_le_bytes());
        }
        out.append(9).put(&[OBSERVED_TIME]).put(&observed.to_le_bytes());
        out.put_uint(SEVERITY, i64::from(self.severity.number()) as u64);
        out.put_uint(DROPPED, u64::from(self.attributes.dropped));
        for (tag, text) in [(SEVERITY_TEXT, self.severity_text), (EVENT_NAME, self.event_name)] {
            if !text.is_empty() {
                out.put_len_delimited(tag, text.as_bytes());
            }
        }
        if let Some(context) = self.context.take().or_else(local::current) {
            let mut ids = out.append(33);
            ids.put(&[TRACE_ID, 16]).put(&context.trace_id).put(&[SPAN_ID, 8]).put(&context.span_id);
            ids.put(&[FLAGS]).put(&u32::from(context.flags).to_le_bytes());
        }
        local::append_log(shared, self.scope, self.bytes.as_slice());
    }
}

impl Drop for LogBuilder<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared {
            local::keep_buffer(shared, std::mem::take(&mut self.bytes));
        }
    }
}

// Tags in a log record.
const TIME: u8 = 0x09;
const SEVERITY: u8 = 0x10;
const SEVERITY_TEXT: u8 = 0x1a;
const BODY: u8 = 0x2a;
const ATTRIBUTE: u8 = 0x32;
const DROPPED: u8 = 0x38;
const FLAGS: u8 = 0x45;
const TRACE_ID: u8 = 0x4a;
const SPAN_ID: u8 = 0x52;
const OBSERVED_TIME: u8 = 0x59;
const EVENT_NAME: u8 = 0x62;
