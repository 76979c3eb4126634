//! Identity of a span, as it crosses threads and processes.

pub(crate) mod tracestate;

use otlp_protocol::SpanContext;
use std::sync::Arc;

/// Identity of a span: what the W3C headers `traceparent` and `tracestate` carry.
///
/// ```
/// use otlp_service::client::TraceContext;
///
/// let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let context = TraceContext::from_traceparent(text.as_bytes()).unwrap().with_tracestate(["ot=th:8".as_bytes()]);
/// assert!(context.is_sampled() && context.is_remote);
/// assert_eq!(context.state.as_deref(), Some("ot=th:8"));
/// assert_eq!(context.to_traceparent(), text);
/// ```
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
    /// True if a B3 or Jaeger sender records the trace for debugging. Children keep it, and these formats carry it on.
    pub is_debug: bool,
    /// The value of `tracestate`, without the header's name; `None` if it is empty.
    pub state: Option<Arc<str>>,
}

// === impl TraceContext ===

impl TraceContext {
    /// Makes a context of this process, without a state.
    pub const fn new(trace_id: [u8; 16], span_id: [u8; 8], flags: u8) -> Self {
        Self { trace_id, span_id, flags, is_remote: false, is_debug: false, state: None }
    }

    /// Parses the value of a received `traceparent`: of version 00, or the fields of version 00 at the start of a later version.
    /// Flags that version 00 does not know are cleared. `None` if the value is invalid, or an id is zero.
    pub fn from_traceparent(text: &[u8]) -> Option<Self> {
        let SpanContext { trace_id, span_id, .. } = SpanContext::from_traceparent(text)?;
        let digit = text.get(FLAGS_AT + 1)?;
        let flags = char::from(*digit).to_digit(16)? as u8 & (SAMPLED | RANDOM);
        Some(Self { is_remote: true, ..Self::new(trace_id, span_id, flags) })
    }

    /// Takes over the values of the received headers `tracestate`, of which there may be several. An invalid state is left out as
    /// a whole: more than 32 members, a member twice, characters that W3C does not allow. Of a state of more than 512 characters
    /// members are left out: first those of more than 128 characters, then the last.
    #[must_use]
    pub fn with_tracestate<'a>(self, headers: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self { state: tracestate::join(headers), ..self }
    }

    /// Returns the value of the header `traceparent`. The value of `tracestate` is [`state`](Self::state).
    pub fn to_traceparent(&self) -> String {
        let Self { trace_id, span_id, .. } = *self;
        let mut text = SpanContext { trace_id, span_id, is_sampled: self.is_sampled() }.to_traceparent();
        if self.flags & RANDOM != 0 {
            text.pop();
            text.push(if self.is_sampled() { '3' } else { '2' });
        }
        text
    }

    /// True if the span is sampled.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }
}

/// Trace flag of a sampled span.
pub(crate) const SAMPLED: u8 = 1;
/// Trace flag of a trace whose id is random.
pub(crate) const RANDOM: u8 = 2;
/// The place of the flags in `traceparent`.
const FLAGS_AT: usize = "00-".len() + 32 + "-".len() + 16 + "-".len();

#[cfg(test)]
mod tests;
