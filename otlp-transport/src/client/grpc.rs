//! OTLP/gRPC: unary `Export` calls over HTTP/2.

use crate::client::attempt::{
    Answer, AnswerLimits, BodyFault, TimeLimit, configured_headers, excerpt, exposes_secrets, hops_header,
    proven_headers, set_hops, set_traceparent, traceparent,
};
use crate::client::connect::{Connector, Versions};
use crate::client::encoding::{Encoded, Encoder, Outgoing, decode_answer, internal};
use crate::client::pool::ConnectionPool;
use crate::client::stats::ClientStats;
use crate::endpoint::Endpoint;
use crate::{
    Attempt, ClientConfig, Clock, ConfigError, Credentials, Encoding, ExportError, ExportResult,
    TransportContext, accepted_encodings,
};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::{Buf, Bytes};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE};
use http::{Method, Request, StatusCode, Uri};
use otlp_protocol::{
    Accepted, Batch, BufferPool, Code, ErrorKind, FRAME_HEADER_LEN, FrameHeader, FrameReader, Retry,
    RpcStatus, Signal, http_to_grpc,
};
use percent_encoding::percent_decode;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Exports over gRPC to one destination. Clones share the connections.
///
/// ```no_run
/// use otlp_protocol::Batch;
/// use otlp_transport::{ClientConfig, Export, GrpcClient, TransportContext};
///
/// async fn send(batch: Batch) -> Result<(), Box<dyn std::error::Error>> {
///     let config = ClientConfig::new("http://localhost:4317");
///     let client = GrpcClient::new(&TransportContext::tcp(64 << 20), &config)?;
///     let accepted = client.export(batch).await?;
///     println!("{} rejected", accepted.rejected);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct GrpcClient(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    buffers: BufferPool,
    pool: ConnectionPool,
    encoder: Encoder,
    uris: Vec<(Signal, Uri)>,
    headers: HeaderMap,
    credentials: Option<Arc<dyn Credentials>>,
    timeout: Option<Duration>,
    max_response_bytes: usize,
}

// === impl GrpcClient ===

impl GrpcClient {
    /// Makes a client for `config.endpoint`. The client connects at its first request.
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
        let endpoint = Endpoint::grpc(&config.endpoint, config.tls.insecure)?.called(&config.authority)?;
        if !config.signal_endpoints.is_empty() {
            let problem = "gRPC sends all signals to one endpoint: set `endpoint` instead";
            return Err(ConfigError::new("signal_endpoints", problem));
        }
        if config.encoding != Encoding::Protobuf {
            return Err(ConfigError::new(
                "encoding",
                "gRPC supports only protobuf: use the HTTP exporter for JSON",
            ));
        }
        if exposes_secrets(config, &endpoint) {
            let problem =
                format!("credentials would be sent in cleartext to `{}`: use https://", endpoint.address);
            return Err(ConfigError::new("auth", problem));
        }
        let connector = Connector::new(context, config, &endpoint, Versions::Http2)?;
        let encoder = Encoder::for_grpc(config, context, stats.clone())?;
        let timeout = config.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        let uri = |signal: Signal| {
            let path = signal.grpc_path.parse().map_err(|error: http::uri::InvalidUri| {
                ConfigError::new("signal", format!("{signal}: {error}"))
            })?;
            Ok((signal, endpoint.uri(path)?))
        };
        Ok(Self(Arc::new(Inner {
            clock: context.clock.clone(),
            buffers: context.buffers.clone(),
            pool: ConnectionPool::new(connector, config.limits.clone(), context.clock.clone(), stats),
            uris: config.signals.iter().copied().map(uri).collect::<Result<_, ConfigError>>()?,
            headers: request_headers(config, &endpoint, encoder.name(), timeout)?,
            credentials: config.credentials.clone(),
            encoder,
            timeout,
            max_response_bytes: config.limits.max_response_bytes,
        })))
    }

    /// Returns the client's connections.
    pub fn pool(&self) -> &ConnectionPool {
        &self.0.pool
    }
}

impl fmt::Debug for GrpcClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcClient").field("pool", &self.0.pool).finish_non_exhaustive()
    }
}

