//! A span that has not ended: its identity, its times, and its encoded attributes, events and links.

use super::attributes::{AttributeLimits, Attributes, MAX_MESSAGE_BYTES};
use super::event::EventWriter;
use super::link::LinkWriter;
use crate::client::context::{RANDOM, SAMPLED};
use crate::client::engine::{Buffer, FieldWriter, ScopeId, Shared, local, unix_nanos};
use crate::client::key::AttributeKey;
use crate::client::{NewSpan, Sampler, SpanLimits, TraceContext};
use otlp_protocol::wire::varint_len;
use otlp_protocol::{SpanKind, StatusCode, ToValue};
use std::sync::Arc;

/// A span that has not ended. Finished spans are kept by their threads for reuse, with their buffers.
#[derive(Debug)]
pub(crate) struct OpenSpan {
    pub(crate) shared: Arc<Shared>,
    /// The span's own context; without trace id, flags and state until the sampler has decided.
    pub(crate) context: TraceContext,
    has_parent: bool,
    parent: TraceContext,
    /// True if the span is not recorded: the thread is suppressed, or too many spans are open.
    is_absent: bool,
    pub(super) limits: AttributeLimits,
    pub(crate) scope: ScopeId,
    /// The time at which the span was begun, in nanoseconds since 1970: its start, unless another was given.
    pub(crate) start: u64,
    /// Start, if it was given; or else 0. Samplers are not told of it: their time is the clock's.
    pub(crate) given_start: u64,
    /// End, if it was given; 0 for the time at which the span ends.
    pub(crate) end: u64,
    pub(super) kind: u8,
    pub(super) status: u8,
    status_message: String,
    /// Name, if the span outlives its builder.
    pub(crate) name: String,
    pub(super) attributes: Attributes,
    pub(super) events: Entries,
    links: Entries,
    /// Encoded attributes, events and links.
    pub(crate) bytes: Buffer,
}

/// Events or links of a span.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entries {
    count: u32,
    dropped: u32,
}

