//! A setting that is not shown.

use otlp_transport::Secret;
use serde::de::{Deserialize, Deserializer};

/// A password, key or token; Debug output does not show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SecretText(pub(crate) Secret);

impl SecretText {
    /// Returns true for the empty text.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.expose().is_empty()
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}
