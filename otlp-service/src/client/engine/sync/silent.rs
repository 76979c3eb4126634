//! The `tracing` subscriber of the engine's thread: records nothing, and does not slow down the subscribers of other threads.

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Event, Metadata, dispatcher};

/// Records nothing.
///
/// `tracing` asks all subscribers for their interest in a callsite and the most verbose level. Unless all have the same interest, each
/// use of the callsite asks the thread's subscriber again; a subscriber that names no level makes all levels pass the first check.
/// tracing's own `NoSubscriber` would do both to the whole program.
#[derive(Debug)]
pub(super) struct Silent;

impl Subscriber for Silent {
    /// Answers as the thread's subscriber does. On the engine's thread this is `Silent` itself, in whose place the dispatcher then asks
    /// a subscriber that is never interested.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        dispatcher::get_default(|subscriber| subscriber.register_callsite(metadata))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(SOME_ID)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Id of all spans, which exist nowhere.
const SOME_ID: u64 = 1;
