//! Export requests of chunks: the chunks are linked, not copied.

use super::chunk::Chunk;
use super::kind::Kind;
use super::scope::ScopeId;
use super::shared::Shared;
use otlp_protocol::bytes::Bytes;
use otlp_protocol::wire::{put_len_delimited, put_varint, varint_len};
use otlp_protocol::{Body, Count, Payload};
use std::sync::Arc;

/// Makes an export request of chunks. The buffers return to the store when the request is dropped.
pub(crate) fn request(shared: &Arc<Shared>, kind: Kind, chunks: Vec<Chunk>) -> Body {
    let items = chunks.iter().map(|chunk| chunk.items() as u64).sum();
    let mut segments = segments(shared, chunks);
    // Stable: the entries of a scope stay in their order.
    segments.sort_by_key(|(scope, _)| *scope);
    let groups: Vec<_> =
        segments.chunk_by(|one, next| one.0 == next.0).map(|run| Group::new(shared, run)).collect();

    let config = &shared.config;
    let mut head = Vec::with_capacity(config.resource.len() + 64);
    put_len_delimited(&mut head, RESOURCE, &config.resource);
    let mut tail = Vec::new();
    if !config.resource_schema_url.is_empty() {
        put_len_delimited(&mut tail, SCHEMA_URL, config.resource_schema_url.as_bytes());
    }
    let len = head.len() + tail.len() + groups.iter().map(Group::field_len).sum::<usize>();
    let mut start = Vec::with_capacity(head.len() + 16);
    put_field(&mut start, RESOURCE_GROUPS, len);
    start.append(&mut head);

    let mut payload = Payload::new();
    for group in groups {
        put_field(&mut start, SCOPE_GROUPS, group.len);
        start.extend_from_slice(&group.scope);
        payload.push(Bytes::from(std::mem::take(&mut start)));
        group.entries.iter().for_each(|(_, entries)| payload.push(entries.clone()));
    }
    start.append(&mut tail);
    payload.push(Bytes::from(start));
    Body::unchecked(kind.signal(), payload, Count { items, entries: items }, true)
}

/// Entries of one scope.
struct Group<'a> {
    scope: Arc<[u8]>,
    entries: &'a [(ScopeId, Bytes)],
    /// Length of the message, in bytes.
    len: usize,
}

/// The buffer of a chunk, which returns to the store.
struct Lent {
    chunk: Chunk,
    shared: Arc<Shared>,
}

fn segments(shared: &Arc<Shared>, chunks: Vec<Chunk>) -> Vec<(ScopeId, Bytes)> {
    let mut segments = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let scopes: Vec<_> = chunk.segments().to_vec();
        let bytes = Bytes::from_owner(Lent { chunk, shared: shared.clone() });
        for (index, segment) in scopes.iter().enumerate() {
            let end = scopes.get(index + 1).map_or(bytes.len(), |next| next.start);
            segments.push((segment.scope, bytes.slice(segment.start..end)));
        }
    }
    segments
}

fn put_field(out: &mut Vec<u8>, number: u8, len: usize) {
    out.push(number << 3 | LEN);
    put_varint(out, len as u64);
}

// === impl Group ===

impl<'a> Group<'a> {
    fn new(shared: &Shared, entries: &'a [(ScopeId, Bytes)]) -> Self {
        let scope = entries.first().map(|(scope, _)| *scope).unwrap_or_default();
        let scope = shared.scopes.encoded(scope);
        let len = scope.len() + entries.iter().map(|(_, entries)| entries.len()).sum::<usize>();
        Self { scope, entries, len }
    }

    /// Length of the field that holds the message.
    fn field_len(&self) -> usize {
        1 + varint_len(self.len as u64) + self.len
    }
}

// === impl Lent ===

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        self.chunk.as_bytes()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.shared.store.recycle(std::mem::take(&mut self.chunk));
    }
}

// Fields of `ExportTraceServiceRequest`, `ResourceSpans`, and of logs alike.
const RESOURCE_GROUPS: u8 = 1;
const RESOURCE: u32 = 1;
const SCOPE_GROUPS: u8 = 2;
const SCHEMA_URL: u32 = 3;
const LEN: u8 = 2;
