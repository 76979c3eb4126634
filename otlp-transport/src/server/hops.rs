//! Forwarding loops: a request that has been here before is refused.

use super::intake::Intake;
use crate::{ExportError, ServerConfig};
use http::HeaderMap;
use otlp_protocol::{ErrorKind, HOPS_HEADER, HopId, Hops, Retry};
use std::sync::Arc;

/// The server's id.
pub(super) struct OwnHop {
    id: HopId,
    /// What most requests get, which have been at no other receiver.
    first: Arc<Hops>,
}

// === impl OwnHop ===

impl OwnHop {
    pub(super) fn new(config: &ServerConfig) -> Self {
        Self { id: config.hop, first: Arc::new(Hops::of(config.hop)) }
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
            None => Err(returned()),
        }
    }
}

/// The refusal of a request that has been here before.
fn returned() -> ExportError {
    let message = format!(
        "forwarding loop: this receiver has had the request before (see the header {HOPS_HEADER}); \
         remove the exporter that sends the data back here"
    );
    ExportError::new(ErrorKind::Loop, Retry::Never, message)
}
