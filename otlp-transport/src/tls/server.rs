//! TLS of servers, and the names in client certificates.

use super::material::Materials;
use super::trust::Trust;
use super::verify::ClientCertificates;
use super::{Alpn, failure, parameters, problem};
use crate::disk::Watched;
use crate::{BoxIo, ConfigError, NameKind, PeerCertificate, ServerTlsConfig, TransportContext};
use rustls::ServerConfig;
use rustls::sign::SingleCertAndKey;
use std::io;
use std::sync::Arc;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Secures the connections of a server.
#[derive(Debug)]
pub(crate) struct TlsAcceptor {
    config: Watched<ServerConfig>,
}

/// A secured connection.
pub(crate) struct Accepted {
    /// The plaintext side.
    pub(crate) io: BoxIo,
    /// The client's certificate, if certificates are required.
    pub(crate) certificate: Option<PeerCertificate>,
}

// === impl TlsAcceptor ===

impl TlsAcceptor {
    /// Reads the files.
    ///
    /// # Errors
    /// If a file cannot be read or used, or the certificate is missing.
    pub(crate) fn new(
        context: &TransportContext,
        config: &ServerTlsConfig,
        alpn: Alpn,
    ) -> Result<Self, ConfigError> {
        let mut materials = Materials::default();
        let Some(certificate) =
            materials.certificate(&config.certificate, "server", &context.certificates)?
        else {
            return Err(problem(
                "tls.cert_file",
                "a server needs a certificate and a key: set tls.cert_file and tls.key_file",
            ));
        };
        let authorities: Vec<_> = [
            materials.file("tls.client_ca_file", config.client_ca_file.as_ref()),
            materials.text("tls.client_ca_pem", config.client_ca_pem.as_deref()),
        ]
        .into_iter()
        .flatten()
        .collect();
        let parameters = config.parameters.clone();
        let interval = parameters.reload_interval;
        let config = Watched::new(context, materials.files, interval, move |contents| {
            let provider = parameters::provider(&parameters)?;
            let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(&parameters::versions(&parameters)?)
                .map_err(|_| parameters::no_suite())?;
            let builder = if authorities.is_empty() {
                builder.with_no_client_auth()
            } else {
                let mut trust = Trust::none();
                for pem in &authorities {
                    pem.add_to(&mut trust, contents, &provider)?;
                }
                let verifier = ClientCertificates::new(Arc::new(trust), Arc::clone(&provider));
                let verifier = verifier.map_err(|error| problem("tls.client_ca_file", error))?;
                builder.with_client_cert_verifier(Arc::new(verifier))
            };
            let own = certificate.read(contents, &provider)?;
            let mut server = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
            server.alpn_protocols = alpn.protocols();
            Ok(server)
        })?;
        Ok(Self { config })
    }

    /// Performs the handshake. No timeout of its own.
    pub(crate) async fn accept(&self, io: BoxIo) -> io::Result<Accepted> {
        let acceptor = tokio_rustls::TlsAcceptor::from(self.config.get());
        let stream = acceptor.accept(io).await.map_err(failure::of_sender)?;
        let chain = stream.get_ref().1.peer_certificates();
        let certificate = chain.and_then(|chain| chain.first()).map(|certificate| names(certificate));
        Ok(Accepted { io: Box::new(stream), certificate })
    }
}

/// Returns the names in a certificate that was verified; no names if the certificate cannot be parsed.
fn names(der: &[u8]) -> PeerCertificate {
    let mut names = Vec::new();
    if let Ok((_, certificate)) = X509Certificate::from_der(der) {
        let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        names.extend(common.map(|name| (NameKind::CommonName, name.to_owned())));
        if let Ok(Some(alternatives)) = certificate.subject_alternative_name() {
            names.extend(alternatives.value.general_names.iter().filter_map(|name| match name {
                GeneralName::DNSName(name) => Some((NameKind::Dns, (*name).to_owned())),
                GeneralName::URI(uri) => Some((NameKind::Uri, (*uri).to_owned())),
                _ => None,
            }));
        }
    }
    PeerCertificate::new(names)
}
