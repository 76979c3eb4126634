//! Data points of metrics: `opentelemetry.proto.metrics.v1`.

use super::Attributes;
use super::declare::views;
use super::fields::{Fields, Raw};

views! {
    /// A point of a gauge or a sum.
    repeated NumberPoint {
        /// Start of the measured period, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(2),
        /// Time, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// The value.
        value: own(Number),
        /// Measured values, as examples.
        exemplars: many(Exemplar = 5),
        /// Attributes of the point.
        attributes: attributes(7),
        /// `DataPointFlags`: 1 means that no value was recorded.
        flags: uint32(8),
    }

    /// A point of a histogram.
    repeated HistogramPoint {
        /// Start of the measured period, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(2),
        /// Time, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// Number of values.
        count: fixed64(4),
        /// Sum of the values.
        sum: optional_double(5),
        /// Number of values in each bucket.
        bucket_counts: each_fixed64(6),
        /// The buckets' upper bounds; the last bucket has none.
        explicit_bounds: each_double(7),
        /// Measured values, as examples.
        exemplars: many(Exemplar = 8),
        /// Attributes of the point.
        attributes: attributes(9),
        /// As in [`NumberPoint::flags`].
        flags: uint32(10),
        /// The smallest value.
        min: optional_double(11),
        /// The largest value.
        max: optional_double(12),
    }

    /// A point of an exponential histogram.
    repeated ExponentialHistogramPoint {
        /// Attributes of the point.
        attributes: attributes(1),
        /// Start of the measured period, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(2),
        /// Time, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// Number of values.
        count: fixed64(4),
        /// Sum of the values.
        sum: optional_double(5),
        /// Bounds grow by 2^(2^-scale).
        scale: sint32(6),
        /// Number of values that are zero, or closer to zero than [`zero_threshold`](Self::zero_threshold).
        zero_count: fixed64(7),
        /// Buckets of positive values.
        positive: one(Buckets = 8),
        /// Buckets of negative values.
        negative: one(Buckets = 9),
        /// As in [`NumberPoint::flags`].
        flags: uint32(10),
        /// Measured values, as examples.
        exemplars: many(Exemplar = 11),
        /// The smallest value.
        min: optional_double(12),
        /// The largest value.
        max: optional_double(13),
        /// Largest absolute value that counts as zero.
        zero_threshold: double(14),
    }

    /// Buckets of an exponential histogram.
    singular Buckets {
        /// Index of the first bucket.
        offset: sint32(1),
        /// Number of values in each bucket.
        bucket_counts: each_uint64(2),
    }

    /// A point of a summary.
    repeated SummaryPoint {
        /// Start of the measured period, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(2),
        /// Time, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// Number of values.
        count: fixed64(4),
        /// Sum of the values.
        sum: double(5),
        /// The quantiles.
        quantile_values: many(Quantile = 6),
        /// Attributes of the point.
        attributes: attributes(7),
        /// As in [`NumberPoint::flags`].
        flags: uint32(8),
    }

    /// A quantile.
    repeated Quantile {
        /// The quantile, from 0 to 1: 0.5 is the median.
        quantile: double(1),
        /// Value.
        value: double(2),
    }

    /// A measured value, as an example.
    repeated Exemplar {
        /// Time, in nanoseconds since 1970.
        time_unix_nano: fixed64(2),
        /// The value.
        value: own(Number),
        /// Id of the span; `None` if absent.
        span_id: id(4, 8),
        /// Id of the trace; `None` if absent.
        trace_id: id(5, 16),
        /// Attributes that the point does not have.
        filtered_attributes: attributes(7),
    }
}

/// The value of a [`NumberPoint`] or an [`Exemplar`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Number {
    /// No value was given.
    #[default]
    Empty,
    /// A double.
    Double(f64),
    /// A 64-bit integer.
    Int(i64),
}

/// A data point of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataPoint<'a> {
    /// An exponential histogram.
    ExponentialHistogram(ExponentialHistogramPoint<'a>),
    /// A histogram.
    Histogram(HistogramPoint<'a>),
    /// A value.
    Number(NumberPoint<'a>),
    /// Quantiles.
    Summary(SummaryPoint<'a>),
}

// === impl NumberPoint ===

impl NumberPoint<'_> {
    /// The value.
    pub fn value(&self) -> Number {
        Number::of(self.0, AS_DOUBLE)
    }
}

// === impl Exemplar ===

impl Exemplar<'_> {
    /// The value.
    pub fn value(&self) -> Number {
        Number::of(self.0, AS_DOUBLE_IN_EXEMPLAR)
    }
}

// === impl Number ===

impl Number {
    fn of(fields: Fields<'_>, as_double: u32) -> Self {
        let is_arm =
            |number, value| matches!(value, Raw::Fixed64(_)) && (number == as_double || number == AS_INT);
        match fields.one_of(is_arm).map(|arm| (arm.number, arm.value)) {
            Some((AS_INT, Raw::Fixed64(value))) => Self::Int(value as i64),
            Some((_, Raw::Fixed64(value))) => Self::Double(f64::from_bits(value)),
            _ => Self::Empty,
        }
    }
}

// === impl DataPoint ===

impl<'a> DataPoint<'a> {
    /// Attributes of the point.
    pub fn attributes(&self) -> Attributes<'a> {
        match self {
            Self::ExponentialHistogram(point) => point.attributes(),
            Self::Histogram(point) => point.attributes(),
            Self::Number(point) => point.attributes(),
            Self::Summary(point) => point.attributes(),
        }
    }

    /// Start of the measured period, in nanoseconds since 1970.
    pub fn start_time_unix_nano(&self) -> u64 {
        match self {
            Self::ExponentialHistogram(point) => point.start_time_unix_nano(),
            Self::Histogram(point) => point.start_time_unix_nano(),
            Self::Number(point) => point.start_time_unix_nano(),
            Self::Summary(point) => point.start_time_unix_nano(),
        }
    }

    /// Time, in nanoseconds since 1970.
    pub fn time_unix_nano(&self) -> u64 {
        match self {
            Self::ExponentialHistogram(point) => point.time_unix_nano(),
            Self::Histogram(point) => point.time_unix_nano(),
            Self::Number(point) => point.time_unix_nano(),
            Self::Summary(point) => point.time_unix_nano(),
        }
    }

    /// Returns the encoded point.
    pub fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::ExponentialHistogram(point) => point.as_bytes(),
            Self::Histogram(point) => point.as_bytes(),
            Self::Number(point) => point.as_bytes(),
            Self::Summary(point) => point.as_bytes(),
        }
    }
}

// Field numbers of the arms of `value`; that of a double differs between the two messages.
const AS_DOUBLE: u32 = 4;
const AS_DOUBLE_IN_EXEMPLAR: u32 = 3;
const AS_INT: u32 = 6;
