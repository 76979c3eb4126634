//! TLS of servers, which is absent.

use super::Alpn;
use crate::{BoxIo, ConfigError, PeerCertificate, ServerTlsConfig, TransportContext};
use std::io;

/// A server's TLS: no value exists.
#[derive(Debug)]
pub(crate) enum TlsAcceptor {}

/// A connection secured by a server.
pub(crate) struct Accepted {
    /// The plaintext side.
    pub(crate) io: BoxIo,
    /// The client's certificate, if certificates are required.
    pub(crate) certificate: Option<PeerCertificate>,
}

impl TlsAcceptor {
    pub(crate) fn new(
        _context: &TransportContext,
        _config: &ServerTlsConfig,
        _alpn: Alpn,
    ) -> Result<Self, ConfigError> {
        Err(ConfigError::new("tls", "TLS is not compiled in: build with the feature `tls`"))
    }

    pub(crate) async fn accept(&self, _io: BoxIo) -> io::Result<Accepted> {
        match *self {}
    }
}
