//! Which certificates are trusted, as Go does and so the Collector: those that are in the trust file, those that an
//! authority in it issued, and any certificate with `insecure_skip_verify`.

use crate::certificates::{Authority, Pair};
use crate::harness::{Capture, context, fixture};
use crate::version1;
use otlp_protocol::{Batch, Charge, Count, Payload, Signal};
use otlp_transport::{
    ClientConfig, ClientStrategy as _, Export, GrpcTransportStrategy, Server, ServerConfig,
    ServerStrategy as _, TlsConfig, TlsVersion,
};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, SanType, date_time_ymd};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::sync::Arc;

fn batch() -> Batch {
    let body = Payload::from(fixture("valid/traces_min.pb"));
    Batch::unchecked(Signal::TRACES, body, Count { items: 1, entries: 1 }, true, Charge::none())
}

/// A server that shows `own`, and asks for the certificates that `client_ca` vouches for.
async fn serve(own: &Pair, client_ca: Option<&str>) -> Server {
    let mut config = ServerConfig::new("127.0.0.1:0");
    let mut tls = own.server_config();
    tls.client_ca_pem = client_ca.map(str::to_owned);
    config.tls = Some(tls);
    GrpcTransportStrategy.bind(&context(), config, Capture::accepting().routes()).await.unwrap()
}

/// Sends a batch, by each version of TLS; the error's text if that fails by both.
async fn send(server: &Server, host: &str, change: impl Fn(&mut TlsConfig)) -> Result<(), String> {
    let port = server.local_addr().to_string().rsplit_once(':').unwrap().1.to_owned();
    let mut outcomes = Vec::new();
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let mut config = ClientConfig::new(format!("https://{host}:{port}"));
        config.tls.parameters.max_version = Some(version);
        config.tls.parameters.min_version = Some(version);
        change(&mut config.tls);
        let client = GrpcTransportStrategy.client(&context(), config).unwrap();
        outcomes.push(client.export(batch()).await.map(drop).map_err(|error| error.to_string()));
    }
    let second = outcomes.pop().unwrap();
    assert_eq!(outcomes[0].is_ok(), second.is_ok(), "{outcomes:?} {second:?}");
    second
}

/// Sends to a server that shows `own`, trusting `ca`.
async fn send_trusting(own: &Pair, host: &str, ca: &str) -> Result<(), String> {
    send(&serve(own, None).await, host, |tls| tls.ca_pem = Some(ca.to_owned())).await
}

/// Sends as `own` to a server that trusts `client_ca`.
async fn send_as(own: &Pair, client_ca: &str) -> Result<(), String> {
    let authority = Authority::new();
    let server = serve(&authority.server(), Some(client_ca)).await;
    send(&server, "localhost", |tls| {
        tls.ca_pem = Some(authority.pem());
        tls.certificate = own.config();
    })
    .await
}

fn purposes(params: &mut CertificateParams, purpose: ExtendedKeyUsagePurpose) {
    params.extended_key_usages = vec![purpose];
}

fn kinds() -> [(&'static str, IsCa); 4] {
    [
        ("CA:TRUE", IsCa::Ca(BasicConstraints::Unconstrained)),
        ("CA:TRUE, pathlen:0", IsCa::Ca(BasicConstraints::Constrained(0))),
        ("CA:FALSE", IsCa::ExplicitNoCa),
        ("no basic constraints", IsCa::NoCa),
    ]
}

#[tokio::test]
async fn a_certificate_in_the_trust_file_is_trusted_by_clients() {
    let other = Authority::new().pem();
    for (kind, is_ca) in kinds() {
        let own = Pair::self_signed(|params| params.is_ca = is_ca);
        for ca in [own.cert.clone(), format!("{other}{}", own.cert), format!("{}{other}", own.cert)] {
            assert_eq!(send_trusting(&own, "localhost", &ca).await, Ok(()), "{kind}");
        }
        // Still for its names alone, and not if it is not in the file.
        let error = send_trusting(&own, "127.0.0.1", &own.cert).await.unwrap_err();
        assert!(error.contains("not valid for name"), "{kind}: {error}");
        assert!(send_trusting(&own, "localhost", &other).await.is_err(), "{kind}");
        let twin = Pair::self_signed(|params| params.is_ca = is_ca);
        assert!(send_trusting(&own, "localhost", &twin.cert).await.is_err(), "{kind}");
    }
    let address = Pair::self_signed(|params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.subject_alt_names = vec![SanType::IpAddress("127.0.0.1".parse().unwrap())];
    });
    assert_eq!(send_trusting(&address, "127.0.0.1", &address.cert).await, Ok(()));
    assert!(send_trusting(&address, "localhost", &address.cert).await.is_err());
}

