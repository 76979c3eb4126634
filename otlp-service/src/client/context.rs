//! Identity of a span, as it crosses threads and processes.

use std::sync::Arc;

/// Identity of a span: what the W3C headers `traceparent` and `tracestate` carry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TraceContext {
    /// Id of the trace; never zero.
    pub trace_id: [u8; 16],
    /// Id of the span; never zero.
    pub span_id: [u8; 8],
    /// W3C trace flags: bit 0 is set if the span is sampled, bit 1 if the trace id is random.
    pub flags: u8,
    /// True if the context came from another process.
    pub is_remote: bool,
    /// The value of `tracestate`, without the header's name; `None` if it is empty.
    pub state: Option<Arc<str>>,
}

// === impl TraceContext ===

impl TraceContext {
    /// Makes a context of this process, without a state.
    pub const fn new(trace_id: [u8; 16], span_id: [u8; 8], flags: u8) -> Self {
        Self { trace_id, span_id, flags, is_remote: false, state: None }
    }

    /// True if the span is sampled.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }
}

/// Trace flag of a sampled span.
pub(crate) const SAMPLED: u8 = 1;
