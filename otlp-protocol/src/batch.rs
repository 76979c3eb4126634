//! What moves through a pipeline: one export request's worth of encoded telemetry with what is known about it, or several
//! joined. The merge of two requests is their concatenation, as long as nothing but resources stands at the top of either.

use crate::json::{JsonError, JsonLimits};
use crate::{Body, Charge, DecodeError, Hops, Items, Origin, Payload, Rejected, Signal, ValidateLimits};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Instant;

/// One request's worth of a signal: a sound body, where it comes from, and the memory that it is charged for.
///
/// ```
/// use otlp_protocol::{Batch, Charge, Signal, ValidateLimits};
///
/// // A request of one resource with one scope with two log records.
/// let body = bytes::Bytes::from_static(b"\x0a\x06\x12\x04\x12\x00\x12\x00");
/// let batch = Batch::checked(Signal::LOGS, body, &ValidateLimits::default(), Charge::none())?;
/// assert_eq!(batch.items(), 2);
/// # Ok::<(), otlp_protocol::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Batch {
    body: Body,
    /// Where it came from, if receivers were told to keep that.
    pub origin: Option<Arc<Origin>>,
    /// The receivers that it has been at; `None` if it came through none. A joined batch has those of all its requests.
    pub hops: Option<Arc<Hops>>,
    /// No attempt starts after this; a merged batch has none.
    pub deadline: Option<Instant>,
    /// Items of the request that the receiver's check took out: part of the answer to the sender. If that was all of
    /// them, the body is empty.
    pub rejected: Option<Box<Rejected>>,
    charge: Charge,
}

/// How much a body holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Items: spans, metric data points, log records, profile samples.
    pub items: u64,
    /// Entries: spans, metrics, log records, profiles.
    pub entries: u64,
}

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

// === impl Batch ===

impl Batch {
    /// A batch of that body; `charge` is what it holds of a byte budget, if there is one ([`Charge::none`]).
    pub fn new(body: Body, charge: Charge) -> Self {
        Self { body, origin: None, hops: None, deadline: None, rejected: None, charge }
    }

    /// A batch of bytes that somebody sent, as [`Body::check`] has it.
    ///
    /// # Errors
    /// The first fault of the bytes.
    pub fn checked(
        signal: Signal,
        bytes: impl Into<Payload>,
        limits: &ValidateLimits,
        charge: Charge,
    ) -> Result<Self, DecodeError> {
        Ok(Self::new(Body::check(signal, bytes, limits)?, charge))
    }

    /// A batch of OTLP/JSON, as [`Body::from_json`] has it.
    ///
    /// # Errors
    /// The first fault of the text.
    pub fn from_json(
        signal: Signal,
        text: &[u8],
        limits: &JsonLimits,
        charge: Charge,
    ) -> Result<Self, JsonError> {
        Ok(Self::new(Body::from_json(signal, text, limits)?, charge))
    }

    /// A batch of a body that is sound by the caller's word, as [`Body::unchecked`] has it.
    pub fn unchecked(
        signal: Signal,
        plain: impl Into<Payload>,
        count: Count,
        mergeable: bool,
        charge: Charge,
    ) -> Self {
        Self::new(Body::unchecked(signal, plain, count, mergeable), charge)
    }

    /// Which signal the body holds.
    pub fn signal(&self) -> Signal {
        self.body.signal()
    }

    /// The encoded request.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Items: spans, data points, log records, samples.
    pub fn items(&self) -> u64 {
        self.body.count().items
    }

    /// Items and entries.
    pub fn count(&self) -> Count {
        self.body.count()
    }

    /// Length of the protobuf encoding, in bytes.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Whether the encoding is empty.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// Whether concatenating the body with another one's is the merge of the two.
    pub fn is_mergeable(&self) -> bool {
        self.body.is_mergeable()
    }

    /// The share of the byte budget that this batch holds.
    pub fn charge(&self) -> &Charge {
        &self.charge
    }

    /// Takes the charge, for a body that still needs it: the batch is left without.
    #[must_use]
    pub fn take_charge(&mut self) -> Charge {
        std::mem::take(&mut self.charge)
    }

    /// A second holder of the same batch: bytes and charge are shared, nothing is copied. What the check took out is
    /// left to the first.
    #[must_use]
    pub fn share(&mut self) -> Self {
        let charge = self.charge.share();
        self.part(self.body.clone(), charge)
    }

    /// A batch of another body, with this one's origin, hops and deadline: a part of this batch, or what was made of it.
    /// The charge is the body's own ([`Charge::another`] is on the same budget), or a [share](Charge::share) of this one's
    /// where the body has slices of this one's. What the check took out stays with this batch.
    #[must_use]
    pub fn part(&self, body: Body, charge: Charge) -> Self {
        let (origin, hops) = (self.origin.clone(), self.hops.clone());
        Self { body, origin, hops, deadline: self.deadline, rejected: None, charge }
    }

    /// The same batch with another body, which brings its own charge ([`Charge::another`] is on the same budget). Origin,
    /// hops, deadline, and what the check took out stay.
    #[must_use]
    pub fn with_body(self, body: Body, charge: Charge) -> Self {
        Self { body, charge, ..self }
    }

    /// Takes the batch apart: body and charge.
    pub fn into_parts(self) -> (Body, Charge) {
        (self.body, self.charge)
    }

    /// The items that `rejected` of the response's unit stand for, as [`Count::rejected_items`] has it.
    pub fn rejected_items(&self, rejected: u64) -> u64 {
        self.count().rejected_items(self.signal(), rejected)
    }
}

// === impl Count ===

impl Count {
    /// The most that a response can reject, in its own unit: profiles are rejected whole, the others by item.
    pub fn rejectable(self, signal: Signal) -> u64 {
        match signal.items {
            Items::Repeated { .. } => self.entries,
            Items::Entries | Items::Inside { .. } => self.items,
        }
    }

    /// The items that `rejected` of the response's unit stand for: never more than there are. Profiles are rejected
    /// whole but counted in samples; then the samples are taken in proportion.
    pub fn rejected_items(self, signal: Signal, rejected: u64) -> u64 {
        let rejectable = self.rejectable(signal).max(1);
        (u128::from(self.items) * u128::from(rejected.min(rejectable)) / u128::from(rejectable)) as u64
    }
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

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.items += other.items;
        self.entries += other.entries;
    }
}

impl std::ops::SubAssign for Count {
    fn sub_assign(&mut self, other: Self) {
        self.items = self.items.saturating_sub(other.items);
        self.entries = self.entries.saturating_sub(other.entries);
    }
}

/// Smaller bodies are copied: `writev` takes 1,024 segments at most.
const MIN_LINKED_BYTES: usize = 4096;

/// A body is copied if it keeps more than this many times its length from being freed.
const MAX_PINNED_PER_USED: u64 = 2;

/// Copied bodies are linked in pieces of this size, so that growing them moves little.
const COPY_CHUNK_BYTES: usize = 64 * 1024;
