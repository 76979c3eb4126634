//! Sampling information that arrives with an item.

use super::probability::{ALWAYS, NEVER, Randomness, Threshold, threshold_of};
use otlp_protocol::view::AnyValue;

/// Sampling information that was valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Arrived {
    /// The explicit randomness.
    pub(super) randomness: Option<Randomness>,
    /// The threshold of the samplings so far.
    pub(super) threshold: Option<Threshold>,
}

/// Identity of an item, from which its randomness is made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Identity<'a> {
    /// The trace id; `None` if absent or zero.
    pub(super) trace_id: Option<&'a [u8; 16]>,
    /// The attribute to hash, as bytes; `None` if absent or empty.
    pub(super) attribute: Option<&'a [u8]>,
    /// True for items without a trace state: log records.
    pub(super) is_record: bool,
}

/// Influence of an item's own attribute on its sampling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Priority {
    /// The sampler decides.
    #[default]
    Defer,
    /// The threshold that applies in place of the sampler's.
    Threshold(Threshold),
}

// === impl Priority ===

impl Priority {
    /// Reads the attribute `sampling.priority` of a span: 0 drops the span, more keeps the span.
    pub(super) fn of_span(value: AnyValue<'_>, parse: impl Fn(&str) -> Option<f64>) -> Self {
        let number = match value {
            AnyValue::Int(number) => Some(number as f64),
            AnyValue::Double(number) => Some(number),
            AnyValue::String(text) => parse(text),
            _ => None,
        };
        match number {
            Some(number) if number > 0.0 => Self::Threshold(ALWAYS),
            Some(0.0) => Self::Threshold(NEVER),
            _ => Self::Defer,
        }
    }

    /// Reads the attribute of a log record that is a percentage. Anything but a number over 0 and up to 100 has no influence.
    pub(super) fn of_record(value: AnyValue<'_>, precision: u32) -> Self {
        let percentage = match value {
            AnyValue::Int(number) => number as f64,
            AnyValue::Double(number) => number,
            _ => return Self::Defer,
        };
        let threshold = threshold_of(percentage / 100.0, precision);
        threshold.map_or(Self::Defer, Self::Threshold)
    }
}
