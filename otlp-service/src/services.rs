//! Services by name: each has several endpoints, and a program sends it batches by its name alone.
//!
//! A call passes the registry of names, the service's account in the ledger, retries, the balancer with its ejection of
//! endpoints that fail, and the client of one endpoint. Endpoints come from a list or from a
//! [`Resolver`](otlp_transport::Resolver), and come and go while calls are under way.

mod error;
mod health;
mod policy;
mod service;
mod status;

pub use error::ServiceError;
pub use health::ServiceHealthCheck;
pub use policy::{ServiceEndpoints, ServiceLimits, ServicePolicy};
pub use status::ServiceStatus;

use crate::ledger::Ledger;
use crate::telemetry::{Counter, Registry};
use otlp_protocol::Batch;
use otlp_transport::{ExportResult, TransportContext};
use parking_lot::RwLock;
use service::Service;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Services that are called by name. Cloning shares the services.
///
/// Each service has a line in the ledger, `services -> NAME`, and metrics in the registry, with the service's name as the label
/// `service` or `exporter`. The number of services is bounded ([`ServiceLimits`]), as is the number of calls that are under way
/// for each service ([`ServicePolicy::max_calls`]).
///
/// ```
/// use otlp_service::{Ledger, MicroserviceArchitecture, Registry, ServicePolicy};
/// use otlp_transport::{DnsConfig, DnsResolver, Resolver, TransportContext};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), otlp_service::ServiceError> {
/// let context = TransportContext::tcp(64 << 20);
/// let ledger = Ledger::new();
/// let services = MicroserviceArchitecture::new(context.clone(), &ledger, &Registry::new());
///
/// let mut policy = ServicePolicy::default(); // gRPC, least connections, 30 s of retries
/// policy.client.tls.insecure = true;
/// services.register_service("cart", ["10.0.0.1:4317", "10.0.0.2:4317"], policy.clone())?;
/// let found: Box<dyn Resolver> = Box::new(DnsResolver::new(&context, DnsConfig::new("stock.example")));
/// services.register_service("stock", found, policy)?;
///
/// // services.call_service("cart", batch).await?;
/// for service in services.services() {
///     println!("{service}");
/// }
/// services.deregister_service("cart")?;
/// assert_eq!(services.deregister_service("cart").unwrap_err().to_string(), "unknown service `cart`; registered: stock");
/// ledger.snapshot().check().expect("the counts of each service add up");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MicroserviceArchitecture(Arc<Inner>);

struct Inner {
    context: TransportContext,
    ledger: Ledger,
    registry: Registry,
    limits: ServiceLimits,
    services: RwLock<BTreeMap<String, Arc<Service>>>,
    unknown_calls: Counter,
    refused_registrations: Counter,
}

// === impl MicroserviceArchitecture ===

impl MicroserviceArchitecture {
    /// Creates a registry without services, which counts in `ledger` and shows its metrics in `registry`.
    pub fn new(context: TransportContext, ledger: &Ledger, registry: &Registry) -> Self {
        Self::with_limits(context, ledger, registry, ServiceLimits::default())
    }

    /// Creates a registry with limits of its own.
    pub fn with_limits(
        context: TransportContext,
        ledger: &Ledger,
        registry: &Registry,
        limits: ServiceLimits,
    ) -> Self {
        let counter = |name: &str, help| registry.counter(name, help, &[]);
        Self(Arc::new(Inner {
            context,
            ledger: ledger.clone(),
            registry: registry.clone(),
            limits,
            services: RwLock::default(),
            unknown_calls: counter(
                "otlp_service_unknown_calls",
                "Calls of services that are not registered.",
            ),
            refused_registrations: counter(
                "otlp_service_refused_registrations",
                "Services that were not registered because the number of services is limited.",
            ),
        }))
    }

