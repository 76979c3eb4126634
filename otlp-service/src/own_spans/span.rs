//! A finished span, as it waits to be sent.

use crate::own_queue::OwnEntry;
use otlp_protocol::encode::{ScopeGroupWriter, Spans};
use otlp_protocol::{AttributeValue, SpanContext, SpanKind, StatusCode};
use std::borrow::Cow;

/// A finished span of the gateway's own work.
#[derive(Debug)]
pub struct OwnSpan {
    pub(crate) context: SpanContext,
    pub(crate) parent: Option<SpanContext>,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    /// Nanoseconds since 1970.
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) attributes: Vec<(Cow<'static, str>, AttributeValue)>,
    pub(crate) links: Vec<SpanContext>,
    /// Message of the failure.
    pub(crate) error: Option<String>,
}

impl OwnEntry for OwnSpan {
    type Entries = Spans;

    fn write(&self, scope: &mut ScopeGroupWriter<'_, Spans>) {
        scope.span(|span| {
            span.trace_id(&self.context.trace_id).span_id(&self.context.span_id);
            if let Some(parent) = &self.parent {
                span.parent_span_id(&parent.span_id);
            }
            span.name(&self.name).kind(self.kind);
            span.start_time_unix_nano(self.start).end_time_unix_nano(self.end).flags(SAMPLED);
            for (key, value) in &self.attributes {
                span.attribute(key, value);
            }
            for SpanContext { trace_id, span_id, .. } in &self.links {
                span.link(|link| {
                    link.trace_id(trace_id).span_id(span_id);
                });
            }
            if let Some(message) = &self.error {
                span.status(|status| {
                    status.message(message).code(StatusCode::Error);
                });
            }
        });
    }
}

/// Trace flag.
const SAMPLED: u32 = 1;
