//! A validated configuration, in the form that a client needs.

use super::transport::exporters;
use super::{ConfigProblem, OtlpConfig};
use crate::client::resource::Resource;
use otlp_protocol::Signal;
use otlp_transport::{BoxExport, TransportContext};
use std::fmt;

/// Parts of a client, made of a valid configuration.
pub(crate) struct Plan {
    /// The message `Resource`, encoded.
    #[expect(dead_code, reason = "clients are made of plans in a next step")]
    pub(crate) resource: Vec<u8>,
    /// Schema URL of the resource.
    #[expect(dead_code, reason = "clients are made of plans in a next step")]
    pub(crate) schema_url: String,
    /// Exporters of the signals that are sent. Empty if the client is disabled.
    pub(crate) exporters: Vec<(Signal, BoxExport)>,
}

// === impl Plan ===

impl Plan {
    pub(super) fn new(
        config: &OtlpConfig,
        resource: &Resource,
        context: &TransportContext,
    ) -> Result<Self, ConfigProblem> {
        let exporters = if config.disabled { Vec::new() } else { exporters(config, context)? };
        Ok(Self { resource: resource.encode(), schema_url: resource.schema_url().to_owned(), exporters })
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("exporters", &self.exporters).finish_non_exhaustive()
    }
}
