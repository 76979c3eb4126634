//! Values at run time. Lists and maps of a message stay encoded until something needs them decoded.

mod compare;
mod convert;
mod encode;
mod list;
mod map;
mod text;
mod time;

pub(crate) use compare::Comparison;
pub(crate) use list::List;
pub(crate) use map::Map;
pub(crate) use text::hex;
pub(crate) use time::Time;

use otlp_protocol::view::{AnyValue, Buckets, DataPoint, Metric, Span, Status, SummaryPoint};
use std::borrow::Cow;

/// A value of any type.
#[derive(Clone, Debug, Default)]
pub(crate) enum Value<'a> {
    /// An absent or empty value.
    #[default]
    Nil,
    Bool(bool),
    Bytes(Cow<'a, [u8]>),
    Double(f64),
    /// Nanoseconds.
    Duration(i64),
    Int(i64),
    List(List<'a>),
    Map(Map<'a>),
    /// Messages that have no form as an attribute's value.
    Messages(Messages<'a>),
    ProfileId([u8; 16]),
    SpanId([u8; 8]),
    Text(Cow<'a, str>),
    Time(Time),
    TraceId([u8; 16]),
}

/// Messages that a path names as a whole, such as `span.events`: they can be counted and copied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Messages<'a> {
    Buckets(Buckets<'a>),
    Events(Span<'a>),
    Exemplars(DataPoint<'a>),
    Links(Span<'a>),
    Points(Metric<'a>),
    Quantiles(SummaryPoint<'a>),
    Status(Status<'a>),
}

// === impl Value ===

impl<'a> Value<'a> {
    /// Returns a value that a view read. Strings of a string table are not resolved: they are nil.
    #[inline]
    pub(crate) fn from_any(value: AnyValue<'a>) -> Self {
        match value {
            AnyValue::Array(list) => Self::List(List::Encoded(list)),
            AnyValue::Bool(value) => Self::Bool(value),
            AnyValue::Bytes(value) => Self::Bytes(Cow::Borrowed(value)),
            AnyValue::Double(value) => Self::Double(value),
            AnyValue::Int(value) => Self::Int(value),
            AnyValue::Map(map) => Self::Map(Map::Encoded(map)),
            AnyValue::String(value) => Self::Text(Cow::Borrowed(value)),
            _ => Self::Nil,
        }
    }

    pub(crate) fn text(value: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(value.into())
    }

    pub(crate) fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// Returns the name of the type, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a bool",
            Self::Bytes(_) => "bytes",
            Self::Double(_) => "a double",
            Self::Duration(_) => "a duration",
            Self::Int(_) => "an int",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Messages(_) => "messages",
            Self::ProfileId(_) => "a profile id",
            Self::SpanId(_) => "a span id",
            Self::Text(_) => "a string",
            Self::Time(_) => "a time",
            Self::TraceId(_) => "a trace id",
        }
    }

    /// Returns the same value without references, with encoded lists and maps decoded.
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Bytes(value) => Value::Bytes(Cow::Owned(value.into_owned())),
            Self::List(list) => {
                Value::from(list.into_vec().into_iter().map(Value::into_owned).collect::<Vec<_>>())
            }
            Self::Map(map) => {
                let owned =
                    |(key, value): (Cow<'a, str>, Self)| (Cow::Owned(key.into_owned()), value.into_owned());
                Value::from(map.into_vec().into_iter().map(owned).collect::<Vec<(Cow<'static, str>, _)>>())
            }
            Self::Text(value) => Value::Text(Cow::Owned(value.into_owned())),
            // Messages stand in messages alone, never in constants.
            Self::Messages(_) | Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Bool(value),
            Self::Double(value) => Value::Double(value),
            Self::Duration(value) => Value::Duration(value),
            Self::Int(value) => Value::Int(value),
            Self::ProfileId(id) => Value::ProfileId(id),
            Self::SpanId(id) => Value::SpanId(id),
            Self::Time(value) => Value::Time(value),
            Self::TraceId(id) => Value::TraceId(id),
        }
    }

    /// Returns the same value without a copy of its content.
    pub(crate) fn borrow(&self) -> Value<'_> {
        match self {
            Self::Bytes(value) => Value::Bytes(Cow::Borrowed(value)),
            Self::List(list) => Value::List(list.borrow()),
            Self::Map(map) => Value::Map(map.borrow()),
            Self::Text(value) => Value::Text(Cow::Borrowed(value)),
            Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Bool(*value),
            Self::Double(value) => Value::Double(*value),
            Self::Duration(value) => Value::Duration(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Messages(messages) => Value::Messages(*messages),
            Self::ProfileId(id) => Value::ProfileId(*id),
            Self::SpanId(id) => Value::SpanId(*id),
            Self::Time(time) => Value::Time(time.clone()),
            Self::TraceId(id) => Value::TraceId(*id),
        }
    }
}

// === impl Messages ===

impl Messages<'_> {
    /// Returns the number of messages; `None` for a single message.
    pub(crate) fn count(&self) -> Option<usize> {
        Some(match self {
            Self::Buckets(_) | Self::Status(_) => return None,
            Self::Events(span) => span.events().count(),
            Self::Exemplars(point) => match point {
                DataPoint::ExponentialHistogram(point) => point.exemplars().count(),
                DataPoint::Histogram(point) => point.exemplars().count(),
                DataPoint::Number(point) => point.exemplars().count(),
                _ => 0,
            },
            Self::Links(span) => span.links().count(),
            Self::Points(metric) => metric.points().count(),
            Self::Quantiles(point) => point.quantile_values().count(),
        })
    }
}
