//! TLS of clients.

use super::any::AnyCertificate;
use super::material::Materials;
use super::trust::Trust;
use super::verify::ServerCertificates;
use super::{Alpn, HTTP2, failure, parameters, problem};
use crate::disk::Watched;
use crate::{BoxIo, ConfigError, TlsConfig, TransportContext};
use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::ServerName;
use std::io;
use std::sync::{Arc, OnceLock};

/// Secures connections to one server.
#[derive(Debug)]
pub(crate) struct TlsConnector {
    config: Watched<ClientConfig>,
    name: ServerName<'static>,
}

/// A secured connection.
pub(crate) struct Secured {
    /// The plaintext side.
    pub(crate) io: BoxIo,
    /// True if ALPN chose HTTP/2.
    pub(crate) http2: bool,
}

// === impl TlsConnector ===

impl TlsConnector {
    /// Reads the files, or the system's trusted certificates.
    ///
    /// # Errors
    /// If a file cannot be read or used, the system has no trusted certificates, or the name is neither a DNS name nor an
    /// IP address.
    pub(crate) fn new(
        context: &TransportContext,
        config: &TlsConfig,
        host: &str,
        alpn: Alpn,
    ) -> Result<Self, ConfigError> {
        let (key, expected) = match config.server_name_override.as_deref() {
            Some(name) => ("tls.server_name_override", name),
            None => ("endpoint", host),
        };
        let name = ServerName::try_from(expected.to_owned())
            .map_err(|_| problem(key, format!("`{expected}` is neither a DNS name nor an IP address")))?;
        let mut materials = Materials::default();
        let certificate = materials.certificate(&config.certificate, "client", &context.certificates)?;
        let anchors: Vec<_> = [
            materials.file("tls.ca_file", config.ca_file.as_ref()),
            materials.text("tls.ca_pem", config.ca_pem.as_deref()),
        ]
        .into_iter()
        .flatten()
        .collect();
        let interval = config.parameters.reload_interval;
        let config = config.clone();
        let config = Watched::new(context, materials.files, interval, move |contents| {
            let provider = parameters::provider(&config.parameters)?;
            let own = certificate.as_ref().map(|certificate| certificate.read(contents, &provider));
            let mut given = Trust::none();
            for pem in &anchors {
                pem.add_to(&mut given, contents, &provider)?;
            }
            make(&config, provider, own.transpose()?, given, alpn)
        })?;
        Ok(Self { config, name })
    }

    /// Performs the handshake. Errors name the setting to change. No timeout of its own.
    pub(crate) async fn connect(&self, io: BoxIo) -> io::Result<Secured> {
        let connector = tokio_rustls::TlsConnector::from(self.config.get());
        let stream = connector.connect(self.name.clone(), io).await;
        let stream = stream.map_err(|error| failure::of_server(error, &self.name.to_str()))?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        Ok(Secured { io: Box::new(stream), http2 })
    }
}

fn make(
    config: &TlsConfig,
    provider: Arc<CryptoProvider>,
    own: Option<CertifiedKey>,
    given: Trust,
    alpn: Alpn,
) -> Result<ClientConfig, ConfigError> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&parameters::versions(&config.parameters)?)
        .map_err(|_| parameters::no_suite())?
        .dangerous();
    let builder = if config.insecure_skip_verify {
        builder.with_custom_certificate_verifier(Arc::new(AnyCertificate::new(&provider)))
    } else {
        let verifier = ServerCertificates::new(trusted(config, given)?, provider);
        builder.with_custom_certificate_verifier(Arc::new(verifier.map_err(|error| problem("tls", error))?))
    };
    let mut client = match own {
        None => builder.with_no_client_auth(),
        Some(own) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own))),
    };
    client.alpn_protocols = alpn.protocols();
    Ok(client)
}

/// Returns the given certificates, the system's, or both.
fn trusted(config: &TlsConfig, given: Trust) -> Result<Arc<Trust>, ConfigError> {
    if given.is_empty() {
        return system_trust();
    }
    let mut trust = given;
    if config.include_system_ca_certs_pool {
        trust.extend(&*system_trust()?);
    }
    Ok(Arc::new(trust))
}

/// Returns the system's trusted certificates. They are read once, since reading takes tens of milliseconds and megabytes.
/// A failure is not remembered.
fn system_trust() -> Result<Arc<Trust>, ConfigError> {
    static SYSTEM: OnceLock<Arc<Trust>> = OnceLock::new();
    if let Some(trust) = SYSTEM.get() {
        return Ok(Arc::clone(trust));
    }
    let loaded = rustls_native_certs::load_native_certs();
    let algorithms = ring::default_provider().signature_verification_algorithms;
    let mut trust = Trust::none();
    for certificate in loaded.certs {
        // One invalid certificate in the system's store does not prevent the use of the others.
        if let Err(reason) = trust.add(certificate, &algorithms) {
            tracing::debug!(reason, "a certificate of the system's store cannot be used");
        }
    }
    if trust.is_empty() {
        let why = loaded.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(problem("tls", format!("the system has no trusted certificates{why}: set tls.ca_file")));
    }
    Ok(Arc::clone(SYSTEM.get_or_init(|| Arc::new(trust))))
}
