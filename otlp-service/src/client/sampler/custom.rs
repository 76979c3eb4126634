//! Samplers of users' own.

use super::Sampling;
use crate::client::TraceContext;
use otlp_protocol::SpanKind;
use otlp_protocol::view::{Attributes, Link, Span};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A sampler of your own. Is called for each new span, on the thread that starts the span.
pub trait ShouldSample: fmt::Debug + Send + Sync {
    /// Decides about a new span. A span whose decision panics is dropped.
    ///
    /// [`Sampling::kept`] and [`Sampling::dropped`] decide without telling a probability.
    fn should_sample(&self, span: &NewSpan<'_>) -> Sampling;

    /// True, the default, if [`should_sample`](Self::should_sample) reads [`NewSpan::kind`], [`NewSpan::attributes`] or
    /// [`NewSpan::links`]. Otherwise spans of `tracing` may come without them, which saves a copy for each span. The answer is asked
    /// for once, when a door for `tracing` is made.
    fn reads_fields(&self) -> bool {
        true
    }
}

/// A span about which a sampler decides. What is added to a span after the decision is not known: a span of
/// [`TraceBuilder::start`](crate::client::TraceBuilder::start) has what the builder was given. A span of `tracing` has the fields that it
/// is made with, the attributes of its metadata, and what is added until the span is started; an `otel.kind` among the fields is its
/// kind.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NewSpan<'a> {
    /// The span's parent.
    pub parent: Option<&'a TraceContext>,
    /// Id of the span's trace.
    pub trace_id: &'a [u8; 16],
    /// The span's name.
    pub name: &'a str,
    /// The time, in nanoseconds since 1970.
    pub now_unix_nanos: u64,
    /// The span's kind.
    pub kind: SpanKind,
    /// Encoded fields of the span, among them attributes and links.
    fields: &'a [u8],
}

// === impl NewSpan ===

impl<'a> NewSpan<'a> {
    /// Describes a span without attributes and links, of the kind [`SpanKind::Internal`].
    #[inline]
    pub fn new(
        parent: Option<&'a TraceContext>,
        trace_id: &'a [u8; 16],
        name: &'a str,
        now_unix_nanos: u64,
    ) -> Self {
        Self { parent, trace_id, name, now_unix_nanos, kind: SpanKind::Internal, fields: &[] }
    }

    /// Adds the kind, and encoded fields of the span.
    #[inline]
    pub(crate) fn with_fields(self, kind: SpanKind, fields: &'a [u8]) -> Self {
        Self { kind, fields, ..self }
    }

    /// Returns the attributes that are set by now.
    pub fn attributes(&self) -> Attributes<'a> {
        Span::new(self.fields).attributes()
    }

    /// Returns the links that are set by now.
    pub fn links(&self) -> impl Iterator<Item = Link<'a>> + use<'a> {
        Span::new(self.fields).links()
    }
}

pub(super) fn decide(sampler: &dyn ShouldSample, span: &NewSpan<'_>) -> Sampling {
    let decision = catch_unwind(AssertUnwindSafe(|| sampler.should_sample(span)));
    decision.unwrap_or_else(|_| Sampling::dropped(span.parent))
}
