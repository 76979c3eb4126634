//! Routing of a batch, or of its parts, to candidates.

mod attributes;

use super::consistent_hash::hash_key;
use super::{BalancePolicy, Candidate, LoadBalancingStrategy};
use crate::ExportError;
use crate::client::{Place, Room, Rooms};
use crate::offload;
use attributes::{AttributeKeys, field};
use otlp_protocol::view::{AnyValue, Resource};
use otlp_protocol::{Batch, Body, ErrorKind, Item, Retry, Signal, partition};
use std::sync::Arc;

/// Key of the consistent hash. A batch or an item without the key goes to an arbitrary endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoutingKey {
    /// The trace id of each span or log record: all data of a trace goes to one endpoint. Metrics and profiles, which
    /// have no trace id, are routed by service. A batch is cut by endpoint.
    #[default]
    TraceId,
    /// The resource attribute `service.name`. A batch is cut by endpoint.
    Service,
    /// The whole resource, as encoded. A batch is cut by endpoint.
    Resource,
    /// The values of these attributes together. Each is looked up in the resource, then in the scope, then in the span or
    /// log record; `span.name` and `span.kind` are the span's fields. A batch is cut by endpoint.
    Attributes(Vec<String>),
    /// The value of this request header, if the receiver keeps the header.
    Metadata(String),
}

/// The balancing policy, with the key that it routes by.
pub(super) struct Routing {
    strategy: Arc<dyn LoadBalancingStrategy>,
    /// `None`: the policy uses no keys.
    key: Option<RoutingKey>,
    rooms: Rooms,
}

/// Assignment of a batch to candidates: the whole batch to one candidate, or parts to several. The parts together are the
/// batch.
pub(super) struct Division<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// The place outside the budget, if the budget had no memory for copies. Held until the parts are answered.
    pub(super) place: Option<Place>,
}

/// The part of a batch for one candidate.
pub(super) struct Part<'a> {
    pub(super) candidate: usize,
    batch: PartBatch<'a>,
}

enum PartBatch<'a> {
    Whole(&'a Batch),
    /// A part: slices of the batch, and copies that are charged.
    Cut(Batch),
}

// === impl Routing ===

impl Routing {
    pub(super) fn new(policy: BalancePolicy, key: RoutingKey, rooms: Rooms) -> Self {
        let key = (policy == BalancePolicy::ConsistentHash).then_some(key);
        Self { strategy: policy.strategy(), key, rooms }
    }

    /// Assigns the batch to candidates. `place` is the place outside the budget, if this attempt holds the place already.
    pub(super) async fn divide<'a>(
        &self,
        batch: &'a Batch,
        candidates: &[Candidate],
        place: Option<&Place>,
    ) -> Result<Division<'a>, ExportError> {
        let key = match &self.key {
            Some(key) if candidates.len() > 1 => key,
            _ => return self.whole(batch, candidates, None),
        };
        let keys = match key {
            RoutingKey::Metadata(name) => return self.whole(batch, candidates, header_key(batch, name)),
            RoutingKey::TraceId => match trace_id_number(batch.signal()) {
                Some(number) => Keys::Bytes(number),
                None => Keys::Service,
            },
            RoutingKey::Service => Keys::Service,
            RoutingKey::Resource => Keys::Resource,
            RoutingKey::Attributes(names) => Keys::Attributes(AttributeKeys::new(names, batch.signal())),
        };
        let (shares, room) = self.partition(keys, batch, candidates, place).await?;
        let (mut charge, place) = match room {
            Room::Charged(charge) => (charge, None),
            Room::Outside(place) => (batch.charge().another(), Some(place)),
        };
        let part = |(candidate, share): (usize, Option<Body>)| {
            Some(Part { candidate, batch: PartBatch::Cut(batch.part(share?, charge.share())) })
        };
        let parts: Vec<_> = shares.into_iter().enumerate().filter_map(part).collect();
        // A request without items is delivered too.
        if parts.is_empty() { self.whole(batch, candidates, None) } else { Ok(Division { parts, place }) }
    }

    fn whole<'a>(
        &self,
        batch: &'a Batch,
        candidates: &[Candidate],
        key: Option<u64>,
    ) -> Result<Division<'a>, ExportError> {
        let none = || ExportError::new(ErrorKind::Unavailable, Retry::Backoff, "no endpoint can be picked");
        let candidate = self.strategy.pick(candidates, key).ok_or_else(none)?;
        Ok(Division { parts: vec![Part { candidate, batch: PartBatch::Whole(batch) }], place: None })
    }

    /// Cuts the batch, and charges copies. A large batch is cut on a blocking thread.
    async fn partition(
        &self,
        keys: Keys,
        batch: &Batch,
        candidates: &[Candidate],
        place: Option<&Place>,
    ) -> Result<(Vec<Option<Body>>, Room), ExportError> {
        let joined = if batch.body().plain().segments().nth(1).is_some() { batch.len() } else { 0 };
        // Short records are copied, and their envelopes repeated. How many bytes that takes is known only afterwards.
        let mut room = self.rooms.take((joined + batch.len()) as u64, place).await;
        let chooser = Chooser::new(keys, self.strategy.clone(), candidates.to_vec());
        let is_large = offload::is_large_to_route(batch.len(), batch.items(), candidates.len());
        let body = batch.body().clone();
        let cut = move || (chooser.partition(&body.contiguous()), room);
        let cut = offload::run(is_large, cut).await;
        let ((shares, copied), returned) = cut.map_err(|error| failed(&error.to_string()))?;
        room = returned;
        self.rooms.resize(&mut room, (joined + copied) as u64, place).await;
        Ok((shares, room))
    }
}

