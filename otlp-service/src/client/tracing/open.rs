//! An open span: everything that is known before its end. Attributes, events and links are encoded already.

use super::activity::Activity;
use super::attributes::MAX_ENCODED_BYTES;
use super::callsite::{Callsite, SPAN_ATTRIBUTE};
use super::entered::copy;
use super::span_fields::Marks;
use crate::client::{SpanLimits, TraceContext};
use otlp_protocol::wire::{Cursor, WireType, put_len_delimited, put_uint, put_varint, varint_len};
use otlp_protocol::{SpanKind, StatusCode};
use std::ops::Range;

/// An open span, or the rest of a closed span whose buffers are used again.
pub(super) struct Open {
    /// Grows when the span closes: older ids are invalid. Starts at 1.
    pub(super) generation: u64,
    /// Handles of the span.
    pub(super) handles: u64,
    pub(super) callsite: Option<&'static Callsite>,
    pub(super) parent: Option<TraceContext>,
    /// The span's own context, if the span is started.
    pub(super) context: TraceContext,
    /// True once ids and sampling are decided.
    pub(super) is_started: bool,
    /// True once the context was used: the parent is fixed from then on.
    pub(super) is_used: bool,
    /// False if the span is started and not sampled.
    pub(super) is_recording: bool,
    pub(super) start: u64,
    /// The last exit, if spans end there.
    pub(super) exit: Option<u64>,
    /// Kept if `busy_ns` and `idle_ns` are recorded.
    pub(super) activity: Activity,
    /// True if attributes of the metadata are written at the end.
    pub(super) has_extras: bool,
    pub(super) name: Option<String>,
    kind: SpanKind,
    status: StatusCode,
    description: String,
    /// [`HEAD`], then attributes, events and links.
    pub(super) encoded: Vec<u8>,
    /// Number of attributes, also of those that are written at the end.
    pub(super) attributes: u32,
    events: u32,
    links: u32,
    pub(super) dropped_attributes: u32,
    dropped_events: u32,
    dropped_links: u32,
}

// === impl Open ===

impl Default for Open {
    fn default() -> Self {
        Self {
            generation: 1,
            handles: 0,
            callsite: None,
            parent: None,
            context: TraceContext::new([0; 16], [0; 8], 0),
            is_started: false,
            is_used: false,
            is_recording: false,
            start: 0,
            exit: None,
            activity: Activity::default(),
            has_extras: false,
            name: None,
            kind: SpanKind::Internal,
            status: StatusCode::Unset,
            description: String::new(),
            encoded: Vec::new(),
            attributes: 0,
            events: 0,
            links: 0,
            dropped_attributes: 0,
            dropped_events: 0,
            dropped_links: 0,
        }
    }
}

