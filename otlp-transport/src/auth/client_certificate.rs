//! Client certificates as identities (mutual TLS).

use super::{AuthRequest, Authenticate, Denied, Identity, Verdict};

/// Names in a client certificate that the server has verified against its client authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    names: Vec<(NameKind, String)>,
    identity: Option<Identity>,
}

/// Kind of name in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// The subject's common name.
    CommonName,
    /// A DNS name among the subject alternative names.
    Dns,
    /// A URI among the subject alternative names, such as a SPIFFE id.
    Uri,
}

/// Authenticates senders by the verified client certificate of their connection. The identity is the subject's common
/// name, else the first DNS name, else the first URI. Needs `client_ca_file` or `client_ca_pem` of
/// [`ServerTlsConfig`](crate::ServerTlsConfig).
///
/// ```
/// use otlp_transport::{ClientCertificateAuth, ServerConfig, ServerTlsConfig};
/// use std::sync::Arc;
///
/// let mut tls = ServerTlsConfig::default();
/// tls.certificate.cert_file = Some("/etc/otlp/cert.pem".into());
/// tls.certificate.key_file = Some("/etc/otlp/key.pem".into());
/// tls.client_ca_file = Some("/etc/otlp/clients.pem".into());
/// let mut config = ServerConfig::new("0.0.0.0:4317");
/// config.tls = Some(tls);
/// config.auth = Some(Arc::new(ClientCertificateAuth));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientCertificateAuth;

// === impl PeerCertificate ===

impl PeerCertificate {
    /// Makes a certificate with these names.
    pub fn new(names: Vec<(NameKind, String)>) -> Self {
        let first = |kind| names.iter().find(|(of, name)| *of == kind && !name.is_empty());
        let name = [NameKind::CommonName, NameKind::Dns, NameKind::Uri].into_iter().find_map(first);
        let identity = name.map(|(_, name)| Identity::new(name.as_str()));
        Self { names, identity }
    }

    /// Returns all names of the certificate.
    pub fn names(&self) -> &[(NameKind, String)] {
        &self.names
    }

    /// Returns the subject's common name, else the first DNS name, else the first URI.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }
}

// === impl ClientCertificateAuth ===

impl Authenticate for ClientCertificateAuth {
    fn authenticate(&self, request: &AuthRequest<'_>) -> Verdict {
        match request.certificate {
            None => Verdict::Known(Err(Denied::missing(
                "the connection was not opened with a client certificate",
            ))),
            Some(certificate) => match certificate.identity() {
                Some(identity) => Verdict::known(identity),
                None => Verdict::denied("the client certificate has no common name, DNS name or URI"),
            },
        }
    }

    fn challenge(&self) -> &str {
        "ClientCertificate"
    }

    fn may_be_slow(&self) -> bool {
        false
    }
}