impl Attempt for GrpcClient {
    /// Makes one attempt. Dropping the future resets the stream.
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let inner = &*self.0;
        let limit = TimeLimit::new(&*inner.clock, inner.timeout, batch.deadline)?;
        limit.run(&*inner.clock, inner.pool.name(), inner.attempt(batch, &limit)).await
    }
}

// === impl Inner ===

impl Inner {
    async fn attempt(&self, batch: &Batch, limit: &TimeLimit) -> ExportResult {
        let Some((_, uri)) = self.uris.iter().find(|(signal, _)| *signal == batch.signal()) else {
            return Err(internal("sending", format!("{} have no gRPC service", batch.signal())));
        };
        let headers = proven_headers(&self.headers, self.credentials.as_deref(), batch)?;
        let send = |encoded| self.send(batch, uri, &headers, limit, encoded);
        self.encoder.send(batch, &*self.clock, send).await
    }

    async fn send(
        &self,
        batch: &Batch,
        uri: &Uri,
        headers: &HeaderMap,
        limit: &TimeLimit,
        encoded: Encoded,
    ) -> ExportResult {
        // Room is only needed for JSON, which gRPC does not use.
        let Encoded { payload, is_compressed, chosen, .. } = encoded;
        let len = u32::try_from(payload.len()).map_err(|_| {
            ExportError::new(
                ErrorKind::TooLarge,
                Retry::Never,
                "the request is too large for a gRPC message, which holds less than 4 GiB",
            )
        })?;
        let body = Outgoing::framed(FrameHeader::new(is_compressed, len), payload);
        let (hops, trace) = (hops_header(batch), traceparent(batch));
        let head = |_| {
            let mut request = Request::new(());
            *request.method_mut() = Method::POST;
            request.uri_mut().clone_from(uri);
            request.headers_mut().clone_from(headers);
            set_hops(request.headers_mut(), hops.as_ref());
            set_traceparent(request.headers_mut(), trace.as_ref());
            if let Some(encoding) = chosen {
                request.headers_mut().insert(GRPC_ENCODING, HeaderValue::from_static(encoding));
            }
            if let Some(left) = limit.left_of_deadline(&*self.clock).and_then(grpc_timeout) {
                request.headers_mut().insert(GRPC_TIMEOUT, left);
            }
            request
        };
        // The limit applies to the message without its frame header.
        let limits = AnswerLimits {
            max_bytes: self.max_response_bytes.saturating_add(FRAME_HEADER_LEN),
            attempt_ends: limit.until(),
            judged_by_trailers: true,
        };
        let answer = self.pool.exchange(head, body, limits, limit).await?;
        outcome(answer, self.pool.name(), self.max_response_bytes, &self.buffers, self.pool.stats())
    }
}

fn request_headers(
    config: &ClientConfig,
    endpoint: &Endpoint,
    encoding: Option<&'static str>,
    timeout: Option<Duration>,
) -> Result<HeaderMap, ConfigError> {
    let mut headers = configured_headers(config, true)?;
    if let Some(authorization) = &endpoint.authorization
        && !headers.contains_key(AUTHORIZATION)
    {
        headers.insert(AUTHORIZATION, authorization.clone());
    }
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static(accepted_encodings()));
    if let Some(encoding) = encoding {
        headers.insert(GRPC_ENCODING, HeaderValue::from_static(encoding));
    }
    if let Some(timeout) = timeout.and_then(grpc_timeout) {
        headers.insert(GRPC_TIMEOUT, timeout);
    }
    Ok(headers)
}

/// Value of `grpc-timeout`: at most eight digits and a unit, rounded up, so that the server does not give up before the
/// client.
fn grpc_timeout(timeout: Duration) -> Option<HeaderValue> {
    let units = [(1, "n"), (1_000, "u"), (1_000_000, "m"), (1_000_000_000, "S"), (60_000_000_000, "M")];
    let (value, unit) = units
        .into_iter()
        .map(|(nanos, unit)| (timeout.as_nanos().div_ceil(nanos), unit))
        .find(|(value, _)| *value <= MAX_TIMEOUT_VALUE)?;
    HeaderValue::try_from(format!("{value}{unit}")).ok()
}

