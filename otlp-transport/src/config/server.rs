//! What a server listens on, whom it lets in, and what peers may cost it.

use super::{ConfigError, CorsConfig, ServerTlsConfig};
use crate::compression::{absent, codec};
use crate::{Address, Authenticate};
use http::{HeaderName, HeaderValue};
use otlp_protocol::HopId;
use std::sync::Arc;
use std::time::Duration;

/// A server's settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// What log lines call the server, as `receiver`: the receiver's id. Default: the address it listens on.
    pub name: String,
    /// Where to listen: `host:port`, of which port 0 lets the system choose, or `unix:///path`.
    pub endpoint: String,
    /// Transport security. Default none: cleartext.
    pub tls: Option<ServerTlsConfig>,
    /// Checks credentials; a request without valid ones is answered 401 or UNAUTHENTICATED, whatever it asks for. Default
    /// none: every sender is let in.
    pub auth: Option<Arc<dyn Authenticate>>,
    /// What peers may make the server hold or wait for.
    pub limits: ServerLimits,
    /// What is remembered of the sender of a batch. Default nothing.
    pub origin: OriginConfig,
    /// The id that batches get here, and by which a request is refused that comes here a second time. Default a new one;
    /// servers that feed the same pipelines have one id together.
    pub hop: HopId,
    /// What happens to strings that are not UTF-8. Default: they are repaired.
    pub invalid_utf8: InvalidUtf8,
    /// What happens to items with trace or span ids of the wrong length. Default: they are rejected.
    pub invalid_ids: InvalidIds,
    /// HTTP: which other origins' pages may send. Default none.
    pub cors: Option<CorsConfig>,
    /// HTTP: headers that every answer gets, unless it has them already.
    pub response_headers: Vec<(String, String)>,
    /// HTTP: content encodings that are taken, `identity` among them. Default all there are.
    pub encodings: Option<Vec<String>>,
}

/// What of a sender goes into a batch's [`Origin`](otlp_protocol::Origin). Batches of different origins are not merged, so
/// only what somebody needs belongs here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OriginConfig {
    /// Names of the headers to keep, in lower case. Of a header that stands several times, the values are joined by `,`;
    /// values of binary gRPC metadata (`-bin`) are kept in base64, as they came.
    pub headers: Vec<Box<str>>,
    /// Whether to keep who the sender proved to be.
    pub identity: bool,
    /// Whether to keep the IP address the request came from; there is none on Unix sockets.
    pub peer: bool,
}

/// What happens to strings that are not UTF-8. Protobuf demands it, but one bad byte must not cost a whole request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InvalidUtf8 {
    /// Each bad sequence becomes U+FFFD, and the string is counted.
    #[default]
    Replace,
    /// The request is refused.
    Refuse,
}

/// What happens to trace, span and profile ids that are neither empty nor of their length (16, 8 and 16 bytes).
///
/// Other receivers refuse a request that has such an id, so that a batch with one would be lost as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InvalidIds {
    /// A span that has such an id, its own or of a link, is rejected, and the sender told by a partial success. Of log
    /// records, exemplars and profiles the id is removed. Both are counted.
    #[default]
    RejectItem,
    /// The request is refused.
    Refuse,
}

/// Named limits of a server. Each one refuses with a message that names it, and counts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerLimits {
    /// Size of a request, before and after inflating. Default 64 MiB: OTLP §Request size.
    pub max_request_bytes: usize,
    /// Messages in one request, nested ones among them; bounds what a decoder downstream would allocate. Default 16 Mi.
    pub max_elements: usize,
    /// Nested messages in one request. Default 100, as in other protobuf decoders.
    pub max_depth: usize,
    /// Header names and values of one request. Default 16 KiB.
    pub max_header_bytes: u32,
    /// Concurrent requests on one HTTP/2 connection. Default 128.
    pub max_concurrent_streams: u32,
    /// From accepting a connection, or starting a request on HTTP/1.1, to the end of its headers. Default 10 s.
    pub header_timeout: Duration,
    /// Without any progress of a request's body. Default 30 s.
    pub body_timeout: Duration,
    /// Bytes a second at which a request's body must come on average, the first `body_timeout` aside. Default 240, a tenth
    /// of what the slowest mobile links carry; 0 is no minimum.
    pub min_body_rate: u64,
    /// From when a request's body has to be waited for to its end. Default 5 min; `None` is no limit.
    pub max_body_time: Option<Duration>,
    /// Bytes of the byte budget that unfinished bodies on one connection may take. Default none: half of the budget, and
    /// at least `max_request_bytes`.
    pub max_unfinished_bytes: Option<u64>,
    /// HTTP/1.1: without any request on a connection. Default 60 s.
    pub idle_timeout: Duration,
    /// HTTP/2: without an open request on a connection, which is then told to go away and closed. Default none, as gRPC
    /// has it: pings decide.
    pub max_connection_idle: Option<Duration>,
    /// From this age on a connection takes no new requests and closes after the last. Default none.
    pub max_connection_age: Option<Duration>,
    /// How long the last requests of an aged connection may take. Default none: as long as they need.
    pub max_connection_age_grace: Option<Duration>,
    /// HTTP/2: silence after which a peer is pinged. Default 2 h, as gRPC has it.
    pub keepalive_interval: Duration,
    /// HTTP/2: silence after a ping after which the connection is closed. Default 20 s.
    pub keepalive_timeout: Duration,
}

impl ServerConfig {
    /// Defaults, listening on `endpoint`.
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
            cors: None,
            response_headers: Vec::new(),
            encodings: None,
        }
    }

    /// What log lines call the server.
    pub(crate) fn log_name(&self, local_addr: &Address) -> String {
        if self.name.is_empty() { local_addr.to_string() } else { self.name.clone() }
    }

    /// Finds what cannot work, as binding would.
    ///
    /// # Errors
    /// If a header to send or to allow is none, or an encoding is unknown.
    pub fn check(&self) -> Result<(), ConfigError> {
        let problem = |key, problem: String| Err(ConfigError::new(key, problem));
        for (name, value) in &self.response_headers {
            if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
                return problem("response_headers", format!("`{name}`: invalid header name or value"));
            }
        }
        if let Some(CorsConfig { allowed_headers, exposed_headers, .. }) = &self.cors {
            for (key, names) in
                [("cors.allowed_headers", allowed_headers), ("cors.exposed_headers", exposed_headers)]
            {
                if let Some(name) = names.iter().find(|name| HeaderName::try_from(*name).is_err()) {
                    return problem(key, format!("`{name}` is not a header name"));
                }
            }
        }
        let unknown = |name: &&String| !name.eq_ignore_ascii_case(IDENTITY) && codec(name).is_none();
        match self.encodings.iter().flatten().find(unknown) {
            Some(name) => problem("encodings", absent(name)),
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

/// Not compressed, as a content encoding. RFC 9110 §12.5.3.
pub(crate) const IDENTITY: &str = "identity";
