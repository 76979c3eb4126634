//! Splits requests by attributes of their resources, for a batch processor with `resource_keys`.

use super::text::text_of;
use crate::component::{Access, Out, Processor, reserve};
use otlp_protocol::view::{RequestView, Resource};
use otlp_protocol::{Batch, Body, ErrorKind, Item, MAX_PARTS, Origin, Retry, partition};
use otlp_transport::ExportError;
use std::collections::HashMap;
use std::sync::Arc;

/// Splits each request into a part for each combination of values of some resource attributes, and writes the values into the
/// origin of the part. A request that cannot be split, such as profiles with a dictionary, gets the values that all its resources
/// have in common.
#[derive(Debug)]
pub(crate) struct ResourceKeys {
    keys: Vec<Box<str>>,
    max_parts: usize,
}

/// Keys and values of a resource's attributes among the configured keys, in the order of the settings.
type Values = Vec<(Box<str>, Box<str>)>;

// === impl ResourceKeys ===

impl ResourceKeys {
    /// Splits by the values of `keys`; refuses a request with more than `max_parts` combinations.
    pub(crate) fn new(keys: Vec<Box<str>>, max_parts: usize) -> Self {
        Self { keys, max_parts: max_parts.clamp(1, MAX_PARTS) }
    }

    fn values(&self, resource: Resource<'_>) -> Values {
        let attributes = resource.attributes();
        let values = self.keys.iter().map(|key| (key, attributes.get(key)));
        values.filter_map(|(key, value)| Some((key.clone(), text_of(value?).into()))).collect()
    }

    /// Emits a part for each combination.
    fn cut(
        &self,
        mut batch: Batch,
        body: &Body,
        parts: &HashMap<Values, usize>,
        out: &mut Out,
    ) -> Result<(), ExportError> {
        let whole = body.plain().to_contiguous();
        // Index of the last resource, and its part.
        let mut last: Option<(usize, usize)> = None;
        let choose = |item: &Item<'_>| match last {
            Some((index, part)) if index == item.resource_index => part,
            _ => {
                let part = parts.get(&self.values(Resource::new(item.resource))).copied().unwrap_or_default();
                last = Some((item.resource_index, part));
                part
            }
        };
        // Short records are copied: their bytes are known only after the split.
        let mut room = batch.charge().another();
        reserve(&batch, &mut room, body.len() as u64)?;
        let cut = partition(body, parts.len(), choose);
        drop(room);
        let mut values: Vec<(&Values, usize)> = parts.iter().map(|(values, part)| (values, *part)).collect();
        values.sort_by_key(|(_, part)| *part);
        for (part, (values, _)) in cut.into_iter().zip(values) {
            if let Some(part) = part {
                let mut charge = batch.share().take_charge();
                charge.try_grow(part.plain().len_outside(&whole) as u64)?;
                let mut part = batch.part(part, charge);
                part.origin = with_resource(part.origin.take(), values.clone());
                out.emit(part);
            }
        }
        Ok(())
    }
}

impl Processor for ResourceKeys {
    fn access(&self) -> Access {
        Access::Read
    }

    fn process(&self, mut batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        let body = batch.body().contiguous();
        let bytes = body.plain().to_contiguous();
        let mut parts: HashMap<Values, usize> = HashMap::new();
        for group in RequestView::new(body.signal(), &bytes).resources() {
            let next = parts.len();
            parts.entry(self.values(group.resource())).or_insert(next);
            if parts.len() > self.max_parts {
                let message = format!(
                    "the request has more than {} combinations of values of resource_keys, the limit set by \
                     metadata_cardinality_limit",
                    self.max_parts
                );
                return Err(ExportError::new(ErrorKind::TooLarge, Retry::Never, message));
            }
        }
        if parts.len() > 1 && batch.is_mergeable() {
            return self.cut(batch, &body, &parts, out);
        }
        let mut all = parts.into_keys();
        let mut common = all.next().unwrap_or_default();
        all.for_each(|other| common.retain(|value| other.contains(value)));
        batch.origin = with_resource(batch.origin.take(), common);
        out.emit(batch);
        Ok(())
    }
}

fn with_resource(origin: Option<Arc<Origin>>, resource: Values) -> Option<Arc<Origin>> {
    if resource.is_empty() {
        return origin;
    }
    let Some(origin) = origin else { return Some(Arc::new(Origin { resource, ..Origin::default() })) };
    let Origin { headers, identity, tenant, peer, charge, .. } = &*origin;
    let (headers, identity, tenant, peer) = (headers.clone(), identity.clone(), tenant.clone(), *peer);
    Some(Arc::new(Origin { headers, identity, tenant, peer, resource, charge: charge.clone() }))
}

#[cfg(test)]
mod tests;
