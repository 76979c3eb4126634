//! Without the feature `tls`: secure endpoints are refused when a client or a server is made.

use crate::{BoxIo, ConfigError, PeerCertificate, ServerTlsConfig, TlsConfig, TransportContext};
use std::io;

/// There is none.
#[derive(Debug)]
pub(crate) enum TlsConnector {}

/// There is none.
#[derive(Debug)]
pub(crate) enum TlsAcceptor {}

/// What to offer, or to take, in ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// HTTP/1.1 alone: proxies.
    Http1,
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

/// A secured connection.
pub(crate) struct Accepted {
    /// The plaintext side.
    pub(crate) io: BoxIo,
    /// The client's certificate, if one was asked for.
    pub(crate) certificate: Option<PeerCertificate>,
}

impl TlsConnector {
    pub(crate) fn new(
        _context: &TransportContext,
        _config: &TlsConfig,
        host: &str,
        _alpn: Alpn,
    ) -> Result<Self, ConfigError> {
        let problem = format!("`{host}` is a secure endpoint, but this build has no TLS (feature `tls`)");
        Err(ConfigError { key: "endpoint", problem })
    }

    pub(crate) async fn connect(&self, _io: BoxIo) -> io::Result<Secured> {
        match *self {}
    }
}

impl TlsAcceptor {
    pub(crate) fn new(
        _context: &TransportContext,
        _config: &ServerTlsConfig,
        _alpn: Alpn,
    ) -> Result<Self, ConfigError> {
        Err(ConfigError { key: "tls", problem: "this build has no TLS (feature `tls`)".into() })
    }

    pub(crate) async fn accept(&self, _io: BoxIo) -> io::Result<Accepted> {
        match *self {}
    }
}
