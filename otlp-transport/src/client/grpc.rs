//! OTLP/gRPC: unary `Export` calls over HTTP/2.

pub(super) mod outcome;

use crate::client::answer::AnswerLimits;
use crate::client::attempt::{TimeLimit, exchange};
use crate::client::connect::{Connector, Versions};
use crate::client::encoding::{Encoder, internal};
use crate::client::headers;
use crate::client::outgoing::Outgoing;
use crate::client::pool::ConnectionPool;
use crate::endpoint::Endpoint;
use crate::{
    Attempt, ClientConfig, Clock, ConfigError, Credentials, Encoding, ExportError, ExportResult,
    TransportContext, accepted_encodings,
};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE};
use http::{Method, Request, Uri};
use otlp_protocol::{Batch, BufferPool, ErrorKind, FrameHeader, Retry, Signal};
use std::sync::Arc;
use std::time::Duration;

/// Exports over gRPC to one destination. Cloning shares its connections.
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
    /// A client for `config.endpoint`. Connects when first used.
    ///
    /// # Errors
    /// If a setting cannot work.
    pub fn new(context: &TransportContext, config: &ClientConfig) -> Result<Self, ConfigError> {
        let endpoint = Endpoint::grpc(&config.endpoint, config.tls.insecure)?.called(&config.authority)?;
        if !config.signal_endpoints.is_empty() {
            let problem = "gRPC has one endpoint for all signals".into();
            return Err(ConfigError { key: "signal_endpoints", problem });
        }
        if config.encoding != Encoding::Protobuf {
            return Err(ConfigError { key: "encoding", problem: "gRPC has protobuf alone".into() });
        }
        if headers::exposes_secrets(config, &endpoint) {
            let problem = format!("secrets would go in the clear to `{}`: use TLS", endpoint.address);
            return Err(ConfigError { key: "auth", problem });
        }
        let connector = Connector::new(context, config, &endpoint, Versions::Http2)?;
        let stats = config.stats.clone().unwrap_or_default();
        let encoder = Encoder::for_grpc(config, context, stats.clone());
        let timeout = config.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        let uri = |signal: Signal| {
            let path = signal.grpc_path.parse().map_err(|error: http::uri::InvalidUri| ConfigError {
                key: "signal",
                problem: format!("{signal}: {error}"),
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

    /// Its connections.
    pub fn pool(&self) -> &ConnectionPool {
        &self.0.pool
    }
}

impl Attempt for GrpcClient {
    /// Dropping the future resets the stream.
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
        let headers = headers::proven(&self.headers, self.credentials.as_deref(), batch)?;
        // gRPC writes no JSON, which is what room is for.
        let payload = self.encoder.encode(batch).await?.payload;
        let len = u32::try_from(payload.len()).map_err(|_| {
            ExportError::new(ErrorKind::TooLarge, Retry::Never, "a gRPC message holds less than 4 GiB")
        })?;
        let body = Outgoing::framed(FrameHeader::new(self.encoder.name().is_some(), len), payload);
        let hops = headers::hops(batch);
        let head = |_| {
            let mut request = Request::new(());
            *request.method_mut() = Method::POST;
            request.uri_mut().clone_from(uri);
            request.headers_mut().clone_from(&headers);
            headers::set_hops(request.headers_mut(), hops.as_ref());
            if let Some(left) = limit.left_of_deadline(&*self.clock).and_then(grpc_timeout) {
                request.headers_mut().insert(GRPC_TIMEOUT, left);
            }
            request
        };
        // The frame header counts for nothing.
        let limits = AnswerLimits {
            max_bytes: self.max_response_bytes.saturating_add(otlp_protocol::FRAME_HEADER_LEN),
            attempt_ends: limit.until(),
            judged_by_trailers: true,
        };
        let answer = exchange(&self.pool, head, body, limits, limit).await?;
        outcome::read(answer, self.pool.name(), self.max_response_bytes, &self.buffers, self.pool.stats())
    }
}

fn request_headers(
    config: &ClientConfig,
    endpoint: &Endpoint,
    encoding: Option<&'static str>,
    timeout: Option<Duration>,
) -> Result<HeaderMap, ConfigError> {
    let mut headers = headers::configured(config, true)?;
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

/// `grpc-timeout`: at most eight digits and a unit, rounded up, so that the server does not give up before us.
fn grpc_timeout(timeout: Duration) -> Option<HeaderValue> {
    let units = [(1, "n"), (1_000, "u"), (1_000_000, "m"), (1_000_000_000, "S"), (60_000_000_000, "M")];
    let (value, unit) = units
        .into_iter()
        .map(|(nanos, unit)| (timeout.as_nanos().div_ceil(nanos), unit))
        .find(|(value, _)| *value <= MAX_TIMEOUT_VALUE)?;
    HeaderValue::try_from(format!("{value}{unit}")).ok()
}

/// As the Collector has it.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_TIMEOUT_VALUE: u128 = 99_999_999;
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

#[cfg(test)]
mod tests;
