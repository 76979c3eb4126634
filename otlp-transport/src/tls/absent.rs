//! Without the feature `tls`: secure endpoints are refused when a client or a server is made.

#[cfg(feature = "client")]
#[path = "absent/client.rs"]
mod client;
#[cfg(feature = "server")]
#[path = "absent/server.rs"]
mod server;

#[cfg(feature = "client")]
pub(crate) use client::TlsConnector;
#[cfg(feature = "server")]
pub(crate) use server::{Accepted, TlsAcceptor};

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