/// Reads an answer. `url` is named in errors; `max_bytes` limits the inflated message. The status is in the trailers, or
/// in the headers of a Trailers-Only answer. Status OK is success even if the message cannot be read, since the server
/// has accepted the request.
pub(super) fn outcome(
    answer: Answer,
    url: &str,
    max_bytes: usize,
    buffers: &BufferPool,
    stats: &ClientStats,
) -> ExportResult {
    let Answer { status: http_status, headers, body, fault, trailers } = answer;
    let with_status =
        trailers.as_ref().filter(|trailers| trailers.contains_key(&GRPC_STATUS)).unwrap_or(&headers);
    if let Some(fault) = &fault {
        fault.count(stats);
    }
    let Some(status) = with_status.get(&GRPC_STATUS) else {
        return Err(match fault {
            None => without_status(http_status, url, &headers, &body),
            Some(fault) => internal("reading the answer up to its grpc-status", fault),
        });
    };
    // Unknown codes count as UNKNOWN.
    let number = status.to_str().ok().and_then(|status| status.parse().ok());
    match number.and_then(Code::from_number).unwrap_or(Code::Unknown) {
        Code::Ok if fault.is_some() => Ok(Accepted::FULL),
        Code::Ok => Ok(accepted(&headers, body, max_bytes, buffers).unwrap_or_else(|fault| {
            fault.count(stats);
            Accepted::FULL
        })),
        code => Err(failed(code, with_status)),
    }
}

fn accepted(
    headers: &HeaderMap,
    mut body: Bytes,
    max_bytes: usize,
    buffers: &BufferPool,
) -> Result<Accepted, BodyFault> {
    // OK without a message violates gRPC, but the server has accepted the request.
    if body.is_empty() {
        return Ok(Accepted::FULL);
    }
    let mut frame = FrameReader::new(max_bytes);
    let header = frame
        .push(&body)
        .and_then(|()| frame.finish())
        .map_err(|error| BodyFault::Undecodable(error.into()))?;
    body.advance(FRAME_HEADER_LEN);
    if header.compressed {
        let encoding = headers.get(&GRPC_ENCODING).and_then(|encoding| encoding.to_str().ok());
        body = decode_answer(encoding, body, max_bytes, buffers)?;
    }
    Accepted::decode(&body).map_err(|error| BodyFault::Undecodable(error.into()))
}

fn failed(code: Code, headers: &HeaderMap) -> ExportError {
    let details = headers.get(&GRPC_STATUS_DETAILS).and_then(|details| status_details(details.as_bytes()));
    let RpcStatus { message: detailed, retry_delay, violations, .. } = details.unwrap_or_default();
    let given =
        headers.get(&GRPC_MESSAGE).map(|message| percent_decode(message.as_bytes()).decode_utf8_lossy());
    let message = match given {
        Some(given) if !given.is_empty() => given.into_owned(),
        _ if !detailed.is_empty() => detailed,
        _ => format!("the server answered {code:?}"),
    };
    let error = ExportError::from_grpc(code, message, retry_delay);
    violations.into_iter().fold(error, ExportError::with_violation)
}

/// Parses `grpc-status-details-bin`, with or without padding. Invalid details are ignored: the code decides.
fn status_details(base64: &[u8]) -> Option<RpcStatus> {
    if base64.len() > MAX_DETAILS_BYTES {
        return None;
    }
    RpcStatus::decode(&BASE64.decode(base64).ok()?).ok()
}

fn without_status(status: StatusCode, url: &str, headers: &HeaderMap, body: &[u8]) -> ExportError {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("no content type");
    let said = match kind.split(';').next().unwrap_or_default().trim() {
        "application/x-protobuf" => RpcStatus::decode(body).map(|status| status.message).unwrap_or_default(),
        text if text.starts_with("text/") || text == "application/json" => excerpt(body),
        _ => String::new(),
    };
    let said = if said.is_empty() { said } else { format!("; the answer: {}", excerpt(said.as_bytes())) };
    let message = format!(
        "HTTP {} from {url} with {kind} and without grpc-status: the server, or a proxy before it, does not speak gRPC \
         on this port: use the gRPC port (4317), or the exporter otlp_http{said}",
        status.as_u16()
    );
    ExportError::from_grpc(http_to_grpc(status.as_u16()), message, None)
}

/// The Collector's default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_TIMEOUT_VALUE: u128 = 99_999_999;
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
/// In base64. gRPC servers keep trailers under 8 KiB.
const MAX_DETAILS_BYTES: usize = 8 << 10;
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests;
