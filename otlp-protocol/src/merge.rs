//! Joining batches: the merge of two requests is their concatenation, as long as nothing but resources stands at the
//! top of either.

use crate::{Batch, Charge, Count, Hops, Origin, Payload, Signal};
use bytes::Bytes;
use std::sync::Arc;

/// Batches of one signal on their way to be one.
///
/// Bodies are linked, not copied, unless they are small (thousands of tiny requests give few segments) or keep much
/// more memory alive than they use.
///
/// ```
/// use otlp_protocol::{Batch, Charge, Count, Merge, Signal};
///
/// let one = |body: &'static [u8]| {
///     Batch::unchecked(Signal::LOGS, bytes::Bytes::from_static(body), Count { items: 1, entries: 1 }, true, Charge::none())
/// };
/// let mut merge = Merge::new(Signal::LOGS);
/// merge.push(one(b"\x0a\x04\x12\x02\x12\x00"));
/// merge.push(one(b"\x0a\x04\x12\x02\x12\x00"));
/// assert_eq!((merge.items(), merge.bytes()), (2, 12));
/// assert_eq!(merge.finish().count(), Count { items: 2, entries: 2 });
/// ```
#[derive(Debug)]
pub struct Merge {
    signal: Signal,
    linked: Payload,
    /// Small bodies since the last linked one.
    copied: Vec<u8>,
    count: Count,
    charge: Charge,
    origin: Option<Arc<Origin>>,
    hops: Option<Arc<Hops>>,
}

// === impl Merge ===

impl Merge {
    /// A merge of nothing yet.
    pub fn new(signal: Signal) -> Self {
        Self {
            signal,
            linked: Payload::new(),
            copied: Vec::new(),
            count: Count::default(),
            charge: Charge::none(),
            origin: None,
            hops: None,
        }
    }

    /// Adds a batch, with its charge. It must be of the same signal, [mergeable](Batch::is_mergeable), of the same
    /// origin as the others and charged on the same budget: the caller sees to that.
    pub fn push(&mut self, batch: Batch) {
        debug_assert!(batch.signal == self.signal && batch.is_mergeable());
        self.origin = self.origin.take().or_else(|| batch.origin.clone());
        self.hops = match (self.hops.take(), &batch.hops) {
            (Some(hops), Some(others)) => Some(Hops::join(hops, others)),
            (hops, others) => hops.or_else(|| others.clone()),
        };
        let len = batch.len();
        let (body, count, mut charge) = batch.into_parts();
        self.count += count;
        let pinned = charge.bytes();
        let copy = len < MIN_LINKED_BYTES || pinned / MAX_PINNED_PER_USED > len as u64;
        for segment in body.plain().segments() {
            if copy { self.copy(segment) } else { self.link(segment.clone()) }
        }
        if copy {
            charge.shrink_to(len as u64);
        }
        // On another budget than the rest: given back, as there is nowhere to keep it.
        drop(self.charge.merge(charge));
    }

    /// Items so far.
    pub fn items(&self) -> u64 {
        self.count.items
    }

    /// Length of the encoding so far, in bytes.
    pub fn bytes(&self) -> usize {
        self.linked.len() + self.copied.len()
    }

    /// Whether nothing has been added.
    pub fn is_empty(&self) -> bool {
        self.bytes() == 0
    }

    /// The batch of all that was added. It has the common origin, the hops of all and no deadline: those
    /// it is made of had their own.
    pub fn finish(mut self) -> Batch {
        self.link_copied();
        let mut batch = Batch::unchecked(self.signal, self.linked, self.count, true, self.charge);
        (batch.origin, batch.hops) = (self.origin, self.hops);
        batch
    }

    fn copy(&mut self, segment: &[u8]) {
        if self.copied.len() + segment.len() > COPY_CHUNK_BYTES {
            self.link_copied();
        }
        self.copied.extend_from_slice(segment);
    }

    fn link(&mut self, segment: Bytes) {
        self.link_copied();
        self.linked.push(segment);
    }

    fn link_copied(&mut self) {
        self.linked.push(std::mem::take(&mut self.copied).into());
    }
}

/// Smaller bodies are copied: `writev` takes 1,024 segments at most.
const MIN_LINKED_BYTES: usize = 4096;

/// A body is copied if it keeps more than this many times its length from being freed.
const MAX_PINNED_PER_USED: u64 = 2;

/// Copied bodies are linked in pieces of this size, so that growing them moves little.
const COPY_CHUNK_BYTES: usize = 64 * 1024;
