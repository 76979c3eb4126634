//! Without the feature `tls`: secure endpoints are refused when a client is made.

use crate::{BoxIo, ConfigError, TlsConfig};
use std::io;

/// There is none.
#[derive(Debug)]
pub(crate) enum TlsConnector {}

/// What to offer in ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// HTTP/2 alone.
    Http2,
    /// HTTP/2, else HTTP/1.1.
    Any,
}

/// A secured connection.
pub(crate) struct Secured {
    /// The plaintext side.
    pub(crate) io: BoxIo,
    /// Whether ALPN chose HTTP/2.
    pub(crate) http2: bool,
}

impl TlsConnector {
    pub(crate) fn new(_config: &TlsConfig, host: &str, _alpn: Alpn) -> Result<Self, ConfigError> {
        let problem = format!("`{host}` is a secure endpoint, but this build has no TLS (feature `tls`)");
        Err(ConfigError { key: "endpoint", problem })
    }

    pub(crate) async fn connect(&self, _io: BoxIo) -> io::Result<Secured> {
        match *self {}
    }
}
