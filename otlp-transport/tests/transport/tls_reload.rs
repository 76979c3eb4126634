//! Files of certificates, authorities and tokens that change while connections are open. The disk is simulated, and looked
//! at every few milliseconds of real time: handshakes want a real clock.

use crate::certificates::{Authority, Pair};
use crate::harness::{Capture, Http2Peer, context, fixture, framed};
use otlp_protocol::{Accepted, Batch, Charge, Count, ErrorKind, Origin, Payload, Signal};
use otlp_transport::{
    BearerAuth, BearerConfig, BearerCredentials, ClientCertificateAuth, ClientConfig, ClientStrategy as _,
    Disk, Export, GrpcTransportStrategy, HeaderAction, HeaderSource, HeadersSetter, HttpTransportStrategy,
    ServerConfig, ServerStrategy as _, ServerTlsConfig, SetHeader, TlsConfig, TransportContext,
    TransportStrategy,
};
use parking_lot::Mutex;
use rcgen::CertificateParams;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, UNIX_EPOCH};

/// Files in memory.
#[derive(Clone, Debug, Default)]
struct FakeDisk(Arc<Mutex<HashMap<PathBuf, Vec<u8>>>>);

impl Disk for FakeDisk {
    fn read(&self, path: &Path, _max_bytes: u64) -> io::Result<Vec<u8>> {
        self.0.lock().get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Files, and a context that reads them.
struct Files {
    disk: FakeDisk,
    context: TransportContext,
}

impl Files {
    fn new() -> Self {
        let disk = FakeDisk::default();
        let mut context = context();
        context.disk = Arc::new(disk.clone());
        Self { disk, context }
    }

    fn put(&self, files: &[(&str, &str)]) {
        let mut disk = self.disk.0.lock();
        for (path, text) in files {
            disk.insert(path.into(), text.as_bytes().to_vec());
        }
    }

    fn put_pair(&self, Pair { cert, key }: &Pair) {
        self.put(&[("/cert", cert), ("/key", key)]);
    }

    /// Waits until so many changes were taken into use, and so many could not be.
    async fn reloaded(&self, reloads: u64, failures: u64) {
        let read = || {
            let stats = &self.context.reloads;
            (stats.reloads.load(Ordering::Relaxed), stats.reload_failures.load(Ordering::Relaxed))
        };
        for _ in 0..500 {
            if read() == (reloads, failures) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{:?} is not {:?}", read(), (reloads, failures));
    }
}

const INTERVAL: Option<Duration> = Some(Duration::from_millis(5));

fn server_tls() -> ServerTlsConfig {
    let mut config = ServerTlsConfig::default();
    config.certificate.cert_file = Some("/cert".into());
    config.certificate.key_file = Some("/key".into());
    config.parameters.reload_interval = INTERVAL;
    config
}

fn client_tls(authority: &Authority) -> TlsConfig {
    let mut config = TlsConfig::default();
    config.ca_pem = Some(authority.pem());
    config.parameters.reload_interval = INTERVAL;
    config
}

fn batch() -> Batch {
    let body = Payload::from(fixture("valid/traces_min.pb"));
    Batch::unchecked(Signal::TRACES, body, Count { items: 1, entries: 1 }, true, Charge::none())
}

/// Whether a new client's batch arrives.
async fn sends(files: &Files, endpoint: &str, tls: TlsConfig) -> bool {
    let mut config = ClientConfig::new(endpoint);
    config.tls = tls;
    let client = GrpcTransportStrategy.client(&files.context, config).unwrap();
    client.export(batch()).await.is_ok()
}

fn endpoint(address: impl std::fmt::Display) -> String {
    format!("https://localhost:{}", address.to_string().rsplit_once(':').unwrap().1)
}

/// Operators see when certificates end, of the reloaded one too.
#[tokio::test]
async fn the_end_of_each_certificate_is_known() {
    let (files, authority) = (Files::new(), Authority::new());
    let until = |year| {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        authority.issue(&params)
    };
    let start_of = |year: u64| {
        let days = (year - 1970) * 365 + (year - 1969) / 4;
        UNIX_EPOCH + Duration::from_secs(days * 24 * 60 * 60)
    };
    files.put_pair(&until(2050));
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.tls = Some(server_tls());
    let capture = Capture::accepting();
    let _server = GrpcTransportStrategy.bind(&files.context, config, capture.routes()).await.unwrap();
    let mut config = ClientConfig::new("https://localhost:4317");
    config.tls = client_tls(&authority);
    config.tls.certificate = until(2060).config();
    let _client = GrpcTransportStrategy.client(&files.context, config).unwrap();
    let known = || files.context.certificates.expiries();
    let client = ("client", "tls.cert_pem".to_owned(), start_of(2060));
    assert_eq!(known(), [client.clone(), ("server", "/cert".to_owned(), start_of(2050))]);
    files.put_pair(&until(2055));
    files.reloaded(1, 0).await;
    assert_eq!(known(), [client, ("server", "/cert".to_owned(), start_of(2055))]);
}

#[tokio::test]
async fn new_handshakes_see_the_new_certificate_and_open_connections_live_on() {
    let (files, one, two) = (Files::new(), Authority::new(), Authority::new());
    files.put_pair(&one.server());
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.tls = Some(server_tls());
    let server =
        GrpcTransportStrategy.bind(&files.context, config, Capture::accepting().routes()).await.unwrap();
    let io =
        crate::certificates::secured(server.local_addr(), crate::certificates::trusting(&one, None, &["h2"]));
    let open = Http2Peer::over(io.await.unwrap()).await;
    let call =
        || open.call(Signal::TRACES.grpc_path, &[], vec![framed(false, &fixture("valid/traces_min.pb"))]);
    assert_eq!(call().await.code(), 0);

    files.put_pair(&two.server());
    files.reloaded(1, 0).await;
    let endpoint = endpoint(server.local_addr());
    assert!(sends(&files, &endpoint, client_tls(&two)).await);
    assert!(!sends(&files, &endpoint, client_tls(&one)).await);
    assert_eq!(call().await.code(), 0);

    // A certificate whose key is another one's, and none at all: the last good pair stays.
    files.put(&[("/cert", &one.server().cert)]);
    files.reloaded(1, 1).await;
    files.put(&[("/cert", "")]);
    files.reloaded(1, 2).await;
    assert!(sends(&files, &endpoint, client_tls(&two)).await);
    files.put_pair(&one.server());
    files.reloaded(2, 2).await;
    assert!(sends(&files, &endpoint, client_tls(&one)).await);
    assert_eq!(call().await.code(), 0);
}

#[tokio::test]
async fn client_authorities_and_client_certificates_are_exchanged() {
    let (files, authority, one, two) = (Files::new(), Authority::new(), Authority::new(), Authority::new());
    files.put_pair(&authority.server());
    files.put(&[("/clients", &one.pem())]);
    let mut config = ServerConfig::new("127.0.0.1:0");
    let mut tls = server_tls();
    tls.client_ca_file = Some("/clients".into());
    config.tls = Some(tls);
    config.auth = Some(Arc::new(ClientCertificateAuth));
    let server =
        GrpcTransportStrategy.bind(&files.context, config, Capture::accepting().routes()).await.unwrap();
    let endpoint = endpoint(server.local_addr());

    let own = one.client("a");
    files.put(&[("/own-cert", &own.cert), ("/own-key", &own.key)]);
    let mut tls = client_tls(&authority);
    tls.certificate.cert_file = Some("/own-cert".into());
    tls.certificate.key_file = Some("/own-key".into());
    let mut config = ClientConfig::new(&endpoint);
    config.tls = tls;
    // No connection outlives a request: each shows whom the server lets in now.
    config.limits.max_connection_age = Some(Duration::ZERO);
    let client = GrpcTransportStrategy.client(&files.context, config).unwrap();
    assert_eq!(client.export(batch()).await.unwrap(), Accepted::FULL);

    files.put(&[("/clients", &two.pem())]);
    files.reloaded(1, 0).await;
    assert_eq!(client.export(batch()).await.unwrap_err().kind(), ErrorKind::Unavailable);

    let own = two.client("b");
    files.put(&[("/own-cert", &own.cert)]);
    files.reloaded(1, 1).await;
    files.put(&[("/own-key", &own.key)]);
    files.reloaded(2, 1).await;
    assert_eq!(client.export(batch()).await.unwrap(), Accepted::FULL);
}

#[tokio::test]
async fn authorities_of_servers_are_exchanged() {
    let (files, one, two) = (Files::new(), Authority::new(), Authority::new());
    files.put_pair(&two.server());
    files.put(&[("/servers", &one.pem())]);
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.tls = Some(server_tls());
    let server =
        HttpTransportStrategy.bind(&files.context, config, Capture::accepting().routes()).await.unwrap();
    let mut config = ClientConfig::new(endpoint(server.local_addr()));
    config.tls.ca_file = Some("/servers".into());
    config.tls.parameters.reload_interval = INTERVAL;
    let client = HttpTransportStrategy.client(&files.context, config).unwrap();
    assert_eq!(client.export(batch()).await.unwrap_err().kind(), ErrorKind::Unavailable);
    files.put(&[("/servers", &two.pem())]);
    files.reloaded(1, 0).await;
    assert_eq!(client.export(batch()).await.unwrap(), Accepted::FULL);
}

#[tokio::test]
async fn tokens_are_exchanged_on_both_ends() {
    let bearer = |path: &str| {
        let mut config = BearerConfig::default();
        config.filename = Some(path.into());
        config.reload_interval = INTERVAL;
        config
    };
    for strategy in [&GrpcTransportStrategy as &dyn TransportStrategy, &HttpTransportStrategy] {
        let files = Files::new();
        files.put(&[("/known", "one\n"), ("/own", "one\n")]);
        let mut config = ServerConfig::new("127.0.0.1:0");
        config.auth = Some(Arc::new(BearerAuth::new(&files.context, &bearer("/known")).unwrap()));
        let server = strategy.bind(&files.context, config, Capture::accepting().routes()).await.unwrap();
        let mut config = ClientConfig::new(format!("http://{}", server.local_addr()));
        config.credentials = Some(Arc::new(BearerCredentials::new(&files.context, &bearer("/own")).unwrap()));
        let client = strategy.client(&files.context, config).unwrap();
        assert_eq!(client.export(batch()).await.unwrap(), Accepted::FULL);
        files.put(&[("/known", "one\ntwo\n")]);
        files.reloaded(1, 0).await;
        assert_eq!(client.export(batch()).await.unwrap(), Accepted::FULL);
        files.put(&[("/own", "two")]);
        files.reloaded(2, 0).await;
        assert_eq!(client.export(batch()).await.unwrap(), Accepted::FULL);
        files.put(&[("/known", "three\n")]);
        files.reloaded(3, 0).await;
        assert_eq!(client.export(batch()).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
        assert_eq!(server.stats().refused_unauthenticated.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn headers_are_set_from_where_the_batch_came() {
    let files = Files::new();
    files.put(&[("/value", "from file\n")]);
    let set = |key: &str, action, source| SetHeader { key: key.into(), action, source };
    let context = |name: &str| HeaderSource::Context { name: name.into(), default: None };
    let headers = vec![
        set("x-tenant", HeaderAction::Upsert, Some(context("x-scope"))),
        set("x-absent", HeaderAction::Upsert, Some(context("x-nothing"))),
        set(
            "x-default",
            HeaderAction::Upsert,
            Some(HeaderSource::Identity { default: Some("nobody".into()) }),
        ),
        set("x-file", HeaderAction::Upsert, Some(HeaderSource::File("/value".into()))),
        set("x-there", HeaderAction::Insert, Some(HeaderSource::Value("new".into()))),
        set("x-inserted", HeaderAction::Insert, Some(HeaderSource::Value("new".into()))),
        set("x-updated", HeaderAction::Update, Some(HeaderSource::Value("new".into()))),
        set("x-not-there", HeaderAction::Update, Some(HeaderSource::Value("new".into()))),
        set("x-deleted", HeaderAction::Delete, None),
    ];
    let mut token = BearerConfig::default();
    token.tokens = vec!["t".into()];
    let then = Arc::new(BearerCredentials::new(&files.context, &token).unwrap());
    let setter = Arc::new(HeadersSetter::new(&files.context, headers, Some(then), INTERVAL).unwrap());
    for strategy in [&GrpcTransportStrategy as &dyn TransportStrategy, &HttpTransportStrategy] {
        // A server that keeps all of these in the origin of what it hands on.
        let mut config = ServerConfig::new("127.0.0.1:0");
        let names = [
            "authorization",
            "x-absent",
            "x-default",
            "x-deleted",
            "x-file",
            "x-inserted",
            "x-not-there",
            "x-tenant",
            "x-there",
            "x-updated",
        ];
        config.origin.headers = names.iter().map(|name| Box::from(*name)).collect();
        let kept = Arc::new(Mutex::new(None));
        let seen = kept.clone();
        let export = Capture::answering(move |batch| {
            *seen.lock() = batch.origin.clone();
            Ok(Accepted::FULL)
        });
        let server = strategy.bind(&files.context, config, export.routes()).await.unwrap();
        let mut config = ClientConfig::new(format!("http://{}", server.local_addr()));
        let given = [("x-there", "old"), ("x-updated", "old"), ("x-deleted", "old")];
        config.headers = given.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        config.credentials = Some(setter.clone());
        let client = strategy.client(&files.context, config).unwrap();
        let mut batch = batch();
        let scopes = ["team-a", "team-b"].map(|scope| ("x-scope".into(), scope.into()));
        let origin = Origin { headers: scopes.into(), ..Origin::default() };
        batch.origin = Some(Arc::new(origin));
        client.export(batch).await.unwrap();
        let kept = kept.lock().take().unwrap();
        let kept: Vec<_> = kept.headers.iter().map(|(name, value)| (&**name, &value[..])).collect();
        let expected: [(&str, &[u8]); 7] = [
            ("authorization", b"Bearer t"),
            ("x-default", b"nobody"),
            ("x-file", b"from file"),
            ("x-inserted", b"new"),
            ("x-tenant", b"team-a,team-b"),
            ("x-there", b"old"),
            ("x-updated", b"new"),
        ];
        assert_eq!(kept, expected);
    }
}

#[test]
fn secrets_do_not_go_in_the_clear_over_grpc_to_another_machine() {
    let context = context();
    let mut token = BearerConfig::default();
    token.tokens = vec!["s3cret".into()];
    for (endpoint, is_taken) in [
        ("http://example.com:4317", false),
        ("https://example.com:4317", true),
        ("http://localhost:4317", true),
        ("http://127.0.0.2:4317", true),
        ("http://[::1]:4317", true),
        ("unix:///x", true),
    ] {
        let mut config = ClientConfig::new(endpoint);
        config.tls.insecure = true;
        config.credentials = Some(Arc::new(BearerCredentials::new(&context, &token).unwrap()));
        assert!(!format!("{config:?}").contains("s3cret"));
        assert_eq!(GrpcTransportStrategy.client(&context, config).is_ok(), is_taken, "{endpoint}");
    }
}
