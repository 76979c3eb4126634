//! TLS of clients, which is absent.

use super::Alpn;
use crate::{BoxIo, ConfigError, TlsConfig, TransportContext};
use std::io;

/// A server's TLS: no value exists.
#[derive(Debug)]
pub(crate) enum TlsConnector {}

/// A connection secured by a client.
pub(crate) struct Secured {
    /// The plaintext side.
    pub(crate) io: BoxIo,
    /// True if ALPN chose HTTP/2.
    pub(crate) http2: bool,
}

impl TlsConnector {
    pub(crate) fn new(
        _context: &TransportContext,
        _config: &TlsConfig,
        host: &str,
        _alpn: Alpn,
    ) -> Result<Self, ConfigError> {
        let problem = format!(
            "`{host}` is a secure endpoint, but TLS is not compiled in: build with the feature `tls`"
        );
        Err(ConfigError::new("endpoint", problem))
    }

    pub(crate) async fn connect(&self, _io: BoxIo) -> io::Result<Secured> {
        match *self {}
    }
}
