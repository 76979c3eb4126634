//! The messages that a statement is evaluated on, and the properties of the request.

use super::overlay::Overlay;
use otlp_protocol::Origin;
use otlp_protocol::view::{
    DataPoint, Event, Exemplar, ExponentialHistogramPoint, HistogramPoint, LogRecord, Metric, MetricData,
    NumberPoint, Resource, ResourceGroup, Scope, ScopeGroup, Span, SummaryPoint,
};
use std::borrow::Cow;

/// A message of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// The envelope of the resource, which has the schema URL: whole, or without its other fields.
    ResourceGroup,
    Resource,
    /// The envelope of the scope.
    ScopeGroup,
    Scope,
    /// The span, log record or metric.
    Entry,
    /// The data point or the span event.
    Child,
    Exemplar,
    /// The scratch map, as a `KeyValueList`.
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
    point_kind: PointKind,
    origin: Option<&'s Origin>,
    now: i64,
}

const LEVELS: usize = Level::Cache as usize + 1;

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
        Self { messages: Default::default(), point_kind: PointKind::default(), origin, now }
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

    /// Returns the message of a level, with all changes so far.
    #[inline]
    pub(crate) fn bytes(&self, level: Level) -> &[u8] {
        self.messages[level as usize].bytes()
    }

    /// Returns the message of a level to change it.
    pub(crate) fn overlay(&mut self, level: Level) -> &mut Overlay<'s> {
        &mut self.messages[level as usize]
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

    pub(crate) fn resource_group(&self) -> ResourceGroup<'_> {
        ResourceGroup::new(self.bytes(Level::ResourceGroup))
    }

    pub(crate) fn resource(&self) -> Resource<'_> {
        Resource::new(self.bytes(Level::Resource))
    }

    pub(crate) fn scope_group(&self) -> ScopeGroup<'_> {
        ScopeGroup::new(self.bytes(Level::ScopeGroup))
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
