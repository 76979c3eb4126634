//! What moves through a pipeline: one export request's worth of encoded telemetry with what is known about it.

use crate::json::{JsonError, JsonLimits};
use crate::{Body, Charge, DecodeError, Hops, Items, Payload, Rejected, Signal, ValidateLimits};
use bytes::Bytes;
use std::net::IpAddr;
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

/// The sender of a batch, as far as the receiver was told to keep it. Batches of different origins are not merged.
/// Comparing and hashing leave out the charge.
#[derive(Debug, Default)]
pub struct Origin {
    /// Allow-listed request headers, in the order of the allow-list.
    pub headers: Vec<(Box<str>, Bytes)>,
    /// Who the sender proved to be.
    pub identity: Option<Box<str>>,
    /// Whose telemetry it is.
    pub tenant: Option<Box<str>>,
    /// The address it came from, without the port.
    pub peer: Option<IpAddr>,
    /// Resource attributes that batches are kept apart by, in the order of the configuration; all resources of the batch
    /// have them.
    pub resource: Vec<(Box<str>, Box<str>)>,
    /// What the origin holds of the byte budget, given back with the last origin that was made of this one.
    pub charge: Option<Arc<Charge>>,
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

// === impl Origin ===

impl Origin {
    /// Memory that the origin takes, in bytes: what a receiver charges.
    pub fn memory(&self) -> u64 {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len() + HEADER_BYTES);
        let resource = self.resource.iter().map(|(key, value)| key.len() + value.len() + HEADER_BYTES);
        let names = [&self.identity, &self.tenant].into_iter().flatten().map(|name| name.len());
        (size_of::<Self>() + headers.chain(resource).chain(names).sum::<usize>()) as u64
    }

    /// All but the charge.
    fn traits(&self) -> impl Eq + std::hash::Hash {
        (&self.headers, &self.identity, &self.tenant, &self.peer, &self.resource)
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.traits() == other.traits()
    }
}

impl Eq for Origin {}

impl std::hash::Hash for Origin {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::hash::Hash::hash(&self.traits(), state);
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

/// What a kept header takes beside its name and value: their handles, and what an allocator adds.
const HEADER_BYTES: usize = 128;
