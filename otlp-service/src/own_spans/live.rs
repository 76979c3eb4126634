//! A span that has begun.

use super::{OwnSpan, Recorder};
use otlp_protocol::{AttributeValue, BatchTrace, Signal, SpanContext, SpanKind, ToValue};
use otlp_transport::{Clock, ExportError, ExportResult};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// A span that has begun. It ends when it is dropped.
pub(crate) struct LiveSpan {
    recorder: Arc<Recorder>,
    clock: Arc<dyn Clock>,
    began: Instant,
    /// Taken when the span ends.
    span: Option<OwnSpan>,
    context: SpanContext,
}

impl LiveSpan {
    pub(super) fn begin(
        recorder: Arc<Recorder>,
        clock: Arc<dyn Clock>,
        context: SpanContext,
        parent: Option<SpanContext>,
        name: String,
        kind: SpanKind,
    ) -> Self {
        let start = nanos(clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default());
        let span = OwnSpan {
            context,
            parent,
            name,
            kind,
            start,
            end: start,
            attributes: Vec::new(),
            links: Vec::new(),
            error: None,
        };
        Self { recorder, began: clock.now(), clock, span: Some(span), context }
    }

    /// Returns the span as that of a batch.
    pub(super) fn trace(&self) -> BatchTrace {
        BatchTrace::new(self.context, self.recorder.is_propagated)
    }

    /// Moves the start to an earlier time.
    pub(super) fn since(&mut self, began: Instant) {
        if let Some(span) = &mut self.span {
            span.start = span.start.saturating_sub(nanos(self.began.saturating_duration_since(began)));
            self.began = began;
        }
    }

    pub(super) fn attribute(&mut self, key: impl Into<Cow<'static, str>>, value: impl ToValue) {
        if let Some(span) = &mut self.span {
            span.attributes.push((key.into(), AttributeValue::new(value)));
        }
    }

    pub(super) fn link_to(&mut self, others: &[SpanContext]) {
        if let Some(span) = &mut self.span {
            span.links.extend_from_slice(others);
        }
    }

    /// Ends the span of a receipt, with the outcome of the items under the Collector's keys.
    pub(crate) fn end_receipt(mut self: Box<Self>, signal: Signal, items: u64, result: &ExportResult) {
        let states = match result {
            Ok(_) => [("accepted", items), ("refused", 0), ("failed", 0)],
            Err(error) if error.retry().is_retryable() => {
                [("accepted", 0), ("refused", items), ("failed", 0)]
            }
            Err(_) => [("accepted", 0), ("refused", 0), ("failed", items)],
        };
        for (state, items) in states {
            self.attribute(format!("{state}_{}", signal.items_noun), items);
        }
        self.end(result);
    }

    /// Ends the span of a processor.
    pub(crate) fn end_processing(mut self: Box<Self>, incoming: u64, outgoing: Result<u64, &ExportError>) {
        self.attribute("items.in", incoming);
        match outgoing {
            Ok(outgoing) => self.attribute("items.out", outgoing),
            Err(error) => self.fail(error),
        }
    }

    /// Ends the span of an export with all its attempts.
    pub(crate) fn end_sending(mut self: Box<Self>, sent: u64, failed: u64, result: &ExportResult) {
        self.attribute("items.sent", sent);
        self.attribute("items.failed", failed);
        self.end(result);
    }

    /// Ends the span of one attempt.
    pub(crate) fn end_attempt(mut self: Box<Self>, result: &ExportResult) {
        if let Ok(accepted) = result
            && accepted.rejected > 0
        {
            self.attribute("items.rejected", accepted.rejected);
        }
        self.end(result);
    }

    fn end(mut self: Box<Self>, result: &ExportResult) {
        if let Err(error) = result {
            self.attribute("error.type", format!("{:?}", error.kind()));
            self.fail(error);
        }
    }

    /// Marks the span as failed.
    fn fail(&mut self, error: &ExportError) {
        if let Some(span) = &mut self.span {
            span.error = Some(error.message().chars().take(MAX_MESSAGE_CHARS).collect());
        }
    }
}

impl Drop for LiveSpan {
    fn drop(&mut self) {
        if let Some(mut span) = self.span.take() {
            span.end = span.start + nanos(self.clock.now().saturating_duration_since(self.began));
            let span = Arc::new(span);
            self.recorder.queues.iter().for_each(|queue| queue.push(span.clone()));
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

const MAX_MESSAGE_CHARS: usize = 400;
