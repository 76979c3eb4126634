//! The processor `resource_detection`: adds attributes of this host and process to resources.
//!
//! Detectors run beside the pipelines: at the start, again after a failure, and at a period. A batch gets the attributes that are
//! known by then. A failure never keeps a gateway from starting.

mod config;
mod detection;
mod detector;
mod docker;
mod env;
mod hostname;
mod stats;
mod system;

pub use config::{DetectorKind, HostnameSource, ResourceDetectionConfig};

use crate::component::{Access, Out, Processor, ProcessorMetrics, Reason, Started};
use crate::surroundings::variable_of_process;
use detection::Detection;
use detector::Found;
use otlp_protocol::rewrite::{Level, OpenMessages, Rewriter};
use otlp_protocol::view::{AnyValue, Resource};
use otlp_protocol::{AttributeEdits, Batch, Decision, Editor};
use otlp_transport::{ExportError, TransportContext};
use std::cell::Cell;
use std::sync::Arc;

/// Adds attributes that [detectors](DetectorKind) find to the resource of each batch.
///
/// Until a detector has succeeded for the first time, batches go on without its attributes. A later failure leaves the attributes
/// as they were.
#[derive(Clone, Debug)]
pub struct ResourceDetectionProcessor {
    /// Shared by all pipelines.
    detection: Arc<Detection>,
}

/// Adds attributes to resources, and a schema URL where there is none.
struct Adding<'a> {
    found: &'a Found,
    override_existing: bool,
    /// False if the attributes are there already.
    adds_attributes: bool,
    /// Number of resources that got another host.
    renamed: &'a Cell<u64>,
}

// === impl ResourceDetectionProcessor ===

impl ResourceDetectionProcessor {
    /// Creates a processor, whose detectors run once its gateway starts.
    pub fn new(config: ResourceDetectionConfig) -> Self {
        Self { detection: Arc::new(Detection::new(config, variable_of_process)) }
    }
}

impl Processor for ResourceDetectionProcessor {
    fn access(&self) -> Access {
        Access::Edit
    }

    fn with_metrics(&self, metrics: &ProcessorMetrics<'_>) -> Option<Arc<dyn Processor>> {
        Detection::register(&self.detection, metrics);
        None
    }

    fn start(&self, context: &TransportContext) -> Started {
        Detection::start(&self.detection, context)
    }

    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        let found = self.detection.found();
        if found.attributes.is_empty() && found.schema_url.is_empty() {
            out.emit(batch);
            return Ok(());
        }
        let override_existing = self.detection.config().override_existing;
        // An estimate: one resource for each 16 items.
        let resources = usize::try_from(batch.items()).unwrap_or(usize::MAX) / ITEMS_A_RESOURCE + 1;
        let growth = found.len().saturating_mul(resources);
        let renamed = Cell::new(0);
        let adding =
            |adds_attributes| Adding { found: &found, override_existing, adds_attributes, renamed: &renamed };
        let anew = || {
            renamed.set(0);
            adding(true)
        };
        if batch.is_mergeable() {
            out.rewrite_growing(batch, growth, anew)?;
        } else {
            // A dictionary may have the keys: edits of attributes look them up.
            let mut edited = Out::new();
            edited.edit_growing(batch, growth, Reason::Filtered, anew)?;
            for batch in edited.into_batches() {
                out.rewrite_growing(batch, growth, || adding(false))?;
            }
        }
        self.detection.count_renamed(renamed.get());
        Ok(())
    }
}

// === impl Adding ===

impl Adding<'_> {
    /// True if an attribute is to be set in a resource that has `old` or nothing under the key.
    fn sets(&self, key: &str, old: Option<AnyValue<'_>>, new: AnyValue<'_>) -> bool {
        let Some(old) = old else { return true };
        if !self.override_existing || old == new {
            return false;
        }
        self.renamed.set(self.renamed.get() + u64::from(key == HOST_NAME));
        true
    }
}

impl Editor for Adding<'_> {
    fn resource(&mut self, _: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        let found = self.found;
        for (key, value) in &found.attributes {
            if self.sets(key, attributes.get(key).map(AnyValue::new), value.view()) {
                attributes.upsert(key, value);
            }
        }
        Decision::Keep
    }
}

impl Rewriter for Adding<'_> {
    fn shows(&self, level: Level) -> bool {
        level == Level::Resource
    }

    fn visit(&mut self, level: Level, messages: &mut OpenMessages) -> Decision {
        let found = self.found;
        for (key, value) in found.attributes.iter().filter(|_| self.adds_attributes) {
            let old = Resource::new(messages.bytes(level)).attributes().get(key);
            if self.sets(key, old, value.view()) {
                messages.edit(level).set_attribute(ATTRIBUTES, key, value);
            }
        }
        if messages.schema_url(level).is_empty() && !found.schema_url.is_empty() {
            messages.set_schema_url(level, found.schema_url);
        }
        Decision::Keep
    }
}

const HOST_NAME: &str = "host.name";
/// Field number of the attributes of a resource.
const ATTRIBUTES: u32 = 1;
const ITEMS_A_RESOURCE: usize = 16;

#[cfg(test)]
mod tests;
