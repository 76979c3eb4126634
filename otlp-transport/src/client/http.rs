//! OTLP/HTTP: POST of protobuf or JSON, on HTTP/1.1 or, over TLS where ALPN chooses it, HTTP/2.

pub(super) mod outcome;
mod target;

use crate::client::answer::AnswerLimits;
use crate::client::attempt::{TimeLimit, exchange};
use crate::client::encoding::{Encoded, Encoder, decode_answer, internal};
use crate::client::outgoing::Outgoing;
use crate::client::pool::ConnectionPool;
use crate::client::{headers, stats::ClientStats};
use crate::{
    Attempt, ClientConfig, Clock, ConfigError, Credentials, Encoding, ExportResult, TransportContext,
};
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, PROXY_AUTHORIZATION,
};
use http::{Method, Request};
use otlp_protocol::{Batch, BufferPool};
use std::sync::Arc;
use std::time::Duration;
use target::{Target, Targets};

/// Exports over HTTP to one destination; signals may have URLs of their own. Cloning shares its connections.
///
/// Redirects are not followed but reported: sending telemetry elsewhere is for the configuration to say.
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
    /// A client for the URLs of `config`. Connects when first used.
    ///
    /// # Errors
    /// If a setting cannot work.
    pub fn new(context: &TransportContext, config: &ClientConfig) -> Result<Self, ConfigError> {
        let stats = config.stats.clone().unwrap_or_default();
        let targets = Targets::new(context, config, &stats)?;
        let encoder = Encoder::new(config, context, stats.clone());
        let mut headers = headers::configured(config, false)?;
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

    /// Its connections, one pool for each scheme, host and port among its URLs.
    pub fn pools(&self) -> impl Iterator<Item = &ConnectionPool> {
        self.0.targets.pools()
    }

    /// What all its connections have counted.
    pub fn stats(&self) -> &Arc<ClientStats> {
        &self.0.stats
    }
}

impl Attempt for HttpClient {
    /// Dropping the future closes an HTTP/1.1 connection, resets an HTTP/2 stream.
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
        let headers = headers::proven(&self.headers, self.credentials.as_deref(), batch)?;
        let Encoded { payload, room: _room } = self.encoder.encode(batch).await?;
        let body = Outgoing::plain(payload);
        let hops = headers::hops(batch);
        let head = |absolute| {
            let mut request = Self::head(target, &headers, absolute);
            headers::set_hops(request.headers_mut(), hops.as_ref());
            request
        };
        let limits = AnswerLimits {
            max_bytes: self.max_response_bytes,
            attempt_ends: limit.until(),
            judged_by_trailers: false,
        };
        let mut answer = exchange(target.pool(), head, body, limits, limit).await?;
        if let Some(encoding) = answer.headers.get(CONTENT_ENCODING)
            && answer.fault.is_none()
        {
            let encoding = Some(encoding.to_str().unwrap_or("not ASCII"));
            match decode_answer(encoding, answer.body, self.max_response_bytes, &self.buffers) {
                Ok(body) => answer.body = body,
                Err(fault) => (answer.body, answer.fault) = (Bytes::new(), Some(fault)),
            }
        }
        outcome::read(&answer, &target.name, self.clock.wall(), &self.stats)
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

/// As the Collector has it.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
