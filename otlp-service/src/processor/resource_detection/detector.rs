//! Detectors: their sources, and the attributes that they find.

use super::config::{DetectorKind, ResourceDetectionConfig};
use super::{docker, env, system};
use crate::surroundings::{Surroundings, process};
use otlp_protocol::AttributeValue;
use otlp_transport::{Clock, Disk, Net, TransportContext};
use std::sync::Arc;

/// Sources of detectors. Cloning shares them.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) net: Arc<dyn Net>,
    pub(super) clock: Arc<dyn Clock>,
    disk: Arc<dyn Disk>,
    /// Environment variables.
    pub(super) lookup: fn(&str) -> Option<String>,
}

/// Attributes that were found, with the schema that their names are of.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) attributes: Vec<(Box<str>, AttributeValue)>,
    /// Empty: none.
    pub(super) schema_url: &'static str,
}

// === impl Sources ===

impl Sources {
    pub(super) fn new(context: &TransportContext, lookup: fn(&str) -> Option<String>) -> Self {
        let (net, clock, disk) = (context.net.clone(), context.clock.clone(), context.disk.clone());
        Self { net, clock, disk, lookup }
    }

    /// Reads facts about this process and its host.
    pub(super) fn with_surroundings<R>(&self, read: impl FnOnce(&Surroundings<'_>) -> R) -> R {
        read(&Surroundings::of_process(&*self.disk, &self.lookup))
    }
}

// === impl Found ===

impl Found {
    /// Sets an attribute, in place of an earlier value.
    pub(super) fn set(&mut self, key: &str, value: AttributeValue) {
        match self.attributes.iter_mut().find(|(known, _)| **known == *key) {
            Some((_, old)) => *old = value,
            None => self.attributes.push((key.into(), value)),
        }
    }

    /// Returns the length of the attributes, in bytes.
    pub(super) fn len(&self) -> usize {
        let len =
            |(key, value): &(Box<str>, AttributeValue)| key.len() + value.as_bytes().len() + ATTRIBUTE_BYTES;
        self.attributes.iter().map(len).sum::<usize>() + self.schema_url.len()
    }

    /// Adds the attributes of a later detector: those that are there stay.
    pub(super) fn merge(&mut self, other: &Self) {
        for (key, value) in &other.attributes {
            if self.attributes.iter().all(|(known, _)| known != key) {
                self.attributes.push((key.clone(), value.clone()));
            }
        }
        if self.schema_url.is_empty() {
            self.schema_url = other.schema_url;
        }
    }
}

/// Runs a detector once.
///
/// # Errors
/// The reason for which the attributes could not be found out.
pub(super) async fn detect(
    kind: DetectorKind,
    sources: &Sources,
    config: &ResourceDetectionConfig,
) -> Result<Found, String> {
    match kind {
        DetectorKind::Env => env::detect(&sources.lookup),
        DetectorKind::System => system::detect(sources, config).await,
        DetectorKind::Docker => docker::detect(sources, config).await,
        DetectorKind::Process => {
            let mut found = Found { schema_url: SCHEMA_URL, ..Found::default() };
            let attributes = sources.with_surroundings(process::attributes).into_iter();
            attributes
                .filter(|(key, _)| config.is_enabled(kind, key))
                .for_each(|(key, value)| found.set(key, value));
            Ok(found)
        }
    }
}

/// Tags and lengths of an attribute, and the growth of lengths around it.
const ATTRIBUTE_BYTES: usize = 32;

/// The schema of the keys, as of the Collector.
pub(super) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.40.0";
