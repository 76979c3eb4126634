//! Settings of a server: endpoint, TLS, authentication, checks, limits.

use super::{ConfigError, CorsConfig, ServerTlsConfig};
use crate::compression::{absent, codec};
use crate::{Address, Authenticate, HealthSource};
use http::{HeaderName, HeaderValue};
use otlp_protocol::HopId;
use std::sync::Arc;
use std::time::Duration;

/// Settings of a server.
///
/// ```no_run
/// use otlp_protocol::Accepted;
/// use otlp_transport::{
///     BearerAuth, BearerConfig, BoxExport, GrpcTransportStrategy, Routes, ServerConfig, ServerStrategy, ServerTlsConfig,
///     TransportContext,
/// };
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = TransportContext::tcp(64 << 20);
/// let mut config = ServerConfig::new("0.0.0.0:4317");
/// let (certificate, key) = (std::fs::read_to_string("cert.pem")?, std::fs::read_to_string("key.pem")?);
/// config.tls = Some(ServerTlsConfig::from_pem(certificate, key));
/// config.auth = Some(Arc::new(BearerAuth::new(&context, &BearerConfig::new(["s3cret"]))?));
/// config.limits.max_request_bytes = 4 << 20;
/// let routes = Routes::all(BoxExport::from_fn(|_batch| async { Ok(Accepted::FULL) }));
/// let server = GrpcTransportStrategy.bind(&context, config, routes).await?;
/// # drop(server);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Name of the server in log lines, in the field `receiver`. Empty, the default: the address it listens on.
    pub name: String,
    /// Address to listen on: `host:port` or `unix:///path`. The system chooses the port in place of port 0.
    pub endpoint: String,
    /// TLS settings. Default none: cleartext.
    pub tls: Option<ServerTlsConfig>,
    /// Checks the credentials of each request before anything else of it is read. A request without valid credentials is
    /// answered 401 over HTTP and UNAUTHENTICATED over gRPC. Default none: requests need no credentials.
    pub auth: Option<Arc<dyn Authenticate>>,
    /// Limits of requests and connections.
    pub limits: ServerLimits,
    /// Properties of the sender that a batch keeps. Default none.
    pub origin: OriginConfig,
    /// Id of the server against forwarding loops: batches carry it, and a request that carries it already is refused. Default
    /// a random id; servers of the same pipelines should share an id.
    pub hop: HopId,
    /// Treatment of strings that are not UTF-8. Default: they are repaired.
    pub invalid_utf8: InvalidUtf8,
    /// Treatment of items with trace or span ids of the wrong length. Default: they are rejected.
    pub invalid_ids: InvalidIds,
    /// gRPC: the health of names for the health service. Default none: the service answers for the empty name, which is the
    /// whole server, and for each signal's service.
    pub health: Option<Arc<dyn HealthSource>>,
    /// HTTP: web pages of other origins that may send. Default none.
    pub cors: Option<CorsConfig>,
    /// HTTP: headers added to every answer that does not have them. Default none.
    pub response_headers: Vec<(String, String)>,
    /// HTTP: content encodings that are accepted; `identity` is no compression. Default: all encodings that are compiled in.
    pub encodings: Option<Vec<String>>,
}

/// The properties of a sender that go into a batch's [`Origin`](otlp_protocol::Origin). Batches of different origins are never
/// merged, so each property makes batches smaller: keep only what a component reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OriginConfig {
    /// Names of the headers to keep, in lower case. Several values of one header are joined by `,`; values of binary gRPC
    /// metadata (names in `-bin`) are kept in base64, as received. Default none.
    pub headers: Vec<Box<str>>,
    /// Keeps the identity that the authenticator returned. Default false.
    pub identity: bool,
    /// Keeps the IP address of the peer, which peers on Unix sockets do not have. Default false.
    pub peer: bool,
}

/// Treatment of strings that are not UTF-8, which Protobuf forbids: one bad byte need not cost a whole request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InvalidUtf8 {
    /// Replaces each bad sequence by U+FFFD, and counts the string.
    #[default]
    Replace,
    /// Refuses the request.
    Refuse,
}

/// Treatment of trace, span and profile ids that are neither empty nor of their length (16, 8 and 16 bytes).
///
/// Other receivers refuse a whole request for such an id, so it must not get into a batch with the items of other senders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InvalidIds {
    /// Rejects a span with such an id, its own or of a link, and tells the sender by a partial success. Removes the id of a
    /// log record, exemplar or profile. Counts both.
    #[default]
    RejectItem,
    /// Refuses the request.
    Refuse,
}

