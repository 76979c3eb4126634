//! Settings of the doors for tracing.

use crate::client::ScopeId;
use tracing::level_filters::LevelFilter;

/// Settings of [`OtlpLayer`](super::OtlpLayer) and [`OtlpSubscriber`](super::OtlpSubscriber).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TracingOptions {
    /// The form of events inside spans. Default [`EventForm::SpanEvents`]. Events outside of spans are always log records.
    pub events: EventForm,
    /// The least severe level of recorded spans and events. Default [`LevelFilter::TRACE`], everything.
    ///
    /// The subscriber disables callsites below this level; the layer ignores their spans and events, other layers still see
    /// both.
    pub max_level: LevelFilter,
    /// Adds the attributes `code.file.path`, `code.line.number` and `code.module.name` to spans and span events. Default true.
    pub location: bool,
    /// Adds the attributes `code.*` of [`location`](Self::location) to log records. Default false.
    pub log_location: bool,
    /// Adds the attributes `thread.id` and `thread.name` to spans, of the thread that creates the span. Default true.
    pub threads: bool,
    /// Adds the attribute `target` to spans and span events. Default true. Log records have the target as their scope.
    pub targets: bool,
    /// Adds the attribute `level` to spans. Default false. Span events always have this attribute.
    pub levels: bool,
    /// Adds the attributes `busy_ns` and `idle_ns` to spans: the nanoseconds for which the span was entered, and those for which
    /// the span was not. Default false: this takes two more readings of the clock each time that a span is entered.
    pub activity: bool,
    /// The instrumentation scope of spans, made by [`OtlpClient::scope`](crate::OtlpClient::scope). Default: the client's own,
    /// `otlp-service`. Log records have the target of their event as their scope.
    pub scope: ScopeId,
    /// The end time of spans. Default [`SpanEnd::Close`].
    pub ends: SpanEnd,
}

/// The form that events inside spans are recorded in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventForm {
    /// Events of the span.
    #[default]
    SpanEvents,
    /// Log records with the ids of the span.
    Logs,
    /// Events of the span, and log records with the ids of the span. Fields are formatted twice.
    Both,
}

/// The time that a span ends at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanEnd {
    /// The span ends when its last handle is dropped; behind a registry, when also the last child is closed.
    #[default]
    Close,
    /// The span ends when it is exited for the last time, as tracing-opentelemetry has it. A span that was never entered ends
    /// when it is closed.
    LastExit,
}

// === impl TracingOptions ===

impl Default for TracingOptions {
    fn default() -> Self {
        Self {
            events: EventForm::default(),
            max_level: LevelFilter::TRACE,
            location: true,
            log_location: false,
            threads: true,
            targets: true,
            levels: false,
            activity: false,
            scope: ScopeId::default(),
            ends: SpanEnd::default(),
        }
    }
}

// === impl EventForm ===

impl EventForm {
    /// True if events inside spans become events of the span.
    pub(super) fn has_span_events(self) -> bool {
        self != Self::Logs
    }

    /// True if events inside spans become log records.
    pub(super) fn has_logs(self) -> bool {
        self != Self::SpanEvents
    }
}
