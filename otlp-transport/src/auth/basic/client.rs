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

/// Sends user and password.
#[derive(Debug)]
pub struct BasicCredentials {
    value: Watched<HeaderValue>,
}

/// Where a user's name comes from.
#[derive(Clone, Debug)]
pub enum Username {
    /// It is given.
    Given(String),
    /// From a file, without the line's end; the file is watched.
    File(PathBuf),
}

/// Where a password comes from.
#[derive(Clone, Debug)]
pub enum Password {
    /// It is given.
    Given(Secret),
    /// From a file, without the line's end; the file is watched.
    File(PathBuf),
}

// === impl BasicCredentials ===

impl BasicCredentials {
    /// Reads user and password. `interval`: how often their files are looked at.
    ///
    /// # Errors
    /// If a file cannot be read, the user has a colon, or one of the two is empty.
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
        return problem("client_auth.username", "it is empty");
    }
    if user.contains(&b':') {
        return problem("client_auth.username", "a user's name has no colon");
    }
    if password.is_empty() {
        return problem("client_auth.password", "it is empty");
    }
    let both = [user, b":", password].concat();
    sensitive("client_auth", format!("Basic {}", STANDARD.encode(both)).as_bytes())
}

/// Editors end files with a line's end that is not meant.
pub(in crate::auth) fn trim_end(content: &[u8]) -> &[u8] {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.strip_suffix(b"\r").unwrap_or(content)
}
