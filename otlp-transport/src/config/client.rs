//! Where a client sends, how, and what its connections may cost.

use super::TlsConfig;
use crate::Credentials;
use crate::user_info::split_user;
use otlp_protocol::Signal;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A client's settings: one destination. Debug output shows neither the values of headers nor the proxy, nor users,
/// passwords and queries of URLs, which may be secrets.
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientConfig {
    /// gRPC: `host:port` or `http(s)://host:port`. HTTP: the base URL, to which `/v1/<signal>` is appended. Empty: the
    /// specification's default, `http://localhost:4317` for gRPC and `http://localhost:4318` for HTTP. `user:password@`
    /// before the host is sent as Basic authentication, unless headers or credentials say otherwise.
    pub endpoint: String,
    /// `host` or `host:port` that requests call the server, in `:authority` and `host`, in place of the endpoint's. TLS does
    /// not use it. Default none.
    pub authority: String,
    /// `host:port` to connect to instead of the endpoint's own; what requests and certificates name stays the endpoint.
    /// For addresses that balancing found. Default none.
    pub connect_to: Option<String>,
    /// The proxy that connections go through: `http(s)://[user:password@]host:port`. Goes before those of
    /// [`TransportContext::proxies`](crate::TransportContext::proxies), whose `no_proxy` does not apply. Default none.
    pub proxy_url: String,
    /// The signals that it can send; a batch of another is refused. Default: those of OTLP.
    pub signals: Vec<Signal>,
    /// HTTP: full URLs that replace base URL and path, by signal name.
    pub signal_endpoints: Vec<(String, String)>,
    /// How requests are written. gRPC has protobuf alone.
    pub encoding: Encoding,
    /// Content encoding of requests.
    pub compression: Compression,
    /// Headers sent with each request, in order. gRPC: values of names in `-bin` are sent in base64.
    pub headers: Vec<(String, String)>,
    /// One attempt, from start to answer; zero is no limit. Default 5 s for gRPC, 30 s for HTTP, as the Collector has it.
    pub timeout: Option<Duration>,
    /// Proves to the server who we are, in each request. Default nothing. Secret ones are refused on gRPC in the clear to
    /// another machine, as the Collector has it; on HTTP in the clear they are warned of.
    pub credentials: Option<Arc<dyn Credentials>>,
    /// Transport security.
    pub tls: TlsConfig,
    /// What the connections may cost.
    pub limits: ClientLimits,
    /// `user-agent`. Default `OTel-OTLP-Exporter-otlp/<version>`.
    pub user_agent: String,
}

/// Named limits of a client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientLimits {
    /// Size of a request before compression; larger ones are not sent. Default 64 MiB: OTLP §Request size.
    pub max_request_bytes: usize,
    /// Size of an answer, after inflating; larger ones are judged by their status alone. Default 4 MiB: OTLP §Response
    /// size.
    pub max_response_bytes: usize,
    /// Connections to the destination: HTTP/2 opens another only when the streams of the others are used up. Default 100
    /// for HTTP/1.1, 4 for HTTP/2.
    pub max_connections: Option<usize>,
    /// Requests waiting for a connection, or for a stream on one; further ones are refused. Default 1024.
    pub max_waiting: usize,
    /// Idle HTTP/1.1 connections are closed after this. Default 90 s.
    pub idle_timeout: Duration,
    /// Connections are replaced at this age; zero: each takes one request. Default none.
    pub max_connection_age: Option<Duration>,
    /// Establishing a connection: name lookup, every address tried, a proxy, and TLS. Default 10 s.
    pub connect_timeout: Duration,
    /// HTTP/2: silence after which the server is pinged, if a request was tried meanwhile. A server that is dead when a
    /// request starts is found out within this and `keepalive_timeout`, also if attempts are shorter. Default none, as gRPC
    /// has it.
    pub keepalive_interval: Option<Duration>,
    /// HTTP/2: silence after a ping after which the connection is dropped. Default 20 s.
    pub keepalive_timeout: Duration,
}

/// How requests are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Protobuf.
    #[default]
    Protobuf,
    /// OTLP/JSON: fields that this version of OTLP does not know are left out.
    Json,
}

/// Content encodings of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// As they are.
    #[default]
    None,
    /// gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
    /// Brotli, RFC 7932. The Collector does not take it.
    Brotli,
    /// zlib, RFC 1950, as `zlib`. Collectors take it over HTTP alone.
    Zlib,
    /// zlib, RFC 1950, as `deflate`. Collectors take it over HTTP alone.
    Deflate,
    /// Snappy: over HTTP the bare block, over gRPC the framed stream.
    Snappy,
    /// Snappy's framed stream, as `x-snappy-framed`. Collectors take it over HTTP alone.
    SnappyFramed,
    /// LZ4's frame format. Collectors take it over HTTP alone.
    Lz4,
}

impl ClientConfig {
    /// Defaults, sending to `endpoint`.
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
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .field("credentials", &self.credentials)
            .field("tls", &self.tls)
            .field("limits", &self.limits)
            .field("user_agent", &self.user_agent)
            .finish()
    }
}

/// A URL without user, password and query.
fn without_secrets(url: &str) -> String {
    let (_, url) = split_user(url);
    url.split('?').next().unwrap_or_default().to_owned()
}

impl Compression {
    /// The name in `content-encoding` and `grpc-encoding`; `None` for no compression.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
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
