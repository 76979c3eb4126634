//! Entries of any signal.

use super::{AnyValue, Attributes, LogRecord, Metric, Profile, Span};
use crate::Signal;

/// An entry of any signal: a span, log record, metric or profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry<'a> {
    /// A log record.
    LogRecord(LogRecord<'a>),
    /// A metric.
    Metric(Metric<'a>),
    /// The encoded entry of another signal.
    Other(&'a [u8]),
    /// A profile.
    Profile(Profile<'a>),
    /// A span.
    Span(Span<'a>),
}

// === impl Entry ===

impl<'a> Entry<'a> {
    /// Makes a view of an encoded entry of a signal, without reading the entry.
    pub fn new(signal: Signal, message: &'a [u8]) -> Self {
        match signal {
            _ if signal == Signal::LOGS => Self::LogRecord(LogRecord::new(message)),
            _ if signal == Signal::METRICS => Self::Metric(Metric::new(message)),
            _ if signal == Signal::PROFILES => Self::Profile(Profile::new(message)),
            _ if signal == Signal::TRACES => Self::Span(Span::new(message)),
            _ => Self::Other(message),
        }
    }

    /// Returns the encoded entry.
    pub fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::LogRecord(record) => record.as_bytes(),
            Self::Metric(metric) => metric.as_bytes(),
            Self::Other(message) => message,
            Self::Profile(profile) => profile.as_bytes(),
            Self::Span(span) => span.as_bytes(),
        }
    }

    /// Returns the name of a span or a metric, or the event name of a log record.
    pub fn name(&self) -> Option<&'a str> {
        match self {
            Self::LogRecord(record) => Some(record.event_name()),
            Self::Metric(metric) => Some(metric.name()),
            Self::Span(span) => Some(span.name()),
            Self::Other(_) | Self::Profile(_) => None,
        }
    }

    /// Returns the attributes of a span or a log record. Attributes of metrics are in their [points](Metric::points), attributes
    /// of profiles are in the [`Dictionary`](super::Dictionary) of the request.
    pub fn attributes(&self) -> Option<Attributes<'a>> {
        match self {
            Self::LogRecord(record) => Some(record.attributes()),
            Self::Span(span) => Some(span.attributes()),
            Self::Metric(_) | Self::Other(_) | Self::Profile(_) => None,
        }
    }

    /// Returns the body of a log record.
    pub fn body(&self) -> Option<AnyValue<'a>> {
        if let Self::LogRecord(record) = self { Some(record.body()) } else { None }
    }
}
