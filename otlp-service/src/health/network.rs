//! The health check of a destination: reachable by the last attempt or not.

use super::{Health, HealthCheck};
use crate::exporter::Reachability;
use std::sync::Arc;

/// Reports a destination as degraded after an attempt that did not reach it. The check opens no connection.
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
