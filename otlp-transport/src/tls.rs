//! TLS of clients and servers: rustls with ring. Certificates, keys and authorities are read when a client or a server is
//! made, and again when their files change: connections made from then on use them, those that are open stay as they are.

mod client;
mod material;
mod parameters;
mod server;
mod verify;

pub(crate) use client::TlsConnector;
pub(crate) use server::{Accepted, TlsAcceptor};

use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// What to offer, or to take, in ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// HTTP/2 alone.
    Http2,
    /// HTTP/2, else HTTP/1.1.
    Any,
}

/// A certificate, with those that lead to its authority, and its key.
struct Pair {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Alpn {
    fn protocols(self) -> Vec<Vec<u8>> {
        match self {
            Self::Http2 => vec![HTTP2.to_vec()],
            Self::Any => vec![HTTP2.to_vec(), b"http/1.1".to_vec()],
        }
    }
}

fn problem(key: &'static str, problem: impl ToString) -> crate::ConfigError {
    crate::ConfigError { key, problem: problem.to_string() }
}

const HTTP2: &[u8] = b"h2";
