//! The format of Jaeger's own clients: `<trace id>:<span id>:<parent's span id>:<flags>`.

use super::{Carrier, Choice, context_of, sole};
use crate::client::TraceContext;

pub(super) fn inject(context: &TraceContext, carrier: &mut impl Carrier) {
    let flags = match Choice::of(context) {
        Choice::Dropped => 0,
        Choice::Sampled => SAMPLED,
        Choice::Debug => SAMPLED | DEBUG,
    };
    let TraceContext { trace_id, span_id, .. } = context;
    let (trace_id, span_id) = (u128::from_be_bytes(*trace_id), u64::from_be_bytes(*span_id));
    carrier.set_header(HEADER, &format!("{trace_id:032x}:{span_id:016x}:0:{flags}"));
}

pub(super) fn extract(carrier: &impl Carrier) -> Option<TraceContext> {
    let value = std::str::from_utf8(sole(carrier, HEADER)?).ok().filter(|value| value.len() <= MAX_LEN)?;
    // Some clients percent-encode the colons.
    let value = value.replace("%3A", ":").replace("%3a", ":");
    let mut parts = value.split(':');
    let (trace_id, span_id) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next()?, parts.next()?);
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if parts.next().is_some() || !is_hex(parent) || !is_hex(flags) {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    let choice = match (flags & SAMPLED, flags & DEBUG) {
        (_, DEBUG) => Choice::Debug,
        (SAMPLED, _) => Choice::Sampled,
        _ => Choice::Dropped,
    };
    context_of(trace_id, span_id, choice)
}

const HEADER: &str = "uber-trace-id";
/// Three ids, the flags, and the separators, each of which may be percent-encoded.
const MAX_LEN: usize = 32 + 16 + 16 + 2 + 3 * 3;
const SAMPLED: u8 = 1;
const DEBUG: u8 = 2;
