//! Servers that authenticate senders by tokens.

use super::{BearerConfig, tokens};
use crate::auth::authenticate::only;
use crate::auth::digest::Known;
use crate::auth::header_name;
use crate::disk::Watched;
use crate::{AuthRequest, Authenticate, ConfigError, Denied, Identity, OnEmpty, TransportContext, Verdict};
use http::{HeaderMap, HeaderName};
use std::fmt;

/// Authenticates senders by one of the tokens. A sender's identity is `token-<n>`, n being the token's position, from 1.
pub struct BearerAuth {
    scheme: String,
    header: HeaderName,
    tokens: Watched<Known>,
}

// === impl BearerAuth ===

impl BearerAuth {
    /// Reads the tokens.
    ///
    /// # Errors
    /// If there is no token, `header` is not a header name, or the file cannot be read.
    pub fn new(context: &TransportContext, config: &BearerConfig) -> Result<Self, ConfigError> {
        let (given, on_empty) = (config.tokens.clone(), config.on_empty);
        let watched = Watched::new(context, config.files()?, config.reload_interval, move |contents| {
            let mut known = Known::new("tokens")?;
            if on_empty == OnEmpty::Refuse
                && contents.first().is_some_and(|content| content.trim_ascii().is_empty())
            {
                return Ok(known);
            }
            for (index, token) in tokens(&given, contents)?.into_iter().enumerate() {
                known.add(token, Identity::new(format!("token-{}", index + 1)));
            }
            Ok(known)
        })?;
        let header = header_name("header", &config.header)?;
        Ok(Self { scheme: config.scheme.clone(), header, tokens: watched })
    }

    fn judge(&self, headers: &HeaderMap) -> Result<Identity, Denied> {
        let value = only(headers, &self.header)?;
        let token = after_scheme(value, &self.scheme).ok_or_else(|| {
            Denied::new(format!("the header `{}` does not begin with `{}`", self.header, self.scheme))
        })?;
        let found = self.tokens.get().find(token).cloned();
        found.ok_or_else(|| Denied::new(format!("the token in the header `{}` is not known", self.header)))
    }
}

impl Authenticate for BearerAuth {
    fn authenticate(&self, request: &AuthRequest<'_>) -> Verdict {
        Verdict::Known(self.judge(request.headers))
    }

    fn challenge(&self) -> &str {
        if self.scheme.is_empty() { "Bearer" } else { &self.scheme }
    }

    fn may_be_slow(&self) -> bool {
        false
    }
}

impl fmt::Debug for BearerAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerAuth").field("header", &self.header).finish_non_exhaustive()
    }
}

/// Returns what follows the scheme and at least one space. The scheme's case does not matter (RFC 9110 §11.1).
pub(in crate::auth) fn after_scheme<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    if scheme.is_empty() {
        return Some(value);
    }
    let (begin, rest) = value.split_at_checked(scheme.len())?;
    let is_scheme = begin.eq_ignore_ascii_case(scheme.as_bytes()) && rest.first() == Some(&b' ');
    is_scheme.then(|| rest.trim_ascii())
}
