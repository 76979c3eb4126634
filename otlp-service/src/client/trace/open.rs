//! A span that has not ended: its identity, its times, and its encoded attributes, events and links.

use super::attributes::{AttributeLimits, Attributes, MAX_MESSAGE_BYTES};
use super::event::EventWriter;
use super::link::LinkWriter;
use crate::client::context::{DEBUG, RANDOM, SAMPLED};
use crate::client::engine::{ScopeId, Shared, local, unix_nanos};
use crate::client::key::AttributeKey;
use crate::client::{Sampling, SpanLimits, TraceContext};
use otlp_protocol::wire::{put_len_delimited, put_uint, put_varint};
use otlp_protocol::{SpanKind, StatusCode, ToValue};
use std::sync::Arc;

/// A span that has not ended. Finished spans are kept by their threads for reuse, with their buffers.
#[derive(Debug)]
pub(crate) struct OpenSpan {
    pub(crate) shared: Arc<Shared>,
    /// The span's own context; without trace id, flags and state until the sampler has decided.
    pub(crate) context: TraceContext,
    pub(crate) parent: Option<TraceContext>,
    pub(crate) scope: ScopeId,
    /// Start, in nanoseconds since 1970.
    pub(crate) start: u64,
    /// End, if it was given; 0 for the time at which the span ends.
    pub(crate) end: u64,
    kind: u8,
    status: u8,
    status_message: String,
    /// Name, if the span outlives its builder.
    pub(crate) name: String,
    attributes: Attributes,
    events: Entries,
    links: Entries,
    /// Encoded attributes, events and links.
    pub(crate) bytes: Vec<u8>,
}

/// Events or links of a span.
#[derive(Clone, Copy, Debug, Default)]
struct Entries {
    count: u32,
    dropped: u32,
}

impl OpenSpan {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            context: TraceContext::new([0; 16], [0; 8], 0),
            parent: None,
            scope: ScopeId::default(),
            start: 0,
            end: 0,
            kind: INTERNAL,
            status: 0,
            status_message: String::new(),
            name: String::new(),
            attributes: Attributes::default(),
            events: Entries::default(),
            links: Entries::default(),
            bytes: Vec::with_capacity(512),
        }
    }

    /// Forgets the finished span.
    pub(crate) fn reset(&mut self) {
        self.context.state = None;
        self.parent = None;
        self.scope = ScopeId::default();
        (self.start, self.end) = (0, 0);
        (self.kind, self.status) = (INTERNAL, 0);
        self.status_message.clear();
        self.name.clear();
        self.attributes = Attributes::default();
        (self.events, self.links) = (Entries::default(), Entries::default());
        self.bytes.clear();
    }

    fn limits(&self) -> &SpanLimits {
        &self.shared.config.span_limits
    }

    /// Completes the context of the span and asks the sampler. Returns true if the span is recorded.
    pub(crate) fn decide(&mut self, name: &str) -> bool {
        if self.shared.config.is_disabled {
            self.context = self.parent.take().unwrap_or_else(|| TraceContext::new([0; 16], [0; 8], 0));
            return false;
        }
        let (trace_id, flags) = match &self.parent {
            Some(parent) => (parent.trace_id, parent.flags & (RANDOM | DEBUG)),
            None => {
                if let Some(child) = self.shared.after_fork() {
                    self.shared = child;
                    self.context.span_id = local::span_id();
                }
                (local::trace_id(), RANDOM)
            }
        };
        let sampler = &self.shared.config.sampler;
        let Sampling { is_sampled, state } =
            sampler.decide(self.parent.as_ref(), &trace_id, name, self.start);
        self.context.trace_id = trace_id;
        self.context.flags = flags | if is_sampled { SAMPLED } else { 0 };
        self.context.state = state;
        is_sampled && self.shared.config.records_spans
    }

    pub(crate) fn set_kind(&mut self, kind: SpanKind) {
        self.kind = u8::try_from(kind.number()).ok().filter(|&kind| kind < 0x80).unwrap_or_default();
    }

    /// Sets the status: `Ok` is final, and an error is not unset.
    pub(crate) fn set_status(&mut self, status: StatusCode, message: &str) {
        let status = u8::try_from(status.number()).unwrap_or_default();
        if self.status == OK || status == 0 || status > ERROR {
            return;
        }
        self.status = status;
        self.status_message.clear();
        if status == ERROR {
            self.status_message.push_str(message);
        }
    }

    #[inline]
    pub(crate) fn attribute(&mut self, key: &(impl AttributeKey + ?Sized), value: impl ToValue) {
        let limits = self.shared.config.span_limits.attributes_in_spans();
        self.attributes.put(&mut self.bytes, ATTRIBUTE, limits, key, value);
    }

    /// Begins an event at a time in Unix nanoseconds, or counts its loss.
    pub(crate) fn begin_event(&mut self, name: &str, time: u64) -> Option<EventWriter<'_>> {
        let limits = self.limits();
        let (most, limits) = (limits.events, limits.attributes_in_events());
        if !self.events.admit(most, &self.bytes) {
            return None;
        }
        Some(EventWriter::begin(&mut self.bytes, name, time, limits))
    }

    /// Begins a link to another span, or counts its loss.
    pub(crate) fn begin_link(&mut self, context: &TraceContext) -> Option<LinkWriter<'_>> {
        let limits = self.limits();
        let (most, limits) = (limits.links, limits.attributes_in_links());
        if !self.links.admit(most, &self.bytes) {
            return None;
        }
        Some(LinkWriter::begin(&mut self.bytes, context, limits))
    }

    /// Records the span, with `name` in place of its own if given.
    pub(crate) fn finish(mut self: Box<Self>, name: Option<&str>) {
        if self.end == 0 {
            self.end = unix_nanos();
        }
        self.put_rare_fields();
        let mut head = Head::new();
        head.put(&[0x0a, 16]).put(&self.context.trace_id);
        head.put(&[0x12, 8]).put(&self.context.span_id);
        head.put(&[0x30, self.kind]);
        head.put(&[0x39]).put(&self.start.to_le_bytes());
        head.put(&[0x41]).put(&self.end.max(self.start).to_le_bytes());
        let is_remote = self.parent.as_ref().is_some_and(|parent| parent.is_remote);
        let remote = HAS_IS_REMOTE | if is_remote { IS_REMOTE } else { 0 };
        head.put(&[0x85, 0x01]).put(&(u32::from(self.context.flags & !DEBUG) | remote).to_le_bytes());
        if let Some(parent) = &self.parent {
            head.put(&[0x22, 8]).put(&parent.span_id);
        }
        head.put(&[0x2a]).put_varint(name.unwrap_or(&self.name).len());
        local::close(self, head.as_slice(), name);
    }

    /// Writes the fields that few spans have.
    fn put_rare_fields(&mut self) {
        let out = &mut self.bytes;
        if let Some(state) = &self.context.state {
            put_len_delimited(out, 3, state.as_bytes());
        }
        put_uint(out, 10, u64::from(self.attributes.dropped));
        put_uint(out, 12, u64::from(self.events.dropped));
        put_uint(out, 14, u64::from(self.links.dropped));
        if self.status != 0 {
            let mut status = Vec::new();
            if !self.status_message.is_empty() {
                put_len_delimited(&mut status, 2, self.status_message.as_bytes());
            }
            put_uint(&mut status, 3, u64::from(self.status));
            put_len_delimited(out, 15, &status);
        }
    }
}

