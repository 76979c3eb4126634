//! Causes of failed TLS handshakes, in an operator's words, with the setting to change.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

#[cfg(feature = "client")]
pub(super) use client::of_server;
#[cfg(feature = "client")]
pub(crate) use client::{explained, is_lasting_failure};
#[cfg(feature = "server")]
pub(super) use server::of_sender;

use rustls::{CertificateError, Error};
use std::io;

/// Words for the other end of a handshake.
#[derive(Clone, Copy)]
struct Peer {
    /// `server` or `sender`.
    noun: &'static str,
    /// Setting that names the trusted authorities.
    trust_file: &'static str,
}

fn rustls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

fn certificate(error: &CertificateError, Peer { noun, trust_file }: Peer) -> String {
    match error {
        // BadSignature: another authority of the same name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
            "no trusted authority issued the {noun}'s certificate: add the authority's certificate, or the {noun}'s own, to \
             {trust_file}"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the {noun}'s certificate has expired ({error})")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the {noun}'s certificate is not valid yet ({error})")
        }
        CertificateError::Other(why) => format!("the {noun}'s certificate cannot be trusted: {why}"),
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => format!(
            "a certificate of the {noun}'s chain has a signature that cannot be checked, such as with SHA-1 or a P-521 key; \
             {}, with SHA-256, SHA-384 or SHA-512",
            super::key::SUPPORTED
        ),
        _ => format!("the {noun}'s certificate cannot be used: {error}"),
    }
}

fn handshake_failure(Peer { noun, .. }: Peer) -> String {
    format!(
        "the {noun} ended the TLS handshake (alert handshake_failure): no TLS version, cipher suite or kind of key in \
         common; its certificate may have a key of a kind that is not supported, such as P-521: {}",
        super::key::SUPPORTED
    )
}
