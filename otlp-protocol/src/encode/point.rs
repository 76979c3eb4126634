//! Data points of metrics.

use super::declare::writers;

writers! {
    /// Writes a value at a time: of a gauge or a sum.
    NumberPointWriter {
        /// Since when, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(2),
        /// When, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// The value: a double.
        double: some_double(4),
        /// The value: an integer.
        int: some_sfixed64(6),
        /// An example of what was measured.
        exemplar: nested(ExemplarWriter = 5, SHORT),
        attribute: attribute(7),
        /// `DataPointFlags`: 1 says that there is no recorded value.
        flags: uint32(8),
    }

    /// Writes a histogram at a time.
    HistogramPointWriter {
        /// Since when, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(2),
        /// When, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// How many values.
        count: fixed64(4),
        /// Their sum.
        sum: some_double(5),
        /// How many in each bucket; one more than bounds.
        bucket_counts: each_fixed64(6),
        /// The buckets' upper bounds; the last bucket has none.
        explicit_bounds: each_double(7),
        /// An example of what was measured.
        exemplar: nested(ExemplarWriter = 8, SHORT),
        attribute: attribute(9),
        /// As in [`NumberPointWriter::flags`].
        flags: uint32(10),
        /// The smallest value.
        min: some_double(11),
        /// The largest value.
        max: some_double(12),
    }

    /// Writes an exponential histogram at a time.
    ExponentialHistogramPointWriter {
        attribute: attribute(1),
        /// Since when, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(2),
        /// When, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// How many values.
        count: fixed64(4),
        /// Their sum.
        sum: some_double(5),
        /// Bounds grow by 2^(2^-scale).
        scale: sint32(6),
        /// How many values are zero, or nearer to it than the threshold.
        zero_count: fixed64(7),
        /// Buckets of positive values.
        positive: nested(BucketsWriter = 8, SHORT),
        /// Buckets of negative values.
        negative: nested(BucketsWriter = 9, SHORT),
        /// As in [`NumberPointWriter::flags`].
        flags: uint32(10),
        /// An example of what was measured.
        exemplar: nested(ExemplarWriter = 11, SHORT),
        /// The smallest value.
        min: some_double(12),
        /// The largest value.
        max: some_double(13),
        /// What counts as zero.
        zero_threshold: double(14),
    }

    /// Writes the buckets of an exponential histogram.
    BucketsWriter {
        /// Index of the first bucket.
        offset: sint32(1),
        /// How many in each bucket.
        bucket_counts: each_uint64(2),
    }

    /// Writes quantiles at a time.
    SummaryPointWriter {
        /// Since when, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(2),
        /// When, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// How many values.
        count: fixed64(4),
        /// Their sum.
        sum: double(5),
        /// A quantile.
        quantile_value: nested(QuantileWriter = 6, SHORT),
        attribute: attribute(7),
        /// As in [`NumberPointWriter::flags`].
        flags: uint32(8),
    }

    /// Writes a quantile.
    QuantileWriter {
        /// Which: 0.5 is the median.
        quantile: double(1),
        /// Its value.
        value: double(2),
    }

    /// Writes an example of what was measured.
    ExemplarWriter {
        /// When, in nanoseconds since 1970.
        time_unix_nano: fixed64(2),
        /// The value: a double.
        double: some_double(3),
        /// The span it was measured in.
        span_id: id(4, 8),
        /// The trace it was measured in.
        trace_id: id(5, 16),
        /// The value: an integer.
        int: some_sfixed64(6),
        attribute: attribute(7),
    }
}
