//! The health check of a queue's files.

use crate::health::{Health, HealthCheck};
use crate::queue::disk::store::Store;
use std::sync::{Arc, Weak};

/// Unhealthy while the files of a queue can take no batches.
#[derive(Clone)]
pub(crate) struct StorageCheck {
    /// `storage/EXPORTER/SIGNAL`.
    name: String,
    /// The stores, with their class if the queue has several.
    stores: Vec<(Option<Arc<str>>, Weak<Store>)>,
}

impl StorageCheck {
    pub(in crate::queue::disk) fn new<'a>(
        name: String,
        stores: impl Iterator<Item = (Option<Arc<str>>, &'a Arc<Store>)>,
    ) -> Self {
        Self { name, stores: stores.map(|(class, store)| (class, Arc::downgrade(store))).collect() }
    }
}

impl HealthCheck for StorageCheck {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Health {
        let troubles = self.stores.iter().filter_map(|(class, store)| {
            let trouble = store.upgrade()?.monitor.trouble.lock().clone()?;
            let class = class.as_ref().map(|class| format!(" of the class {class}")).unwrap_or_default();
            Some(format!("batches{class} cannot be stored: {}", trouble.cause))
        });
        let troubles: Vec<_> = troubles.collect();
        if troubles.is_empty() { Health::Healthy } else { Health::Unhealthy(troubles.join("; ")) }
    }
}
