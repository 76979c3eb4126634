//! The error of a setting that cannot work.

use std::fmt;
use std::io;
use std::sync::Arc;

/// A setting that cannot work: the one error of making servers, clients, authenticators and TLS.
///
/// `Display` names the setting, quotes its value where the value is known and no secret, and says what to do:
///
/// ```
/// use otlp_transport::{ClientConfig, GrpcClient, TransportContext};
///
/// let context = TransportContext::tcp(64 << 20);
/// let error = GrpcClient::new(&context, &ClientConfig::new("collector")).err().unwrap();
/// assert_eq!(error.key, "endpoint");
/// assert_eq!(error.value.as_deref(), Some("collector"));
/// assert!(error.problem.contains("port"));
/// assert!(error.to_string().starts_with("endpoint \"collector\": "));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConfigError {
    /// The setting, as the field of the configuration struct is called, with a dot between nested ones:
    /// `tls.cert_file`.
    pub key: &'static str,
    /// The setting's value, or the part of it that is wrong. None if the value may be a secret or has no text. Of an
    /// endpoint, user, password and query are left out.
    pub value: Option<String>,
    /// The problem, and what to do about it.
    pub problem: String,
    source: Option<Arc<io::Error>>,
}

impl ConfigError {
    /// An error of the setting `key`.
    pub fn new(key: &'static str, problem: impl Into<String>) -> Self {
        Self { key, value: None, problem: problem.into(), source: None }
    }

    /// The same error of another setting, for a caller whose setting has another name.
    #[must_use]
    pub fn with_key(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    /// The same error, quoting the value. Secrets must not get here.
    #[must_use]
    pub fn with_value(self, value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..self }
    }

    /// The same error with the system's error that it comes from, which `problem` should contain in words.
    #[must_use]
    pub fn with_source(self, source: io::Error) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// The error of an endpoint that a server, also one of another protocol, cannot listen on.
    pub fn cannot_listen(endpoint: &str, error: io::Error) -> Self {
        Self::new("endpoint", why_not_listening(endpoint, &error)).with_value(endpoint).with_source(error)
    }

    /// Value and problem without the key, for messages that name the setting themselves: `` `collector`: the port is missing ``.
    pub fn without_key(&self) -> String {
        match &self.value {
            Some(value) => format!("`{}`: {}", value.escape_debug(), self.problem),
            None => self.problem.clone(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} {value:?}: {}", self.key, self.problem),
            None => write!(f, "{}: {}", self.key, self.problem),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The mistake in an address if there is one, otherwise what the system says.
fn why_not_listening(endpoint: &str, error: &io::Error) -> String {
    let place =
        ["tcp4://", "tcp6://"].iter().find_map(|scheme| endpoint.strip_prefix(scheme)).unwrap_or(endpoint);
    if place.starts_with("unix:") {
        return format!("cannot listen: {error}");
    }
    if place.contains("://") {
        return "a server's endpoint is no URL; write host:port, such as 127.0.0.1:4317".into();
    }
    match place.rsplit_once(':') {
        // `::1` and `[::1]` are hosts.
        Some((host, port)) if !port.ends_with(']') && (host.starts_with('[') || !host.contains(':')) => {
            match port.parse::<u16>() {
                Ok(_) => format!("cannot listen: {error}"),
                Err(_) => "the port is not a number from 0 to 65535".into(),
            }
        }
        _ if place.contains(':') => "no port; write [address]:port, such as [::1]:4317".into(),
        _ => format!(
            "no port; write host:port, such as {}:4317",
            if place.is_empty() { "127.0.0.1" } else { place }
        ),
    }
}

#[cfg(test)]
mod tests;
