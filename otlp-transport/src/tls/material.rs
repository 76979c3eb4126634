//! Certificates, keys and authorities in PEM, from files or from texts in the settings.

use super::trust::Trust;
use super::{key, problem};
use crate::disk::Named;
use crate::{CertificateConfig, Certificates, ConfigError};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The files that a configuration names.
#[derive(Default)]
pub(super) struct Materials {
    pub(super) files: Vec<Named>,
}

/// A PEM text, or the file that holds it.
pub(super) struct Pem {
    key: &'static str,
    place: Place,
}

enum Place {
    Given(Vec<u8>),
    /// Index of the file in [`Materials::files`].
    File(usize),
}

/// A certificate with its key.
pub(super) struct Certificate {
    chain: Pem,
    key: Pem,
    /// `server` or `client`.
    side: &'static str,
    /// The file of the chain, or the key of the setting that holds the chain.
    source: String,
    expiries: Arc<Certificates>,
}

// === impl Materials ===

impl Materials {
    pub(super) fn file(&mut self, key: &'static str, path: Option<&PathBuf>) -> Option<Pem> {
        path.map(|path| {
            self.files.push(Named { key, path: path.clone() });
            Pem { key, place: Place::File(self.files.len() - 1) }
        })
    }

    pub(super) fn text(&mut self, key: &'static str, text: Option<&str>) -> Option<Pem> {
        text.map(|text| Pem { key, place: Place::Given(text.as_bytes().to_vec()) })
    }

    /// Takes a certificate and its key, for the given `side`; `None` if both are missing.
    pub(super) fn certificate(
        &mut self,
        config: &CertificateConfig,
        side: &'static str,
        expiries: &Arc<Certificates>,
    ) -> Result<Option<Certificate>, ConfigError> {
        let key_pem = config.key_pem.as_ref().map(|pem| pem.expose());
        let chain = [
            self.file("tls.cert_file", config.cert_file.as_ref()),
            self.text("tls.cert_pem", config.cert_pem.as_deref()),
        ];
        let key = [self.file("tls.key_file", config.key_file.as_ref()), self.text("tls.key_pem", key_pem)];
        match (one_of("tls.cert_pem", chain)?, one_of("tls.key_pem", key)?) {
            (Some(chain), Some(key)) => {
                let file = config.cert_file.as_ref();
                let source = file.map_or_else(|| chain.key.to_owned(), |file| file.display().to_string());
                Ok(Some(Certificate { chain, key, side, source, expiries: Arc::clone(expiries) }))
            }
            (None, None) => Ok(None),
            (Some(chain), None) => {
                Err(problem(chain.key, "the certificate has no key: set tls.key_file or tls.key_pem"))
            }
            (None, Some(key)) => {
                Err(problem(key.key, "the key has no certificate: set tls.cert_file or tls.cert_pem"))
            }
        }
    }
}

fn one_of(key: &'static str, pems: [Option<Pem>; 2]) -> Result<Option<Pem>, ConfigError> {
    match pems {
        [Some(_), Some(_)] => Err(problem(key, "both a file and a text are set: remove one of them")),
        [file, given] => Ok(file.or(given)),
    }
}

// === impl Pem ===

impl Pem {
    fn bytes<'a>(&'a self, contents: &'a [Vec<u8>]) -> &'a [u8] {
        match &self.place {
            Place::Given(text) => text,
            Place::File(index) => contents.get(*index).map(Vec::as_slice).unwrap_or_default(),
        }
    }

    fn certificates(&self, contents: &[Vec<u8>]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(self.bytes(contents)).collect();
        match found.map_err(|error| problem(self.key, fault(&error)))? {
            none if none.is_empty() => {
                Err(problem(self.key, "no certificate found: expected PEM, `-----BEGIN CERTIFICATE-----`"))
            }
            found => Ok(found),
        }
    }

    /// Adds the certificates to `trust`. Certificates that cannot be used are left out with a warning, as bundles may
    /// hold old ones.
    ///
    /// # Errors
    /// If no certificate can be used.
    pub(super) fn add_to(
        &self,
        trust: &mut Trust,
        contents: &[Vec<u8>],
        provider: &CryptoProvider,
    ) -> Result<(), ConfigError> {
        let certificates = self.certificates(contents)?;
        let (all, mut unusable) = (certificates.len(), Vec::new());
        for (index, certificate) in certificates.into_iter().enumerate() {
            if let Err(reason) = trust.add(certificate, &provider.signature_verification_algorithms) {
                unusable.push(format!("certificate {}: {reason}", index + 1));
            }
        }
        match unusable.first() {
            Some(first) if unusable.len() == all => Err(problem(self.key, first)),
            Some(first) => {
                let (key, count) = (self.key, unusable.len());
                tracing::warn!(key, count, first, "certificates cannot be used and are not trusted");
                Ok(())
            }
            None => Ok(()),
        }
    }
}

// === impl Certificate ===

impl Certificate {
    /// Reads certificate and key, which must belong together.
    pub(super) fn read(
        &self,
        contents: &[Vec<u8>],
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, ConfigError> {
        let chain = self.chain.certificates(contents)?;
        let pem = self.key.bytes(contents);
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| {
            let is_encrypted = pem.windows(ENCRYPTED.len()).any(|window| window == ENCRYPTED);
            let fault = if is_encrypted {
                "the private key is encrypted: store the key without a passphrase"
            } else {
                fault(&error)
            };
            problem(self.key.key, fault)
        })?;
        let first = chain.first().map(|first| &**first).unwrap_or_default();
        let (_, certificate) = X509Certificate::from_der(first)
            .map_err(|_| problem(self.chain.key, "the first certificate is not a valid X.509 certificate"))?;
        let info = certificate.public_key();
        if let Some(kind) = key::unsupported_kind(info, &provider.signature_verification_algorithms) {
            let text = format!("the certificate's key ({kind}) is not supported; {}", key::SUPPORTED);
            return Err(problem(self.chain.key, text));
        }
        let key = provider.key_provider.load_private_key(key).map_err(|_| {
            problem(self.key.key, format!("invalid or unsupported private key; {}", key::SUPPORTED))
        })?;
        if key.public_key().is_some_and(|public| *public != *info.raw) {
            return Err(problem(
                self.chain.key,
                "the certificate and the private key do not belong together",
            ));
        }
        if let Some(not_after) = chain.iter().filter_map(|certificate| not_after(certificate)).min() {
            self.expiries.took(self.side, self.source.clone(), not_after);
        }
        Ok(CertifiedKey::new(chain, key))
    }
}

/// Returns the expiry of a certificate; `None` if the certificate cannot be read.
fn not_after(der: &[u8]) -> Option<SystemTime> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let seconds = u64::try_from(certificate.validity().not_after.timestamp()).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Describes the fault of a PEM text, without quoting the text.
fn fault(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => {
            "not PEM: a `-----BEGIN …-----` has no matching `-----END …-----`"
        }
        pem::Error::IllegalSectionStart { .. } => "not PEM: damaged `-----BEGIN …-----` line",
        pem::Error::Base64Decode(_) => {
            "not PEM: invalid base64 between `-----BEGIN …-----` and `-----END …-----`"
        }
        pem::Error::NoItemsFound => "no private key found: expected PEM, `-----BEGIN PRIVATE KEY-----`",
        _ => "not PEM",
    }
}

const ENCRYPTED: &[u8] = b"ENCRYPTED";
