//! Links of a span to other spans.

use super::attributes::{AttributeLimits, Attributes};
use super::open::{HAS_IS_REMOTE, IS_REMOTE};
use crate::client::TraceContext;
use crate::client::engine::Buffer;
use crate::client::key::AttributeKey;
use otlp_protocol::ToValue;

/// A link to another span, while it is written.
#[derive(Debug)]
pub struct LinkWriter<'a> {
    out: &'a mut Buffer,
    attributes: Attributes,
    limits: AttributeLimits,
    /// Position of the link's length.
    at: usize,
}

impl<'a> LinkWriter<'a> {
    pub(crate) fn begin(out: &'a mut Buffer, context: &TraceContext, limits: AttributeLimits) -> Self {
        let at = out.begin_message(LINK);
        out.put_len_delimited(TRACE_ID, &context.trace_id);
        out.put_len_delimited(SPAN_ID, &context.span_id);
        if let Some(state) = &context.state {
            out.put_len_delimited(STATE, state.as_bytes());
        }
        let remote = HAS_IS_REMOTE | if context.is_remote { IS_REMOTE } else { 0 };
        out.append(5).put(&[FLAGS]).put(&(u32::from(context.flags) | remote).to_le_bytes());
        Self { attributes: Attributes::from(at + 1), out, limits, at }
    }

    /// Adds an attribute. A later value of the same key replaces the former.
    pub fn attribute(&mut self, key: impl AttributeKey, value: impl ToValue) -> &mut Self {
        self.attributes.put(self.out, ATTRIBUTE, &self.limits, &key, value);
        self
    }
}

impl Drop for LinkWriter<'_> {
    /// Ends the link, also if the code that writes it panics.
    fn drop(&mut self) {
        self.out.put_uint(DROPPED, u64::from(self.attributes.dropped));
        self.out.end_message(self.at);
    }
}

/// Tag of the links in a span.
const LINK: u8 = 0x6a;
// Tags in a link.
const TRACE_ID: u8 = 0x0a;
const SPAN_ID: u8 = 0x12;
const STATE: u8 = 0x1a;
const ATTRIBUTE: u8 = 0x22;
const DROPPED: u8 = 0x28;
const FLAGS: u8 = 0x35;