#[tokio::test]
async fn a_certificate_in_the_trust_file_is_trusted_by_servers() {
    for (kind, is_ca) in kinds() {
        let own = Pair::self_signed(|params| params.is_ca = is_ca);
        let other = Authority::new().pem();
        assert_eq!(send_as(&own, &own.cert).await, Ok(()), "{kind}");
        assert_eq!(send_as(&own, &format!("{other}{}", own.cert)).await, Ok(()), "{kind}");
        assert!(send_as(&own, &other).await.is_err(), "{kind}");
        let twin = Pair::self_signed(|params| params.is_ca = is_ca);
        assert!(send_as(&own, &twin.cert).await.is_err(), "{kind}");
    }
    let version1 = version1::self_signed("agent");
    assert_eq!(send_as(&version1, &version1.cert).await, Ok(()));
    assert!(send_as(&version1, &version1::self_signed("agent").cert).await.is_err());
}

#[tokio::test]
async fn a_certificate_in_the_trust_file_must_be_valid_now_and_for_its_purpose() {
    for is_ca in [IsCa::Ca(BasicConstraints::Unconstrained), IsCa::NoCa] {
        for (expected, change) in [
            (
                "expired",
                (|params| params.not_after = date_time_ymd(2020, 1, 1)) as fn(&mut CertificateParams),
            ),
            ("not valid yet", |params| params.not_before = date_time_ymd(4000, 1, 1)),
        ] {
            let own = Pair::self_signed(|params| {
                params.is_ca = is_ca;
                change(params);
            });
            let error = send_trusting(&own, "localhost", &own.cert).await.unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(send_as(&own, &own.cert).await.is_err(), "{expected}");
        }
        for (purpose, serves, sends) in [
            (ExtendedKeyUsagePurpose::ServerAuth, true, false),
            (ExtendedKeyUsagePurpose::ClientAuth, false, true),
            (ExtendedKeyUsagePurpose::Any, true, true),
            (ExtendedKeyUsagePurpose::CodeSigning, false, false),
        ] {
            let own = Pair::self_signed(|params| {
                params.is_ca = is_ca;
                purposes(params, purpose.clone());
            });
            let outcomes =
                [send_trusting(&own, "localhost", &own.cert).await, send_as(&own, &own.cert).await];
            assert_eq!(outcomes.each_ref().map(Result::is_ok), [serves, sends], "{purpose:?} {outcomes:?}");
        }
    }
}

#[tokio::test]
async fn what_an_authority_in_the_trust_file_issued_is_trusted() {
    let authority = Authority::new();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    for (kind, is_ca) in kinds() {
        params.is_ca = is_ca;
        let issued = authority.issue(&params);
        assert_eq!(send_trusting(&issued, "localhost", &authority.pem()).await, Ok(()), "{kind}");
        assert_eq!(send_as(&issued, &authority.pem()).await, Ok(()), "{kind}");
        let (error, stranger) = (Authority::new(), "an authority of the same name");
        let error = send_trusting(&issued, "localhost", &error.pem()).await.unwrap_err();
        assert!(error.contains("certificate"), "{stranger}, {kind}: {error}");
        assert!(send_as(&issued, &Authority::new().pem()).await.is_err(), "{stranger}, {kind}");
    }
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_after = date_time_ymd(2020, 1, 1);
    let error = send_trusting(&authority.issue(&params), "localhost", &authority.pem()).await.unwrap_err();
    assert!(error.contains("expired"), "{error}");
}

#[tokio::test]
async fn what_is_no_authority_vouches_for_itself_alone() {
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
        let (key, mut params) = (
            rcgen::KeyPair::generate().unwrap(),
            CertificateParams::new(vec!["localhost".to_owned()]).unwrap(),
        );
        params.is_ca = is_ca;
        let pinned = params.self_signed(&key).unwrap().pem();
        let issuer = rcgen::Issuer::new(params.clone(), key);
        let own = rcgen::KeyPair::generate().unwrap();
        let cert = params.signed_by(&own, &issuer).unwrap().pem();
        let issued = Pair { cert, key: own.serialize_pem() };
        assert!(send_trusting(&issued, "localhost", &pinned).await.is_err());
        assert!(send_as(&issued, &pinned).await.is_err());
    }
}

#[tokio::test]
async fn certificates_of_version_1_are_trusted_where_no_name_is_needed() {
    let authority = Authority::new();
    // As authorities.
    let (root, issued) = version1::root_and_issued("agent");
    assert_eq!(send_as(&issued, &root.cert).await, Ok(()));
    // As certificates of clients.
    assert_eq!(send_as(&version1::issued_by(&authority, "agent"), &authority.pem()).await, Ok(()));
    assert!(send_as(&version1::issued_by(&authority, "agent"), &Authority::new().pem()).await.is_err());
    // They name no host.
    for (own, ca) in [(&root, &root), (&issued, &root)] {
        let error = send_trusting(own, "localhost", &ca.cert).await.unwrap_err();
        assert!(error.contains("version 1, which has no subject alternative names"), "{error}");
    }
}

