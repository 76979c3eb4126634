//! The health of a service as a health check.

use super::MicroserviceArchitecture;
use crate::health::{Health, HealthCheck};
use std::fmt;

/// A health check of a service, with the name `service/NAME`: made by [`MicroserviceArchitecture::health_check`].
pub struct ServiceHealthCheck {
    services: MicroserviceArchitecture,
    service: String,
    name: String,
}

impl ServiceHealthCheck {
    pub(super) fn new(services: MicroserviceArchitecture, service: String) -> Self {
        let name = format!("service/{service}");
        Self { services, service, name }
    }
}

impl HealthCheck for ServiceHealthCheck {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Health {
        match self.services.find(&self.service) {
            Some(service) => service.status().health(),
            None => Health::Unhealthy("the service is not registered".to_owned()),
        }
    }
}

impl fmt::Debug for ServiceHealthCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServiceHealthCheck").field(&self.name).finish()
    }
}