impl Open {
    /// Makes the span empty for another use.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.generation += 1;
        self.callsite = None;
        if self.parent.as_ref().is_some_and(|parent| parent.state.is_some()) {
            self.parent = None;
        }
        self.context.state = None;
        (self.is_started, self.is_used, self.is_recording) = (false, false, false);
        self.exit = None;
        self.name = None;
        (self.kind, self.status) = (SpanKind::Internal, StatusCode::Unset);
        self.description.clear();
        self.encoded.clear();
        if self.encoded.capacity() > KEPT_BYTES {
            self.encoded = Vec::new();
        }
        (self.attributes, self.events, self.links) = (0, 0, 0);
        (self.dropped_attributes, self.dropped_events, self.dropped_links) = (0, 0, 0);
    }

    /// Starts the span: sets its context, in the encoded fields too.
    #[inline]
    pub(super) fn start(&mut self, context: &TraceContext, is_recording: bool) {
        self.is_started = true;
        copy(&mut self.context, context);
        if !is_recording {
            self.is_recording = false;
            self.encoded.clear();
            return;
        }
        let is_remote = self.parent.as_ref().is_some_and(|parent| parent.is_remote);
        let flags = flags(context, is_remote);
        if let Some(head) = self.encoded.first_chunk_mut::<{ HEAD.len() }>() {
            if let Some(parent) = &self.parent {
                head[2..10].copy_from_slice(&parent.span_id);
            }
            head[12..28].copy_from_slice(&context.trace_id);
            head[30..38].copy_from_slice(&context.span_id);
            head[41..49].copy_from_slice(&self.start.to_le_bytes());
            head[60..64].copy_from_slice(&flags.to_le_bytes());
        }
    }

    /// Takes over what fields set besides attributes.
    #[inline]
    pub(super) fn mark(&mut self, marks: Option<Box<Marks>>) {
        let Some(marks) = marks else { return };
        if let Some(name) = marks.name {
            self.name = Some(name);
        }
        self.kind = marks.kind.unwrap_or(self.kind);
        if let Some(status) = marks.status {
            self.set_status(status, marks.description.as_deref().unwrap_or_default());
        }
    }

    /// Sets the status: Unset < Error < Ok, and Ok is final. Only Error has a description.
    pub(super) fn set_status(&mut self, status: StatusCode, description: &str) {
        if self.status == StatusCode::Ok || status == StatusCode::Unset {
            return;
        }
        self.status = status;
        self.description.clear();
        if status == StatusCode::Error {
            self.description.push_str(description);
        }
    }

    /// Sets the status to Error, unless the status is set.
    pub(super) fn set_error(&mut self) {
        if self.status == StatusCode::Unset {
            self.status = StatusCode::Error;
        }
    }

    /// Adds encoded attributes. An attribute with the same key is replaced; `extras` are the attributes of the metadata.
    pub(super) fn merge(&mut self, attributes: &[u8], limits: &SpanLimits, extras: &[u8]) {
        for entry in entries(attributes, 0) {
            let (Some(key), Some(bytes)) = (key(attributes, &entry), attributes.get(entry.range.clone()))
            else {
                continue;
            };
            if self.has_extras && find(extras, 0, key).is_some() {
                self.has_extras = false;
                self.encoded.extend_from_slice(extras);
            }
            if let Some(old) = find(&self.encoded, HEAD.len(), key) {
                self.encoded.drain(old);
                self.attributes -= 1;
            }
            if self.attributes < limits.attributes && self.encoded.len() <= MAX_ENCODED_BYTES {
                self.encoded.extend_from_slice(bytes);
                self.attributes += 1;
            } else {
                self.dropped_attributes += 1;
            }
        }
    }

    /// Adds an encoded event.
    #[inline]
    pub(super) fn push_event(&mut self, event: &[u8], limits: &SpanLimits) {
        if self.events < limits.events && self.encoded.len() <= MAX_ENCODED_BYTES {
            self.events += 1;
            put_message(&mut self.encoded, EVENT, event);
        } else {
            self.dropped_events += 1;
        }
    }

    /// Adds a link to the span with the context.
    pub(super) fn push_link(&mut self, to: &TraceContext, limits: &SpanLimits) {
        if self.links >= limits.links || self.encoded.len() > MAX_ENCODED_BYTES {
            self.dropped_links += 1;
            return;
        }
        self.links += 1;
        let mut link = Vec::with_capacity(64);
        put_len_delimited(&mut link, 1, &to.trace_id);
        put_len_delimited(&mut link, 2, &to.span_id);
        if let Some(state) = &to.state {
            put_len_delimited(&mut link, 3, state.as_bytes());
        }
        link.push(LINK_FLAGS);
        link.extend_from_slice(&flags(to, to.is_remote).to_le_bytes());
        put_message(&mut self.encoded, LINK, &link);
    }

    /// Ends a span that is started and sampled. Returns the encoded fields, without name and attributes of the metadata.
    #[inline]
    pub(super) fn finish(&mut self, end: u64) -> &[u8] {
        if let Some(head) = self.encoded.first_chunk_mut::<{ HEAD.len() }>() {
            head[39] = self.kind.number() as u8;
            head[50..58].copy_from_slice(&end.max(self.start).to_le_bytes());
        }
        if let Some(name) = &self.name {
            put_len_delimited(&mut self.encoded, 5, name.as_bytes());
        }
        put_uint(&mut self.encoded, 10, u64::from(self.dropped_attributes));
        put_uint(&mut self.encoded, 12, u64::from(self.dropped_events));
        put_uint(&mut self.encoded, 14, u64::from(self.dropped_links));
        if self.status != StatusCode::Unset {
            self.put_status();
        }
        if let Some(state) = &self.context.state {
            put_len_delimited(&mut self.encoded, 3, state.as_bytes());
        }
        // A root has no parent's id, which comes first.
        self.encoded.get(if self.parent.is_some() { 0 } else { PARENT }..).unwrap_or_default()
    }

    fn put_status(&mut self) {
        let mut status = Vec::with_capacity(self.description.len() + 8);
        if !self.description.is_empty() {
            put_len_delimited(&mut status, 2, self.description.as_bytes());
        }
        put_uint(&mut status, 3, self.status.number() as u64);
        put_message(&mut self.encoded, STATUS, &status);
    }
}

