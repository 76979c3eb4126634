//! Bearer tokens (RFC 6750), given in the settings or one a line in a reloaded file.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

#[cfg(feature = "client")]
pub use client::BearerCredentials;
#[cfg(feature = "server")]
pub use server::BearerAuth;
#[cfg(feature = "server")]
pub(super) use server::after_scheme;

use super::{OnEmpty, Secret};
use crate::ConfigError;
use crate::disk::Named;
use http::header::AUTHORIZATION;
use std::path::PathBuf;
use std::time::Duration;

/// Tokens, and the header that carries a token. For servers and clients.
///
/// ```
/// use otlp_transport::{
///     BearerAuth, BearerConfig, BearerCredentials, ClientConfig, ServerConfig, TransportContext,
/// };
/// use std::sync::Arc;
///
/// let context = TransportContext::tcp(64 << 20);
/// let mut server = ServerConfig::new("0.0.0.0:4317");
/// server.auth = Some(Arc::new(BearerAuth::new(&context, &BearerConfig::new(["s3cret", "other"]))?));
///
/// let mut client = ClientConfig::new("https://collector.example:4317");
/// client.credentials = Some(Arc::new(BearerCredentials::new(&context, &BearerConfig::new(["s3cret"]))?));
/// # Ok::<(), otlp_transport::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BearerConfig {
    /// The scheme before the token. Empty: the header has the token alone. Default `Bearer`.
    pub scheme: String,
    /// The header's name. Default `authorization`.
    pub header: String,
    /// Tokens. A server accepts each token; a client sends the first.
    pub tokens: Vec<Secret>,
    /// A file with a token on each line, in place of `tokens`. The file is reloaded when it changes.
    pub filename: Option<PathBuf>,
    /// Effect on a server of a file that is emptied. Default [`OnEmpty::Keep`], which a client always does.
    pub on_empty: OnEmpty,
    /// Time between checks of the file for changes. Default 30 s, also for zero.
    pub reload_interval: Option<Duration>,
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
    /// Tokens in `authorization: Bearer <token>`, with the defaults of all else.
    pub fn new(tokens: impl IntoIterator<Item = impl Into<Secret>>) -> Self {
        Self { tokens: tokens.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    fn files(&self) -> Result<Vec<Named>, ConfigError> {
        match (&self.filename, self.tokens.as_slice()) {
            (Some(path), []) => Ok(vec![Named { key: FILENAME, path: path.clone() }]),
            (None, [_, ..]) => Ok(Vec::new()),
            (Some(_), [_, ..]) => {
                Err(problem(FILENAME, "both tokens and filename are set: remove one of them"))
            }
            (None, []) => Err(problem("tokens", "no token is configured: set token, tokens or filename")),
        }
    }
}

/// Returns the tokens of the file, else the given tokens: at least one, without empty ones.
fn tokens<'a>(given: &'a [Secret], contents: &'a [Vec<u8>]) -> Result<Vec<&'a [u8]>, ConfigError> {
    let (key, tokens): (_, Vec<_>) = match contents.first() {
        Some(content) => (FILENAME, content.split(|&byte| byte == b'\n').collect()),
        None => ("tokens", given.iter().map(|token| token.expose().as_bytes()).collect()),
    };
    let tokens: Vec<_> =
        tokens.into_iter().map(<[u8]>::trim_ascii).filter(|token| !token.is_empty()).collect();
    if tokens.is_empty() {
        Err(problem(key, "no token found: put one token on each line"))
    } else {
        Ok(tokens)
    }
}

fn problem(key: &'static str, problem: &str) -> ConfigError {
    ConfigError::new(key, problem)
}

const FILENAME: &str = "filename";
