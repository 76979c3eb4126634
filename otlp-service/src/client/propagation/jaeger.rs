//! The format of Jaeger's own clients: `<trace id>:<span id>:<parent's span id>:<flags>`.

use super::{Carrier, context_of, sole};
use crate::client::TraceContext;
use crate::client::context::{DEBUG, SAMPLED};

pub(super) fn inject(context: &TraceContext, carrier: &mut impl Carrier) {
    let flags = match (context.is_sampled(), context.flags & DEBUG) {
        (false, _) => 0,
        (true, 0) => JAEGER_SAMPLED,
        (true, _) => JAEGER_SAMPLED | JAEGER_DEBUG,
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
    let flags = match (flags & JAEGER_SAMPLED, flags & JAEGER_DEBUG) {
        (_, JAEGER_DEBUG) => SAMPLED | DEBUG,
        (JAEGER_SAMPLED, _) => SAMPLED,
        _ => 0,
    };
    context_of(trace_id, span_id, flags)
}

const HEADER: &str = "uber-trace-id";
/// Three ids, the flags, and the separators, each of which may be percent-encoded.
const MAX_LEN: usize = 32 + 16 + 16 + 2 + 3 * 3;
const JAEGER_SAMPLED: u8 = 1;
const JAEGER_DEBUG: u8 = 2;
