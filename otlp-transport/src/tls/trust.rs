//! Trusted certificates: those of a trust file (`ca_file`, `client_ca_file`), or of the system.
//!
//! As in Go and the Collector, a certificate in the file is trusted itself, of whatever kind. If the certificate is an
//! authority (version 3 with `CA:TRUE`, or version 1, which has no such field), certificates that it issued are trusted
//! too. Authorities need not be roots.

use super::key;
use ring::digest::{SHA256, digest};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::{DistinguishedName, RootCertStore};
use rustls_pki_types::CertificateDer;
use std::collections::HashSet;
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

/// Trusted certificates.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    authorities: RootCertStore,
    /// SHA-256 of each trusted certificate.
    digests: HashSet<[u8; 32]>,
    /// Issuers of acceptable client certificates, which servers send to clients.
    issuers: Vec<DistinguishedName>,
}

// === impl Trust ===

impl Trust {
    /// Trusts no certificate.
    pub(super) fn none() -> Self {
        Self { authorities: RootCertStore::empty(), digests: HashSet::new(), issuers: Vec::new() }
    }

    /// Adds a certificate.
    ///
    /// # Errors
    /// The reason why the certificate cannot be used; then nothing is added.
    pub(super) fn add(
        &mut self,
        der: CertificateDer<'_>,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), String> {
        let (_, certificate) =
            X509Certificate::from_der(&der).map_err(|_| "invalid X.509 certificate".to_owned())?;
        if let Some(kind) = key::unsupported_kind(certificate.public_key(), algorithms) {
            return Err(format!("unsupported public key ({kind}); {}", key::SUPPORTED));
        }
        let is_authority = is_authority(&certificate);
        if is_authority {
            let added = self.authorities.add(der.clone());
            added.map_err(|error| format!("cannot be used as an authority: {error}"))?;
        }
        let issuer = if is_authority { certificate.subject() } else { certificate.issuer() };
        let issuer = key::contents(issuer.as_raw()).unwrap_or_default();
        self.issuers.push(DistinguishedName::in_sequence(issuer));
        self.digests.insert(sha256(&der));
        Ok(())
    }

    /// Adds the certificates that `other` trusts.
    pub(super) fn extend(&mut self, other: &Self) {
        self.authorities.extend(other.authorities.roots.iter().cloned());
        self.digests.extend(&other.digests);
        self.issuers.extend(other.issuers.iter().cloned());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    pub(super) fn authorities(&self) -> &RootCertStore {
        &self.authorities
    }

    pub(super) fn issuers(&self) -> &[DistinguishedName] {
        &self.issuers
    }

    /// True if this certificate itself is trusted.
    pub(super) fn holds(&self, der: &[u8]) -> bool {
        self.digests.contains(&sha256(der))
    }

    /// True if a trusted authority signed the certificate directly. Authorities with name constraints are left out.
    pub(super) fn has_issued(
        &self,
        certificate: &X509Certificate<'_>,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> bool {
        let Some(issuer) = key::contents(certificate.issuer().as_raw()) else { return false };
        let named = self.authorities.roots.iter().filter(|authority| *authority.subject == *issuer);
        named
            .filter(|authority| authority.name_constraints.is_none())
            .any(|authority| key::has_signed(&authority.subject_public_key_info, certificate, algorithms))
    }
}

/// True if certificates signed by `certificate` may be trusted.
pub(super) fn is_authority(certificate: &X509Certificate<'_>) -> bool {
    certificate.version() != X509Version::V3 || certificate.is_ca()
}

fn sha256(der: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, der).as_ref());
    bytes
}
