//! State of services, for display.

use crate::health::Health;
use crate::ledger::LedgerLine;
use otlp_transport::{EndpointState, EndpointStatus};
use std::fmt;

/// A service at one moment. `Display` is a line of text for the service, and a line for each endpoint.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServiceStatus {
    /// Name of the service.
    pub name: String,
    /// Kind of the resolver that finds the endpoints: `static`, `dns`, `file`.
    pub resolver: &'static str,
    /// The endpoints that the resolver found last.
    pub endpoints: Vec<EndpointStatus>,
    /// Calls that were answered with success, partial success included.
    pub succeeded_calls: u64,
    /// Calls that were answered with an error.
    pub failed_calls: u64,
    /// Calls that were refused because too many calls were under way.
    pub refused_calls: u64,
    /// Calls that the caller cancelled.
    pub cancelled_calls: u64,
    /// Calls under way.
    pub calls_in_flight: usize,
    /// Counts of items: the service's line in the ledger.
    pub items: LedgerLine,
}

// === impl ServiceStatus ===

impl ServiceStatus {
    /// Returns the health of the service: unhealthy without endpoints, degraded if an endpoint is left out. If every endpoint
    /// is left out, the service is unhealthy.
    pub fn health(&self) -> Health {
        let all = self.endpoints.len();
        let left_out =
            self.endpoints.iter().filter(|endpoint| endpoint.state != EndpointState::InUse).count();
        match left_out {
            _ if all == 0 => {
                Health::Unhealthy(format!("the resolver `{}` has found no endpoint", self.resolver))
            }
            0 => Health::Healthy,
            _ if left_out == all => Health::Unhealthy(format!("all {all} endpoints are left out")),
            _ => Health::Degraded(format!("{left_out} of {all} endpoints are left out")),
        }
    }
}

impl fmt::Display for ServiceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, resolver, succeeded_calls, failed_calls, calls_in_flight, .. } = self;
        let health = match self.health() {
            Health::Healthy => "healthy".to_owned(),
            Health::Degraded(reason) => format!("degraded ({reason})"),
            Health::Unhealthy(reason) => format!("unhealthy ({reason})"),
        };
        write!(
            f,
            "{name}: {health}, resolver {resolver}, {succeeded_calls} calls succeeded, {failed_calls} failed, \
             {calls_in_flight} in flight"
        )?;
        for EndpointStatus { endpoint, weight, state, .. } in &self.endpoints {
            write!(f, "\n  {endpoint}: weight {weight}, ")?;
            match state {
                EndpointState::InUse => f.write_str("in use")?,
                EndpointState::Ejected(left) => write!(f, "ejected for {left:.1?}")?,
                EndpointState::Probing => f.write_str("ejected, being probed")?,
                EndpointState::Throttled(left) => write!(f, "asked for a delay of which {left:.1?} is left")?,
                state => write!(f, "{state:?}")?,
            }
        }
        Ok(())
    }
}
