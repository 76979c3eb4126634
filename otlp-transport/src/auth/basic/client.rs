//! Clients that send a user and a password.

use crate::auth::credentials::sensitive;
use crate::disk::{Named, Watched};
use crate::{ConfigError, Credentials, ExportError, Secret, TransportContext};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use otlp_protocol::Origin;
use std::path::PathBuf;
use std::time::Duration;

/// Sends a user and a password.
///
/// ```
/// use otlp_transport::{BasicCredentials, ClientConfig, Password, TransportContext, Username};
/// use std::sync::Arc;
///
/// let context = TransportContext::tcp(64 << 20);
/// let (user, password) = (Username::Given("alice".into()), Password::Given("s3cret".into()));
/// let mut config = ClientConfig::new("https://collector.example:4317");
/// config.credentials = Some(Arc::new(BasicCredentials::new(&context, user, password, None)?));
/// # Ok::<(), otlp_transport::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct BasicCredentials {
    value: Watched<HeaderValue>,
}

/// Source of a user's name.
#[derive(Clone, Debug)]
pub enum Username {
    /// The name itself.
    Given(String),
    /// A file with the name; the line end after the name is removed. The file is reloaded when it changes.
    File(PathBuf),
}

/// Source of a password.
#[derive(Clone, Debug)]
pub enum Password {
    /// The password itself.
    Given(Secret),
    /// A file with the password; the line end after the password is removed. The file is reloaded when it changes.
    File(PathBuf),
}

// === impl BasicCredentials ===

impl BasicCredentials {
    /// Reads user and password. `interval`: time between checks of their files for changes.
    ///
    /// # Errors
    /// If a file cannot be read, the user contains a colon, or user or password is empty.
    pub fn new(
        context: &TransportContext,
        user: Username,
        password: Password,
        interval: Option<Duration>,
    ) -> Result<Self, ConfigError> {
        let mut files = Vec::new();
        let user = match user {
            Username::Given(user) => Some(user),
            Username::File(path) => {
                files.push(Named { key: "client_auth.username_file", path });
                None
            }
        };
        let password = match password {
            Password::Given(password) => Some(password),
            Password::File(path) => {
                files.push(Named { key: "client_auth.password_file", path });
                None
            }
        };
        let value = Watched::new(context, files, interval, move |contents| {
            let mut contents = contents.iter().map(|content| trim_end(content));
            let user = user.as_ref().map(String::as_bytes).or_else(|| contents.next());
            let password = password.as_ref().map(|password| password.expose().as_bytes());
            let password = password.or_else(|| contents.next());
            encode(user.unwrap_or_default(), password.unwrap_or_default())
        })?;
        Ok(Self { value })
    }
}

impl Credentials for BasicCredentials {
    fn apply(&self, headers: &mut HeaderMap, _origin: Option<&Origin>) -> Result<(), ExportError> {
        headers.insert(AUTHORIZATION, HeaderValue::clone(&self.value.get()));
        Ok(())
    }

    fn is_secret(&self) -> bool {
        true
    }
}

fn encode(user: &[u8], password: &[u8]) -> Result<HeaderValue, ConfigError> {
    let problem = |key, problem: &str| Err(ConfigError::new(key, problem));
    if user.is_empty() {
        return problem("client_auth.username", "the user name is empty");
    }
    if user.contains(&b':') {
        return problem("client_auth.username", "a user name cannot contain a colon");
    }
    if password.is_empty() {
        return problem("client_auth.password", "the password is empty");
    }
    let both = [user, b":", password].concat();
    sensitive("client_auth", format!("Basic {}", STANDARD.encode(both)).as_bytes())
}

/// Removes the line end that editors add at the end of a file.
pub(in crate::auth) fn trim_end(content: &[u8]) -> &[u8] {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.strip_suffix(b"\r").unwrap_or(content)
}