/// Limits of a server. A refusal names its limit in the message, and is counted in [`ServerStats`](crate::ServerStats).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerLimits {
    /// The largest body accepted, in bytes, before and after decompression. Default 64 MiB: OTLP §Request size.
    pub max_request_bytes: usize,
    /// Messages in one request, including nested messages; bounds what a decoder downstream allocates. Default 16 Mi.
    pub max_elements: usize,
    /// Depth of nested messages in one request. Default 100, as in other protobuf decoders.
    pub max_depth: usize,
    /// Size of header names and values of one request, in bytes. Default 16 KiB.
    pub max_header_bytes: u32,
    /// HTTP/2: concurrent requests on one connection. Default 128.
    pub max_concurrent_streams: u32,
    /// Time from accepting a connection (HTTP/1.1: from the first byte of a request) to the end of the headers, TLS handshake
    /// included. Default 10 s.
    pub header_timeout: Duration,
    /// Time without a byte of a request's body. Default 30 s.
    pub body_timeout: Duration,
    /// Lowest average rate of a request's body after the first `body_timeout`, in bytes per second. Zero is no minimum. Default
    /// 240, a tenth of what the slowest mobile links carry.
    pub min_body_rate: u64,
    /// Time from the first wait for a part of a request's body to its end. `None` is no limit. Default 5 min.
    pub max_body_time: Option<Duration>,
    /// Bytes of the byte budget that unfinished bodies of one connection may take. `None`, the default: half of the budget, and
    /// at least `max_request_bytes`.
    pub max_unfinished_bytes: Option<u64>,
    /// HTTP/1.1: time without a request after which a connection is closed. Default 60 s.
    pub idle_timeout: Duration,
    /// HTTP/2: time without an open request after which a connection gets GOAWAY and is closed. Default none, as in gRPC:
    /// pings detect dead peers.
    pub max_connection_idle: Option<Duration>,
    /// Age, ±10 %, after which a connection takes no new requests and is closed after the last answer. Default none.
    pub max_connection_age: Option<Duration>,
    /// Time that the last requests of a connection have after `max_connection_age`. Default none: no limit.
    pub max_connection_age_grace: Option<Duration>,
    /// HTTP/2: a peer that has been silent for this time is pinged. Default 2 h, as in gRPC.
    pub keepalive_interval: Duration,
    /// HTTP/2: a connection whose ping is not answered for this time is closed. Default 20 s.
    pub keepalive_timeout: Duration,
}

impl ServerConfig {
    /// Default settings of a server that listens on `endpoint`.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            name: String::new(),
            endpoint: endpoint.into(),
            tls: None,
            auth: None,
            limits: ServerLimits::default(),
            origin: OriginConfig::default(),
            hop: HopId::random(),
            invalid_utf8: InvalidUtf8::default(),
            invalid_ids: InvalidIds::default(),
            health: None,
            cors: None,
            response_headers: Vec::new(),
            encodings: None,
        }
    }

    /// Returns the name of the server in log lines.
    pub(crate) fn log_name(&self, local_addr: &Address) -> String {
        if self.name.is_empty() { local_addr.to_string() } else { self.name.clone() }
    }

    /// Checks all settings but endpoint and TLS, as binding would.
    ///
    /// # Errors
    /// If the name or value of a header is invalid, or an encoding is unknown.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (name, value) in &self.response_headers {
            if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
                return Err(
                    ConfigError::new("response_headers", "invalid header name or value").with_value(name)
                );
            }
        }
        if let Some(CorsConfig { allowed_headers, exposed_headers, .. }) = &self.cors {
            for (key, names) in
                [("cors.allowed_headers", allowed_headers), ("cors.exposed_headers", exposed_headers)]
            {
                if let Some(name) = names.iter().find(|name| HeaderName::try_from(*name).is_err()) {
                    return Err(ConfigError::new(key, format!("`{name}` is not a header name")));
                }
            }
        }
        let unknown = |name: &&String| !name.eq_ignore_ascii_case(IDENTITY) && codec(name).is_none();
        match self.encodings.iter().flatten().find(unknown) {
            Some(name) => Err(ConfigError::new("encodings", absent(name))),
            None => Ok(()),
        }
    }
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            max_request_bytes: 64 << 20,
            max_elements: 16 << 20,
            max_depth: 100,
            max_header_bytes: 16 << 10,
            max_concurrent_streams: 128,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            min_body_rate: 240,
            max_body_time: Some(Duration::from_secs(300)),
            max_unfinished_bytes: None,
            idle_timeout: Duration::from_secs(60),
            max_connection_idle: None,
            max_connection_age: None,
            max_connection_age_grace: None,
            keepalive_interval: Duration::from_secs(2 * 60 * 60),
            keepalive_timeout: Duration::from_secs(20),
        }
    }
}

/// The content encoding of what is not compressed. RFC 9110 §12.5.3.
pub(crate) const IDENTITY: &str = "identity";
