//! Servers over TLS: what they speak, whom they ask for a certificate, and what they do about those who speak no TLS.

use crate::certificates::{Authority, Pair, secured, trusting};
use crate::harness::{Capture, Http1Peer, Http2Peer, context, fixture, framed};
use otlp_protocol::{Batch, Charge, Count, ErrorKind, Payload, Signal};
use otlp_transport::{
    ClientCertificateAuth, ClientConfig, ClientStrategy as _, Export, GrpcTransportStrategy,
    HttpTransportStrategy, Identity, MultiplexTransportStrategy, NameKind, PeerCertificate, Server,
    ServerConfig, ServerStrategy, TlsVersion, TransportStrategy,
};
use parking_lot::Mutex;
use rcgen::SanType;
use rustls::version::{TLS12, TLS13};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

fn batch() -> Batch {
    let body = Payload::from(fixture("valid/traces_min.pb"));
    Batch::unchecked(Signal::TRACES, body, Count { items: 1, entries: 1 }, true, Charge::none())
}

async fn serve(strategy: &dyn ServerStrategy, config: ServerConfig) -> (Server, Capture) {
    let export = Capture::accepting();
    let server = strategy.bind(&context(), config, export.routes()).await.unwrap();
    (server, export)
}

fn config(authority: &Authority) -> ServerConfig {
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.tls = Some(authority.server().server_config());
    config
}

fn client_config(server: &Server, authority: &Authority, own: Option<&Pair>) -> ClientConfig {
    let port = server.local_addr().to_string().rsplit_once(':').unwrap().1.to_owned();
    let mut config = ClientConfig::new(format!("https://localhost:{port}"));
    config.tls.ca_pem = Some(authority.pem());
    config.tls.certificate = own.map(Pair::config).unwrap_or_default();
    config
}

fn handshake_errors(server: &Server) -> u64 {
    server.stats().tls_handshake_errors.load(Ordering::Relaxed)
}

#[tokio::test]
async fn all_strategies_speak_tls() {
    let authority = Authority::new();
    let (grpc, export) = serve(&GrpcTransportStrategy, config(&authority)).await;
    let client = GrpcTransportStrategy.client(&context(), client_config(&grpc, &authority, None)).unwrap();
    client.export(batch()).await.unwrap();
    assert_eq!(export.take().len(), 1);
    for alpn in [&["h2"][..], &["http/1.1"], &["http/1.1", "h2"], &[]] {
        for strategy in [&HttpTransportStrategy as &dyn ServerStrategy, &MultiplexTransportStrategy] {
            let (server, export) = serve(strategy, config(&authority)).await;
            let io = secured(server.local_addr(), trusting(&authority, None, alpn)).await.unwrap();
            let body = fixture("valid/traces_min.pb");
            let headers = [("content-type", "application/x-protobuf")];
            let status = if alpn.contains(&"h2") {
                let peer = Http2Peer::over(io).await;
                peer.try_request("POST", "/v1/traces", &headers, vec![body]).await.unwrap().status
            } else {
                Http1Peer::over(io).post("/v1/traces", &headers, &body).await.status
            };
            assert_eq!((status, export.take().len()), (200, 1), "{alpn:?}");
        }
    }
    // A gRPC port has nothing to say on HTTP/1.1.
    assert!(secured(grpc.local_addr(), trusting(&authority, None, &["http/1.1"])).await.is_err());
    assert_eq!(handshake_errors(&grpc), 1);
}

#[tokio::test]
async fn cleartext_on_a_tls_port_is_closed_at_once_and_counted() {
    let authority = Authority::new();
    for strategy in [&GrpcTransportStrategy as &dyn TransportStrategy, &HttpTransportStrategy] {
        let (server, export) = serve(strategy, config(&authority)).await;
        for bytes in ["GET / HTTP/1.1\r\nhost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\0\0\0\0\0\0"]
        {
            let mut peer = Http1Peer::connect(server.local_addr()).await;
            peer.write(bytes).await;
            // A TLS alert at most.
            let rest = tokio::time::timeout(Duration::from_secs(5), peer.rest()).await.expect("it is closed");
            assert!(rest.len() <= 7, "{rest:?}");
        }
        assert_eq!((handshake_errors(&server), export.taken()), (3, 0));
    }
}

