//! Spans: recorded at once, or started and ended later.

mod attributes;
mod error;
mod event;
mod link;
mod message;
mod open;
mod span;
mod value;

pub(crate) use attributes::{AttributeLimits, Attributes};
pub use event::EventWriter;
pub use link::LinkWriter;
pub(crate) use open::OpenSpan;
pub use span::Span;
pub(crate) use value::{encode, encoded_len};

use crate::client::TraceContext;
use crate::client::context::SAMPLED;
use crate::client::engine::{ScopeId, Shared, local, to_unix_nanos, unix_nanos};
use crate::client::key::AttributeKey;
use error::put_error;
use otlp_protocol::{SpanKind, StatusCode, ToValue};
use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

/// Describes an operation: a span.
///
/// [`finish`](Self::finish) records the operation as it is; [`start`](Self::start) makes a [`Span`] of it, which ends later. The
/// operation starts when the builder is made, and is a child of the thread's current span. A builder that is dropped records
/// nothing.
#[derive(Debug)]
#[must_use = "nothing is recorded without `finish` or `start`"]
pub struct TraceBuilder<'a> {
    name: &'a str,
    opened: Opened,
}

/// The open span of a builder or of a started span.
#[derive(Debug, Default)]
enum Opened {
    Span(Box<OpenSpan>),
    /// No span: the thread is suppressed, or too many spans are open.
    Absent(Box<TraceContext>),
    /// The span has ended.
    #[default]
    Ended,
}

// === impl TraceBuilder ===

impl<'a> TraceBuilder<'a> {
    #[inline]
    pub(crate) fn begin(shared: &Arc<Shared>, name: &'a str) -> Self {
        match local::open(shared) {
            Some(mut open) => {
                open.start = unix_nanos();
                Self { name, opened: Opened::Span(open) }
            }
            None => Self::absent(name),
        }
    }

    /// Makes a builder that records nothing.
    #[cold]
    pub(crate) fn absent(name: &'a str) -> Self {
        Self { name, opened: Opened::absent(local::current().as_ref()) }
    }

    /// Sets the kind. Default internal.
    pub fn kind(mut self, kind: SpanKind) -> Self {
        if let Opened::Span(open) = &mut self.opened {
            open.set_kind(kind);
        }
        self
    }

    /// Sets the parent: a span of this process, or a context from a request's headers. Default: the thread's current span.
    #[inline]
    pub fn parent(mut self, parent: &TraceContext) -> Self {
        match &mut self.opened {
            Opened::Span(open) => open.parent = Some(parent.clone()),
            other => *other = Opened::absent(Some(parent)),
        }
        self
    }

    /// Begins a new trace.
    pub fn root(mut self) -> Self {
        match &mut self.opened {
            Opened::Span(open) => open.parent = None,
            other => *other = Opened::absent(None),
        }
        self
    }

    /// Sets the instrumentation scope. Default: the client's own.
    pub fn scope(mut self, scope: ScopeId) -> Self {
        if let Opened::Span(open) = &mut self.opened {
            open.scope = scope;
        }
        self
    }

    /// Sets the start. Default: the time at which the builder was made.
    pub fn start_time(mut self, time: SystemTime) -> Self {
        if let Opened::Span(open) = &mut self.opened {
            open.start = to_unix_nanos(time);
        }
        self
    }

    /// Sets the end. Default: the time at which the span ends.
    pub fn end_time(mut self, time: SystemTime) -> Self {
        if let Opened::Span(open) = &mut self.opened {
            open.end = to_unix_nanos(time);
        }
        self
    }

    /// Adds an attribute. A later value of the same key replaces the former.
    #[inline]
    pub fn attribute(mut self, key: impl AttributeKey, value: impl ToValue) -> Self {
        if let Opened::Span(open) = &mut self.opened {
            open.attribute(&key, value);
        }
        self
    }

    /// Adds an event.
    #[inline]
    pub fn event(mut self, name: &str, write: impl FnOnce(&mut EventWriter<'_>)) -> Self {
        if let Opened::Span(open) = &mut self.opened
            && let Some(mut event) = open.begin_event(name, unix_nanos())
        {
            write(&mut event);
        }
        self
    }

    /// Adds a link to another span.
    pub fn link(mut self, context: &TraceContext, write: impl FnOnce(&mut LinkWriter<'_>)) -> Self {
        if let Opened::Span(open) = &mut self.opened
            && let Some(mut link) = open.begin_link(context)
        {
            write(&mut link);
        }
        self
    }

    /// Adds an event `exception` with the type and the message of an error. The status stays as it is.
    pub fn record_error<E: Error + ?Sized>(mut self, error: &E) -> Self {
        if let Opened::Span(open) = &mut self.opened {
            put_error(open, error);
        }
        self
    }

    /// Sets the status. `Ok` is final; an error is replaced by a later error or `Ok`. Only an error has a message.
    pub fn status(mut self, code: StatusCode, message: &str) -> Self {
        if let Opened::Span(open) = &mut self.opened {
            open.set_status(code, message);
        }
        self
    }

    /// Records the span, and returns its context, for children and links.
    #[inline]
    pub fn finish(mut self) -> TraceContext {
        let Some(mut open) = self.opened.take() else {
            return self.opened.context().clone();
        };
        let is_sampled = open.decide(self.name);
        let context = open.context.clone();
        if is_sampled {
            open.finish(Some(self.name));
        } else {
            local::discard(open);
        }
        context
    }

    /// Starts a span, which ends when it is dropped.
    pub fn start(mut self) -> Span {
        let Some(mut open) = self.opened.take() else {
            return Span::new(std::mem::take(&mut self.opened), false);
        };
        let is_sampled = open.decide(self.name);
        open.name.push_str(self.name);
        Span::new(Opened::Span(open), is_sampled)
    }
}

impl Drop for TraceBuilder<'_> {
    fn drop(&mut self) {
        if let Some(open) = self.opened.take() {
            local::discard(open);
        }
    }
}

// === impl Opened ===

impl Opened {
    /// Makes the context of a span that is not recorded.
    #[cold]
    fn absent(parent: Option<&TraceContext>) -> Self {
        let mut context = match parent {
            Some(parent) => parent.clone(),
            None => TraceContext::new(local::trace_id(), [0; 8], 0),
        };
        (context.span_id, context.is_remote) = (local::span_id(), false);
        context.flags &= !SAMPLED;
        Self::Absent(Box::new(context))
    }

    /// Takes the open span.
    #[inline]
    fn take(&mut self) -> Option<Box<OpenSpan>> {
        match self {
            Self::Span(_) => match std::mem::take(self) {
                Self::Span(open) => Some(open),
                _ => None,
            },
            _ => None,
        }
    }

    fn context(&self) -> &TraceContext {
        static NONE: TraceContext = TraceContext::new([0; 16], [0; 8], 0);
        match self {
            Self::Span(open) => &open.context,
            Self::Absent(context) => context,
            Self::Ended => &NONE,
        }
    }
}
