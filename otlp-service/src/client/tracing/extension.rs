//! Trace contexts, links, attributes and status of a `tracing::Span`.

use super::layer::OtlpLayer;
use super::recorder::Recorder;
use super::slab::SlabId;
use super::start::SetParentError;
use super::subscriber::{OtlpSubscriber, slab_id};
use crate::client::TraceContext;
use otlp_protocol::{StatusCode, ToValue};
use tracing::Span;

/// Methods of `tracing::Span` for spans that an [`OtlpLayer`] or an [`OtlpSubscriber`] records.
///
/// On other spans, disabled ones for example, the methods have no effect.
pub trait SpanExt: sealed::Sealed {
    /// Sets the parent, usually the context of another process. Only before the span is started: a span is started when it is
    /// entered, has a child, is linked to, or is asked for its [`context`](Self::context).
    ///
    /// # Errors
    ///
    /// [`SetParentError::Started`] if the span is started, [`SetParentError::NotRecorded`] if the span is not recorded.
    fn set_parent(&self, parent: &TraceContext) -> Result<(), SetParentError>;

    /// Returns the context of the span, to be sent to another process; `None` if the span is not recorded. Starts the span.
    fn context(&self) -> Option<TraceContext>;

    /// Links the span to another span.
    fn add_link(&self, to: &TraceContext);

    /// Sets an attribute, which need not be a field of the span. An attribute with the same key is replaced.
    fn set_attribute(&self, key: &str, value: impl ToValue);

    /// Sets the status: Unset < Error < Ok, and Ok is final. Only Error has a description.
    fn set_status(&self, code: StatusCode, description: &str);
}

impl SpanExt for Span {
    fn set_parent(&self, parent: &TraceContext) -> Result<(), SetParentError> {
        with(self, |recorder, id| recorder.set_parent(id, parent)).unwrap_or(Err(SetParentError::NotRecorded))
    }

    fn context(&self) -> Option<TraceContext> {
        with(self, Recorder::context).flatten()
    }

    fn add_link(&self, to: &TraceContext) {
        with(self, |recorder, id| recorder.link(id, to));
    }

    fn set_attribute(&self, key: &str, value: impl ToValue) {
        with(self, |recorder, id| value.with_value(|value| recorder.set_attribute(id, key, value)));
    }

    fn set_status(&self, code: StatusCode, description: &str) {
        with(self, |recorder, id| {
            if let Some(mut open) = recorder.recording(id)
                && let Some(span) = &mut open.span
            {
                span.set_status(code, description);
            }
        });
    }
}

/// Calls `call` with the door that records the span.
fn with<R>(span: &Span, call: impl FnOnce(&Recorder, SlabId) -> R) -> Option<R> {
    let call = span.with_subscriber(|(id, dispatch)| {
        if let Some(subscriber) = dispatch.downcast_ref::<OtlpSubscriber>() {
            return Some(call(&subscriber.recorder, slab_id(id)));
        }
        let layer = dispatch.downcast_ref::<OtlpLayer>()?;
        Some(call(&layer.recorder, layer.find(dispatch, id)?))
    });
    call.flatten()
}

mod sealed {
    /// Prevents implementations of [`SpanExt`](super::SpanExt) outside of this module.
    pub trait Sealed {}

    impl Sealed for tracing::Span {}
}
