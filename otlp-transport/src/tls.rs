//! TLS of clients: rustls with ring. Whom to trust is decided when a client is made; nothing is read later.

use crate::{BoxIo, ConfigError, TlsConfig};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use std::io;
use std::sync::{Arc, OnceLock};

mod verify;

/// Secures connections to one server.
#[derive(Debug)]
pub(crate) struct TlsConnector {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// What to offer in ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpn {
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

// === impl TlsConnector ===

impl TlsConnector {
    /// Reads CA files, or the system's trust anchors.
    ///
    /// # Errors
    /// If the anchors cannot be read, there are none, or the name is neither a DNS name nor an address.
    pub(crate) fn new(config: &TlsConfig, host: &str, alpn: Alpn) -> Result<Self, ConfigError> {
        let expected = config.server_name_override.as_deref().unwrap_or(host);
        let name = ServerName::try_from(expected.to_owned())
            .map_err(|error| problem("tls.server_name_override", format!("`{expected}`: {error}")))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| problem("tls", error.to_string()))?;
        let mut client = if config.insecure_skip_verify {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verify::AnyCertificate::new(provider)))
        } else {
            builder.with_root_certificates(anchors(config)?)
        }
        .with_no_client_auth();
        client.alpn_protocols = match alpn {
            Alpn::Http2 => vec![HTTP2.to_vec()],
            Alpn::Any => vec![HTTP2.to_vec(), b"http/1.1".to_vec()],
        };
        Ok(Self { config: Arc::new(client), name })
    }

    /// Does the handshake. No timeout of its own.
    pub(crate) async fn connect(&self, io: BoxIo) -> io::Result<Secured> {
        let connector = tokio_rustls::TlsConnector::from(self.config.clone());
        let stream = connector.connect(self.name.clone(), io).await?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        Ok(Secured { io: Box::new(stream), http2 })
    }
}

fn anchors(config: &TlsConfig) -> Result<Arc<RootCertStore>, ConfigError> {
    let file = match &config.ca_file {
        None => None,
        Some(path) => Some(
            std::fs::read(path)
                .map_err(|error| problem("tls.ca_file", format!("`{}`: {error}", path.display())))?,
        ),
    };
    let given =
        [("tls.ca_file", file.as_deref()), ("tls.ca_pem", config.ca_pem.as_deref().map(str::as_bytes))];
    if given.iter().all(|(_, pem)| pem.is_none()) {
        return system_anchors();
    }
    let mut anchors = match config.include_system_ca_certs_pool {
        true => RootCertStore::clone(&*system_anchors()?),
        false => RootCertStore::empty(),
    };
    for (key, pem) in given {
        if let Some(pem) = pem {
            add_pem(&mut anchors, key, pem)?;
        }
    }
    Ok(Arc::new(anchors))
}

fn add_pem(anchors: &mut RootCertStore, key: &'static str, pem: &[u8]) -> Result<(), ConfigError> {
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| problem(key, error.to_string()))?;
        anchors.add(certificate).map_err(|error| problem(key, error.to_string()))?;
        found = true;
    }
    if found { Ok(()) } else { Err(problem(key, "there is no certificate in it; expected PEM".into())) }
}

/// The system's trust anchors, read once: it takes tens of milliseconds and megabytes. A failure is not kept.
fn system_anchors() -> Result<Arc<RootCertStore>, ConfigError> {
    static ANCHORS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(anchors) = ANCHORS.get() {
        return Ok(anchors.clone());
    }
    let loaded = rustls_native_certs::load_native_certs();
    let mut anchors = RootCertStore::empty();
    // One odd certificate in the system's store must not cost the others.
    anchors.add_parsable_certificates(loaded.certs);
    if anchors.is_empty() {
        let why = loaded.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(problem("tls", format!("the system has no trust anchors{why}; give a ca_file")));
    }
    Ok(ANCHORS.get_or_init(|| Arc::new(anchors)).clone())
}

fn problem(key: &'static str, problem: String) -> ConfigError {
    ConfigError { key, problem }
}

const HTTP2: &[u8] = b"h2";
