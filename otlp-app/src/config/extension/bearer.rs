//! The extension `bearertokenauth`: tokens, for receivers and for exporters.

use super::on_empty::WhenEmpty;
use crate::config::decode::given;
use crate::config::files::FilePath;
use crate::config::secret::SecretText;
use otlp_service::{AuthPart, BuildContext, MakeClient, MakeServer, SettingsError};
use otlp_transport::{Authenticate, BearerAuth, BearerConfig, BearerCredentials, Credentials};
use serde::Deserialize;
use std::sync::Arc;

/// Settings of the extension `bearertokenauth`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BearerTokenAuth {
    /// Scheme before the token in the header; empty: the token alone. Default `Bearer`.
    #[serde(deserialize_with = "given")]
    scheme: Option<String>,
    /// Name of the header. Default `authorization`.
    header: Option<String>,
    /// The token. The identity of its senders is `token-1`.
    token: SecretText,
    /// Tokens, in place of `token`: receivers accept each of them, exporters send the first.
    tokens: Vec<SecretText>,
    /// File with a token on each line, used in place of `token` and `tokens`; it is watched.
    filename: Option<FilePath>,
    /// Effect of an emptied file on receivers: keep (its tokens stay valid) or refuse (no token is accepted). Exporters keep
    /// their token. Default keep. Not a key of the Collector.
    on_empty: WhenEmpty,
}

/// Makes `bearertokenauth`.
pub(crate) fn bearertokenauth(
    given: BearerTokenAuth,
    _: &BuildContext<'_>,
) -> Result<AuthPart, SettingsError> {
    if !given.token.is_empty() && !given.tokens.is_empty() {
        return Err(SettingsError::at("tokens", "`tokens` and `token` exclude each other: remove one"));
    }
    let mut tokens = given.tokens;
    if !given.token.is_empty() {
        tokens.push(given.token);
    }
    if given.filename.is_some() {
        tokens.clear();
    } else if tokens.iter().all(SecretText::is_empty) {
        return Err(SettingsError::new("one of `token`, `tokens`, `filename` is required"));
    }
    let mut config = BearerConfig::default();
    config.scheme = given.scheme.unwrap_or(config.scheme);
    config.header = given.header.unwrap_or(config.header);
    config.tokens = tokens.into_iter().map(|SecretText(token)| token).collect();
    config.filename = FilePath::path(given.filename);
    config.on_empty = given.on_empty.into();
    let for_clients = config.clone();
    let server: MakeServer =
        Box::new(move |context| Ok(Arc::new(BearerAuth::new(context, &config)?) as Arc<dyn Authenticate>));
    let client: MakeClient = Box::new(move |context, _| {
        Ok(Arc::new(BearerCredentials::new(context, &for_clients)?) as Arc<dyn Credentials>)
    });
    Ok(AuthPart { server: Some(server), client: Some(client), ..AuthPart::default() })
}
