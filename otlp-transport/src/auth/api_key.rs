//! API keys, sent in a header of a configured name.

use super::authenticate::only;
use super::digest::Known;
use super::{AuthRequest, Authenticate, Identity, Secret, Verdict, header_name};
use crate::ConfigError;
use http::HeaderName;
use std::fmt;

/// A key that senders may send, and the identity of those senders.
#[derive(Clone, Debug, Default)]
pub struct ApiKey {
    /// Identity of the senders that send the key.
    pub name: String,
    /// The key.
    pub key: Secret,
}

/// Authenticates senders by one of the configured keys, in a header.
///
/// ```
/// use otlp_transport::{ApiKey, ApiKeyAuth, ServerConfig};
/// use std::sync::Arc;
///
/// let keys = [ApiKey { name: "team-a".into(), key: "s3cret".into() }];
/// let mut config = ServerConfig::new("0.0.0.0:4317");
/// config.auth = Some(Arc::new(ApiKeyAuth::new("x-api-key", &keys)?));
/// # Ok::<(), otlp_transport::ConfigError>(())
/// ```
pub struct ApiKeyAuth {
    header: HeaderName,
    challenge: String,
    keys: Known,
}

impl ApiKeyAuth {
    /// Accepts `keys` in the header named `header`, commonly `x-api-key`.
    ///
    /// # Errors
    /// If `header` is not a header name, `keys` is empty, or a key is empty.
    pub fn new(header: &str, keys: &[ApiKey]) -> Result<Self, ConfigError> {
        let header = header_name("header", header)?;
        let mut known = Known::new("keys")?;
        for ApiKey { name, key } in keys {
            if key.expose().trim().is_empty() {
                return Err(problem(format!(
                    "the key of `{name}` is empty: give a key, or remove the entry"
                )));
            }
            known.add(key.expose().as_bytes(), Identity::new(name.as_str()));
        }
        if known.is_empty() {
            return Err(problem("no key is configured, so every request would be refused: add a key".into()));
        }
        let challenge = format!("ApiKey header=\"{header}\"");
        Ok(Self { header, challenge, keys: known })
    }
}

impl Authenticate for ApiKeyAuth {
    fn authenticate(&self, request: &AuthRequest<'_>) -> Verdict {
        match only(request.headers, &self.header) {
            Ok(key) => match self.keys.find(key) {
                Some(identity) => Verdict::known(identity),
                None => Verdict::denied(format!("the key in the header `{}` is not known", self.header)),
            },
            Err(denied) => Verdict::Known(Err(denied)),
        }
    }

    fn challenge(&self) -> &str {
        &self.challenge
    }

    fn may_be_slow(&self) -> bool {
        false
    }
}

impl fmt::Debug for ApiKeyAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyAuth").field("header", &self.header).finish_non_exhaustive()
    }
}

fn problem(problem: String) -> ConfigError {
    ConfigError::new("keys", problem)
}
