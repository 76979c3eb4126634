//! Resources: attributes of the program, its host and its surroundings, which all telemetry of a client carries.

mod container;
mod detect;
mod environment;
mod host;
mod kubernetes;

pub use detect::Detector;
pub(crate) use environment::of_variables;

use crate::surroundings::{Surroundings, variable_of_process};
use otlp_protocol::encode::ResourceWriter;
use otlp_protocol::view::AnyValue;
use otlp_protocol::{AttributeValue, ToValue};
use otlp_transport::SystemDisk;
use std::fmt;

/// Attributes of what sends telemetry, with the schema URL that their names are of.
///
/// ```
/// use otlp_service::client::{Detector, Resource};
///
/// let detected = Resource::detect(&[Detector::Sdk, Detector::Service, Detector::Host]);
/// let own = Resource::new().with_attribute("service.name", "cart").with_attribute("service.version", "1.2.0");
/// let resource = detected.merge(own)?; // the own attributes replace detected ones of the same key
/// assert_eq!(resource.get("service.name"), Some("cart".into()));
/// assert_eq!(resource.get("telemetry.sdk.language"), Some("rust".into()));
/// # Ok::<(), otlp_service::client::SchemaUrlClash>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Resource {
    attributes: Vec<(Box<str>, AttributeValue)>,
    schema_url: Box<str>,
}

/// Two resources cannot be merged: their schema URLs differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "resources with the schema URLs {old:?} and {updating:?} cannot be merged: give both one schema URL, or one of them none"
)]
#[non_exhaustive]
pub struct SchemaUrlClash {
    /// Schema URL of the resource that was to be updated.
    pub old: String,
    /// Schema URL of the updating resource.
    pub updating: String,
}

// === impl Resource ===

impl Resource {
    /// Makes a resource without attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads attributes of this program and this machine with some [detectors](Detector). The result of a later detector
    /// replaces attributes of an earlier one. Reads local files of at most 1 MiB, and nothing from a network; attributes that
    /// cannot be found out are left out.
    pub fn detect(detectors: &[Detector]) -> Self {
        Self::detect_in(detectors, &Surroundings::of_process(&SystemDisk, &variable_of_process))
    }

    /// Reads attributes with some detectors from given surroundings.
    pub(crate) fn detect_in(detectors: &[Detector], surroundings: &Surroundings<'_>) -> Self {
        let mut detected = Self::new();
        for detector in detectors {
            detector.detect(surroundings, &mut detected);
        }
        detected
    }

    /// Sets an attribute, in place of an earlier value of the same key.
    #[must_use]
    pub fn with_attribute(mut self, key: &str, value: impl ToValue) -> Self {
        self.set(key, AttributeValue::new(value));
        self
    }

    /// Sets the schema URL of the attributes' names.
    #[must_use]
    pub fn with_schema_url(self, schema_url: &str) -> Self {
        Self { schema_url: schema_url.into(), ..self }
    }

    /// Updates the resource with another. Of two values of one key the updating resource's counts, also if it is empty. An empty
    /// schema URL yields to the other resource's.
    ///
    /// # Errors
    /// If both resources have a schema URL, and the two differ.
    pub fn merge(mut self, updating: Self) -> Result<Self, SchemaUrlClash> {
        if self.schema_url.is_empty() {
            self.schema_url = updating.schema_url;
        } else if !updating.schema_url.is_empty() && updating.schema_url != self.schema_url {
            return Err(SchemaUrlClash { old: self.schema_url.into(), updating: updating.schema_url.into() });
        }
        for (key, value) in updating.attributes {
            self.set(&key, value);
        }
        Ok(self)
    }

    /// Returns the value of an attribute.
    pub fn get(&self, key: &str) -> Option<AnyValue<'_>> {
        self.attributes.iter().find(|(known, _)| **known == *key).map(|(_, value)| value.view())
    }

    /// Iterates over keys and values, in the order in which the keys were set first.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, AnyValue<'_>)> {
        self.attributes.iter().map(|(key, value)| (&**key, value.view()))
    }

    /// Returns the schema URL; empty if there is none.
    pub fn schema_url(&self) -> &str {
        &self.schema_url
    }

    /// Returns the resource as OTLP's message `Resource`, without its schema URL.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = ResourceWriter::new(&mut out);
        for (key, value) in &self.attributes {
            writer.attribute(key, value);
        }
        out
    }

    fn set(&mut self, key: &str, value: AttributeValue) {
        match self.attributes.iter_mut().find(|(known, _)| **known == *key) {
            Some((_, old)) => *old = value,
            None => self.attributes.push((key.into(), value)),
        }
    }

    /// Sets an attribute that was found out. Nothing is set if the value is unknown or empty.
    fn set_found(&mut self, key: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value.as_ref().map(AsRef::as_ref).filter(|value| !value.is_empty()) {
            self.set(key, AttributeValue::new(value));
        }
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        map.entries(self.attributes());
        if !self.schema_url.is_empty() {
            map.entry(&"schema_url", &self.schema_url);
        }
        map.finish()
    }
}

#[cfg(test)]
mod tests;
