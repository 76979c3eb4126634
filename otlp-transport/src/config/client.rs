//! Settings of a client: endpoint, encoding, compression, credentials, TLS, limits.

use super::TlsConfig;
use crate::user_info::without_secrets;
use crate::{AdaptiveCompressionConfig, Credentials};
use otlp_protocol::Signal;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Settings of a client of one destination.
///
/// `Debug` output leaves out what may be secret: values of headers, the proxy, and users, passwords and queries of URLs.
///
/// ```
/// use otlp_transport::{ClientConfig, Compression, GrpcClient, TransportContext};
///
/// let mut config = ClientConfig::new("http://localhost:4317"); // in the clear; https:// or a bare host:port is TLS
/// config.compression = Compression::Gzip; // none by default
/// config.headers.push(("x-tenant".into(), "team-a".into()));
/// config.limits.max_connections = Some(2);
/// let client = GrpcClient::new(&TransportContext::tcp(64 << 20), &config)?;
/// # Ok::<(), otlp_transport::ConfigError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The destination. gRPC: `https://host:port` (TLS), `http://host:port` (cleartext), or a bare `host:port`, which is TLS
    /// unless `tls.insecure` is set. HTTP: the base URL, to which `/v1/<signal>` is appended. Either: `unix:///path`, a Unix
    /// socket. Empty: the specification's default, `http://localhost:4317` for gRPC and `http://localhost:4318` for HTTP.
    ///
    /// `user:password@` before the host is sent as Basic authentication, unless headers or credentials say otherwise.
    pub endpoint: String,
    /// `host` or `host:port` to send in `:authority` and `host` in place of the endpoint's. TLS does not use it. Empty, the
    /// default: the endpoint's.
    pub authority: String,
    /// `host:port` to connect to in place of the endpoint's; requests and certificates still name the endpoint. Balancing
    /// sets it to the addresses that a name resolves to. Default none.
    pub connect_to: Option<String>,
    /// The proxy that connections go through: `http(s)://[user:password@]host:port`. Takes precedence over
    /// [`TransportContext::proxies`](crate::TransportContext::proxies), whose `no_proxy` does not apply. Empty, the default:
    /// the proxies of the context.
    pub proxy_url: String,
    /// The signals that the client sends; a batch of another signal is refused. Default: all signals of OTLP.
    pub signals: Vec<Signal>,
    /// HTTP: full URLs that replace base URL and path, by signal name: `("logs", "https://logs.example/in")`. Default none.
    pub signal_endpoints: Vec<(String, String)>,
    /// Encoding of requests. gRPC has protobuf alone. Default protobuf.
    pub encoding: Encoding,
    /// Compression of requests. Default none; the Collector's exporters default to gzip.
    pub compression: Compression,
    /// Weights of [`Compression::Adaptive`].
    pub adaptive_compression: AdaptiveCompressionConfig,
    /// Headers sent with each request, in order. gRPC: values of headers whose name ends in `-bin` are sent in base64. Default
    /// none.
    pub headers: Vec<(String, String)>,
    /// Time limit of one attempt, from its start to the answer; zero is no limit. Default 5 s for gRPC, 30 s for HTTP, as in
    /// the Collector.
    pub timeout: Option<Duration>,
    /// Authenticates each request to the server, such as [`BearerCredentials`](crate::BearerCredentials). Default none. Secret
    /// credentials in cleartext to another machine are a configuration error over gRPC, as in the Collector, and a warning
    /// over HTTP.
    pub credentials: Option<Arc<dyn Credentials>>,
    /// TLS settings. Default: the system's certificate authorities.
    pub tls: TlsConfig,
    /// Limits of requests, answers and connections.
    pub limits: ClientLimits,
    /// Value of the `user-agent` header. Default `OTel-OTLP-Exporter-otlp/<version>`.
    pub user_agent: String,
}

