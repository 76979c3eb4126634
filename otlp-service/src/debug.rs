//! `Debug` of running parts and of their specs: ids, endpoints and settings, never telemetry.

use crate::fanout::{Destination, FanOut, PatientFanOut};
use crate::gateway::Gateway;
use crate::holder::{HolderStage, Outlet};
use crate::lifecycle::BoxExtension;
use crate::receiver::{BoxReceiver, Inlets, OtlpReceiver, OtlpServers, Running};
use crate::spec::{
    ConnectorSpec, ExporterSpec, ExtensionSpec, GatewaySpec, PipelineSpec, PipelineStage, ReceiverSpec,
    ServerSpec, StageSpec,
};
use crate::telemetry::Registry;
use std::fmt::{Debug, Formatter, Result};

impl Debug for Gateway {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Gateway").field("endpoints", &self.endpoints()).finish_non_exhaustive()
    }
}

impl Debug for GatewaySpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("GatewaySpec")
            .field("extensions", &self.extensions)
            .field("receivers", &self.receivers)
            .field("connectors", &self.connectors)
            .field("exporters", &self.exporters)
            .field("pipelines", &self.pipelines)
            .field("metrics_pages", &self.metrics_pages)
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}

impl Debug for ExtensionSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ExtensionSpec").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Debug for ReceiverSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ReceiverSpec").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Debug for ServerSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ServerSpec")
            .field("strategy", &self.strategy.name())
            .field("endpoint", &self.config.endpoint)
            .field("http_paths", &self.http_paths)
            .field("keep_headers", &self.keep_headers)
            .finish_non_exhaustive()
    }
}

impl Debug for ConnectorSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ConnectorSpec")
            .field("id", &self.id)
            .field("connector", &self.connector)
            .finish_non_exhaustive()
    }
}

impl Debug for ExporterSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ExporterSpec")
            .field("id", &self.id)
            .field("endpoints", &self.endpoints)
            .field("queue", &self.queue)
            .field("retry", &self.retry)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

impl Debug for PipelineSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("PipelineSpec")
            .field("id", &self.id)
            .field("signal", &self.signal)
            .field("receivers", &self.receivers)
            .field("stages", &self.stages)
            .field("exporters", &self.exporters)
            .finish()
    }
}

impl Debug for PipelineStage {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("PipelineStage")
            .field("id", &self.id)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

impl Debug for StageSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Processor(_) => f.write_str("Processor"),
            Self::Batch(config) => f.debug_tuple("Batch").field(config).finish(),
            Self::Holder(holder) => f.debug_tuple("Holder").field(holder).finish(),
        }
    }
}

impl Debug for FanOut {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("FanOut")
            .field("delivery", &self.delivery())
            .field("hop", self.hop())
            .finish_non_exhaustive()
    }
}

impl Debug for PatientFanOut {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("PatientFanOut").finish_non_exhaustive()
    }
}

impl Debug for Destination {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Destination").finish_non_exhaustive()
    }
}

impl Debug for HolderStage {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("HolderStage").field("hop", self.hop()).finish_non_exhaustive()
    }
}

impl Debug for Outlet {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Outlet")
            .field("pipeline", &self.pipeline())
            .field("signal", &self.signal())
            .finish_non_exhaustive()
    }
}

impl Debug for Inlets {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Inlets")
            .field("receiver", &self.receiver())
            .field("needs", self.needs())
            .field("signals", &self.signals().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl Debug for BoxReceiver {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("BoxReceiver").finish_non_exhaustive()
    }
}

impl Debug for OtlpReceiver {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("OtlpReceiver").field("servers", &self.servers).finish()
    }
}

impl Debug for OtlpServers {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("OtlpServers").field("endpoints", &self.endpoints()).finish_non_exhaustive()
    }
}

impl Debug for BoxExtension {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("BoxExtension").finish_non_exhaustive()
    }
}

impl Debug for Registry {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
