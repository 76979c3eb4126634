//! Bearer tokens, RFC 6750: given, or one a line in a watched file.

use super::digest::Known;
use super::{
    AuthRequest, Authenticate, Credentials, Denied, Identity, OnEmpty, Secret, Verdict, header_name, only,
    sensitive,
};
use crate::client::is_reserved;
use crate::disk::{Named, Watched};
use crate::{ConfigError, ExportError, TransportContext};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use otlp_protocol::Origin;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Tokens and how they are sent, of servers and clients alike.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BearerConfig {
    /// What stands before the token; empty: the token alone. Default `Bearer`.
    pub scheme: String,
    /// The header. Default `authorization`.
    pub header: String,
    /// Tokens. A server takes each of them, a client sends the first.
    pub tokens: Vec<Secret>,
    /// A file with a token on each line, in place of `tokens`; it is watched.
    pub filename: Option<PathBuf>,
    /// What a server does when the file is emptied. Default [`OnEmpty::Keep`], which is what a client does.
    pub on_empty: OnEmpty,
    /// How often the file is looked at. Default, and zero: 30 s.
    pub reload_interval: Option<Duration>,
}

/// Lets in those who send one of the tokens. A sender's identity is `token-<n>`, n from 1 in the order they are in.
pub struct BearerAuth {
    scheme: String,
    header: HeaderName,
    tokens: Watched<Known>,
}

/// Sends a token.
pub struct BearerCredentials {
    header: HeaderName,
    value: Watched<HeaderValue>,
}

// === impl BearerConfig ===

impl Default for BearerConfig {
    fn default() -> Self {
        Self {
            scheme: "Bearer".into(),
            header: AUTHORIZATION.as_str().into(),
            tokens: Vec::new(),
            filename: None,
            on_empty: OnEmpty::default(),
            reload_interval: None,
        }
    }
}

impl BearerConfig {
    fn files(&self) -> Result<Vec<Named>, ConfigError> {
        match (&self.filename, self.tokens.as_slice()) {
            (Some(path), []) => Ok(vec![Named { key: FILENAME, path: path.clone() }]),
            (None, [_, ..]) => Ok(Vec::new()),
            (Some(_), [_, ..]) => Err(problem(FILENAME, "tokens are given, too: one or the other")),
            (None, []) => Err(problem("tokens", "there is neither a token nor a file of them")),
        }
    }
}

/// The tokens of a file, or else the given ones; at least one, none of them empty.
fn tokens<'a>(given: &'a [Secret], contents: &'a [Vec<u8>]) -> Result<Vec<&'a [u8]>, ConfigError> {
    let (key, tokens): (_, Vec<_>) = match contents.first() {
        Some(content) => (FILENAME, content.split(|&byte| byte == b'\n').collect()),
        None => ("tokens", given.iter().map(|token| token.expose().as_bytes()).collect()),
    };
    let tokens: Vec<_> =
        tokens.into_iter().map(<[u8]>::trim_ascii).filter(|token| !token.is_empty()).collect();
    if tokens.is_empty() { Err(problem(key, "there is no token in it")) } else { Ok(tokens) }
}

// === impl BearerAuth ===

impl BearerAuth {
    /// Reads the tokens.
    ///
    /// # Errors
    /// If there is none, the header is not one, or the file cannot be read.
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

// === impl BearerCredentials ===

impl BearerCredentials {
    /// Reads the token.
    ///
    /// # Errors
    /// If there is none, a header cannot carry it or is the exporter's own, or the file cannot be read.
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
            return Err(problem("header", "it is set by the exporter itself"));
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

/// What follows the scheme, whose case does not matter (RFC 9110 §11.1), and at least one space.
pub(super) fn after_scheme<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    if scheme.is_empty() {
        return Some(value);
    }
    let (begin, rest) = value.split_at_checked(scheme.len())?;
    let is_scheme = begin.eq_ignore_ascii_case(scheme.as_bytes()) && rest.first() == Some(&b' ');
    is_scheme.then(|| rest.trim_ascii())
}

fn problem(key: &'static str, problem: &str) -> ConfigError {
    ConfigError { key, problem: problem.into() }
}

const FILENAME: &str = "filename";