    /// Registers a service. Nothing is connected before the first call. Must be called within a tokio runtime, in which a task
    /// then follows the endpoints.
    ///
    /// # Errors
    /// If the name is empty, too long or taken, there are too many services, or a setting of the policy is invalid.
    pub fn register_service(
        &self,
        name: impl Into<String>,
        endpoints: impl Into<ServiceEndpoints>,
        policy: ServicePolicy,
    ) -> Result<(), ServiceError> {
        let (name, inner) = (name.into(), &*self.0);
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(ServiceError::InvalidName { length: name.len(), limit: MAX_NAME_BYTES });
        }
        // First without making the service, which reads files and makes clients.
        inner.check_room(&inner.services.read(), &name)?;
        let service = Service::new(&name, endpoints.into(), policy, inner)?;
        let mut services = inner.services.write();
        inner.check_room(&services, &name)?;
        services.insert(name, Arc::new(service));
        Ok(())
    }

    /// Deregisters a service. Calls under way go on to their end, retries included. The name can be registered again at once.
    ///
    /// # Errors
    /// If there is no service of that name.
    pub fn deregister_service(&self, name: &str) -> Result<(), ServiceError> {
        let removed = self.0.services.write().remove(name);
        // Dropped without the lock: the service removes its metrics.
        removed.map(drop).ok_or_else(|| self.unknown(name))
    }

    /// Sends a batch to a service, and returns the answer of the endpoint that took or finally refused the batch.
    ///
    /// Within the policy's retries, a batch that an endpoint did not take goes to another endpoint. An endpoint whose connection
    /// broke off may have taken the batch, which then arrives twice. Retries end at [`Batch::deadline`]. Dropping the future
    /// cancels the call: its items count as refused, although an attempt under way may still arrive.
    ///
    /// # Errors
    /// The last error of the retries; a retryable error if too many calls of the service are under way; a final error if there
    /// is no service of that name.
    pub async fn call_service(&self, name: &str, batch: Batch) -> ExportResult {
        let Some(service) = self.find(name) else {
            self.0.unknown_calls.add(1);
            return Err(self.unknown(name).into());
        };
        service.call(batch).await
    }

    /// Lists the services by name, each with its endpoints, their state, and its counters.
    pub fn services(&self) -> Vec<ServiceStatus> {
        let services: Vec<_> = self.0.services.read().values().cloned().collect();
        services.iter().map(|service| service.status()).collect()
    }

    /// Makes a health check of a service, with the health of [`ServiceStatus::health`]. A service that is not registered is
    /// unhealthy. With [`Affects::Report`](crate::Affects::Report) an unhealthy service turns no probe to 503.
    ///
    /// ```
    /// use otlp_service::{Affects, HealthChecker, Ledger, MicroserviceArchitecture, Registry, ServicePolicy};
    /// use otlp_transport::TransportContext;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), otlp_service::ServiceError> {
    /// let context = TransportContext::tcp(64 << 20);
    /// let services = MicroserviceArchitecture::new(context, &Ledger::new(), &Registry::new());
    /// services.register_service("cart", ["http://10.0.0.1:4317", "http://10.0.0.2:4317"], ServicePolicy::default())?;
    ///
    /// let checker = HealthChecker::new(); // Or that of a gateway: Gateway::health.
    /// let _cart = checker.add_with(services.health_check("cart"), Affects::Report);
    /// assert!(checker.report().to_json().contains(r#""service/cart":{"status":"healthy""#));
    ///
    /// // Of all services:
    /// let all = services.services().into_iter().map(|service| services.health_check(service.name));
    /// let _entries: Vec<_> = all.map(|check| checker.add_with(check, Affects::Report)).collect();
    /// # Ok(())
    /// # }
    /// ```
    pub fn health_check(&self, name: impl Into<String>) -> ServiceHealthCheck {
        ServiceHealthCheck::new(self.clone(), name.into())
    }

    fn find(&self, name: &str) -> Option<Arc<Service>> {
        self.0.services.read().get(name).cloned()
    }

    fn unknown(&self, name: &str) -> ServiceError {
        let services = self.0.services.read();
        let known = services.keys().take(MAX_NAMES_SHOWN).cloned().collect();
        let name = name.chars().take(MAX_NAME_BYTES).collect();
        ServiceError::Unknown { name, known, more: services.len().saturating_sub(MAX_NAMES_SHOWN) }
    }
}

impl fmt::Debug for MicroserviceArchitecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.services.read().keys()).finish()
    }
}

// === impl Inner ===

impl Inner {
    /// Checks that a service of this name can be added.
    fn check_room(&self, services: &BTreeMap<String, Arc<Service>>, name: &str) -> Result<(), ServiceError> {
        if services.contains_key(name) {
            return Err(ServiceError::AlreadyRegistered { name: name.to_owned() });
        }
        if services.len() >= self.limits.max_services {
            self.refused_registrations.add(1);
            return Err(ServiceError::TooMany { limit: self.limits.max_services });
        }
        Ok(())
    }
}

/// The longest name of a service, in bytes.
const MAX_NAME_BYTES: usize = 256;
/// The most names in an error.
const MAX_NAMES_SHOWN: usize = 16;
