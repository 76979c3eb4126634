//! TLS of clients and servers, by rustls with ring. Certificates, keys and authorities are read when a client or a server
//! is made, and again when their files change. New connections use the new content; open connections are not affected.

#[cfg(feature = "client")]
mod any;
#[cfg(feature = "client")]
mod client;
mod failure;
mod key;
mod material;
mod parameters;
#[cfg(feature = "server")]
mod server;
mod trust;
mod verify;

#[cfg(feature = "client")]
pub(crate) use client::{Secured, TlsConnector};
#[cfg(feature = "client")]
pub(crate) use failure::{explained, is_lasting_failure};
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

impl Alpn {
    fn protocols(self) -> Vec<Vec<u8>> {
        match self {
            Self::Http1 => vec![HTTP1.to_vec()],
            Self::Http2 => vec![HTTP2.to_vec()],
            Self::Any => vec![HTTP2.to_vec(), HTTP1.to_vec()],
        }
    }
}

fn problem(key: &'static str, problem: impl ToString) -> crate::ConfigError {
    crate::ConfigError::new(key, problem.to_string())
}

const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";
