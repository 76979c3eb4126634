//! Errors of the registry of services.

use otlp_protocol::{ErrorKind, Retry};
use otlp_transport::{ConfigError, ExportError};

/// Reason why a service was not registered, deregistered or called.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// A service of that name is registered.
    #[error("the service `{name}` is already registered: deregister it first")]
    AlreadyRegistered {
        /// Name of the service.
        name: String,
    },
    /// A setting of the policy, or an endpoint, is invalid.
    #[error("the service `{name}` has an invalid setting: {error}")]
    Config {
        /// Name of the service.
        name: String,
        /// The setting and its problem.
        #[source]
        error: ConfigError,
    },
    /// The name is empty or too long.
    #[error("the name of a service must have 1 to {limit} bytes; this name has {length}")]
    InvalidName {
        /// Length of the name, in bytes.
        length: usize,
        /// The longest name, in bytes.
        limit: usize,
    },
    /// Too many services are registered.
    #[error("{limit} services are registered, which is the limit (ServiceLimits::max_services)")]
    TooMany {
        /// The limit: [`ServiceLimits::max_services`](crate::ServiceLimits::max_services).
        limit: usize,
    },
    /// There is no service of that name.
    #[error("unknown service `{name}`; {}", registered(known, *more))]
    Unknown {
        /// The given name.
        name: String,
        /// The registered names, 16 at most.
        known: Vec<String>,
        /// Number of registered names that are not in `known`.
        more: usize,
    },
}

impl From<ServiceError> for ExportError {
    fn from(error: ServiceError) -> Self {
        Self::new(ErrorKind::Unimplemented, Retry::Never, error.to_string()).with_source(error)
    }
}

fn registered(known: &[String], more: usize) -> String {
    match (known.join(", "), more) {
        (none, _) if none.is_empty() => "no service is registered".to_owned(),
        (known, 0) => format!("registered: {known}"),
        (known, more) => format!("registered: {known} and {more} more"),
    }
}
