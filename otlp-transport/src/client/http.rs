//! OTLP/HTTP: POST of protobuf or JSON over HTTP/1.1, or over HTTP/2 if ALPN chooses HTTP/2.

mod target;

use crate::client::attempt::{
    Answer, AnswerLimits, BodyFault, TimeLimit, configured_headers, excerpt, hops_header, proven_headers,
    set_hops, set_traceparent, traceparent,
};
use crate::client::encoding::{Encoded, Encoder, Outgoing, decode_answer, internal};
use crate::client::pool::ConnectionPool;
use crate::client::stats::ClientStats;
use crate::{
    Attempt, ClientConfig, Clock, ConfigError, Credentials, Encoding, ExportError, ExportResult,
    TransportContext,
};
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, LOCATION,
    PROXY_AUTHORIZATION, RETRY_AFTER,
};
use http::{Method, Request, StatusCode};
use otlp_protocol::{Accepted, Batch, BufferPool, ErrorKind, Retry, RpcStatus, parse_retry_after};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use target::{Target, Targets};

/// Exports over HTTP to one destination; signals may have their own URLs. Clones share the connections.
///
/// Redirects are reported as errors, not followed: only the configuration decides where telemetry goes.
///
/// ```no_run
/// use otlp_protocol::Batch;
/// use otlp_transport::{ClientConfig, Compression, Encoding, Export, HttpClient, TransportContext};
///
/// async fn send(batch: Batch) -> Result<(), Box<dyn std::error::Error>> {
///     let mut config = ClientConfig::new("https://collector.example:4318"); // to /v1/traces, /v1/metrics, …
///     config.encoding = Encoding::Json;
///     config.compression = Compression::Gzip;
///     let client = HttpClient::new(&TransportContext::tcp(64 << 20), &config)?;
///     match client.export(batch).await {
///         Ok(accepted) => println!("{} rejected: {}", accepted.rejected, accepted.message),
///         Err(error) if error.retry().is_retryable() => println!("to be sent again: {error}"),
///         Err(error) => println!("refused for good: {error}"),
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct HttpClient(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    buffers: BufferPool,
    targets: Targets,
    encoder: Encoder,
    headers: HeaderMap,
    credentials: Option<Arc<dyn Credentials>>,
    timeout: Option<Duration>,
    max_response_bytes: usize,
    stats: Arc<ClientStats>,
}

// === impl HttpClient ===

impl HttpClient {
    /// Makes a client for the URLs of `config`. The client connects at its first request.
    ///
    /// # Errors
    /// If a setting is invalid.
    pub fn new(context: &TransportContext, config: &ClientConfig) -> Result<Self, ConfigError> {
        Self::counted(context, config, Arc::default())
    }

    /// Makes a client that counts its connections in `stats`.
    pub(crate) fn counted(
        context: &TransportContext,
        config: &ClientConfig,
        stats: Arc<ClientStats>,
    ) -> Result<Self, ConfigError> {
        let targets = Targets::new(context, config, &stats)?;
        let encoder = Encoder::new(config, context, stats.clone())?;
        let mut headers = configured_headers(config, false)?;
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(match config.encoding {
                Encoding::Protobuf => PROTOBUF,
                Encoding::Json => JSON,
            }),
        );
        if let Some(encoding) = encoder.name() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        Ok(Self(Arc::new(Inner {
            clock: context.clock.clone(),
            buffers: context.buffers.clone(),
            targets,
            encoder,
            headers,
            credentials: config.credentials.clone(),
            timeout: Some(config.timeout.unwrap_or(DEFAULT_TIMEOUT)).filter(|timeout| !timeout.is_zero()),
            max_response_bytes: config.limits.max_response_bytes,
            stats,
        })))
    }

    /// Returns the client's connections: one pool for each scheme, host and port among the URLs.
    pub fn pools(&self) -> impl Iterator<Item = &ConnectionPool> {
        self.0.targets.pools()
    }

    /// Returns the counters of all connections.
    pub fn stats(&self) -> &Arc<ClientStats> {
        &self.0.stats
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pools: Vec<_> = self.0.targets.pools().collect();
        f.debug_struct("HttpClient").field("pools", &pools).finish_non_exhaustive()
    }
}

impl Attempt for HttpClient {
    /// Makes one attempt. Dropping the future closes an HTTP/1.1 connection, or resets an HTTP/2 stream.
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let inner = &*self.0;
        let limit = TimeLimit::new(&*inner.clock, inner.timeout, batch.deadline)?;
        let Some(target) = inner.targets.of(batch.signal()) else {
            return Err(internal("sending", format!("{} have no URL", batch.signal())));
        };
        limit.run(&*inner.clock, &target.name, inner.attempt(batch, target, &limit)).await
    }
}

// === impl Inner ===

impl Inner {
    async fn attempt(&self, batch: &Batch, target: &Target, limit: &TimeLimit) -> ExportResult {
        let headers = proven_headers(&self.headers, self.credentials.as_deref(), batch)?;
        let send = |encoded| self.send(batch, target, &headers, limit, encoded);
        self.encoder.send(batch, &*self.clock, send).await
    }

