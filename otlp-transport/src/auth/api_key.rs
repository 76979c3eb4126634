//! Keys in a header of any name.

use super::authenticate::only;
use super::digest::Known;
use super::{AuthRequest, Authenticate, Identity, Secret, Verdict, header_name};
use crate::ConfigError;
use http::HeaderName;
use std::fmt;

/// A key that senders may show, and who they are then.
#[derive(Clone, Debug, Default)]
pub struct ApiKey {
    /// Who has it: the identity of its senders.
    pub name: String,
    /// The key itself.
    pub key: Secret,
}

/// Lets in those who send one of the keys in a header.
pub struct ApiKeyAuth {
    header: HeaderName,
    challenge: String,
    keys: Known,
}

impl ApiKeyAuth {
    /// Keys in the header of that name, commonly `x-api-key`.
    ///
    /// # Errors
    /// If the name is not one of a header, there is no key, or one is empty.
    pub fn new(header: &str, keys: &[ApiKey]) -> Result<Self, ConfigError> {
        let header = header_name("header", header)?;
        let mut known = Known::new("keys")?;
        for ApiKey { name, key } in keys {
            if key.expose().trim().is_empty() {
                return Err(problem(format!("the key of `{name}` is empty")));
            }
            known.add(key.expose().as_bytes(), Identity::new(name.as_str()));
        }
        if known.is_empty() {
            return Err(problem("there is no key: nobody would be let in".into()));
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
