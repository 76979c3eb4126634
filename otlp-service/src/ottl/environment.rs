//! The messages that a statement is evaluated on, and the properties of the request.

use super::context::Context;
use super::dictionary::{Dictionary, ProfileAttributes};
use super::error::EvalError;
use super::overlay::Overlay;
use super::value::Value;
use otlp_protocol::Origin;
use otlp_protocol::rewrite::{self, MessageEdits, OpenMessages};
use otlp_protocol::view::{
    DataPoint, Event, Exemplar, ExponentialHistogramPoint, HistogramPoint, LogRecord, Metric, MetricData,
    NumberPoint, Profile, Resource, ResourceGroup, Scope, Span, SummaryPoint,
};
use std::borrow::Cow;
use std::time::SystemTime;

/// A message of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// The envelope of the resource, which has the schema URL: whole, or without its other fields.
    ResourceGroup,
    Resource,
    /// The envelope of the scope.
    ScopeGroup,
    Scope,
    /// The span, log record, metric or profile.
    Entry,
    /// The data point or the span event.
    Child,
    Exemplar,
    /// The scratch map, which is no message.
    Cache,
}

/// Kind of the data points of a metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PointKind {
    ExponentialHistogram,
    Histogram,
    #[default]
    Number,
    Summary,
}

/// The encoded messages around an item, from the resource down. Levels below the context of a statement are empty.
#[derive(Debug)]
pub(crate) struct Environment<'s> {
    messages: [Overlay<'s>; LEVELS],
    /// The messages that statements change, in place of `messages`.
    open: Option<&'s mut OpenMessages>,
    /// The scratch map.
    cache: Cache,
    point_kind: PointKind,
    /// Of a profiles request, for conditions on profiles.
    dictionary: Option<&'s Dictionary<'s>>,
    /// Index of the child in its entry, unless the messages are open.
    child_index: usize,
    /// True if `set` leaves its target unchanged for a nil value.
    ignores_nil: bool,
    origin: Option<&'s Origin>,
    now: i64,
}

/// The entries of a scratch map.
pub(crate) type Cache = Vec<(Cow<'static, str>, Value<'static>)>;

const LEVELS: usize = Level::Cache as usize + 1;

// === impl Level ===

impl Level {
    /// Returns the level of the message among the open messages.
    fn message(self) -> Option<rewrite::Level> {
        match self {
            Self::Resource => Some(rewrite::Level::Resource),
            Self::Scope => Some(rewrite::Level::Scope),
            Self::Entry => Some(rewrite::Level::Entry),
            Self::Child => Some(rewrite::Level::Child),
            Self::Exemplar => Some(rewrite::Level::Exemplar),
            Self::ResourceGroup | Self::ScopeGroup | Self::Cache => None,
        }
    }

    /// True if the messages of a context are inside of messages of this level.
    pub(super) fn is_above(self, context: Context) -> bool {
        (self as usize) < Self::of(context) as usize
    }

    /// Returns the level of the messages of a context.
    fn of(context: Context) -> Self {
        match context {
            Context::Resource => Self::ResourceGroup,
            Context::Scope => Self::ScopeGroup,
            Context::Log | Context::Metric | Context::Profile | Context::Span => Self::Entry,
            Context::DataPoint | Context::SpanEvent => Self::Child,
            Context::Exemplar => Self::Exemplar,
        }
    }

    /// Returns the level of the message whose envelope this is.
    pub(crate) fn envelope(self) -> Option<rewrite::Level> {
        match self {
            Self::ResourceGroup => Some(rewrite::Level::Resource),
            Self::ScopeGroup => Some(rewrite::Level::Scope),
            _ => None,
        }
    }
}

// === impl PointKind ===

impl PointKind {
    /// Returns the kind of a metric's points; `None` for a metric without data.
    pub(crate) fn of(data: MetricData<'_>) -> Option<Self> {
        match data {
            MetricData::Gauge(_) | MetricData::Sum(_) => Some(Self::Number),
            MetricData::Histogram(_) => Some(Self::Histogram),
            MetricData::ExponentialHistogram(_) => Some(Self::ExponentialHistogram),
            MetricData::Summary(_) => Some(Self::Summary),
            _ => None,
        }
    }
}

// === impl Environment ===

impl<'s> Environment<'s> {
    /// Creates an environment of empty messages. `now` is the time in nanoseconds since 1970.
    pub(crate) fn new(origin: Option<&'s Origin>, now: i64) -> Self {
        Self {
            messages: Default::default(),
            open: None,
            cache: Cache::new(),
            point_kind: PointKind::default(),
            dictionary: None,
            child_index: 0,
            ignores_nil: false,
            origin,
            now,
        }
    }

    /// Creates an environment of messages that statements change.
    pub(crate) fn open(messages: &'s mut OpenMessages, origin: Option<&'s Origin>, now: i64) -> Self {
        let point_kind = match messages.data_number() {
            HISTOGRAM => PointKind::Histogram,
            EXPONENTIAL_HISTOGRAM => PointKind::ExponentialHistogram,
            SUMMARY => PointKind::Summary,
            _ => PointKind::Number,
        };
        Self { open: Some(messages), point_kind, ..Self::new(origin, now) }
    }

