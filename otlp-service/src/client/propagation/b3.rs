//! B3, the format of Zipkin, in one header or in several. Both are read, one header first.

use super::{Carrier, context_of, sole};
use crate::client::TraceContext;
use crate::client::context::{DEBUG, SAMPLED};

pub(super) fn inject_single(context: &TraceContext, carrier: &mut impl Carrier) {
    let traceparent = context.to_traceparent();
    let ids = traceparent.get(IDS).unwrap_or_default();
    carrier.set_header(SINGLE, &format!("{ids}-{}", if is_debug(context) { "d" } else { sampled(context) }));
}

pub(super) fn inject_multi(context: &TraceContext, carrier: &mut impl Carrier) {
    let traceparent = context.to_traceparent();
    let (trace_id, span_id) = traceparent.get(IDS).and_then(|ids| ids.split_once('-')).unwrap_or_default();
    carrier.set_header(TRACE_ID, trace_id);
    carrier.set_header(SPAN_ID, span_id);
    // The sender's parent: B3 receivers may take it for the parent of the span that is sent.
    carrier.remove_header(PARENT_SPAN_ID);
    // Debug implies sampled, and is sent alone.
    if is_debug(context) {
        carrier.remove_header(SAMPLED_STATE);
        carrier.set_header(FLAGS, "1");
    } else {
        carrier.set_header(SAMPLED_STATE, sampled(context));
        carrier.remove_header(FLAGS);
    }
}

pub(super) fn extract(carrier: &impl Carrier) -> Option<TraceContext> {
    text(carrier, SINGLE).and_then(single).or_else(|| multi(carrier))
}

/// Reads `<trace id>-<span id>-<sampled>-<parent's span id>`, of which the last two may be missing.
fn single(value: &str) -> Option<TraceContext> {
    let mut parts = value.split('-');
    let (trace_id, span_id) = (parts.next()?, parts.next()?);
    let flags = parts.next().map_or(Some(0), flags_of)?;
    let is_whole = parts.next().is_none_or(is_id) && parts.next().is_none();
    context(trace_id, span_id, flags).filter(|_| is_whole)
}

fn multi(carrier: &impl Carrier) -> Option<TraceContext> {
    let flags = match (text(carrier, FLAGS), text(carrier, SAMPLED_STATE)) {
        (Some("1"), _) => DEBUG | SAMPLED,
        (_, Some(state)) => flags_of(state)?,
        (_, None) => 0,
    };
    context(text(carrier, TRACE_ID)?, text(carrier, SPAN_ID)?, flags)
}

fn context(trace_id: &str, span_id: &str, flags: u8) -> Option<TraceContext> {
    let has_lengths = matches!(trace_id.len(), 16 | 32) && span_id.len() == 16;
    has_lengths.then(|| context_of(trace_id, span_id, flags)).flatten()
}

/// Reads a sampling state; early senders wrote it as a word.
fn flags_of(state: &str) -> Option<u8> {
    match state {
        "d" => Some(DEBUG | SAMPLED),
        "1" => Some(SAMPLED),
        "0" => Some(0),
        word if word.eq_ignore_ascii_case("true") => Some(SAMPLED),
        word if word.eq_ignore_ascii_case("false") => Some(0),
        _ => None,
    }
}

fn sampled(context: &TraceContext) -> &'static str {
    if context.is_sampled() { "1" } else { "0" }
}

fn is_debug(context: &TraceContext) -> bool {
    context.is_sampled() && context.flags & DEBUG != 0
}

fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn text<'a>(carrier: &'a impl Carrier, name: &'a str) -> Option<&'a str> {
    std::str::from_utf8(sole(carrier, name)?).ok()
}

/// The place of `<trace id>-<span id>` in `traceparent`.
const IDS: std::ops::Range<usize> = 3..3 + 32 + 1 + 16;

const SINGLE: &str = "b3";
const TRACE_ID: &str = "X-B3-TraceId";
const SPAN_ID: &str = "X-B3-SpanId";
const PARENT_SPAN_ID: &str = "X-B3-ParentSpanId";
const SAMPLED_STATE: &str = "X-B3-Sampled";
const FLAGS: &str = "X-B3-Flags";
