//! The three kinds of telemetry that an engine sends.

use otlp_protocol::Signal;

/// A kind of telemetry: index of its counters, queues and tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Spans,
    Logs,
    Points,
}

impl Kind {
    /// All kinds, in the order of their indices.
    pub(crate) const ALL: [Self; 3] = [Self::Spans, Self::Logs, Self::Points];

    /// Number of kinds whose entries are buffered in chunks: all but metric points, which are collected when they are sent.
    pub(crate) const BUFFERED: usize = 2;

    pub(crate) fn index(self) -> usize {
        self as usize
    }

    pub(crate) fn signal(self) -> Signal {
        match self {
            Self::Spans => Signal::TRACES,
            Self::Logs => Signal::LOGS,
            Self::Points => Signal::METRICS,
        }
    }
}