// === impl Part ===

impl Part<'_> {
    pub(super) fn batch(&self) -> &Batch {
        match &self.batch {
            PartBatch::Whole(batch) => batch,
            PartBatch::Cut(batch) => batch,
        }
    }
}

/// Kind of key of an item.
#[derive(Clone, Debug)]
enum Keys {
    /// A field of bytes of the entry, by its number.
    Bytes(u32),
    Service,
    Resource,
    Attributes(AttributeKeys),
}

/// Picks a candidate for each item.
struct Chooser {
    keys: Keys,
    strategy: Arc<dyn LoadBalancingStrategy>,
    candidates: Vec<Candidate>,
    /// The candidate for items without a key.
    without_key: usize,
    /// The last key and its candidate: neighbouring items often have the same key.
    last: Option<(u64, usize)>,
    /// The index of the last item's resource, and its key.
    last_resource: Option<(usize, Option<u64>)>,
}

// === impl Chooser ===

impl Chooser {
    fn new(keys: Keys, strategy: Arc<dyn LoadBalancingStrategy>, candidates: Vec<Candidate>) -> Self {
        let without_key = strategy.pick(&candidates, None).unwrap_or_default();
        Self { keys, strategy, candidates, without_key, last: None, last_resource: None }
    }

    /// Returns the share of each candidate, and the number of copied bytes in the shares.
    fn partition(mut self, body: &Body) -> (Vec<Option<Body>>, usize) {
        let shares = partition(body, self.candidates.len(), |item| self.choose(item));
        let whole = body.plain().to_contiguous();
        let copied = shares.iter().flatten().map(|share| share.plain().len_outside(&whole)).sum();
        (shares, copied)
    }

    fn choose(&mut self, item: &Item<'_>) -> usize {
        let Some(key) = self.key(item) else { return self.without_key };
        match self.last {
            Some((last, candidate)) if last == key => candidate,
            _ => {
                let candidate = self.strategy.pick(&self.candidates, Some(key)).unwrap_or_default();
                self.last = Some((key, candidate));
                candidate
            }
        }
    }

    fn key(&mut self, item: &Item<'_>) -> Option<u64> {
        match &self.keys {
            Keys::Bytes(number) => {
                let value = field(item.entry, *number).ok().flatten().filter(|value| !value.is_empty());
                return value.map(hash_key);
            }
            Keys::Attributes(keys) => return keys.key(item),
            Keys::Service | Keys::Resource => {}
        }
        match self.last_resource {
            Some((index, key)) if index == item.resource_index => key,
            _ => {
                let key = self.resource_key(item.resource);
                self.last_resource = Some((item.resource_index, key));
                key
            }
        }
    }

    fn resource_key(&self, resource: &[u8]) -> Option<u64> {
        if let Keys::Resource = self.keys {
            return Some(hash_key(resource));
        }
        match Resource::new(resource).attributes().get("service.name") {
            Some(AnyValue::String(name)) => Some(hash_key(name.as_bytes())),
            _ => None,
        }
    }
}

/// Returns the field number of `trace_id`, if the signal's entries have that field.
fn trace_id_number(signal: Signal) -> Option<u32> {
    signal.levels()[2]?.fields.iter().find(|field| field.name == "trace_id").map(|field| field.number)
}

fn header_key(batch: &Batch, name: &str) -> Option<u64> {
    Some(hash_key(&batch.origin.as_ref()?.header(name)?))
}

fn failed(why: &str) -> ExportError {
    ExportError::new(ErrorKind::Internal, Retry::Never, format!("cutting the batch by endpoint: {why}"))
}

#[cfg(test)]
mod tests;
