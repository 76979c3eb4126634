//! Stand-in for TLS without the feature `tls`: secure endpoints are errors when a client or a server is made.

#[cfg(feature = "client")]
#[path = "absent/client.rs"]
mod client;
#[cfg(feature = "server")]
#[path = "absent/server.rs"]
mod server;

#[cfg(feature = "client")]
pub(crate) use client::{Secured, TlsConnector, explained, is_lasting_failure};
#[cfg(feature = "server")]
pub(crate) use server::{Accepted, TlsAcceptor};

/// HTTP versions offered or accepted in ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// HTTP/1.1 alone, for proxies.
    Http1,
    /// HTTP/2 alone.
    Http2,
    /// HTTP/2, else HTTP/1.1.
    Any,
}
