//! Links of a span to other spans.

use super::attributes::{AttributeLimits, Attributes};
use super::message;
use super::open::{HAS_IS_REMOTE, IS_REMOTE};
use crate::client::TraceContext;
use crate::client::context::DEBUG;
use crate::client::key::AttributeKey;
use otlp_protocol::ToValue;
use otlp_protocol::wire::{put_len_delimited, put_uint};

/// A link to another span, while it is written.
#[derive(Debug)]
pub struct LinkWriter<'a> {
    out: &'a mut Vec<u8>,
    attributes: Attributes,
    limits: AttributeLimits,
    /// Position of the link's length.
    at: usize,
}

impl<'a> LinkWriter<'a> {
    pub(crate) fn begin(out: &'a mut Vec<u8>, context: &TraceContext, limits: AttributeLimits) -> Self {
        let at = message::begin(out, LINK);
        put_len_delimited(out, 1, &context.trace_id);
        put_len_delimited(out, 2, &context.span_id);
        if let Some(state) = &context.state {
            put_len_delimited(out, 3, state.as_bytes());
        }
        let remote = HAS_IS_REMOTE | if context.is_remote { IS_REMOTE } else { 0 };
        out.push(FLAGS);
        out.extend_from_slice(&(u32::from(context.flags & !DEBUG) | remote).to_le_bytes());
        Self { attributes: Attributes::from(at + 1), out, limits, at }
    }

    /// Adds an attribute. A later value of the same key replaces the former.
    pub fn attribute(&mut self, key: impl AttributeKey, value: impl ToValue) -> &mut Self {
        self.attributes.put(self.out, ATTRIBUTE, self.limits, &key, value);
        self
    }
}

impl Drop for LinkWriter<'_> {
    /// Ends the link, also if the code that writes it panics.
    fn drop(&mut self) {
        put_uint(self.out, 5, u64::from(self.attributes.dropped));
        message::end(self.out, self.at);
    }
}

/// Tag of the links in a span.
const LINK: u8 = 0x6a;
// Tags in a link.
const ATTRIBUTE: u8 = 0x22;
const FLAGS: u8 = 0x35;
