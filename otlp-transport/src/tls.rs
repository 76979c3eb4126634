//! TLS of clients and servers: rustls with ring. Certificates, keys and authorities are read when a client or a server is
//! made, and again when their files change: connections made from then on use them, those that are open stay as they are.

mod any;
mod client;
mod key;
mod material;
mod parameters;
mod server;
mod trust;
mod verify;

pub(crate) use client::TlsConnector;
pub(crate) use server::{Accepted, TlsAcceptor};

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
use std::io;

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
    crate::ConfigError { key, problem: problem.to_string() }
}

/// Says why a handshake failed where rustls names a cause that its readers cannot act on.
fn explained(error: io::Error) -> io::Error {
    let text = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Error::InvalidCertificate(CertificateError::Other(why))) => {
            format!("the peer's certificate cannot be trusted: {why}")
        }
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "no authority in the trust file issued the peer's certificate, nor is the certificate in that file".to_owned()
        }
        Some(Error::InvalidCertificate(
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
        )) => format!(
            "a certificate of the peer's chain is signed in a way that cannot be checked, such as with SHA-1 or a P-521 \
             key; {}, with SHA-256, SHA-384 or SHA-512",
            key::SUPPORTED
        ),
        Some(Error::AlertReceived(AlertDescription::HandshakeFailure)) => format!(
            "the peer ended the TLS handshake (alert handshake_failure): no TLS version, cipher suite or kind of key in \
             common; its certificate may have a key of a kind that is not supported, such as P-521: {}",
            key::SUPPORTED
        ),
        _ => return error,
    };
    io::Error::new(error.kind(), text)
}

/// The same of a server's handshakes, whose peer is the sender.
fn explained_of_sender(error: io::Error) -> io::Error {
    let text = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Error::AlertReceived(
            alert @ (AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError
            | AlertDescription::UnknownCA),
        )) => format!("the sender does not trust our certificate (alert {alert:?})"),
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "the sender does not speak TLS".to_owned()
        }
        Some(Error::NoCertificatesPresented) => "the sender showed no client certificate".to_owned(),
        _ => return explained(error),
    };
    io::Error::new(error.kind(), text)
}

const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";
