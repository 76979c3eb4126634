//! The health check of a queue's files.

use crate::health::{Health, HealthCheck};
use crate::queue::disk::store::Store;
use std::sync::{Arc, Weak};

/// Unhealthy while the files of a queue can take no batches.
#[derive(Clone)]
pub(crate) struct StorageCheck {
    /// `storage/EXPORTER/SIGNAL`.
    name: String,
    store: Weak<Store>,
}

impl StorageCheck {
    pub(in crate::queue::disk) fn new(name: String, store: &Arc<Store>) -> Self {
        Self { name, store: Arc::downgrade(store) }
    }
}

impl HealthCheck for StorageCheck {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Health {
        let trouble = self.store.upgrade().and_then(|store| store.monitor.trouble.lock().clone());
        trouble.map_or(Health::Healthy, |trouble| {
            Health::Unhealthy(format!("batches cannot be stored: {}", trouble.cause))
        })
    }
}
