//! Batches: the unit that moves through a pipeline, one export request or several merged. The merge of two requests is
//! their concatenation, if the top level of both holds resources alone.

use crate::json::{JsonError, JsonLimits};
use crate::{
    BatchTrace, Body, Charge, DecodeError, Hops, Items, Origin, Payload, Rejected, Signal, ValidateLimits,
};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Instant;

/// A [`Body`] with its origin, its deadline, and the memory charged for it.
///
/// ```
/// use otlp_protocol::encode::LogRecords;
/// use otlp_protocol::{Batch, Body, ByteBudget};
///
/// let body = Body::write::<LogRecords>(|request| {
///     request.resource_group(|group| {
///         group.scope_group(|scope| {
///             scope.log_record(|record| {
///                 record.body("checked out");
///             });
///         });
///     });
/// });
/// let budget = ByteBudget::new(64 << 20);
/// let charge = budget.try_charge(body.len() as u64)?;
/// let batch = Batch::new(body, charge);
/// assert_eq!((batch.items(), budget.used()), (1, batch.len() as u64));
/// # Ok::<(), otlp_protocol::BudgetExhausted>(())
/// ```
#[derive(Debug)]
pub struct Batch {
    body: Body,
    /// Origin of the batch, if the receiver was configured to keep it.
    pub origin: Option<Arc<Origin>>,
    /// Receivers that the batch has passed; `None` if it passed no receiver. A merged batch has the receivers of all its
    /// requests.
    pub hops: Option<Arc<Hops>>,
    /// Spans that the work on the batch belongs to; `None` if that work is not traced.
    pub trace: Option<Arc<BatchTrace>>,
    /// Time after which no attempt to send the batch starts. A merged batch has no deadline.
    pub deadline: Option<Instant>,
    /// Items that the receiver's validation removed, which the answer to the sender reports. If all items were removed, the
    /// body is empty.
    pub rejected: Option<Box<Rejected>>,
    charge: Charge,
}

/// Number of items and entries in a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Number of items: spans, metric data points, log records, profile samples.
    pub items: u64,
    /// Number of entries: spans, metrics, log records, profiles.
    pub entries: u64,
}

/// Merges batches of one signal and one origin into one batch.
///
/// Bodies are linked, not copied, unless they are small (so that thousands of small requests make few segments) or pin much
/// more memory than they use.
///
/// ```
/// use otlp_protocol::encode::LogRecords;
/// use otlp_protocol::{Batch, Body, Charge, Merge};
///
/// let batch = |text: &str| {
///     let body = Body::write::<LogRecords>(|request| {
///         request.resource_group(|group| {
///             group.scope_group(|scope| {
///                 scope.log_record(|record| {
///                     record.body(text);
///                 });
///             });
///         });
///     });
///     Batch::new(body, Charge::none())
/// };
/// let mut merge = Merge::new(batch("first"));
/// merge.push(batch("second")).expect("the same signal and origin");
/// assert_eq!(merge.finish().items(), 2);
/// ```
pub struct Merge {
    signal: Signal,
    mergeable: bool,
    linked: Payload,
    /// Copies of the small bodies since the last linked body.
    copied: Vec<u8>,
    count: Count,
    charge: Charge,
    origin: Option<Arc<Origin>>,
    hops: Option<Arc<Hops>>,
    trace: Option<Arc<BatchTrace>>,
}

// === impl Batch ===

impl Batch {
    /// Makes a batch of a body. `charge` is its share of a byte budget; [`Charge::none`] if there is no budget.
    pub fn new(body: Body, charge: Charge) -> Self {
        Self { body, origin: None, hops: None, trace: None, deadline: None, rejected: None, charge }
    }

    /// Makes a batch of received bytes, which are validated as by [`Body::check`].
    ///
    /// # Errors
    /// The first fault in the bytes.
    pub fn checked(
        signal: Signal,
        bytes: impl Into<Payload>,
        limits: &ValidateLimits,
        charge: Charge,
    ) -> Result<Self, DecodeError> {
        Ok(Self::new(Body::check(signal, bytes, limits)?, charge))
    }

    /// Makes a batch of OTLP/JSON, which is read as by [`Body::from_json`].
    ///
    /// # Errors
    /// The first fault in the text.
    pub fn from_json(
        signal: Signal,
        text: &[u8],
        limits: &JsonLimits,
        charge: Charge,
    ) -> Result<Self, JsonError> {
        Ok(Self::new(Body::from_json(signal, text, limits)?, charge))
    }

    /// Makes a batch of bytes without validation, as [`Body::unchecked`] does.
    pub fn unchecked(
        signal: Signal,
        plain: impl Into<Payload>,
        count: Count,
        mergeable: bool,
        charge: Charge,
    ) -> Self {
        Self::new(Body::unchecked(signal, plain, count, mergeable), charge)
    }

    /// Returns the signal of the body.
    pub fn signal(&self) -> Signal {
        self.body.signal()
    }

    /// Returns the encoded request.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Returns the number of items: spans, data points, log records, samples.
    pub fn items(&self) -> u64 {
        self.body.count().items
    }

