//! Problems with instruments that a program should know of.

use std::sync::Arc;

/// A problem with an instrument. Nothing fails for it; [`Display`](std::fmt::Display) says what happens instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricProblem {
    /// Boundaries that cannot be used.
    #[error(
        "metric {metric:?}: invalid histogram boundaries; they must be finite, ascend and be at most {} in number. \
         The default boundaries are used",
        super::MAX_BOUNDARIES
    )]
    Boundaries {
        /// Name of the histogram.
        metric: Arc<str>,
    },
    /// A callback panicked.
    #[error(
        "metric {metric:?}: a callback panicked: {message}. The callback is called again at the next collection"
    )]
    CallbackPanicked {
        /// Name of the instrument.
        metric: Arc<str>,
        /// Message of the panic.
        message: String,
    },
    /// More attribute sets than the cardinality limit.
    #[error(
        "metric {metric:?}: cardinality limit reached; measurements with further attribute sets are exported as one \
         series with the attribute otel.metric.overflow=true"
    )]
    CardinalityLimit {
        /// Name of the instrument.
        metric: Arc<str>,
    },
    /// Two instruments of one name and scope that are not the same.
    #[error("metric {metric:?} exists twice and both are exported: {first}; {second}")]
    Conflict {
        /// Name of the instruments.
        metric: Arc<str>,
        /// Kind, unit and description of the first instrument.
        first: String,
        /// Kind, unit and description of the second instrument.
        second: String,
    },
    /// A name that breaks the specification's rules.
    #[error(
        "metric {metric:?}: invalid name; a name has 1 to 255 characters: a letter, then letters, digits, _ . - /. The \
         metric is not exported"
    )]
    InvalidName {
        /// The name.
        metric: Arc<str>,
    },
    /// More than 4,096 instruments.
    #[error(
        "metric {metric:?}: there are {} instruments already. The metric is not exported",
        super::MAX_INSTRUMENTS
    )]
    TooManyInstruments {
        /// Name of the instrument.
        metric: Arc<str>,
    },
    /// More than 64 callbacks of one instrument.
    #[error(
        "metric {metric:?}: there are {} callbacks already. The callback is not called",
        super::MAX_CALLBACKS
    )]
    TooManyCallbacks {
        /// Name of the instrument.
        metric: Arc<str>,
    },
}

/// Receives problems. It is called while no lock is held, on the thread that met the problem.
pub(super) type Report = Arc<dyn Fn(&MetricProblem) + Send + Sync>;
