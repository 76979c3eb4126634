//! Clients over TLS: whom they trust, and which version of HTTP they speak.

use super::fake::{Fake, Reply, serve_http1, serve_http2};
use super::{batch, context};
use otlp_protocol::{Accepted, ErrorKind, Retry};
use otlp_transport::{
    BalanceConfig, BalancedClient, ClientConfig, Export, ExportResult, FixedResolver, GrpcClient,
    GrpcTransportStrategy, HttpClient, ResolvedEndpoint,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

/// A server with a certificate for `names` by an authority of its own.
struct Secure {
    fake: Fake,
    authority: String,
}

impl Secure {
    async fn start(names: &[&str], protocols: &[&str]) -> Self {
        let (authority, acceptor) = certified(names, protocols);
        Self { fake: serve(vec![acceptor]).await, authority }
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new(format!("https://localhost:{}", self.fake.address.port()));
        config.tls.ca_pem = Some(self.authority.clone());
        config
    }
}

/// An authority, and a server's TLS with a certificate of that authority for `names`.
fn certified(names: &[&str], protocols: &[&str]) -> (String, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    server.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    (issuer.pem(), TlsAcceptor::from(Arc::new(server)))
}

/// A server whose connections have these certificates in turn; the last one stays.
async fn serve(acceptors: Vec<TlsAcceptor>) -> Fake {
    Fake::accept("127.0.0.1:0", move |seen, number, io| {
        let acceptor = acceptors.get(number).or(acceptors.last()).cloned().unwrap();
        tokio::spawn(async move {
            let Ok(io) = acceptor.accept(io).await else { return };
            if io.get_ref().1.alpn_protocol() == Some(b"h2") {
                let script = |_| Box::pin(async { Reply::message(b"") }) as _;
                serve_http2(io, None, number, seen, Arc::new(script)).await;
            } else {
                let answer =
                    |_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
                serve_http1(io, number, seen, Arc::new(answer)).await;
            }
        });
    })
    .await
}

async fn grpc(config: &ClientConfig) -> ExportResult {
    GrpcClient::new(&context(), config).unwrap().export(batch().0).await
}

async fn http(config: &ClientConfig) -> ExportResult {
    HttpClient::new(&context(), config).unwrap().export(batch().0).await
}

#[tokio::test]
async fn grpc_and_http_speak_over_tls() {
    let server = Secure::start(&["localhost"], &["h2", "http/1.1"]).await;
    let (batch, bytes) = batch();
    assert_eq!(grpc(&server.config()).await.unwrap(), Accepted::FULL);
    let client = HttpClient::new(&context(), &server.config()).unwrap();
    // HTTP/2 was chosen; the answer is a gRPC one, which is no success over HTTP.
    let error = client.export(batch).await.unwrap_err();
    assert!(error.message().contains("the server speaks gRPC"), "{error}");
    let seen = server.fake.seen().pop().unwrap();
    assert_eq!(seen.body, bytes);
    assert_eq!(seen.uri, format!("https://localhost:{}/v1/traces", server.fake.address.port()));
}

#[tokio::test]
async fn http_falls_back_to_http1_and_grpc_does_not() {
    for protocols in [&["http/1.1"][..], &[]] {
        let server = Secure::start(&["localhost"], protocols).await;
        let client = HttpClient::new(&context(), &server.config()).unwrap();
        let exports: Vec<_> = (0..4)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.export(batch().0).await })
            })
            .collect();
        for export in exports {
            export.await.unwrap().unwrap();
        }
        assert_eq!(server.fake.seen()[0].uri, "/v1/traces");
        let error = grpc(&server.config()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff), "{error}");
        assert!(error.message().contains("over TLS (ALPN"), "{error}");
    }
}

#[tokio::test]
async fn strangers_are_refused() {
    let server = Secure::start(&["localhost"], &["h2"]).await;
    let stranger = Secure::start(&["localhost"], &["h2"]).await;
    let mut config = server.config();
    config.tls.ca_pem = Some(stranger.authority.clone());
    let error = grpc(&config).await.unwrap_err();
    let expected = "TLS handshake failed: no trusted authority issued the server's certificate: add the authority's \
                    certificate, or the server's own, to tls.ca_file";
    for error in [error, http(&config).await.unwrap_err()] {
        assert!(error.message().ends_with(expected), "{error}");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Never));
    }
    assert!(server.fake.seen().is_empty());
}

#[tokio::test]
async fn a_certificate_that_was_trusted_before_is_waited_for() {
    let ((authority, before), (_, after)) =
        (certified(&["localhost"], &["http/1.1"]), certified(&["localhost"], &["http/1.1"]));
    let server = Secure { fake: serve(vec![before, after]).await, authority };
    let client = HttpClient::new(&context(), &server.config()).unwrap();
    client.export(batch().0).await.unwrap();
    let error = client.export(batch().0).await.unwrap_err();
    assert!(error.message().contains("no trusted authority issued"), "{error}");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
}

