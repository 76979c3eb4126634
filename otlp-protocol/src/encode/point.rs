//! Data points of metrics.

use super::declare::writers;

writers! {
    /// Writes a point of a gauge or a sum.
    NumberPointWriter {
        /// Start of the measured period, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(2),
        /// Time, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// The value: a double.
        double: some_double(4),
        /// The value: an integer.
        int: some_sfixed64(6),
        /// A measured value, as an example.
        exemplar: nested(ExemplarWriter = 5, SHORT),
        attribute: attribute(7),
        /// `DataPointFlags`: 1 means that no value was recorded.
        flags: uint32(8),
    }

    /// Writes a point of a histogram.
    HistogramPointWriter {
        /// Start of the measured period, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(2),
        /// Time, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// Number of values.
        count: fixed64(4),
        /// Sum of the values.
        sum: some_double(5),
        /// Number of values in each bucket; one more than there are bounds.
        bucket_counts: each_fixed64(6),
        /// The buckets' upper bounds; the last bucket has none.
        explicit_bounds: each_double(7),
        /// A measured value, as an example.
        exemplar: nested(ExemplarWriter = 8, SHORT),
        attribute: attribute(9),
        /// As in [`NumberPointWriter::flags`].
        flags: uint32(10),
        /// The smallest value.
        min: some_double(11),
        /// The largest value.
        max: some_double(12),
    }

    /// Writes a point of an exponential histogram.
    ExponentialHistogramPointWriter {
        attribute: attribute(1),
        /// Start of the measured period, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(2),
        /// Time, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// Number of values.
        count: fixed64(4),
        /// Sum of the values.
        sum: some_double(5),
        /// Bounds grow by 2^(2^-scale).
        scale: sint32(6),
        /// Number of values that are zero, or closer to zero than the threshold.
        zero_count: fixed64(7),
        /// Buckets of positive values.
        positive: nested(BucketsWriter = 8, SHORT),
        /// Buckets of negative values.
        negative: nested(BucketsWriter = 9, SHORT),
        /// As in [`NumberPointWriter::flags`].
        flags: uint32(10),
        /// A measured value, as an example.
        exemplar: nested(ExemplarWriter = 11, SHORT),
        /// The smallest value.
        min: some_double(12),
        /// The largest value.
        max: some_double(13),
        /// Largest absolute value that counts as zero.
        zero_threshold: double(14),
    }

    /// Writes the buckets of an exponential histogram.
    BucketsWriter {
        /// Index of the first bucket.
        offset: sint32(1),
        /// Number of values in each bucket.
        bucket_counts: each_uint64(2),
    }

    /// Writes a point of a summary.
    SummaryPointWriter {
        /// Start of the measured period, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(2),
        /// Time, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// Number of values.
        count: fixed64(4),
        /// Sum of the values.
        sum: double(5),
        /// A quantile.
        quantile_value: nested(QuantileWriter = 6, SHORT),
        attribute: attribute(7),
        /// As in [`NumberPointWriter::flags`].
        flags: uint32(8),
    }

    /// Writes a quantile.
    QuantileWriter {
        /// The quantile, from 0 to 1: 0.5 is the median.
        quantile: double(1),
        /// Value.
        value: double(2),
    }

    /// Writes a measured value, as an example.
    ExemplarWriter {
        /// Time, in nanoseconds since 1970.
        time_unix_nano: fixed64(2),
        /// The value: a double.
        double: some_double(3),
        /// Id of the span during which it was measured.
        span_id: id(4, 8),
        /// Id of the trace during which it was measured.
        trace_id: id(5, 16),
        /// The value: an integer.
        int: some_sfixed64(6),
        attribute: attribute(7),
    }
}
