//! Client certificates as identities: mutual TLS.

use super::{AuthRequest, Authenticate, Denied, Identity, Verdict};

/// Whom a client certificate names. A client authority of the server vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    names: Vec<(NameKind, String)>,
    identity: Option<Identity>,
}

/// What kind of name it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// Of the subject.
    CommonName,
    /// Among the subject's alternative names.
    Dns,
    /// Among the subject's alternative names: SPIFFE ids are such.
    Uri,
}

/// Lets in those whose connection was opened with a certificate that a client authority of the server vouches for. Their
/// identity is the certificate's subject common name, else its first DNS name, else its first URI.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientCertificateAuth;

// === impl PeerCertificate ===

impl PeerCertificate {
    /// A certificate with these names.
    pub fn new(names: Vec<(NameKind, String)>) -> Self {
        let first = |kind| names.iter().find(|(of, name)| *of == kind && !name.is_empty());
        let name = [NameKind::CommonName, NameKind::Dns, NameKind::Uri].into_iter().find_map(first);
        let identity = name.map(|(_, name)| Identity::new(name.as_str()));
        Self { names, identity }
    }

    /// All its names.
    pub fn names(&self) -> &[(NameKind, String)] {
        &self.names
    }

    /// Its subject's common name, else its first DNS name, else its first URI.
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