/// Named limits of a client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientLimits {
    /// The largest request sent, in bytes before compression. Default 64 MiB: OTLP §Request size.
    pub max_request_bytes: usize,
    /// The largest answer read, in bytes after decompression; of a larger answer only the status is used. Default 4 MiB: OTLP
    /// §Response size.
    pub max_response_bytes: usize,
    /// Connections to the destination. HTTP/2 opens another connection only when all streams of the open ones are in use.
    /// Default 100 for HTTP/1.1, 4 for HTTP/2.
    pub max_connections: Option<usize>,
    /// Requests that wait for a connection or a stream; further requests fail with a retryable error. Default 1024.
    pub max_waiting: usize,
    /// HTTP/1.1: an idle connection is closed after this time. Default 90 s.
    pub idle_timeout: Duration,
    /// A connection of this age takes no new requests; zero: a connection for each request. Default none.
    pub max_connection_age: Option<Duration>,
    /// Time limit for opening a connection: name lookup, all addresses tried, proxy and TLS handshake. Default 10 s.
    pub connect_timeout: Duration,
    /// HTTP/2: a server that has been silent for this time is pinged if a request was attempted meanwhile. A server that is
    /// dead when a request starts is detected within this and `keepalive_timeout`, even if attempts are shorter. Default none,
    /// as in gRPC.
    pub keepalive_interval: Option<Duration>,
    /// HTTP/2: a connection whose ping is not answered for this time is closed. Default 20 s.
    pub keepalive_timeout: Duration,
}

/// Encoding of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Protobuf.
    #[default]
    Protobuf,
    /// OTLP/JSON. Fields unknown to this version of OTLP are left out.
    Json,
}

/// Content encoding of requests: what gRPC names in `grpc-encoding`, HTTP in `content-encoding`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// No compression.
    #[default]
    None,
    /// gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
    /// Brotli, RFC 7932. The Collector does not accept it.
    Brotli,
    /// zlib, RFC 1950, named `zlib`. Collectors accept it over HTTP alone.
    Zlib,
    /// zlib, RFC 1950, named `deflate`. Collectors accept it over HTTP alone.
    Deflate,
    /// Snappy: over HTTP the block format, over gRPC the framed stream.
    Snappy,
    /// Snappy's framed stream, named `x-snappy-framed`. Collectors accept it over HTTP alone.
    SnappyFramed,
    /// LZ4's frame format. Collectors accept it over HTTP alone.
    Lz4,
    /// For each request the best of gzip, zstd and brotli at two levels each, and no compression: see
    /// [`AdaptiveCompressor`](crate::AdaptiveCompressor). Encodings that the destination refuses are left out.
    Adaptive,
}

impl ClientConfig {
    /// Default settings of a client that sends to `endpoint`.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            authority: String::new(),
            connect_to: None,
            proxy_url: String::new(),
            signals: Signal::ALL.to_vec(),
            signal_endpoints: Vec::new(),
            encoding: Encoding::Protobuf,
            compression: Compression::None,
            adaptive_compression: AdaptiveCompressionConfig::default(),
            headers: Vec::new(),
            timeout: None,
            credentials: None,
            tls: TlsConfig::default(),
            limits: ClientLimits::default(),
            user_agent: concat!("OTel-OTLP-Exporter-otlp/", env!("CARGO_PKG_VERSION")).into(),
        }
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        let own: Vec<_> =
            self.signal_endpoints.iter().map(|(name, url)| (name, without_secrets(url))).collect();
        f.debug_struct("ClientConfig")
            .field("endpoint", &without_secrets(&self.endpoint))
            .field("authority", &self.authority)
            .field("connect_to", &self.connect_to)
            .field("has_proxy", &!self.proxy_url.is_empty())
            .field("signals", &self.signals)
            .field("signal_endpoints", &own)
            .field("encoding", &self.encoding)
            .field("compression", &self.compression)
            .field("adaptive_compression", &self.adaptive_compression)
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .field("credentials", &self.credentials)
            .field("tls", &self.tls)
            .field("limits", &self.limits)
            .field("user_agent", &self.user_agent)
            .finish()
    }
}

impl Compression {
    /// The name in `content-encoding` and `grpc-encoding`; `None` for no compression, and for adaptive
    /// compression, which names the encoding of each request.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Adaptive => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
            Self::Brotli => Some("br"),
            Self::Zlib => Some("zlib"),
            Self::Deflate => Some("deflate"),
            Self::Snappy => Some("snappy"),
            Self::SnappyFramed => Some("x-snappy-framed"),
            Self::Lz4 => Some("lz4"),
        }
    }
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            max_request_bytes: 64 << 20,
            max_response_bytes: 4 << 20,
            max_connections: None,
            max_waiting: 1024,
            idle_timeout: Duration::from_secs(90),
            max_connection_age: None,
            connect_timeout: Duration::from_secs(10),
            keepalive_interval: None,
            keepalive_timeout: Duration::from_secs(20),
        }
    }
}
