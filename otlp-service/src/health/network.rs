//! Whether a destination can be reached, as the last attempt found it.

use super::{Health, HealthCheck};
use crate::exporter::Reachability;
use std::sync::Arc;

/// Tells whether the last attempt to reach a destination did. No connection is opened for it.
#[derive(Debug)]
pub struct NetworkHealthCheck {
    name: String,
    reachability: Arc<Reachability>,
}

impl NetworkHealthCheck {
    pub(crate) fn new(name: String, reachability: Arc<Reachability>) -> Self {
        Self { name, reachability }
    }
}

impl HealthCheck for NetworkHealthCheck {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Health {
        self.reachability.failure().map_or(Health::Healthy, Health::Degraded)
    }
}
