//! TLS of clients, which is absent.

use super::Alpn;
use crate::{BoxIo, ConfigError, TlsConfig, TransportContext};
use std::io;

/// A client's TLS: no value exists.
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
            "`{host}` needs TLS, which is not compiled in: build with the feature `tls`, or send cleartext (http:// or \
             `tls: {{insecure: true}}`)"
        );
        Err(ConfigError::new("endpoint", problem))
    }

    pub(crate) async fn connect(&self, _io: BoxIo) -> io::Result<Secured> {
        match *self {}
    }
}

/// Explains an alert of TLS; there are none.
pub(crate) fn explained(_error: &io::Error) -> Option<String> {
    None
}

/// True if a handshake fails again until a setting changes; there are no handshakes.
pub(crate) fn is_lasting_failure(_error: &io::Error) -> bool {
    false
}
