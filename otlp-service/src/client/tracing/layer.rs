//! The compatible door: a layer on a registry.

use super::callsite::Callsite;
use super::options::TracingOptions;
use super::recorder::{Parent, Recorder};
use super::sink::Sink;
use super::slab::SlabId;
use std::fmt;
use std::sync::OnceLock;
use tracing::dispatcher::WeakDispatch;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// A layer that records spans and events of `tracing`: works on `tracing_subscriber::Registry` beside other layers and under
/// filters, at about twice the cost of [`OtlpSubscriber`](super::OtlpSubscriber).
///
/// A span behind a filter of this layer is not recorded; its children become children of the span around it. The registry keeps
/// a span open until its children are closed: set [`SpanEnd::LastExit`](super::SpanEnd::LastExit) if spans outlive their work
/// because of that.
///
/// # Mapping
///
/// The mapping is the same for both doors.
///
/// | input | output |
/// |---|---|
/// | fields | attributes: text, integer, double, boolean, bytes; integers over 64 bits as text; `?` and `%` as text |
/// | `otel.name`, `otel.kind`, `otel.status_code`, `otel.status_description` of a span | name, kind, status |
/// | a field that is an error | the text; `<field>.chain`, the sources; `exception.message`; with a source also `exception.stacktrace` |
/// | metadata of a span or span event | `code.*`, `thread.*`, `target`, `level`, as [`TracingOptions`] says |
/// | event in a span | event of the span: `message` is the name, or else the metadata's name; a log record if [`EventForm`](super::EventForm) says so |
/// | event of level ERROR | also the span's status Error |
/// | event with `error` and without `message` | event `exception`; the span's status Error, with the text as its description |
/// | event outside of spans | log record: `message` is the body, the target the scope, the metadata's name the event name |
/// | level of a log record | severity 1, 5, 9, 13, 17 |
/// | an error in a log record | `exception.message`; with a source also `exception.stacktrace` |
/// | `Span::record` | replaces the attribute |
/// | `Span::follows_from` | link |
///
/// # Differences from tracing-opentelemetry and opentelemetry-appender-tracing
///
/// - `u64`, `i128` and `u128` are integers if 64 bits hold the value, not always texts. Bytes are bytes.
/// - Keys are unique: a field wins over an attribute of the metadata, a later value over an earlier one.
/// - `exception.stacktrace` is a text, as the semantic conventions say, not a list, and absent without a source; log records have
///   it too. A text in `error` is not quoted.
/// - A span ends when it is closed, not at its last exit: [`TracingOptions::ends`].
/// - `busy_ns` and `idle_ns` are recorded if [`TracingOptions::activity`] says so; their sum is the duration of the span.
/// - The scope of spans is `otlp-service`, or [`TracingOptions::scope`].
/// - The status Ok is final, also before the span is started.
/// - The child of a span that a filter hides belongs to the nearest recorded span around it, also if the parent is explicit.
/// - Events outside of spans are log records instead of being dropped.
pub struct OtlpLayer {
    pub(super) recorder: Recorder,
    /// Finds a span of the subscriber that the layer was put on.
    find: Option<FindSpan>,
    /// The subscriber with all its layers.
    dispatch: OnceLock<WeakDispatch>,
}

/// Finds the recorded span of a door by the span's id in tracing; with `true`, also among the spans around the span.
type FindSpan = fn(&Dispatch, &Id, u64, bool) -> Option<SlabId>;

/// Extension of a registry's span: the recorded spans of all doors on the registry.
struct Recorded {
    first: (u64, SlabId),
    others: Vec<(u64, SlabId)>,
}

// === impl OtlpLayer ===

impl OtlpLayer {
    pub(super) fn new(sink: Sink, options: TracingOptions) -> Self {
        Self { recorder: Recorder::new(sink, options), find: None, dispatch: OnceLock::new() }
    }

    /// Changes the options.
    pub fn with_options(mut self, options: TracingOptions) -> Self {
        self.recorder.set_options(options);
        self
    }

    /// Finds a recorded span by the span's id in tracing.
    pub(super) fn find(&self, dispatch: &Dispatch, id: &Id) -> Option<SlabId> {
        self.find.and_then(|find| find(dispatch, id, self.recorder.door, false))
    }

    fn is_wanted(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.recorder.options.max_level
    }

    #[inline]
    fn span<S>(&self, id: &Id, context: &Context<'_, S>) -> Option<SlabId>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        recorded(&context.span(id)?, self.recorder.door)
    }

    /// Returns the explicit parent, or the nearest recorded span around the explicit parent: a filter may hide the parent from the
    /// layer's context, so the search is in the whole registry.
    fn parent(&self, id: &Id) -> Parent {
        let dispatch = self.dispatch.get().and_then(WeakDispatch::upgrade);
        let find = self.find.zip(dispatch);
        let found = find.and_then(|(find, dispatch)| find(&dispatch, id, self.recorder.door, true));
        found.map_or(Parent::Root, Parent::Span)
    }
}

impl<S> Layer<S> for OtlpLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_layer(&mut self, _: &mut S) {
        self.find = Some(find::<S>);
    }

    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.is_wanted(metadata) {
            // Encodes the metadata before the first use.
            let _ = Callsite::of(metadata);
        }
        Interest::always()
    }

    fn on_new_span(&self, span: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !self.is_wanted(span.metadata()) {
            return;
        }
        let parent = match span.parent() {
            Some(parent) => self.parent(parent),
            None if span.is_root() => Parent::Root,
            None => Parent::Current,
        };
        let Some(recorded) = self.recorder.new_span(span, parent) else { return };
        let recorded = (self.recorder.door, recorded);
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Recorded>() {
            Some(doors) => doors.others.push(recorded),
            None => extensions.insert(Recorded { first: recorded, others: Vec::new() }),
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(id) = self.span(id, &context) {
            self.recorder.record(id, values);
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        if let (Some(id), Some(follows)) = (self.span(id, &context), self.span(follows, &context)) {
            self.recorder.follows_from(id, follows);
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !self.is_wanted(event.metadata()) {
            return;
        }
        let parent = match event.parent() {
            Some(parent) => self.parent(parent),
            None if event.is_root() => Parent::Root,
            None => Parent::Current,
        };
        self.recorder.event(event, parent);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if let Some(recorded) = self.span(id, &context) {
            self.recorder.enter(id.into_u64(), recorded);
        }
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        self.recorder.exit(id.into_u64());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if let Some(id) = self.span(&id, &context) {
            self.recorder.close(id);
        }
    }
}

impl fmt::Debug for OtlpLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpLayer").field("options", &self.recorder.options).finish_non_exhaustive()
    }
}

fn find<S>(dispatch: &Dispatch, id: &Id, door: u64, around: bool) -> Option<SlabId>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let span = dispatch.downcast_ref::<S>()?.span(id)?;
    let depth = if around { usize::MAX } else { 1 };
    span.scope().take(depth).find_map(|span| recorded(&span, door))
}

/// Returns the door's record of a registry's span.
#[inline]
fn recorded<'a, R: LookupSpan<'a>>(span: &SpanRef<'a, R>, door: u64) -> Option<SlabId> {
    let extensions = span.extensions();
    let recorded = extensions.get::<Recorded>()?;
    if recorded.first.0 == door {
        return Some(recorded.first.1);
    }
    recorded.others.iter().find(|(of, _)| *of == door).map(|(_, id)| *id)
}
