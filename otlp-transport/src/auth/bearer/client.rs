//! Clients that send a token.

use super::{BearerConfig, FILENAME, problem, tokens};
use crate::auth::credentials::sensitive;
use crate::auth::header_name;
use crate::client::is_reserved;
use crate::disk::Watched;
use crate::{ConfigError, Credentials, ExportError, TransportContext};
use http::{HeaderMap, HeaderName, HeaderValue};
use otlp_protocol::Origin;
use std::fmt;

/// Sends the first token.
pub struct BearerCredentials {
    header: HeaderName,
    value: Watched<HeaderValue>,
}

// === impl BearerCredentials ===

impl BearerCredentials {
    /// Reads the token.
    ///
    /// # Errors
    /// If there is no token, the token has characters that a header cannot carry, `header` is not a header name or is
    /// reserved for the exporter, or the file cannot be read.
    pub fn new(context: &TransportContext, config: &BearerConfig) -> Result<Self, ConfigError> {
        let (scheme, given) = (config.scheme.clone(), config.tokens.clone());
        let value = Watched::new(context, config.files()?, config.reload_interval, move |contents| {
            let tokens = tokens(&given, contents)?;
            let mut value = scheme.as_bytes().to_vec();
            if !scheme.is_empty() {
                value.push(b' ');
            }
            value.extend_from_slice(tokens.first().copied().unwrap_or_default());
            sensitive(if contents.is_empty() { "tokens" } else { FILENAME }, &value)
        })?;
        let header = header_name("header", &config.header)?;
        if is_reserved(&header) {
            return Err(problem(
                "header",
                &format!("`{header}` is set by the exporter: choose another name"),
            ));
        }
        Ok(Self { header, value })
    }
}

impl Credentials for BearerCredentials {
    fn apply(&self, headers: &mut HeaderMap, _origin: Option<&Origin>) -> Result<(), ExportError> {
        headers.insert(self.header.clone(), HeaderValue::clone(&self.value.get()));
        Ok(())
    }

    fn is_secret(&self) -> bool {
        true
    }
}

impl fmt::Debug for BearerCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerCredentials").field("header", &self.header).finish_non_exhaustive()
    }
}