#[tokio::test]
async fn any_certificate_is_any_certificate() {
    let ca = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let extension = |oid: &[u64]| {
        let mut extension = rcgen::CustomExtension::from_oid_content(oid, vec![0xff, 0xff, 1]);
        extension.set_criticality(true);
        extension
    };
    for (what, own) in [
        ("version 1", version1::self_signed("localhost")),
        ("an authority", Pair::self_signed(ca)),
        ("expired", Pair::self_signed(|params| params.not_after = date_time_ymd(2020, 1, 1))),
        ("another purpose", Pair::self_signed(|p| purposes(p, ExtendedKeyUsagePurpose::ClientAuth))),
        ("an unknown extension", Pair::self_signed(|p| p.custom_extensions.push(extension(&[1, 2, 3])))),
        (
            "an unreadable extension",
            Pair::self_signed(|p| p.custom_extensions.push(extension(&[2, 5, 29, 30]))),
        ),
    ] {
        let server = serve(&own, None).await;
        let skipping = |tls: &mut TlsConfig| tls.insecure_skip_verify = true;
        assert_eq!(send(&server, "127.0.0.1", skipping).await, Ok(()), "{what}");
    }
}

#[test]
fn keys_that_are_not_supported_are_named_with_a_way_out() {
    let key = Authority::new().server();
    let own = Pair { cert: P521.to_owned(), key: key.key };
    let error = own.server_config().check(&context()).unwrap_err();
    assert_eq!(error.key, "tls.cert_pem");
    assert!(error.problem.contains("P-521") && error.problem.contains("P-256"), "{error}");
    let mut config = Authority::new().server().server_config();
    config.client_ca_pem = Some(P521.to_owned());
    let error = config.check(&context()).unwrap_err();
    assert_eq!(error.key, "tls.client_ca_pem");
    assert!(error.problem.contains("P-521") && error.problem.contains("P-256"), "{error}");
    // In a bundle they cost the others nothing.
    config.client_ca_pem = Some(format!("{P521}{}", Authority::new().pem()));
    config.check(&context()).unwrap();
}

/// Shows a certificate of a P-521 key, and signs with what nobody can check here.
#[derive(Debug)]
struct ShowsP521;

impl ResolvesServerCert for ShowsP521 {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let chain = vec![CertificateDer::from_pem_slice(P521.as_bytes()).unwrap()];
        Some(Arc::new(CertifiedKey::new(chain, Arc::new(Self))))
    }
}

impl SigningKey for ShowsP521 {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&self.scheme()).then(|| Box::new(Self) as _)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for ShowsP521 {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Ok(vec![0; 139])
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

/// The client's side of a handshake with a server that shows a P-521 certificate.
async fn handshake_with_p521(change: impl Fn(&mut TlsConfig)) -> String {
    let mut server =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(ShowsP521));
    server.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    #[expect(clippy::disallowed_methods, reason = "the servers of tests are real")]
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = ClientConfig::new(format!("https://{}", listener.local_addr().unwrap()));
    change(&mut config.tls);
    tokio::spawn(async move {
        while let Ok((io, _)) = listener.accept().await {
            // Whoever comes through the handshake is hung up on.
            drop(acceptor.accept(io).await);
        }
    });
    let client = GrpcTransportStrategy.client(&context(), config).unwrap();
    client.export(batch()).await.unwrap_err().to_string()
}

#[tokio::test]
async fn p521_certificates_are_accepted_unverified_and_explained_otherwise() {
    let authority = Authority::new().pem();
    let refused = handshake_with_p521(|tls| tls.ca_pem = Some(authority.clone())).await;
    assert!(refused.contains("such as P-521"), "{refused}");
    let skipping = handshake_with_p521(|tls| tls.insecure_skip_verify = true).await;
    assert!(!skipping.contains("certificate") && !skipping.contains("handshake"), "{skipping}");
}

/// A certificate of a P-521 key, until 2126: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-521`.
const P521: &str = "-----BEGIN CERTIFICATE-----
MIICEzCCAXSgAwIBAgIUTjIuw0EQG9suxGWjQfDEVVY9QqowCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEcDUyMTAgFw0yNjExMjkxMjM2NTZaGA8yMTI2MTEwNTEyMzY1
NlowDzENMAsGA1UEAwwEcDUyMTCBmzAQBgcqhkjOPQIBBgUrgQQAIwOBhgAEAax3
CT//IyDVVkzSHN7bYSCVbQs96WUTsBILgRIcbD/Kkyu4utn4jgJjUAkBAzGc0OyW
/dygN9rHfzHreNj34Oj9AYEFHHSNEs3eb5kteyWXCHXjP7q3zduwfwdovUiIZGuf
U1rtIhmvTcoV1PvKvQspBZp5wsIgrRbecSO8eYegaYQ3o2kwZzAdBgNVHQ4EFgQU
iKyiiNdW+KNBml3wLe0TS6X4KhcwHwYDVR0jBBgwFoAUiKyiiNdW+KNBml3wLe0T
S6X4KhcwDwYDVR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYI
KoZIzj0EAwIDgYwAMIGIAkIApRf2gvJ/pc8gRi9RmmIK6mPkLg2S83igbqnXOK9O
xqKE6GRJErzDaN0ttIngxPr+6qhtkIYvrqTsys4dydcDXdsCQgD7gpK93hk5QGDh
5JaKT0z/BzP4ASFtht0Rf7lCBG+Ez73pIHpsv+chHQFxghO/MZSXxJXIpcyVnPkn
vHl7bVZL9g==
-----END CERTIFICATE-----
";