impl OpenSpan {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            limits: shared.config.span_limits.attributes_in_spans(),
            is_absent: false,
            shared,
            context: TraceContext::new([0; 16], [0; 8], 0),
            has_parent: false,
            parent: TraceContext::new([0; 16], [0; 8], 0),
            scope: ScopeId::default(),
            start: 0,
            given_start: 0,
            end: 0,
            kind: INTERNAL,
            status: 0,
            status_message: String::new(),
            name: String::new(),
            attributes: Attributes::default(),
            events: Entries::default(),
            links: Entries::default(),
            bytes: Buffer::with_capacity(512),
        }
    }

    /// Makes a span that is not recorded.
    #[cold]
    pub(crate) fn absent(shared: &Arc<Shared>) -> Box<Self> {
        Box::new(Self { is_absent: true, ..Self::new(shared.clone()) })
    }

    /// True if the span has no permit and is not recorded.
    #[inline]
    pub(crate) fn is_absent(&self) -> bool {
        self.is_absent
    }

    /// Forgets the finished span.
    pub(crate) fn reset(&mut self) {
        self.context.state = None;
        self.has_parent = false;
        self.parent.state = None;
        self.scope = ScopeId::default();
        (self.start, self.given_start, self.end) = (0, 0, 0);
        (self.kind, self.status) = (INTERNAL, 0);
        self.status_message.clear();
        self.name.clear();
        self.attributes = Attributes::default();
        (self.events, self.links) = (Entries::default(), Entries::default());
        self.bytes.clear();
    }

    /// Returns the parent's context.
    #[inline]
    pub(crate) fn parent(&self) -> Option<&TraceContext> {
        self.has_parent.then_some(&self.parent)
    }

    /// Sets or removes the parent. Fields are copied one by one: a read soon after then has the size of a write, and does not wait
    /// until the processor has written to its cache.
    #[inline]
    pub(crate) fn set_parent(&mut self, parent: Option<&TraceContext>) {
        self.has_parent = parent.is_some();
        if let Some(parent) = parent {
            let TraceContext { trace_id, span_id, flags, is_remote, is_debug, state } = parent;
            (self.parent.trace_id, self.parent.span_id) = (*trace_id, *span_id);
            (self.parent.flags, self.parent.is_remote, self.parent.is_debug) =
                (*flags, *is_remote, *is_debug);
            if state.is_some() || self.parent.state.is_some() {
                self.parent.state.clone_from(state);
            }
        }
    }

    fn limits(&self) -> &SpanLimits {
        &self.shared.config.span_limits
    }

    /// Completes the context of the span and asks the sampler. Returns true if the span is recorded.
    #[inline]
    pub(crate) fn decide(&mut self, name: &str) -> bool {
        let config = &self.shared.config;
        if self.has_parent
            && config.sampler.follows(&self.parent)
            && !self.is_absent
            && !config.is_disabled
            && self.context.state.is_none()
        {
            self.context.trace_id = self.parent.trace_id;
            self.context.flags = self.parent.flags & RANDOM | SAMPLED;
            self.context.is_debug = self.parent.is_debug;
            return config.records_spans;
        }
        self.decide_by_sampler(name)
    }

    #[inline(never)]
    fn decide_by_sampler(&mut self, name: &str) -> bool {
        if self.shared.config.is_disabled {
            let parent = self.parent().cloned();
            self.context = parent.unwrap_or_else(|| TraceContext::new([0; 16], [0; 8], 0));
            return false;
        }
        let trace_id = match self.parent() {
            Some(parent) => parent.trace_id,
            None => {
                if let Some(child) = self.shared.after_fork() {
                    self.shared = child;
                    self.context.span_id = local::span_id();
                }
                local::trace_id()
            }
        };
        let sampler = if self.is_absent { &Sampler::AlwaysOff } else { &self.shared.config.sampler };
        let span = NewSpan::new(self.parent(), &trace_id, name, self.start);
        let span = span.with_fields(SpanKind::from(i32::from(self.kind)), self.bytes.as_slice());
        let context = sampler.new_context(&span, self.context.span_id);
        self.set_context(context);
        self.context.is_sampled() && self.shared.config.records_spans
    }

    /// Sets the context, which is of this process.
    pub(crate) fn set_context(&mut self, context: TraceContext) {
        let TraceContext { trace_id, span_id, flags, is_debug, state, .. } = context;
        (self.context.trace_id, self.context.span_id) = (trace_id, span_id);
        (self.context.flags, self.context.is_debug, self.context.state) = (flags, is_debug, state);
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

    #[inline(always)]
    pub(crate) fn attribute(&mut self, key: &(impl AttributeKey + ?Sized), value: impl ToValue) {
        self.attributes.put(&mut self.bytes, ATTRIBUTE, &self.limits, key, value);
    }

    /// Begins an event at a time in Unix nanoseconds, or counts its loss.
    #[inline]
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

    /// Records the span, under `name` in place of its own name if given, with the encoded fields `tail`.
    #[inline(always)]
    pub(crate) fn finish(mut self: Box<Self>, name: Option<&str>, tail: &[u8]) {
        if self.end == 0 {
            self.end = unix_nanos();
        }
        if self.given_start != 0 {
            self.start = self.given_start;
        }
        if self.has_rare_fields() {
            self.put_rare_fields();
        }
        local::close(self, name, tail);
    }

    /// Returns the length of the encoded span, in bytes.
    #[inline]
    pub(crate) fn encoded_len(&self, name: &str, tail: &[u8]) -> usize {
        let fixed = if self.has_parent { FIXED_LEN + PARENT_LEN } else { FIXED_LEN };
        fixed + 1 + varint_len(name.len() as u64) + name.len() + self.bytes.len() + tail.len()
    }

    /// Writes the encoded span.
    #[inline(always)]
    pub(crate) fn encode(&self, name: &str, tail: &[u8], mut message: FieldWriter<'_>) {
        let is_remote = self.has_parent & self.parent.is_remote;
        let flags = u32::from(self.context.flags) | HAS_IS_REMOTE | if is_remote { IS_REMOTE } else { 0 };
        if let Some(fields) = message.array::<FIXED_LEN>() {
            fields[..2].copy_from_slice(&[0x0a, 16]);
            fields[2..18].copy_from_slice(&self.context.trace_id);
            fields[18..20].copy_from_slice(&[0x12, 8]);
            fields[20..28].copy_from_slice(&self.context.span_id);
            fields[28..31].copy_from_slice(&[0x30, self.kind, 0x39]);
            fields[31..39].copy_from_slice(&self.start.to_le_bytes());
            fields[39] = 0x41;
            fields[40..48].copy_from_slice(&self.end.max(self.start).to_le_bytes());
            fields[48..50].copy_from_slice(&[0x85, 0x01]);
            fields[50..54].copy_from_slice(&flags.to_le_bytes());
        }
        if self.has_parent
            && let Some(field) = message.array::<PARENT_LEN>()
        {
            field[..2].copy_from_slice(&[0x22, 8]);
            field[2..].copy_from_slice(&self.parent.span_id);
        }
        message.put(&[0x2a]).put_varint(name.len() as u64).put_few(name.as_bytes());
        message.put_slice(self.bytes.as_slice());
        if !tail.is_empty() {
            message.put_slice(tail);
        }
    }

    #[inline]
    fn has_rare_fields(&self) -> bool {
        let dropped = self.attributes.dropped | self.events.dropped | self.links.dropped;
        dropped != 0 || self.status != 0 || self.context.state.is_some()
    }

    /// Writes the fields that few spans have.
    #[cold]
    fn put_rare_fields(&mut self) {
        let out = &mut self.bytes;
        if let Some(state) = &self.context.state {
            out.put_len_delimited(0x1a, state.as_bytes());
        }
        out.put_uint(0x50, u64::from(self.attributes.dropped));
        out.put_uint(0x60, u64::from(self.events.dropped));
        out.put_uint(0x70, u64::from(self.links.dropped));
        if self.status != 0 {
            let at = out.begin_message(0x7a);
            if !self.status_message.is_empty() {
                out.put_len_delimited(0x12, self.status_message.as_bytes());
            }
            out.put_uint(0x18, u64::from(self.status));
            out.end_message(at);
        }
    }
}

// === impl Entries ===

impl Entries {
    /// Counts a further entry, or its loss.
    #[inline]
    pub(super) fn admit(&mut self, most: u32, out: &Buffer) -> bool {
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
        AttributeLimits::new(self.attributes, self.attribute_value_length)
    }

    fn attributes_in_events(&self) -> AttributeLimits {
        AttributeLimits::new(self.attributes_per_event, self.attribute_value_length)
    }

    fn attributes_in_links(&self) -> AttributeLimits {
        AttributeLimits::new(self.attributes_per_link, self.attribute_value_length)
    }
}

/// Length of the fields that every span has, without the name: ids, kind, times and flags.
const FIXED_LEN: usize = 18 + 10 + 2 + 9 + 9 + 6;

/// Length of the parent's id, as a field.
const PARENT_LEN: usize = 10;

/// Tag of the attributes in a span.
const ATTRIBUTE: u8 = 0x4a;

// OTLP's flags of spans and links beside W3C's.
pub(super) const HAS_IS_REMOTE: u32 = 0x100;
pub(super) const IS_REMOTE: u32 = 0x200;

// Numbers of kinds and status codes.
const INTERNAL: u8 = 1;
const OK: u8 = 1;
pub(super) const ERROR: u8 = 2;
