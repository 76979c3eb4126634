//! Authorities and certificates made for a test, and connections secured with them.

use crate::harness::connect;
use otlp_transport::{BoxIo, CertificateConfig, ServerTlsConfig};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, SanType,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::fmt::Display;
use std::io;
use std::sync::Arc;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Somebody who vouches for others.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's certificate for `localhost`.
    pub(crate) fn server(&self) -> Pair {
        self.pair(None, &[SanType::DnsName("localhost".try_into().unwrap())])
    }

    /// A client's certificate.
    pub(crate) fn client(&self, common_name: &str) -> Pair {
        self.pair(Some(common_name), &[])
    }

    /// The name that certificates of this authority have as their issuer, in DER.
    pub(crate) fn name(&self) -> Vec<u8> {
        let (_, certificate) = X509Certificate::from_der(self.0.der()).unwrap();
        certificate.subject().as_raw().to_vec()
    }

    /// The authority's key.
    pub(crate) fn key(&self) -> &KeyPair {
        self.0.key()
    }

    /// A certificate as `params` say.
    pub(crate) fn issue(&self, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        Pair { cert: params.signed_by(&key, &self.0).unwrap().pem(), key: key.serialize_pem() }
    }

    pub(crate) fn pair(&self, common_name: Option<&str>, names: &[SanType]) -> Pair {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        if let Some(name) = common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        params.subject_alt_names = names.to_vec();
        self.issue(&params)
    }
}

impl Pair {
    /// A certificate for `localhost` that vouches for itself.
    pub(crate) fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "self");
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Self { cert: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
    }

    pub(crate) fn config(&self) -> CertificateConfig {
        let mut config = CertificateConfig::default();
        config.cert_pem = Some(self.cert.clone());
        config.key_pem = Some(self.key.clone().into());
        config
    }

    pub(crate) fn server_config(&self) -> ServerTlsConfig {
        ServerTlsConfig::from_pem(self.cert.clone(), self.key.clone())
    }
}

/// A client's settings that trust `authority`, with its own certificate if there is one.
pub(crate) fn trusting(authority: &Authority, own: Option<&Pair>, alpn: &[&str]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(Pair { cert, key }) => {
            let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
            builder
                .with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap())
                .unwrap()
        }
    };
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

/// Connects and does the handshake. With TLS 1.3 a client learns later that its certificate was refused.
pub(crate) async fn secured(address: impl Display, config: ClientConfig) -> io::Result<BoxIo> {
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream =
        connector.connect(ServerName::try_from("localhost").unwrap(), connect(address).await).await?;
    Ok(Box::new(stream))
}