    /// Returns the number of items and entries.
    pub fn count(&self) -> Count {
        self.body.count()
    }

    /// Returns the length of the protobuf encoding, in bytes.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// True if the encoding is empty.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// True if the body [can be merged](Body::is_mergeable) with others.
    pub fn is_mergeable(&self) -> bool {
        self.body.is_mergeable()
    }

    /// Returns the batch's share of the byte budget.
    pub fn charge(&self) -> &Charge {
        &self.charge
    }

    /// Takes the charge, for a body that still needs it. The batch is left without a charge.
    #[must_use]
    pub fn take_charge(&mut self) -> Charge {
        std::mem::take(&mut self.charge)
    }

    /// Makes a second batch that shares the bytes and the charge; nothing is copied. [`rejected`](Self::rejected) stays with
    /// this batch.
    #[must_use]
    pub fn share(&mut self) -> Self {
        let charge = self.charge.share();
        self.part(self.body.clone(), charge)
    }

    /// Makes a batch of another body, derived from this batch, with the origin, hops, trace and deadline of this batch.
    ///
    /// `charge` is for the new body: [`Charge::another`] makes a charge on the same budget. If the body has slices of this
    /// batch's body, it needs a [share](Charge::share) of this batch's charge. [`rejected`](Self::rejected) stays with this
    /// batch.
    #[must_use]
    pub fn part(&self, body: Body, charge: Charge) -> Self {
        let (origin, hops, trace) = (self.origin.clone(), self.hops.clone(), self.trace.clone());
        Self { body, origin, hops, trace, deadline: self.deadline, rejected: None, charge }
    }

    /// Replaces the body and its charge: [`Charge::another`] makes a charge on the same budget. All other fields stay.
    #[must_use]
    pub fn with_body(self, body: Body, charge: Charge) -> Self {
        Self { body, charge, ..self }
    }

    /// Takes the batch apart into body and charge.
    pub fn into_parts(self) -> (Body, Charge) {
        (self.body, self.charge)
    }

    /// Converts the rejected count of a response into items, as [`Count::rejected_items`] does.
    pub fn rejected_items(&self, rejected: u64) -> u64 {
        self.count().rejected_items(self.signal(), rejected)
    }
}

// === impl Count ===

impl Count {
    /// Returns the largest count that a response can reject: a number of profiles, or of items of the other signals.
    pub fn rejectable(self, signal: Signal) -> u64 {
        match signal.items {
            Items::Repeated { .. } => self.entries,
            Items::Entries | Items::Inside { .. } => self.items,
        }
    }

    /// Converts the rejected count of a response into items, at most all items. A response counts profiles, whose items are
    /// samples: the samples are taken in proportion.
    pub fn rejected_items(self, signal: Signal, rejected: u64) -> u64 {
        let rejectable = self.rejectable(signal).max(1);
        (u128::from(self.items) * u128::from(rejected.min(rejectable)) / u128::from(rejectable)) as u64
    }
}

// === impl Merge ===

impl Merge {
    /// Starts a merge with a batch. A batch that is not [mergeable](Batch::is_mergeable) takes no other batch.
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
            trace: None,
        };
        merge.add(first);
        merge
    }

    /// True if the merge takes a batch: all batches must be of one signal and one origin, and
    /// [mergeable](Batch::is_mergeable).
    pub fn takes(&self, batch: &Batch) -> bool {
        batch.signal() == self.signal && batch.is_mergeable() && self.mergeable && batch.origin == self.origin
    }

    /// Adds a batch with its charge. All batches should be charged to one budget.
    ///
    /// # Errors
    /// Returns the batch if the merge does not [take](Self::takes) it.
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
        self.trace = match (self.trace.take(), &batch.trace) {
            (Some(trace), Some(others)) => Some(BatchTrace::join(trace, others)),
            (trace, others) => trace.or_else(|| others.clone()),
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
        // A charge on another budget cannot be kept: it is released.
        drop(self.charge.merge(charge));
    }

    /// Returns the number of items so far.
    pub fn items(&self) -> u64 {
        self.count.items
    }

    /// Returns the length of the encoding so far, in bytes.
    pub fn bytes(&self) -> usize {
        self.linked.len() + self.copied.len()
    }

    /// Returns the merged batch: with the common origin, the hops and spans of all batches, and no deadline.
    pub fn finish(mut self) -> Batch {
        self.link_copied();
        let body = Body::sound(self.signal, self.linked, self.count, self.mergeable);
        let mut batch = Batch::new(body, self.charge);
        (batch.origin, batch.hops, batch.trace) = (self.origin, self.hops, self.trace);
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

impl std::fmt::Debug for Merge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Merge")
            .field("signal", &self.signal)
            .field("len", &self.bytes())
            .field("count", &self.count)
            .finish_non_exhaustive()
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

/// Bodies smaller than this are copied: `writev` takes 1,024 segments at most.
const MIN_LINKED_BYTES: usize = 4096;

/// A body is copied if it pins more than this many times its length.
const MAX_PINNED_PER_USED: u64 = 2;

/// Copies are collected in buffers of this size: a buffer that grows further would be moved.
const COPY_CHUNK_BYTES: usize = 64 * 1024;
