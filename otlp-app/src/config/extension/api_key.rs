//! The extension `api_key`: keys in a header. The Collector has no such extension.

use crate::config::secret::SecretText;
use otlp_service::{AuthPart, BuildContext, MakeServer, SettingsError};
use otlp_transport::{ApiKey, ApiKeyAuth, Authenticate};
use serde::Deserialize;
use std::sync::Arc;

/// Settings of the extension `api_key`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ApiKeySettings {
    /// Name of the header. Default `x-api-key`.
    header: Option<String>,
    keys: Vec<Key>,
}

/// A key and the identity of its senders.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Key {
    /// Identity of the senders that use the key. Required.
    name: String,
    /// Value of the header. Required.
    key: SecretText,
}

/// Makes `api_key`.
pub(crate) fn api_key(given: ApiKeySettings, _: &BuildContext<'_>) -> Result<AuthPart, SettingsError> {
    if given.keys.iter().any(|key| key.name.is_empty()) {
        return Err(SettingsError::at("keys", "each key needs a `name`: the identity of its senders"));
    }
    let header = given.header.unwrap_or_else(|| "x-api-key".into());
    let keys = given.keys.into_iter().map(|Key { name, key }| ApiKey { name, key: key.0 });
    let keys: Vec<_> = keys.collect();
    let server: MakeServer =
        Box::new(move |_| Ok(Arc::new(ApiKeyAuth::new(&header, &keys)?) as Arc<dyn Authenticate>));
    Ok(AuthPart { server: Some(server), ..AuthPart::default() })
}