    /// Gives the environment a scratch map. `ignores_nil` makes `set` leave its target unchanged for a nil value.
    pub(crate) fn with(self, cache: Cache, ignores_nil: bool) -> Self {
        Self { cache, ignores_nil, ..self }
    }

    /// Returns the scratch map.
    pub(crate) fn into_cache(self) -> Cache {
        self.cache
    }

    /// Sets the message of a level.
    #[inline]
    pub(crate) fn set(&mut self, level: Level, message: &'s [u8]) {
        self.messages[level as usize] = Overlay::new(message);
    }

    /// Sets the message of a level that may have been joined of pieces.
    pub(crate) fn set_joined(&mut self, level: Level, message: Cow<'s, [u8]>) {
        self.messages[level as usize] = Overlay::joined(message);
    }

    /// Sets the kind of the data points that come next.
    pub(crate) fn set_point_kind(&mut self, kind: PointKind) {
        self.point_kind = kind;
    }

    /// Sets the dictionary that profiles refer to.
    pub(crate) fn set_dictionary(&mut self, dictionary: Option<&'s Dictionary<'s>>) {
        self.dictionary = dictionary;
    }

    /// Sets the index of the data point or span event in its entry.
    pub(crate) fn set_child_index(&mut self, index: usize) {
        self.child_index = index;
    }

    /// Returns the index of the data point or span event in its entry, from 0.
    pub(crate) fn child_index(&self) -> usize {
        self.open.as_ref().map_or(self.child_index, |open| open.child_index())
    }

    /// Returns the message of a level, with all changes so far.
    #[inline]
    pub(crate) fn bytes(&self, level: Level) -> &[u8] {
        match (&self.open, level.message()) {
            (None, _) => self.messages[level as usize].bytes(),
            (Some(open), Some(level)) => open.bytes(level),
            (Some(_), None) => &[],
        }
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    pub(crate) fn cache_mut(&mut self) -> &mut Cache {
        &mut self.cache
    }

    pub(crate) fn ignores_nil(&self) -> bool {
        self.ignores_nil
    }

    /// Returns the messages to change them.
    ///
    /// # Errors
    /// If the messages are not open to changes.
    pub(crate) fn messages(&mut self) -> Result<&mut OpenMessages, EvalError> {
        self.open.as_deref_mut().ok_or(READ_ONLY)
    }

    /// Returns the message of a level to change it.
    ///
    /// # Errors
    /// If the message is not open to changes.
    pub(crate) fn edit(&mut self, level: Level) -> Result<MessageEdits<'_>, EvalError> {
        let level = level.message().ok_or(READ_ONLY)?;
        Ok(self.messages()?.edit(level))
    }

    /// Returns the schema URL of the resource or the scope.
    pub(crate) fn schema_url(&self, level: Level) -> &str {
        match (&self.open, level.envelope()) {
            (None, _) => ResourceGroup::new(self.bytes(level)).schema_url(),
            (Some(open), Some(level)) => open.schema_url(level),
            (Some(_), None) => "",
        }
    }

    /// Returns the time of the evaluation, in nanoseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    pub(crate) fn origin(&self) -> Option<&'s Origin> {
        self.origin
    }

    pub(crate) fn point_kind(&self) -> PointKind {
        self.point_kind
    }

    pub(crate) fn resource(&self) -> Resource<'_> {
        Resource::new(self.bytes(Level::Resource))
    }

    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope::new(self.bytes(Level::Scope))
    }

    pub(crate) fn span(&self) -> Span<'_> {
        Span::new(self.bytes(Level::Entry))
    }

    pub(crate) fn event(&self) -> Event<'_> {
        Event::new(self.bytes(Level::Child))
    }

    pub(crate) fn log(&self) -> LogRecord<'_> {
        LogRecord::new(self.bytes(Level::Entry))
    }

    pub(crate) fn metric(&self) -> Metric<'_> {
        Metric::new(self.bytes(Level::Entry))
    }

    pub(crate) fn profile(&self) -> Profile<'_> {
        Profile::new(self.bytes(Level::Entry))
    }

    pub(crate) fn profile_attributes(&self) -> ProfileAttributes<'_> {
        ProfileAttributes::new(self.profile(), self.dictionary)
    }

    pub(crate) fn point(&self) -> DataPoint<'_> {
        let bytes = self.bytes(Level::Child);
        match self.point_kind {
            PointKind::ExponentialHistogram => {
                DataPoint::ExponentialHistogram(ExponentialHistogramPoint::new(bytes))
            }
            PointKind::Histogram => DataPoint::Histogram(HistogramPoint::new(bytes)),
            PointKind::Number => DataPoint::Number(NumberPoint::new(bytes)),
            PointKind::Summary => DataPoint::Summary(SummaryPoint::new(bytes)),
        }
    }

    pub(crate) fn exemplar(&self) -> Exemplar<'_> {
        Exemplar::new(self.bytes(Level::Exemplar))
    }
}

/// Returns a time in nanoseconds since 1970; 0 for a time before.
pub(crate) fn unix_nanos(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

const READ_ONLY: EvalError = EvalError::new("the messages are read, and not changed, here");

// Field numbers of a metric's data.
const HISTOGRAM: u32 = 9;
const EXPONENTIAL_HISTOGRAM: u32 = 10;
const SUMMARY: u32 = 11;
