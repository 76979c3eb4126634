//! Which senders' batches are joined.

use super::BatchConfig;
use otlp_protocol::Origin;
use std::sync::Arc;

impl BatchConfig {
    /// What of an origin keeps batches apart, and what the joined batch will say of where it came from: of the headers
    /// and the identity what the settings name, and always the tenant and the resource attributes. The address never.
    pub(super) fn narrow(&self, origin: Option<Arc<Origin>>) -> Option<Arc<Origin>> {
        let origin = origin?;
        // In the order of the settings: receivers may have kept them in different ones.
        let headers = self.metadata_keys.iter().flat_map(|key| {
            let kept = origin.headers.iter().filter(move |(name, _)| name == key);
            kept.cloned()
        });
        let narrow = Origin {
            headers: headers.collect(),
            identity: origin.identity.clone().filter(|_| self.by_identity),
            tenant: origin.tenant.clone(),
            peer: None,
            resource: origin.resource.clone(),
            charge: origin.charge.clone(),
        };
        (narrow != Origin::default()).then(|| Arc::new(narrow))
    }
}
