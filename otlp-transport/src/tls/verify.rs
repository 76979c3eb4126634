//! Verification of a peer: the certificate and the handshake's signature, checked against the trusted certificates.
//!
//! webpki checks chains. webpki refuses two kinds of certificates that Go and the Collector accept from a peer:
//! authorities (`CA:TRUE`, as most tools make self-signed certificates) and X.509 version 1. Such a certificate is
//! trusted if it is in the trust file, or if an authority in that file signed it. Validity period, purpose, critical
//! extensions and the host's name are always checked.

use super::key::{self, Handshake};
use super::trust::{Trust, is_authority};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::Arc;
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

/// Verifies certificates of servers.
#[derive(Debug)]
pub(super) struct ServerCertificates {
    rules: Rules,
    /// `None`: no authority is trusted.
    chains: Option<Arc<WebPkiServerVerifier>>,
}

/// Verifies certificates of clients, which are required.
#[derive(Debug)]
pub(super) struct ClientCertificates {
    rules: Rules,
    /// `None`: no authority is trusted.
    chains: Option<Arc<dyn ClientCertVerifier>>,
}

/// Rules for certificates of servers and clients.
#[derive(Debug)]
struct Rules {
    trust: Arc<Trust>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// Purpose of a peer's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Server,
    Client,
}

// === impl ServerCertificates ===

impl ServerCertificates {
    pub(super) fn new(trust: Arc<Trust>, provider: Arc<CryptoProvider>) -> Result<Self, String> {
        let algorithms = provider.signature_verification_algorithms;
        let chains = match trust.authorities() {
            none if none.is_empty() => None,
            some => {
                let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(some.clone()), provider);
                Some(builder.build().map_err(|error| error.to_string())?)
            }
        };
        Ok(Self { rules: Rules { trust, algorithms }, chains })
    }
}

impl ServerCertVerifier for ServerCertificates {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.rules.trust_without_chain(certificate, now, Purpose::Server)? {
            let parsed = ParsedCertificate::try_from(certificate);
            verify_server_name(&parsed.map_err(|error| explained(error, certificate))?, name)?;
            return Ok(ServerCertVerified::assertion());
        }
        let Some(chains) = &self.chains else { return Err(CertificateError::UnknownIssuer.into()) };
        let verified = chains.verify_server_cert(certificate, intermediates, name, ocsp_response, now);
        verified.map_err(|error| explained(error, certificate))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        key::check_handshake(Handshake::Tls12, message, certificate, signed, &self.rules.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        key::check_handshake(Handshake::Tls13, message, certificate, signed, &self.rules.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.rules.algorithms.supported_schemes()
    }
}

// === impl ClientCertificates ===

impl ClientCertificates {
    pub(super) fn new(trust: Arc<Trust>, provider: Arc<CryptoProvider>) -> Result<Self, String> {
        let algorithms = provider.signature_verification_algorithms;
        let chains = match trust.authorities() {
            none if none.is_empty() => None,
            some => {
                let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(some.clone()), provider);
                Some(builder.build().map_err(|error| error.to_string())?)
            }
        };
        Ok(Self { rules: Rules { trust, algorithms }, chains })
    }
}

impl ClientCertVerifier for ClientCertificates {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.rules.trust.issuers()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.rules.trust_without_chain(certificate, now, Purpose::Client)? {
            return Ok(ClientCertVerified::assertion());
        }
        let Some(chains) = &self.chains else { return Err(CertificateError::UnknownIssuer.into()) };
        let verified = chains.verify_client_cert(certificate, intermediates, now);
        verified.map_err(|error| explained(error, certificate))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        key::check_handshake(Handshake::Tls12, message, certificate, signed, &self.rules.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        key::check_handshake(Handshake::Tls13, message, certificate, signed, &self.rules.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.rules.algorithms.supported_schemes()
    }
}

// === impl Rules ===

impl Rules {
    /// True if a certificate is trusted without a chain: the certificate is in the trust file, or an authority there
    /// signed it and webpki does not support its kind.
    ///
    /// # Errors
    /// If the certificate would be trusted, but not now, or not for this purpose.
    fn trust_without_chain(
        &self,
        der: &CertificateDer<'_>,
        now: UnixTime,
        purpose: Purpose,
    ) -> Result<bool, Error> {
        // webpki reports the fault of a certificate that cannot be parsed.
        let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Ok(false) };
        let is_trusted = self.trust.holds(der)
            || (is_authority(&certificate) && self.trust.has_issued(&certificate, &self.algorithms));
        if !is_trusted {
            return Ok(false);
        }
        if certificate.version() == X509Version::V3 {
            // Refuses unknown critical extensions. Other versions have no extensions.
            ParsedCertificate::try_from(der)?;
        }
        check_period(&certificate, now)?;
        check_purpose(&certificate, purpose)?;
        Ok(true)
    }
}

fn check_period(certificate: &X509Certificate<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let unix = |seconds: i64| {
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
    };
    let validity = certificate.validity();
    let (not_before, not_after) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    if seconds < not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before: unix(not_before) });
    }
    if seconds > not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after: unix(not_after) });
    }
    Ok(())
}

/// Checks the purpose. A certificate that names no purposes has all purposes. RFC 5280 §4.2.1.12.
fn check_purpose(certificate: &X509Certificate<'_>, purpose: Purpose) -> Result<(), CertificateError> {
    let usage = certificate.extended_key_usage().map_err(|_| CertificateError::BadEncoding)?;
    let fits = usage.is_none_or(|usage| {
        usage.value.any
            || match purpose {
                Purpose::Server => usage.value.server_auth,
                Purpose::Client => usage.value.client_auth,
            }
    });
    if fits { Ok(()) } else { Err(CertificateError::InvalidPurpose) }
}

/// Reasons to refuse a certificate for which rustls has no words.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Refused {
    #[error(
        "an authority's own certificate (CA:TRUE) that is not in the trust file; add that certificate to the file, or \
         use a certificate that an authority in the file issued"
    )]
    UnknownAuthority,
    #[error(
        "a certificate of X.509 version 1, which has no subject alternative names, or no authority in the trust file \
         issued it; issue a certificate of version 3"
    )]
    Version1,
}

fn explained(error: Error, der: &CertificateDer<'_>) -> Error {
    if !matches!(error, Error::InvalidCertificate(CertificateError::Other(_))) {
        return error;
    }
    let refused = match X509Certificate::from_der(der) {
        Ok((_, certificate)) if certificate.version() != X509Version::V3 => Refused::Version1,
        Ok((_, certificate)) if certificate.is_ca() => Refused::UnknownAuthority,
        _ => return error,
    };
    CertificateError::Other(OtherError(Arc::new(refused))).into()
}

#[cfg(test)]
mod tests;
