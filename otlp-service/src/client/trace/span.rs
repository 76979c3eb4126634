//! A started span, which ends when it is dropped.

use super::error::put_error;
use super::event::EventWriter;
use super::link::LinkWriter;
use super::open::OpenSpan;
use super::{NO_CONTEXT, TraceBuilder};
use crate::client::TraceContext;
use crate::client::current::{ContextGuard, attach};
use crate::client::engine::{local, to_unix_nanos, unix_nanos};
use crate::client::key::AttributeKey;
use otlp_protocol::{StatusCode, ToValue};
use std::error::Error;
use std::time::SystemTime;

/// A started span. It ends when it is dropped, on any thread, and is then recorded, unless the sampler dropped it.
#[derive(Debug)]
#[must_use = "a span that is dropped at once ends at once"]
pub struct Span {
    open: Option<Box<OpenSpan>>,
    is_recording: bool,
}

impl Span {
    pub(super) fn new(open: Option<Box<OpenSpan>>, is_recording: bool) -> Self {
        Self { open, is_recording }
    }

    /// Adds an attribute. A later value of the same key replaces the former.
    pub fn attribute(&mut self, key: impl AttributeKey, value: impl ToValue) -> &mut Self {
        if let Some(open) = self.recording() {
            open.attribute(&key, value);
        }
        self
    }

    /// Adds an event.
    pub fn event(&mut self, name: &str, write: impl FnOnce(&mut EventWriter<'_>)) -> &mut Self {
        if let Some(mut event) = self.recording().and_then(|open| open.begin_event(name, unix_nanos())) {
            write(&mut event);
        }
        self
    }

    /// Adds a link to another span.
    pub fn link(&mut self, context: &TraceContext, write: impl FnOnce(&mut LinkWriter<'_>)) -> &mut Self {
        if let Some(mut link) = self.recording().and_then(|open| open.begin_link(context)) {
            write(&mut link);
        }
        self
    }

    /// Adds an event `exception` with the type and the message of an error. The status stays as it is.
    pub fn record_error<E: Error + ?Sized>(&mut self, error: &E) -> &mut Self {
        if let Some(open) = self.recording() {
            put_error(open, error);
        }
        self
    }

    /// Sets the status. `Ok` is final; an error is replaced by a later error or `Ok`. Only an error has a message.
    pub fn status(&mut self, code: StatusCode, message: &str) -> &mut Self {
        if let Some(open) = self.recording() {
            open.set_status(code, message);
        }
        self
    }

    /// Replaces the name.
    pub fn update_name(&mut self, name: &str) -> &mut Self {
        if let Some(open) = self.recording() {
            open.name.clear();
            open.name.push_str(name);
        }
        self
    }

    /// True if the span is recorded: attributes and events are not lost.
    pub fn is_recording(&self) -> bool {
        self.is_recording
    }

    /// Returns the context of the span, for its children, its links and the headers of requests.
    pub fn context(&self) -> &TraceContext {
        static NONE: TraceContext = NO_CONTEXT;
        self.open.as_ref().map_or(&NONE, |open| &open.context)
    }

    /// Begins a child of the span.
    pub fn child<'a>(&self, name: &'a str) -> TraceBuilder<'a> {
        match &self.open {
            Some(open) => TraceBuilder::begin(&open.shared, name).parent(&open.context),
            None => TraceBuilder { name, open: None },
        }
    }

    /// Makes the span the thread's current span until the guard is dropped: the parent of new spans, and the context of log
    /// records.
    pub fn enter(&self) -> ContextGuard {
        attach(self.context().clone())
    }

    /// Ends the span now.
    pub fn end(self) {}

    /// Ends the span at a given time.
    pub fn end_at(mut self, time: SystemTime) {
        if let Some(open) = self.recording() {
            open.end = to_unix_nanos(time);
        }
    }

    fn recording(&mut self) -> Option<&mut OpenSpan> {
        self.open.as_deref_mut().filter(|_| self.is_recording)
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            if self.is_recording {
                open.finish(None, &[]);
            } else {
                local::discard(open);
            }
        }
    }
}
