//! The gateway of the night, what stands around it, and those who send to it.

use super::net::SimNet;
use crate::harness::{Sink, pass, seconds, settle};
use otlp_protocol::Signal;
use otlp_service::{
    ExporterSpec, Gateway, GatewaySpec, PipelineSpec, QueueConfig, ReceiverSpec, RetryConfig, ServerSpec,
};
use otlp_transport::{
    BearerAuth, BearerConfig, BoxExport, BoxIo, CertificateConfig, ClientConfig, ClientStrategy, Connections,
    Export as _, ExportResult, GrpcTransportStrategy, HttpTransportStrategy, Net as _, Routes, Server,
    ServerConfig, ServerStrategy, ServerTlsConfig, TransportContext,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Who vouches for the certificates of a host.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A gateway at `gateway`, whose exporters send to `backend` and `vault`.
pub(super) struct Town {
    pub(super) net: SimNet,
    pub(super) gateway: Gateway,
    pub(super) authority: Authority,
    backend: Option<Server>,
    _vault: Server,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    fn vouch_for(&self, name: &str) -> ServerTlsConfig {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let mut config = ServerTlsConfig::default();
        config.certificate = CertificateConfig::default();
        config.certificate.cert_pem = Some(params.signed_by(&key, &self.0).unwrap().pem());
        config.certificate.key_pem = Some(key.serialize_pem().into());
        config
    }
}

impl Town {
    pub(super) async fn new() -> Self {
        let net = SimNet::new([10, 0, 0, 1]);
        let (authority, other) = (Authority::new("ours"), Authority::new("other"));
        let backend = backend(&net, "backend:4317", None).await;
        let vault = backend_with_tls(&net, "vault:4318", other.vouch_for("vault")).await;
        let mut context = context(&net);
        // As many as the night needs, plus one.
        context.connections = Arc::new(Connections::new(MAX_CONNECTIONS));
        let gateway = Gateway::start(context.clone(), spec(&context, &authority)).await.unwrap();
        Self { net, gateway, authority, backend: Some(backend), _vault: vault }
    }

    /// The backend goes away, with its connections.
    pub(super) async fn stop_backend(&mut self) {
        self.backend = None;
        settle().await;
    }

    pub(super) async fn start_backend(&mut self) {
        self.backend = Some(backend(&self.net, "backend:4317", None).await);
    }

    /// A connection of the host `10.0.1.<host>` to a port of the gateway, on which `bytes` were written.
    pub(super) async fn write(&self, host: u8, port: u16, bytes: &[u8]) -> BoxIo {
        let net = self.net.from([10, 0, 1, host]);
        let mut io = net.connect(&format!("gateway:{port}")).await.unwrap();
        // The gateway may close before all is written.
        let _ = io.write_all(bytes).await;
        settle().await;
        io
    }

    /// The same, until the gateway closes or answers.
    pub(super) async fn say(&self, host: u8, port: u16, bytes: &[u8]) -> String {
        let mut io = self.write(host, port, bytes).await;
        let mut answer = vec![0; 4096];
        let len = io.read(&mut answer).await.unwrap_or(0);
        settle().await;
        String::from_utf8_lossy(&answer[..len]).into_owned()
    }

    /// The status that a POST is answered with.
    pub(super) async fn post(&self, host: u8, path: &str, headers: &str, body: &[u8]) -> u16 {
        let answer = self.say(host, 4318, &request(path, headers, body)).await;
        answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// What a request of logs over gRPC to `endpoint` comes to, whose sender trusts `ca`.
    pub(super) async fn call(
        &self,
        host: u8,
        endpoint: &str,
        ca: Option<String>,
        token: &str,
    ) -> ExportResult {
        let context = context(&self.net.from([10, 0, 1, host]));
        let mut config = ClientConfig::new(endpoint);
        config.tls.ca_pem = ca;
        if !token.is_empty() {
            config.headers.push(("authorization".into(), format!("Bearer {token}")));
        }
        let client = GrpcTransportStrategy.client(&context, config).unwrap();
        let result = client.export(crate::harness::logs(1)).await;
        settle().await;
        result
    }

    pub(super) fn ca(&self) -> Option<String> {
        Some(self.authority.pem())
    }
}

/// A POST over HTTP/1.1.
pub(super) fn request(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: gateway\r\n{headers}content-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn context(net: &SimNet) -> TransportContext {
    TransportContext { net: Arc::new(net.clone()), ..TransportContext::tcp(1 << 20) }
}

async fn backend_with_tls(net: &SimNet, endpoint: &str, tls: ServerTlsConfig) -> Server {
    backend(net, endpoint, Some(tls)).await
}

/// A server that takes everything. Its own log lines name it as the receiver `backend`.
async fn backend(net: &SimNet, endpoint: &str, tls: Option<ServerTlsConfig>) -> Server {
    let mut config = ServerConfig::new(endpoint);
    config.name = BACKEND.into();
    config.tls = tls;
    let routes = Routes::new().with(Signal::LOGS, BoxExport::new(Sink::default()));
    let strategy: &dyn ServerStrategy =
        if config.tls.is_some() { &HttpTransportStrategy } else { &GrpcTransportStrategy };
    strategy.bind(&context(&net.from([10, 0, 2, 1])), config, routes).await.unwrap()
}

fn spec(context: &TransportContext, authority: &Authority) -> GatewaySpec {
    let server = |strategy: Arc<dyn ServerStrategy>, endpoint: &str| {
        let mut config = ServerConfig::new(endpoint);
        config.limits.max_request_bytes = 800 << 10;
        ServerSpec::new(strategy, config)
    };
    let (grpc, http) = (Arc::new(GrpcTransportStrategy), Arc::new(HttpTransportStrategy));
    let mut secure = server(grpc.clone(), "gateway:4319");
    secure.config.tls = Some(authority.vouch_for("gateway"));
    let mut tokens = BearerConfig::default();
    tokens.tokens = vec!["right".to_owned().into()];
    secure.config.auth = Some(Arc::new(BearerAuth::new(context, &tokens).unwrap()));
    let open = vec![server(grpc, "gateway:4317"), server(http, "gateway:4318")];
    GatewaySpec {
        receivers: vec![ReceiverSpec::otlp("otlp", open), ReceiverSpec::otlp("otlp/secure", vec![secure])],
        exporters: vec![
            exporter(context, "otlp_grpc/backend", &GrpcTransportStrategy, "http://backend:4317"),
            exporter(context, "otlp_http/vault", &HttpTransportStrategy, "https://vault:4318"),
        ],
        pipelines: vec![
            pipeline("logs", "otlp", "otlp_grpc/backend"),
            pipeline("logs/secure", "otlp/secure", "otlp_http/vault"),
        ],
        ..GatewaySpec::default()
    }
}

fn exporter(
    context: &TransportContext,
    id: &str,
    strategy: &dyn ClientStrategy,
    endpoint: &str,
) -> ExporterSpec {
    let mut config = ClientConfig::new(endpoint);
    // Any authority but the one that vouches for the vault.
    config.tls.ca_pem = endpoint.starts_with("https").then(|| Authority::new("unknown").pem());
    let client = strategy.client(context, config).unwrap();
    let stats = client.stats().clone();
    let mut spec = ExporterSpec::new(id, client.into_attempt());
    spec.stats = Some(stats);
    spec.endpoints = vec![(Signal::LOGS, endpoint.rsplit('/').next().unwrap().to_owned())];
    let mut queue = QueueConfig::default();
    (queue.queue_size, queue.num_consumers) = (3, 1);
    spec.queue = queue;
    let mut retry = RetryConfig::default();
    retry.randomization_factor = 0.0;
    retry.max_elapsed_time = Some(seconds(120));
    spec.retry = retry;
    spec
}

fn pipeline(id: &str, receiver: &str, exporter: &str) -> PipelineSpec {
    PipelineSpec {
        id: id.into(),
        signal: Signal::LOGS,
        receivers: vec![receiver.into()],
        stages: Vec::new(),
        exporters: vec![exporter.into()],
    }
}

/// Lets time pass up to `second` of the night, which began at `start`.
pub(super) async fn until(start: std::time::Instant, minute: u64, second: u64) {
    let at = start + seconds(60 * minute + second);
    pass(at.saturating_duration_since(crate::harness::now())).await;
}

pub(super) const MAX_CONNECTIONS: usize = 24;
/// As what the servers around the gateway name themselves in the log.
pub(super) const BACKEND: &str = "backend";