    async fn send(
        &self,
        batch: &Batch,
        target: &Target,
        headers: &HeaderMap,
        limit: &TimeLimit,
        encoded: Encoded,
    ) -> ExportResult {
        let Encoded { payload, room: _room, chosen, .. } = encoded;
        let body = Outgoing::plain(payload);
        let (hops, trace) = (hops_header(batch), traceparent(batch));
        let head = |absolute| {
            let mut request = Self::head(target, headers, absolute);
            set_hops(request.headers_mut(), hops.as_ref());
            set_traceparent(request.headers_mut(), trace.as_ref());
            if let Some(encoding) = chosen {
                request.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            request
        };
        let limits = AnswerLimits {
            max_bytes: self.max_response_bytes,
            attempt_ends: limit.until(),
            judged_by_trailers: false,
        };
        let mut answer = target.pool().exchange(head, body, limits, limit).await?;
        if let Some(encoding) = answer.headers.get(CONTENT_ENCODING)
            && answer.fault.is_none()
        {
            let encoding = Some(encoding.to_str().unwrap_or("not ASCII"));
            match decode_answer(encoding, answer.body, self.max_response_bytes, &self.buffers) {
                Ok(body) => answer.body = body,
                Err(fault) => (answer.body, answer.fault) = (Bytes::new(), Some(fault)),
            }
        }
        outcome(&answer, &target.name, self.clock.wall(), &self.stats)
    }

    fn head(target: &Target, headers: &HeaderMap, absolute: bool) -> Request<()> {
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        request.headers_mut().clone_from(headers);
        if let Some(authorization) = &target.authorization
            && !headers.contains_key(AUTHORIZATION)
        {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        if absolute {
            request.uri_mut().clone_from(&target.url);
        } else {
            request.uri_mut().clone_from(&target.path);
            request.headers_mut().insert(HOST, target.host.clone());
            if let Some(authorization) = &target.proxy_authorization {
                request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
            }
        }
        request
    }
}

/// Reads an answer. `url` is named in errors; `now` is the time that dates in `Retry-After` are relative to.
///
/// The status decides: 2xx is success even if the body is text, malformed, too large or cut short.
pub(super) fn outcome(answer: &Answer, url: &str, now: SystemTime, stats: &ClientStats) -> ExportResult {
    if let Some(fault) = &answer.fault {
        fault.count(stats);
    }
    if is_grpc(&answer.headers) {
        return Err(speaks_grpc(answer, url));
    }
    if answer.status.is_success() {
        return Ok(accepted(answer, stats));
    }
    let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let format = BodyFormat::of(&answer.headers);
    let status = match format {
        BodyFormat::Protobuf | BodyFormat::Unnamed => RpcStatus::decode(&answer.body).ok(),
        BodyFormat::Json => RpcStatus::decode_json(&answer.body).ok(),
        BodyFormat::Other => None,
    };
    let RpcStatus { message, retry_delay, violations, .. } = status.unwrap_or_default();
    let why = match header(LOCATION).filter(|_| answer.status.is_redirection()) {
        Some(location) => format!("redirect to {}, not followed", excerpt(location.as_bytes())),
        None if answer.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => PROXY_AUTHENTICATION.to_owned(),
        None if !message.is_empty() => excerpt(message.as_bytes()),
        None if format == BodyFormat::Protobuf => String::new(),
        None => excerpt(&answer.body),
    };
    let code = answer.status.as_u16();
    let colon = if why.is_empty() { "" } else { ": " };
    let message = format!("HTTP {code} from {url}{colon}{why}");
    let delay = header(RETRY_AFTER).and_then(|value| parse_retry_after(value, now)).or(retry_delay);
    let error = ExportError::from_http(code, message, delay);
    Err(violations.into_iter().fold(error, ExportError::with_violation))
}

/// Reads a 2xx answer. Some backends answer in text or HTML, whatever content type was asked for.
fn accepted(answer: &Answer, stats: &ClientStats) -> Accepted {
    let read = match BodyFormat::of(&answer.headers) {
        _ if answer.fault.is_some() => return Accepted::FULL,
        BodyFormat::Protobuf => Accepted::decode(&answer.body).map_err(|error| error.into()),
        BodyFormat::Json => Accepted::decode_json(&answer.body).map_err(|error| error.into()),
        // Proxies drop the content type; a body without a type may be text.
        BodyFormat::Unnamed => return Accepted::decode(&answer.body).unwrap_or(Accepted::FULL),
        BodyFormat::Other => return Accepted::FULL,
    };
    read.unwrap_or_else(|error| {
        BodyFault::Undecodable(error).count(stats);
        Accepted::FULL
    })
}

/// True if a gRPC server answered. The HTTP status of a gRPC answer is 200 also for failures.
fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    headers.contains_key("grpc-status")
        || content_type.get(..GRPC.len()).is_some_and(|start| start.eq_ignore_ascii_case(GRPC))
}

fn speaks_grpc(answer: &Answer, url: &str) -> ExportError {
    let message = format!(
        "HTTP {} from {url}: the server speaks gRPC: use the HTTP port (4318), or the exporter otlp_grpc",
        answer.status.as_u16()
    );
    ExportError::new(ErrorKind::Unimplemented, Retry::Never, message)
}

/// Format of a body.
#[derive(Clone, Copy, PartialEq)]
enum BodyFormat {
    Protobuf,
    Json,
    Other,
    /// There is no content type.
    Unnamed,
}

impl BodyFormat {
    /// Reads the content type, without parameters and in any case.
    fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(CONTENT_TYPE) else { return Self::Unnamed };
        let essence = value.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        match () {
            () if essence.eq_ignore_ascii_case(PROTOBUF.as_bytes()) => Self::Protobuf,
            () if essence.eq_ignore_ascii_case(JSON.as_bytes()) => Self::Json,
            () => Self::Other,
        }
    }
}

/// The Collector's default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
const GRPC: &[u8] = b"application/grpc";
const PROXY_AUTHENTICATION: &str = "the proxy requires credentials: put user:password into proxy_url";
