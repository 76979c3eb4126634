//! Paths that editors change.

use super::environment::Environment;
use super::error::EvalError;
use super::path::Path;
use super::value::Value;

/// A path that an editor reads and changes.
#[derive(Debug)]
pub(crate) struct Target {
    path: Path,
}

/// Form in which a field is written into its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// The field is refused as a target.
    ReadOnly,
    /// A set does nothing.
    Ignored,
    /// An `AnyValue` in this field.
    AnyValue(u32),
    /// A list of `KeyValue` in this field.
    Attributes(u32),
    Bool(u32),
    Double(u32),
    Fixed32(u32),
    /// An int of 64 bits of fixed size: times in nanoseconds, counts.
    Fixed64(u32),
    Id(u32),
    /// An id as text in lower hex.
    IdText(u32),
    /// A varint.
    Int(u32),
    Text(u32),
    /// A time, as nanoseconds of fixed size.
    Time(u32),
    /// Each of these is a form of its own.
    Special(Special),
}

/// Fields whose encoding is not one value in one field of their message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    AggregationTemporality,
    BodyText,
    BucketCounts,
    Buckets,
    BucketsCounts,
    BucketsOffset,
    Events,
    Exemplars,
    ExplicitBounds,
    IsMonotonic,
    Kind,
    KindText,
    Links,
    /// An int or a double of a data point or an exemplar.
    Number,
    PointField,
    Points,
    Quantiles,
    Scale,
    Status,
    StatusCode,
    StatusMessage,
    TraceState,
}

// === impl Target ===

impl Target {
    pub(crate) fn new(path: Path) -> Self {
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the value before the change.
    ///
    /// # Errors
    /// As of [`Path::value`].
    pub(crate) fn value<'a>(&'a self, environment: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        self.path.value(environment)
    }
}
