//! TLS of servers, which is absent.

use super::Alpn;
use crate::{BoxIo, ConfigError, PeerCertificate, ServerTlsConfig, TransportContext};
use std::io;

/// There is none.
#[derive(Debug)]
pub(crate) enum TlsAcceptor {}

/// A secured connection.
pub(crate) struct Accepted {
    /// The plaintext side.
    pub(crate) io: BoxIo,
    /// The client's certificate, if one was asked for.
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
