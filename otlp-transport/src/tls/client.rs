//! TLS of clients.

use super::material::Materials;
use super::{Alpn, HTTP2, Pair, parameters, problem, verify};
use crate::disk::Watched;
use crate::{BoxIo, ConfigError, TlsConfig, TransportContext};
use rustls::{ClientConfig, RootCertStore};
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
    /// Whether ALPN chose HTTP/2.
    pub(crate) http2: bool,
}

// === impl TlsConnector ===

impl TlsConnector {
    /// Reads files, or the system's trust anchors.
    ///
    /// # Errors
    /// If a file cannot be read or used, there are no trust anchors, or the name is neither a DNS name nor an address.
    pub(crate) fn new(
        context: &TransportContext,
        config: &TlsConfig,
        host: &str,
        alpn: Alpn,
    ) -> Result<Self, ConfigError> {
        let expected = config.server_name_override.as_deref().unwrap_or(host);
        let name = ServerName::try_from(expected.to_owned())
            .map_err(|error| problem("tls.server_name_override", format!("`{expected}`: {error}")))?;
        let mut materials = Materials::default();
        let certificate = materials.certificate(&config.certificate)?;
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
            let pair = certificate.as_ref().map(|certificate| certificate.read(contents)).transpose()?;
            let mut given = RootCertStore::empty();
            for pem in &anchors {
                pem.add_anchors(&mut given, contents)?;
            }
            make(&config, pair, given, alpn)
        })?;
        Ok(Self { config, name })
    }

    /// Does the handshake. No timeout of its own.
    pub(crate) async fn connect(&self, io: BoxIo) -> io::Result<Secured> {
        let connector = tokio_rustls::TlsConnector::from(self.config.get());
        let stream = connector.connect(self.name.clone(), io).await?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        Ok(Secured { io: Box::new(stream), http2 })
    }
}

fn make(
    config: &TlsConfig,
    pair: Option<Pair>,
    given: RootCertStore,
    alpn: Alpn,
) -> Result<ClientConfig, ConfigError> {
    let provider = parameters::provider(&config.parameters)?;
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&parameters::versions(&config.parameters)?)
        .map_err(|error| problem("tls", error))?;
    let builder = if config.insecure_skip_verify {
        let verifier = Arc::new(verify::AnyCertificate::new(provider));
        builder.dangerous().with_custom_certificate_verifier(verifier)
    } else {
        builder.with_root_certificates(anchors(config, given)?)
    };
    let mut client = match pair {
        None => builder.with_no_client_auth(),
        Some(Pair { chain, key }) => {
            builder.with_client_auth_cert(chain, key).map_err(|error| problem("tls.cert_file", error))?
        }
    };
    client.alpn_protocols = alpn.protocols();
    Ok(client)
}

/// The given anchors, the system's, or both.
fn anchors(config: &TlsConfig, given: RootCertStore) -> Result<Arc<RootCertStore>, ConfigError> {
    if given.is_empty() {
        return system_anchors();
    }
    let mut anchors = given;
    if config.include_system_ca_certs_pool {
        anchors.extend(system_anchors()?.roots.iter().cloned());
    }
    Ok(Arc::new(anchors))
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
