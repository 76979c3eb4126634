//! The extension `api_key`: keys in a header, which the Collector has no extension for.

use crate::config::auth::{AuthPlan, MakeServer};
use crate::config::component::Component;
use crate::config::decode::decode;
use crate::config::plan::ExtensionPlan;
use crate::config::problem::Problems;
use crate::config::secret::SecretText;
use otlp_transport::{ApiKey, ApiKeyAuth, Authenticate};
use serde::Deserialize;
use std::sync::Arc;

/// Settings of the extension `api_key`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ApiKeySettings {
    /// Name of the header. Default `x-api-key`.
    header: Option<String>,
    keys: Vec<Key>,
}

/// One key.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Key {
    /// Whose key it is: the identity of its senders. Required.
    name: String,
    /// The key itself. Required.
    key: SecretText,
}

/// The plan of `api_key`.
pub(crate) fn api_key(component: &mut Component, problems: &mut Problems) -> Option<ExtensionPlan> {
    let given: ApiKeySettings = decode(&component.settings, problems)?;
    if given.keys.iter().any(|key| key.name.is_empty()) {
        problems.push(component.problem("keys", "each key needs a `name`: who sends with it"));
        return None;
    }
    let header = given.header.unwrap_or_else(|| "x-api-key".into());
    let keys = given.keys.into_iter().map(|Key { name, key }| ApiKey { name, key: key.0 });
    let keys: Vec<_> = keys.collect();
    let server: MakeServer =
        Box::new(move |_| Ok(Arc::new(ApiKeyAuth::new(&header, &keys)?) as Arc<dyn Authenticate>));
    Some(ExtensionPlan::Auth(AuthPlan::new(component, Some(server), None)))
}
