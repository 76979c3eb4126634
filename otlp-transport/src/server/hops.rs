//! Forwarding loops: a request that has been here before is refused.

use super::intake::Intake;
use super::seldom::Seldom;
use crate::{ExportError, ServerConfig};
use http::HeaderMap;
use otlp_protocol::{ErrorKind, HOPS_HEADER, HopId, Hops, Retry};
use std::sync::Arc;
use std::time::Duration;

/// The server's id, and the refusals of requests that name it.
pub(super) struct OwnHop {
    id: HopId,
    /// What most requests get, which have been at no other receiver.
    first: Arc<Hops>,
    refused: Seldom,
    /// The server in log lines.
    server: String,
}

// === impl OwnHop ===

impl OwnHop {
    pub(super) fn new(config: &ServerConfig) -> Self {
        let server = if config.name.is_empty() { &config.endpoint } else { &config.name };
        Self {
            id: config.hop,
            first: Arc::new(Hops::of(config.hop)),
            refused: Seldom::every(LOG_INTERVAL),
            server: server.clone(),
        }
    }
}

impl Intake {
    /// The receivers that a request has been at, this one included. Those in its header are charged.
    ///
    /// # Errors
    /// If the request has been here before, for good; or if there is no room for the header.
    pub(super) fn hops(&self, headers: &HeaderMap) -> Result<Arc<Hops>, ExportError> {
        if !headers.contains_key(HOPS_HEADER) {
            return Ok(Arc::clone(&self.hop.first));
        }
        let charge = self.context.budget.try_charge(Hops::MEMORY)?;
        let values = headers.get_all(HOPS_HEADER).into_iter().map(|value| value.as_bytes());
        match Hops::read(values, self.hop.id, charge) {
            Some(hops) => Ok(Arc::new(hops)),
            None => Err(self.refuse_loop()),
        }
    }

    fn refuse_loop(&self) -> ExportError {
        if let Some(count) = self.hop.refused.add(1, &*self.context.clock) {
            tracing::warn!(
                server = self.hop.server,
                count,
                "refused requests that came back: exporters form a loop"
            );
        }
        let message = format!(
            "forwarding loop: this receiver has had the request before (see the header {HOPS_HEADER}); \
             remove the exporter that sends the data back here"
        );
        ExportError::new(ErrorKind::Loop, Retry::Never, message)
    }
}

const LOG_INTERVAL: Duration = Duration::from_secs(60);
