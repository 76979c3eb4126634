//! B3, the format of Zipkin, in one header or in several. Both are read, one header first.

use super::{Carrier, Choice, context_of, sole};
use crate::client::TraceContext;

pub(super) fn inject_single(context: &TraceContext, carrier: &mut impl Carrier) {
    let traceparent = context.to_traceparent();
    let ids = traceparent.get(IDS).unwrap_or_default();
    let state = match Choice::of(context) {
        Choice::Dropped => "0",
        Choice::Sampled => "1",
        Choice::Debug => "d",
    };
    carrier.set_header(SINGLE, &format!("{ids}-{state}"));
}

pub(super) fn inject_multi(context: &TraceContext, carrier: &mut impl Carrier) {
    let traceparent = context.to_traceparent();
    let (trace_id, span_id) = traceparent.get(IDS).and_then(|ids| ids.split_once('-')).unwrap_or_default();
    carrier.set_header(TRACE_ID, trace_id);
    carrier.set_header(SPAN_ID, span_id);
    // The sender's parent: B3 receivers may take it for the parent of the span that is sent.
    carrier.remove_header(PARENT_SPAN_ID);
    let state = match Choice::of(context) {
        Choice::Dropped => "0",
        Choice::Sampled => "1",
        // Implies sampled, and is sent alone.
        Choice::Debug => {
            carrier.remove_header(SAMPLED_STATE);
            return carrier.set_header(FLAGS, "1");
        }
    };
    carrier.set_header(SAMPLED_STATE, state);
    carrier.remove_header(FLAGS);
}

pub(super) fn extract(carrier: &impl Carrier) -> Option<TraceContext> {
    text(carrier, SINGLE).and_then(single).or_else(|| multi(carrier))
}

/// Reads `<trace id>-<span id>-<sampled>-<parent's span id>`, of which the last two may be missing.
fn single(value: &str) -> Option<TraceContext> {
    let mut parts = value.split('-');
    let (trace_id, span_id) = (parts.next()?, parts.next()?);
    let choice = parts.next().map_or(Some(Choice::Dropped), choice_of)?;
    let is_whole = parts.next().is_none_or(is_id) && parts.next().is_none();
    context(trace_id, span_id, choice).filter(|_| is_whole)
}

fn multi(carrier: &impl Carrier) -> Option<TraceContext> {
    let choice = match (text(carrier, FLAGS), text(carrier, SAMPLED_STATE)) {
        (Some("1"), _) => Choice::Debug,
        (_, Some(state)) => choice_of(state)?,
        (_, None) => Choice::Dropped,
    };
    context(text(carrier, TRACE_ID)?, text(carrier, SPAN_ID)?, choice)
}

fn context(trace_id: &str, span_id: &str, choice: Choice) -> Option<TraceContext> {
    let has_lengths = matches!(trace_id.len(), 16 | 32) && span_id.len() == 16;
    has_lengths.then(|| context_of(trace_id, span_id, choice)).flatten()
}

/// Reads a sampling state; early senders wrote it as a word.
fn choice_of(state: &str) -> Option<Choice> {
    match state {
        "d" => Some(Choice::Debug),
        "1" => Some(Choice::Sampled),
        "0" => Some(Choice::Dropped),
        word if word.eq_ignore_ascii_case("true") => Some(Choice::Sampled),
        word if word.eq_ignore_ascii_case("false") => Some(Choice::Dropped),
        _ => None,
    }
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
// In lower case, as HTTP/2 and most SDKs have them: some of those read no other from headers of messages.
const TRACE_ID: &str = "x-b3-traceid";
const SPAN_ID: &str = "x-b3-spanid";
const PARENT_SPAN_ID: &str = "x-b3-parentspanid";
const SAMPLED_STATE: &str = "x-b3-sampled";
const FLAGS: &str = "x-b3-flags";
