//! Destinations: endpoint, protocol and all else that a client needs to send, for all signals or for one.

use otlp_transport::{Compression, Secret};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Settings of a destination. `None` is not set: a signal's own destination then has the setting of
/// [`OtlpConfig::destination`](super::OtlpConfig::destination), and that the default.
///
/// `Debug` output leaves out what may be secret: values of headers, keys, and users, passwords and queries of URLs.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Destination {
    /// URL of the destination. Default `http://localhost:4318` for HTTP, `http://localhost:4317` for gRPC.
    ///
    /// HTTP: `/v1/traces` and so on is appended to the URL for all signals; the URL of one signal is used as it is. gRPC: an
    /// `http://` or `https://` URL, or `host:port`, which is TLS unless `insecure` is set. `unix:///path` is a Unix socket.
    pub endpoint: Option<String>,
    /// Protocol. Default [`HttpProtobuf`](Protocol::HttpProtobuf).
    pub protocol: Option<Protocol>,
    /// gRPC: an endpoint without a scheme is spoken to in cleartext. A scheme takes precedence. Default false.
    pub insecure: Option<bool>,
    /// Headers of each request. A signal has those of all signals, too, except for names that it sets itself. Default none.
    pub headers: Vec<(String, String)>,
    /// Compression of requests. Default none.
    pub compression: Option<Compression>,
    /// Time limit of an export, with its retries. Zero is no limit; retries then end after 5 minutes.
    /// Default 10 s.
    pub timeout: Option<Duration>,
    /// Certificates to trust, in place of the system's.
    pub certificate: Option<Pem>,
    /// Certificate of the client, for servers that ask for a certificate; `client_key` is needed, too.
    pub client_certificate: Option<Pem>,
    /// Private key of `client_certificate`.
    pub client_key: Option<Pem>,
}

/// Protocol of OTLP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// OTLP/gRPC, feature `grpc`.
    Grpc,
    /// OTLP/HTTP with bodies in JSON, feature `http`.
    HttpJson,
    /// OTLP/HTTP with bodies in protobuf, feature `http`.
    #[default]
    HttpProtobuf,
}

/// A certificate or a key in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pem {
    /// Path of a file, which is read again when it changes.
    File(PathBuf),
    /// The text itself.
    Text(Secret),
}

// === impl Destination ===

impl Destination {
    /// Returns the settings of a signal: its own, or else those of all signals. The endpoint is the signal's own alone.
    pub(super) fn of_signal(own: &Self, all: &Self) -> Self {
        let is_replaced =
            |name: &str| own.headers.iter().any(|(replacing, _)| replacing.eq_ignore_ascii_case(name));
        let headers = all.headers.iter().filter(|(name, _)| !is_replaced(name)).chain(&own.headers);
        Self {
            endpoint: own.endpoint.clone(),
            protocol: own.protocol.or(all.protocol),
            insecure: own.insecure.or(all.insecure),
            headers: headers.cloned().collect(),
            compression: own.compression.or(all.compression),
            timeout: own.timeout.or(all.timeout),
            certificate: own.certificate.clone().or_else(|| all.certificate.clone()),
            client_certificate: own.client_certificate.clone().or_else(|| all.client_certificate.clone()),
            client_key: own.client_key.clone().or_else(|| all.client_key.clone()),
        }
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Destination")
            .field("endpoint", &self.endpoint.as_deref().map(without_secrets))
            .field("protocol", &self.protocol)
            .field("insecure", &self.insecure)
            .field("headers", &names)
            .field("compression", &self.compression)
            .field("timeout", &self.timeout)
            .field("certificate", &self.certificate)
            .field("client_certificate", &self.client_certificate)
            .field("client_key", &self.client_key)
            .finish()
    }
}

/// Removes user, password and query from a URL.
fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.rsplit_once('@') {
        Some((before, place)) => {
            let scheme = before.find("://").map_or("", |at| before.get(..at + 3).unwrap_or_default());
            format!("{scheme}{place}")
        }
        None => url.to_owned(),
    }
}

/// The specification's time limit of an export.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
