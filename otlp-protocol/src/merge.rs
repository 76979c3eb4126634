//! Joining batches: the merge of two requests is their concatenation, as long as nothing but resources stands at the
//! top of either.

use crate::{Batch, Body, Charge, Count, Hops, Origin, Payload, Signal};
use bytes::Bytes;
use std::sync::Arc;

/// Batches of one signal on their way to be one.
///
/// Bodies are linked, not copied, unless they are small (thousands of tiny requests give few segments) or keep much
/// more memory alive than they use.
///
/// ```
/// use otlp_protocol::{Batch, Charge, Count, Merge, Signal, ValidateLimits};
///
/// let batch = |signal| {
///     let body = b"\x0a\x04\x12\x02\x12\x00".as_slice();
///     Batch::checked(signal, bytes::Bytes::from_static(body), &ValidateLimits::default(), Charge::none())
/// };
/// let mut merge = Merge::new(batch(Signal::LOGS)?);
/// assert!(merge.push(batch(Signal::LOGS)?).is_ok());
/// assert!(merge.push(batch(Signal::TRACES)?).is_err());
/// assert_eq!((merge.items(), merge.bytes()), (2, 12));
/// assert_eq!(merge.finish().count(), Count { items: 2, entries: 2 });
/// # Ok::<(), otlp_protocol::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Merge {
    signal: Signal,
    mergeable: bool,
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
    /// A merge that begins with a batch. One that is not [mergeable](Batch::is_mergeable) stays alone.
    pub fn new(first: Batch) -> Self {
        let mut merge = Self {
            signal: first.signal(),
            mergeable: first.is_mergeable(),
            linked: Payload::new(),
            copied: Vec::new(),
            count: Count::default(),
            charge: Charge::none(),
            origin: first.origin.clone(),
            hops: None,
        };
        merge.add(first);
        merge
    }

    /// Whether a batch can be joined with what is here: all are of one signal and one origin, and
    /// [mergeable](Batch::is_mergeable).
    pub fn takes(&self, batch: &Batch) -> bool {
        batch.signal() == self.signal && batch.is_mergeable() && self.mergeable && batch.origin == self.origin
    }

    /// Adds a batch, with its charge; all batches should be charged on one budget.
    ///
    /// # Errors
    /// The batch, if the merge does not [take](Self::takes) it.
    pub fn push(&mut self, batch: Batch) -> Result<(), Box<Batch>> {
        if self.takes(&batch) {
            self.add(batch);
            Ok(())
        } else {
            Err(Box::new(batch))
        }
    }

    fn add(&mut self, batch: Batch) {
        self.hops = match (self.hops.take(), &batch.hops) {
            (Some(hops), Some(others)) => Some(Hops::join(hops, others)),
            (hops, others) => hops.or_else(|| others.clone()),
        };
        let (body, mut charge) = batch.into_parts();
        let len = body.len();
        self.count += body.count();
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

    /// The batch of all that was added. It has the common origin, the hops of all and no deadline: those
    /// it is made of had their own.
    pub fn finish(mut self) -> Batch {
        self.link_copied();
        let body = Body::sound(self.signal, self.linked, self.count, self.mergeable);
        let mut batch = Batch::new(body, self.charge);
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