#[tokio::test]
async fn a_handshake_that_stalls_holds_up_nobody_and_times_out() {
    let authority = Authority::new();
    let mut config = config(&authority);
    config.limits.header_timeout = Duration::from_millis(300);
    let (server, export) = serve(&GrpcTransportStrategy, config).await;
    let mut stalled = Http1Peer::connect(server.local_addr()).await;
    stalled.write("\x16\x03\x01").await;
    let client = GrpcTransportStrategy.client(&context(), client_config(&server, &authority, None)).unwrap();
    client.export(batch()).await.unwrap();
    assert_eq!(export.taken(), 1);
    assert!(stalled.rest().await.is_empty());
    assert_eq!(server.stats().timed_out_connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn client_certificates_are_required_and_name_the_sender() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let origins = Arc::new(Mutex::new(Vec::new()));
    let seen = origins.clone();
    let export = Capture::answering(move |batch| {
        seen.lock().push(batch.origin.as_ref().and_then(|origin| origin.identity.clone()));
        Ok(otlp_protocol::Accepted::FULL)
    });
    let mut config = config(&authority);
    config.tls.as_mut().unwrap().client_ca_pem = Some(authority.pem());
    config.auth = Some(Arc::new(ClientCertificateAuth));
    config.origin.identity = true;
    let server = MultiplexTransportStrategy.bind(&context(), config, export.routes()).await.unwrap();
    let uri = SanType::URI("spiffe://example/agent".try_into().unwrap());
    let dns = SanType::DnsName("agent.example".try_into().unwrap());
    let cases = [
        (Some(authority.client("agent")), Some("agent")),
        (Some(authority.pair(None, &[uri.clone(), dns])), Some("agent.example")),
        (Some(authority.pair(None, &[uri])), Some("spiffe://example/agent")),
        (None, None),
        (Some(stranger.client("agent")), None),
    ];
    for (own, identity) in cases {
        let config = client_config(&server, &authority, own.as_ref());
        let strategies: [&dyn TransportStrategy; 2] = [&GrpcTransportStrategy, &HttpTransportStrategy];
        for strategy in strategies {
            let sent = strategy.client(&context(), config.clone()).unwrap().export(batch()).await;
            let seen = std::mem::take(&mut *origins.lock());
            match identity {
                Some(identity) => {
                    assert_eq!((sent.is_ok(), seen), (true, vec![Some(identity.into())]), "{sent:?}")
                }
                None => assert_eq!((sent.unwrap_err().kind(), seen), (ErrorKind::Unavailable, Vec::new())),
            }
        }
    }
    assert_eq!(handshake_errors(&server), 4);
    // One that is vouched for but names nobody.
    let nobody = authority.pair(None, &[]);
    let client =
        GrpcTransportStrategy.client(&context(), client_config(&server, &authority, Some(&nobody))).unwrap();
    assert_eq!(client.export(batch()).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn without_client_authorities_nobody_has_a_certificate() {
    let authority = Authority::new();
    let mut config = config(&authority);
    config.auth = Some(Arc::new(ClientCertificateAuth));
    let (server, export) = serve(&GrpcTransportStrategy, config).await;
    let own = authority.client("agent");
    let client =
        GrpcTransportStrategy.client(&context(), client_config(&server, &authority, Some(&own))).unwrap();
    assert_eq!(client.export(batch()).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
    assert_eq!(export.taken(), 0);
}

#[tokio::test]
async fn versions_suites_and_key_exchanges_are_what_was_asked_for() {
    let authority = Authority::new();
    let only = |min, max, suites: &[&str], curves: &[&str]| {
        let mut config = config(&authority);
        let parameters = &mut config.tls.as_mut().unwrap().parameters;
        (parameters.min_version, parameters.max_version) = (min, max);
        parameters.cipher_suites = suites.iter().map(ToString::to_string).collect();
        parameters.curve_preferences = curves.iter().map(ToString::to_string).collect();
        config
    };
    let (tls12, tls13) = (Some(TlsVersion::Tls12), Some(TlsVersion::Tls13));
    let suite = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    for (config, speaks_12, speaks_13) in [
        (only(None, None, &[], &[]), true, true),
        (only(tls13, None, &[], &[]), false, true),
        (only(None, tls12, &[], &[]), true, false),
        (only(None, None, &[suite], &["P256"]), true, true),
        // Not one for this kind of key.
        (only(None, None, &["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"], &["X25519"]), false, true),
    ] {
        let shown = format!("{:?}", config.tls);
        let (server, _export) = serve(&GrpcTransportStrategy, config).await;
        for (version, expected) in [(&TLS12, speaks_12), (&TLS13, speaks_13)] {
            let roots = client_roots(&authority);
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let mut client = rustls::ClientConfig::builder_with_provider(provider)
                .with_protocol_versions(&[version])
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            client.alpn_protocols = vec![b"h2".to_vec()];
            assert_eq!(secured(server.local_addr(), client).await.is_ok(), expected, "{version:?} {shown}");
        }
    }
    for (config, key) in [
        (only(tls13, tls12, &[], &[]), "tls.min_version"),
        (only(None, None, &["TLS_RSA_WITH_AES_128_CBC_SHA"], &[]), "tls.cipher_suites"),
        (only(None, None, &[], &["P521"]), "tls.curve_preferences"),
    ] {
        assert_eq!(config.tls.as_ref().unwrap().check(&context()).unwrap_err().key, key);
        let error = GrpcTransportStrategy.bind(&context(), config, Capture::accepting().routes()).await;
        assert!(error.err().unwrap().to_string().contains(key));
    }
}

fn client_roots(authority: &Authority) -> rustls::RootCertStore {
    use rustls_pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls_pki_types::CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    roots
}

#[test]
fn materials_that_cannot_be_used_are_refused_by_key() {
    let authority = Authority::new();
    let (one, other) = (authority.server(), authority.server());
    let check = |change: &dyn Fn(&mut otlp_transport::ServerTlsConfig)| {
        let mut config = one.server_config();
        change(&mut config);
        config.check(&context()).map_err(|error| error.key)
    };
    assert_eq!(check(&|_| {}), Ok(()));
    assert_eq!(check(&|config| config.certificate.cert_pem = Some(other.cert.clone())), Err("tls.cert_pem"));
    assert_eq!(check(&|config| config.certificate.cert_pem = Some("x".into())), Err("tls.cert_pem"));
    assert_eq!(check(&|config| config.certificate.key_pem = Some("x".into())), Err("tls.key_pem"));
    assert_eq!(check(&|config| config.certificate.key_pem = None), Err("tls.cert_pem"));
    assert_eq!(check(&|config| config.certificate.cert_pem = None), Err("tls.key_pem"));
    assert_eq!(check(&|config| config.certificate.cert_file = Some("/x".into())), Err("tls.cert_pem"));
    assert_eq!(check(&|config| config.client_ca_pem = Some("x".into())), Err("tls.client_ca_pem"));
    assert_eq!(check(&|config| config.client_ca_file = Some("/x/y".into())), Err("tls.client_ca_file"));
    assert_eq!(check(&|config| config.certificate = Default::default()), Err("tls.cert_file"));
}

#[test]
fn a_certificate_names_its_subject_first() {
    let named = |names: &[(NameKind, &str)]| {
        let names = names.iter().map(|(kind, name)| (*kind, (*name).to_owned())).collect();
        PeerCertificate::new(names).identity().map(Identity::name).map(str::to_owned)
    };
    let (common, dns, uri) = ((NameKind::CommonName, "c"), (NameKind::Dns, "d"), (NameKind::Uri, "u"));
    assert_eq!(named(&[uri, dns, common]).as_deref(), Some("c"));
    assert_eq!(named(&[uri, dns, (NameKind::CommonName, "")]).as_deref(), Some("d"));
    assert_eq!(named(&[uri]).as_deref(), Some("u"));
    assert_eq!(named(&[]), None);
}

#[tokio::test]
async fn draining_says_goodbye_over_tls_too() {
    let authority = Authority::new();
    let (server, export) = serve(&GrpcTransportStrategy, config(&authority)).await;
    let peer =
        Http2Peer::over(secured(server.local_addr(), trusting(&authority, None, &["h2"])).await.unwrap())
            .await;
    let frames = vec![framed(false, &fixture("valid/traces_min.pb"))];
    assert_eq!(peer.call(Signal::TRACES.grpc_path, &[], frames).await.code(), 0);
    assert_eq!(export.taken(), 1);
    server.drain(context().clock.now() + Duration::from_secs(5)).await;
    assert!(peer.try_request("POST", "/", &[], Vec::new()).await.is_err());
}