// === impl Entries ===

impl Entries {
    /// Counts a further entry, or its loss.
    fn admit(&mut self, most: u32, out: &[u8]) -> bool {
        let is_admitted = self.count < most && out.len() <= MAX_MESSAGE_BYTES;
        let counter = if is_admitted { &mut self.count } else { &mut self.dropped };
        *counter = counter.saturating_add(1);
        is_admitted
    }
}

// === impl SpanLimits ===

impl SpanLimits {
    #[inline]
    fn attributes_in_spans(&self) -> AttributeLimits {
        AttributeLimits { count: self.attributes, value_length: self.attribute_value_length }
    }

    fn attributes_in_events(&self) -> AttributeLimits {
        AttributeLimits { count: self.attributes_per_event, value_length: self.attribute_value_length }
    }

    fn attributes_in_links(&self) -> AttributeLimits {
        AttributeLimits { count: self.attributes_per_link, value_length: self.attribute_value_length }
    }
}

/// The first fields of a span, on the stack.
struct Head {
    bytes: [u8; 96],
    len: usize,
}

impl Head {
    fn new() -> Self {
        Self { bytes: [0; 96], len: 0 }
    }

    #[inline]
    fn put<const N: usize>(&mut self, field: &[u8; N]) -> &mut Self {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + N) {
            room.copy_from_slice(field);
            self.len += N;
        }
        self
    }

    #[inline]
    fn put_varint(&mut self, value: usize) {
        if value < 0x80 {
            self.put(&[value as u8]);
            return;
        }
        let mut bytes = Vec::with_capacity(10);
        put_varint(&mut bytes, value as u64);
        for byte in bytes {
            self.put(&[byte]);
        }
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Tag of the attributes in a span.
const ATTRIBUTE: u8 = 0x4a;

// OTLP's flags of spans and links beside W3C's.
pub(super) const HAS_IS_REMOTE: u32 = 0x100;
pub(super) const IS_REMOTE: u32 = 0x200;

// Numbers of kinds and status codes.
const INTERNAL: u8 = 1;
const OK: u8 = 1;
const ERROR: u8 = 2;