/// Fields of a span with zeros for the values: parent's span id, trace id, span id, kind, start, end, flags.
pub(super) const HEAD: [u8; 64] = {
    let mut head = [0; 64];
    head[0] = 0x22;
    head[1] = 8;
    head[10] = 0x0a;
    head[11] = 16;
    head[28] = 0x12;
    head[29] = 8;
    head[38] = 0x30;
    head[40] = 0x39;
    head[49] = 0x41;
    head[58] = 0x85;
    head[59] = 0x01;
    head
};

/// Length of the first field in [`HEAD`], the parent's span id.
const PARENT: usize = 10;

/// Returns the flags on the wire: the W3C flags, and whether the parent is of another process.
fn flags(context: &TraceContext, is_remote: bool) -> u32 {
    u32::from(context.flags) | HAS_IS_REMOTE | if is_remote { IS_REMOTE } else { 0 }
}

/// Appends a message in a field with a tag of one byte.
#[inline]
fn put_message(out: &mut Vec<u8>, tag: u8, message: &[u8]) {
    out.reserve(message.len() + 1 + varint_len(message.len() as u64));
    out.push(tag);
    put_varint(out, message.len() as u64);
    out.extend_from_slice(message);
}

/// A field of a message.
struct Entry {
    tag: u8,
    /// The field with tag and length.
    range: Range<usize>,
    /// The content of the field.
    content: usize,
}

/// Returns the fields of encoded attributes, events and links from a position on.
fn entries(encoded: &[u8], from: usize) -> impl Iterator<Item = Entry> {
    let mut cursor = Cursor::new(encoded.get(from..).unwrap_or_default());
    std::iter::from_fn(move || {
        let start = from + cursor.position();
        let (number, wire_type) = cursor.tag().ok()?;
        let content = cursor.len_delimited().ok()?.len();
        let end = from + cursor.position();
        Some(Entry { tag: (number << 3) as u8 | wire_type as u8, range: start..end, content: end - content })
    })
}

/// Returns the encoded key of an attribute.
fn key<'a>(encoded: &'a [u8], entry: &Entry) -> Option<&'a [u8]> {
    let content = encoded.get(entry.content..entry.range.end)?;
    let mut cursor = Cursor::new(content);
    let (1, WireType::Len) = cursor.tag().ok()? else { return None };
    cursor.len_delimited().ok()?;
    content.get(..cursor.position())
}

/// Returns the position of the span's attribute with the encoded key, from a position on.
fn find(encoded: &[u8], from: usize, wanted: &[u8]) -> Option<Range<usize>> {
    entries(encoded, from)
        .find(|entry| entry.tag == SPAN_ATTRIBUTE && key(encoded, entry) == Some(wanted))
        .map(|entry| entry.range)
}

/// Appends encoded attributes of an event as attributes of a span.
pub(super) fn retag(out: &mut Vec<u8>, attributes: &[u8]) {
    for entry in entries(attributes, 0) {
        out.push(SPAN_ATTRIBUTE);
        out.extend_from_slice(attributes.get(entry.range.start + 1..entry.range.end).unwrap_or_default());
    }
}

/// Memory for attributes, events and links that a closed span keeps for its slot's next span, in bytes.
const KEPT_BYTES: usize = 2 << 10;

/// Flags on the wire.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// Tags in a span.
const EVENT: u8 = 0x5a;
const LINK: u8 = 0x6a;
const STATUS: u8 = 0x7a;
/// Tag of the flags in a link.
const LINK_FLAGS: u8 = 0x35;
