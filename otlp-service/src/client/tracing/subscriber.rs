//! The fast door: a subscriber of its own, without a registry.

use super::callsite::Callsite;
use super::entered;
use super::options::TracingOptions;
use super::recorder::{Parent, Recorder};
use super::sink::Sink;
use super::slab::SlabId;
use std::fmt;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_core::span::Current;

/// A subscriber that records spans and events of `tracing`, without a registry: the fast door.
///
/// The subscriber has no layers. Filters that need no registry, such as `EnvFilter`, can be put on top; for layers that read
/// spans, such as `fmt`, use [`OtlpLayer`](super::OtlpLayer).
///
/// At most 16,384 spans are open at a time. Further spans are counted as lost; their children become children of the span around
/// them.
pub struct OtlpSubscriber {
    pub(super) recorder: Recorder,
}

// === impl OtlpSubscriber ===

impl OtlpSubscriber {
    pub(super) fn new(sink: Sink, options: TracingOptions) -> Self {
        Self { recorder: Recorder::new(sink, options) }
    }

    /// Changes the options.
    pub fn with_options(mut self, options: TracingOptions) -> Self {
        self.recorder.set_options(options);
        self
    }
}

impl Subscriber for OtlpSubscriber {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if !self.enabled(metadata) {
            return Interest::never();
        }
        // Encodes the metadata before the first use.
        let _ = Callsite::of(metadata);
        Interest::always()
    }

    #[inline]
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.recorder.options.max_level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.recorder.options.max_level)
    }

    #[inline]
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let parent = match span.parent() {
            Some(parent) => Parent::Span(slab_id(parent)),
            None if span.is_root() => Parent::Root,
            None => Parent::Current,
        };
        Id::from_u64(self.recorder.new_span(span, parent).map_or(NOT_RECORDED, SlabId::to_u64))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.recorder.record(slab_id(span), values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.recorder.follows_from(slab_id(span), slab_id(follows));
    }

    #[inline]
    fn event(&self, event: &Event<'_>) {
        let parent = match event.parent() {
            Some(parent) => Parent::Span(slab_id(parent)),
            None if event.is_root() => Parent::Root,
            None => Parent::Current,
        };
        self.recorder.event(event, parent);
    }

    #[inline]
    fn enter(&self, span: &Id) {
        self.recorder.enter(span.into_u64(), slab_id(span));
    }

    #[inline]
    fn exit(&self, span: &Id) {
        self.recorder.exit(span.into_u64());
    }

    #[inline]
    fn clone_span(&self, span: &Id) -> Id {
        self.recorder.add_handle(slab_id(span));
        span.clone()
    }

    #[inline]
    fn try_close(&self, span: Id) -> bool {
        self.recorder.drop_handle(slab_id(&span))
    }

    fn current_span(&self) -> Current {
        let current = entered::last(self.recorder.door, |span| (span.key, span.callsite.metadata));
        current.map_or_else(Current::none, |(key, metadata)| Current::new(Id::from_u64(key), metadata))
    }
}

impl fmt::Debug for OtlpSubscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpSubscriber").field("options", &self.recorder.options).finish_non_exhaustive()
    }
}

#[inline]
pub(super) fn slab_id(id: &Id) -> SlabId {
    SlabId::from_u64(id.into_u64())
}

/// Id of spans that are not recorded: no slot ever has this generation.
const NOT_RECORDED: u64 = u64::MAX;
