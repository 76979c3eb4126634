//! The spans that a batch belongs to, by which own traces link the work on a batch with the requests that brought it.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// Identity of a span: what the W3C header `traceparent` carries.
///
/// ```
/// use otlp_protocol::SpanContext;
///
/// let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let context = SpanContext::from_traceparent(text.as_bytes()).unwrap();
/// assert!(context.is_sampled);
/// assert_eq!(context.to_traceparent(), text);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanContext {
    /// Id of the trace.
    pub trace_id: [u8; 16],
    /// Id of the span.
    pub span_id: [u8; 8],
    /// True if the span is recorded.
    pub is_sampled: bool,
}

/// The spans that the work on a batch belongs to: one, or those of all requests that were merged, at most
/// [`MAX_SPANS`](Self::MAX_SPANS).
#[derive(Clone, Debug)]
pub struct BatchTrace {
    spans: Vec<SpanContext>,
    /// The time at which the batch came into a queue.
    pub queued_at: Option<Instant>,
    /// Clients send the first span as `traceparent`.
    pub is_propagated: bool,
}

// === impl SpanContext ===

impl SpanContext {
    /// Parses a `traceparent` of version 00, or the fields of version 00 at the start of a later version. `None` if the text is
    /// invalid, or an id is zero.
    pub fn from_traceparent(text: &[u8]) -> Option<Self> {
        let (version, rest) = (text.get(..2)?, text.get(2..)?);
        let fields = rest.get(..FIELDS_LEN)?;
        let is_whole = match version {
            b"ff" => false,
            b"00" => rest.len() == FIELDS_LEN,
            _ => rest.get(FIELDS_LEN).is_none_or(|&byte| byte == b'-'),
        };
        hex::<1>(version)?;
        let [b'-', ids @ ..] = fields else { return None };
        let (trace_id, ids) = (hex::<16>(ids.get(..32)?)?, ids.get(32..)?);
        let [b'-', ids @ ..] = ids else { return None };
        let (span_id, ids) = (hex::<8>(ids.get(..16)?)?, ids.get(16..)?);
        let [b'-', flags @ ..] = ids else { return None };
        let [flags] = hex::<1>(flags)?;
        let has_ids = trace_id != [0; 16] && span_id != [0; 8];
        (is_whole && has_ids).then_some(Self { trace_id, span_id, is_sampled: flags & SAMPLED != 0 })
    }

    /// Returns the value of the header `traceparent`.
    pub fn to_traceparent(&self) -> String {
        let Self { trace_id, span_id, is_sampled } = self;
        format!("00-{}-{}-{:02x}", Hex(trace_id), Hex(span_id), u8::from(*is_sampled))
    }
}

// === impl BatchTrace ===

impl BatchTrace {
    /// The most spans that a batch belongs to. Of a merge of more requests the first are kept.
    pub const MAX_SPANS: usize = 32;

    /// Makes the trace of one span.
    pub fn new(span: SpanContext, is_propagated: bool) -> Self {
        Self { spans: vec![span], queued_at: None, is_propagated }
    }

    /// Returns the spans, the first request's first.
    pub fn spans(&self) -> &[SpanContext] {
        &self.spans
    }

    /// Joins the spans of two batches that are merged.
    #[must_use]
    pub fn join(one: Arc<Self>, other: &Arc<Self>) -> Arc<Self> {
        if Arc::ptr_eq(&one, other) || one.spans.len() >= Self::MAX_SPANS {
            return one;
        }
        let mut joined = Arc::unwrap_or_clone(one);
        let new: Vec<_> = other.spans.iter().filter(|span| !joined.spans.contains(span)).copied().collect();
        joined.spans.extend(new);
        joined.spans.truncate(Self::MAX_SPANS);
        Arc::new(joined)
    }
}

/// Bytes in lower-case hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Reads lower-case hexadecimal digits.
fn hex<const LEN: usize>(digits: &[u8]) -> Option<[u8; LEN]> {
    let mut bytes = [0; LEN];
    if digits.len() != 2 * LEN {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return None,
            };
            *byte = *byte << 4 | value;
        }
    }
    Some(bytes)
}

/// Name of the W3C header with the sender's span.
pub const TRACEPARENT_HEADER: &str = "traceparent";

/// Length of `-<trace id>-<span id>-<flags>`.
const FIELDS_LEN: usize = 1 + 32 + 1 + 16 + 1 + 2;
const SAMPLED: u8 = 1;

#[cfg(test)]
mod tests;
