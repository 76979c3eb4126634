//! Spans: recorded at once, or started and ended later.

mod attributes;
#[cfg(feature = "tracing")]
mod encoded;
mod error;
mod event;
mod link;
mod open;
mod put;
mod span;
mod value;

pub(crate) use attributes::{AttributeLimits, Attributes};
pub use event::EventWriter;
pub use link::LinkWriter;
pub(crate) use open::OpenSpan;
pub use span::Span;
pub(crate) use value::encode;
#[cfg(feature = "tracing")]
pub(crate) use value::{STRING, cut};

use crate::client::TraceContext;
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
    open: Option<Box<OpenSpan>>,
}

// === impl TraceBuilder ===

impl<'a> TraceBuilder<'a> {
    #[inline(always)]
    pub(crate) fn begin(shared: &Arc<Shared>, name: &'a str) -> Self {
        let mut open = local::open(shared);
        open.start = unix_nanos();
        Self { name, open: Some(open) }
    }

    /// Sets the kind. Default internal.
    pub fn kind(mut self, kind: SpanKind) -> Self {
        if let Some(open) = &mut self.open {
            open.set_kind(kind);
        }
        self
    }

    /// Sets the parent: a span of this process, or a context from a request's headers. Default: the thread's current span.
    #[inline]
    pub fn parent(mut self, parent: &TraceContext) -> Self {
        if let Some(open) = &mut self.open {
            open.set_parent(Some(parent));
        }
        self
    }

    /// Begins a new trace.
    pub fn root(mut self) -> Self {
        if let Some(open) = &mut self.open {
            open.set_parent(None);
        }
        self
    }

    /// Sets the instrumentation scope. Default: the client's own.
    pub fn scope(mut self, scope: ScopeId) -> Self {
        if let Some(open) = &mut self.open {
            open.scope = scope;
        }
        self
    }

    /// Sets the start. Default: the time at which the builder was made.
    pub fn start_time(mut self, time: SystemTime) -> Self {
        if let Some(open) = &mut self.open {
            open.given_start = to_unix_nanos(time);
        }
        self
    }

    /// Sets the end. Default: the time at which the span ends.
    pub fn end_time(mut self, time: SystemTime) -> Self {
        if let Some(open) = &mut self.open {
            open.end = to_unix_nanos(time);
        }
        self
    }

    /// Adds an attribute. A later value of the same key replaces the former.
    #[inline(always)]
    pub fn attribute(mut self, key: impl AttributeKey, value: impl ToValue) -> Self {
        if let Some(open) = &mut self.open {
            open.attribute(&key, value);
        }
        self
    }

    /// Adds an event.
    #[inline]
    pub fn event(mut self, name: &str, write: impl FnOnce(&mut EventWriter<'_>)) -> Self {
        if let Some(open) = &mut self.open
            && let Some(mut event) = open.begin_event(name, unix_nanos())
        {
            write(&mut event);
        }
        self
    }

    /// Adds a link to another span.
    pub fn link(mut self, context: &TraceContext, write: impl FnOnce(&mut LinkWriter<'_>)) -> Self {
        if let Some(open) = &mut self.open
            && let Some(mut link) = open.begin_link(context)
        {
            write(&mut link);
        }
        self
    }

    /// Adds an event `exception` with the type and the message of an error. The status stays as it is.
    pub fn record_error<E: Error + ?Sized>(mut self, error: &E) -> Self {
        if let Some(open) = &mut self.open {
            put_error(open, error);
        }
        self
    }

    /// Sets the status. `Ok` is final; an error is replaced by a later error or `Ok`. Only an error has a message.
    pub fn status(mut self, code: StatusCode, message: &str) -> Self {
        if let Some(open) = &mut self.open {
            open.set_status(code, message);
        }
        self
    }

    /// Records the span, and returns its context, for children and links.
    #[inline(always)]
    pub fn finish(mut self) -> TraceContext {
        self.open.take().map_or(NO_CONTEXT, |open| finish(open, self.name))
    }

    /// Starts a span, which ends when it is dropped.
    pub fn start(mut self) -> Span {
        let Some(mut open) = self.open.take() else {
            return Span::new(None, false);
        };
        let is_sampled = open.decide(self.name);
        open.name.push_str(self.name);
        Span::new(Some(open), is_sampled)
    }
}

impl Drop for TraceBuilder<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            local::discard(open);
        }
    }
}

/// Records a span under a name, unless the sampler drops it.
#[inline(never)]
fn finish(mut open: Box<OpenSpan>, name: &str) -> TraceContext {
    let is_sampled = open.decide(name);
    let context = open.context.clone();
    if is_sampled {
        open.finish(Some(name), &[]);
    } else {
        local::discard(open);
    }
    context
}

/// Stands for the context of a span that was recorded already.
const NO_CONTEXT: TraceContext = TraceContext::new([0; 16], [0; 8], 0);