#[tokio::test]
async fn an_endpoint_with_an_untrusted_certificate_is_passed_over() {
    let (trusted, other) =
        (Secure::start(&["localhost"], &["h2"]).await, Secure::start(&["localhost"], &["h2"]).await);
    let balanced = |servers: &[&Secure]| {
        let endpoint = |server: &&Secure| {
            ResolvedEndpoint::new(format!("https://localhost:{}", server.fake.address.port()))
        };
        let resolver = FixedResolver::new(servers.iter().map(endpoint).collect());
        let (transport, balance) = (Arc::new(GrpcTransportStrategy), BalanceConfig::default());
        BalancedClient::new(&context(), transport, trusted.config(), balance, Box::new(resolver)).unwrap()
    };
    let both = balanced(&[&other, &trusted]);
    for _ in 0..4 {
        both.export(batch().0).await.unwrap();
    }
    // Other endpoints may appear.
    let error = balanced(&[&other]).export(batch().0).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff), "{error}");
}

#[tokio::test]
async fn the_name_must_fit_unless_overridden_or_skipped() {
    let server = Secure::start(&["collector.example"], &["h2"]).await;
    let mut config = server.config();
    let error = grpc(&config).await.unwrap_err();
    assert!(
        error.message().contains("certificate is not for `localhost`: set tls.server_name_override"),
        "{error}"
    );
    assert_eq!(error.retry(), Retry::Never, "no retry changes the name");
    config.tls.server_name_override = Some("other.example".into());
    let error = grpc(&config).await.unwrap_err();
    assert!(error.message().contains("certificate is not for `other.example`"), "{error}");
    config.tls.server_name_override = Some("collector.example".into());
    grpc(&config).await.unwrap();

    let mut trusting = server.config();
    trusting.tls.ca_pem = None;
    trusting.tls.insecure_skip_verify = true;
    grpc(&trusting).await.unwrap();
}

#[tokio::test]
async fn addresses_stand_in_certificates_too() {
    let server = Secure::start(&["127.0.0.1"], &["h2"]).await;
    let mut config = server.config();
    // Without a scheme gRPC is secure unless told otherwise, as the Collector has it.
    config.endpoint = server.fake.address.to_string();
    grpc(&config).await.unwrap();
}

#[tokio::test]
async fn authorities_are_read_from_a_file() {
    let server = Secure::start(&["localhost"], &["h2"]).await;
    let path = std::env::temp_dir().join(format!("otlp-transport-ca-{}.pem", std::process::id()));
    std::fs::write(&path, &server.authority).unwrap();
    let mut config = server.config();
    config.tls.ca_pem = None;
    config.tls.ca_file = Some(path.clone());
    let outcome = grpc(&config).await;
    std::fs::remove_file(&path).unwrap();
    outcome.unwrap();
    assert_eq!(GrpcClient::new(&context(), &config).err().unwrap().key, "tls.ca_file");
    config.tls.ca_file = None;
    config.tls.ca_pem = Some("no certificate".into());
    assert_eq!(GrpcClient::new(&context(), &config).err().unwrap().key, "tls.ca_pem");
}

#[tokio::test]
async fn a_handshake_that_hangs_is_given_up() {
    let fake = Fake::accept("127.0.0.1:0", |_, _, io| {
        tokio::spawn(async move {
            let _io = io;
            std::future::pending::<()>().await;
        });
    })
    .await;
    let mut config = ClientConfig::new(format!("https://localhost:{}", fake.address.port()));
    config.tls.insecure_skip_verify = true;
    config.limits.connect_timeout = Duration::from_millis(50);
    let error = grpc(&config).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
    assert!(error.message().contains("no connection within 50ms"), "{error}");
}

#[tokio::test]
async fn tls_to_a_server_in_the_clear_is_named() {
    // As most servers do with what they cannot parse.
    let answering = Fake::accept("127.0.0.1:0", |_, _, mut io| {
        tokio::spawn(async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let _ = io.read(&mut [0; 1024]).await;
            let _ = io.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        });
    })
    .await;
    let http2 = Fake::http2(|_| Reply::message(b"")).await;
    for (fake, expected) in [(&answering, "on this port"), (&http2, "on this port")] {
        let mut config = ClientConfig::new(format!("https://localhost:{}", fake.address.port()));
        config.tls.insecure_skip_verify = true;
        let error = grpc(&config).await.unwrap_err();
        assert!(
            error.message().contains("TLS handshake failed: ") && error.message().contains(expected),
            "{error}"
        );
        assert_eq!(error.retry(), Retry::Backoff);
    }
}

/// TLS to the server goes through the proxy's tunnel, for gRPC and HTTP.
#[tokio::test]
async fn tls_goes_through_a_proxys_tunnel() {
    let server = Secure::start(&["localhost"], &["h2", "http/1.1"]).await;
    let proxy = super::proxy::tunnelling_proxy().await;
    let mut config = server.config();
    config.proxy_url = format!("http://user:pass%20word@{}", proxy.address);
    grpc(&config).await.unwrap();
    http(&config).await.unwrap_err();
    let target = format!("localhost:{}", server.fake.address.port());
    let connects: Vec<_> = proxy.seen().into_iter().map(|seen| (seen.uri, seen.headers)).collect();
    assert_eq!(connects.len(), 2);
    for (uri, headers) in connects {
        assert_eq!((uri, &headers["host"]), (target.clone(), &target.parse().unwrap()));
        assert_eq!(headers["proxy-authorization"], "Basic dXNlcjpwYXNzIHdvcmQ=");
    }
    let seen = server.fake.seen();
    assert!(seen.iter().all(|seen| !seen.headers.contains_key("proxy-authorization")));
}
