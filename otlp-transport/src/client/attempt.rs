//! One attempt: the headers of a request, its time limit, and the answer, which is read under limits. Status and headers
//! of the answer decide the outcome. A fault of the answer's body does not change the outcome, so the fault is kept
//! beside it.

use crate::client::stats::ClientStats;
use crate::counter;
use crate::endpoint::Endpoint;
use crate::{ClientConfig, Clock, ConfigError, Credentials, ExportError, ExportResult, Sleep};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::response::Parts;
use otlp_protocol::{Batch, ErrorKind, HOPS_HEADER, Hops, Retry, TRACEPARENT_HEADER};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Time limit of an attempt: the configured timeout or the sender's deadline.
#[derive(Debug)]
pub(crate) struct TimeLimit {
    until: Option<Instant>,
    timeout: Option<Duration>,
    /// True if the sender's deadline comes before the timeout.
    by_sender: bool,
    /// True if the limit is long enough to blame the connection for a missing answer.
    blames_connection: bool,
    has_passed: AtomicBool,
    is_connected: AtomicBool,
}

// === impl TimeLimit ===

impl TimeLimit {
    /// Makes a limit of the earlier of `timeout` from now and the batch's `deadline`.
    ///
    /// # Errors
    /// If the deadline has passed; nothing is sent then.
    pub(crate) fn new(
        clock: &dyn Clock,
        timeout: Option<Duration>,
        deadline: Option<Instant>,
    ) -> Result<Self, ExportError> {
        let now = clock.now();
        let own = timeout.and_then(|timeout| now.checked_add(timeout));
        let by_sender = deadline.is_some_and(|deadline| own.is_none_or(|own| deadline < own));
        let until = if by_sender { deadline } else { own };
        let blames_connection =
            !by_sender || until.is_some_and(|until| until.saturating_duration_since(now) >= BLAMING_TIME);
        let limit = Self {
            until,
            timeout,
            by_sender,
            blames_connection,
            has_passed: AtomicBool::new(false),
            is_connected: AtomicBool::new(false),
        };
        if limit.by_sender && deadline.is_some_and(|deadline| deadline <= now) {
            Err(deadline_passed())
        } else {
            Ok(limit)
        }
    }

    /// Returns the end of the attempt; `None`: no limit.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Records that there is a connection. An expired limit then names the answer as missing, not the connection.
    pub(crate) fn connected(&self) {
        self.is_connected.store(true, Ordering::Relaxed);
    }

    /// Returns the time left until the sender's deadline, if the deadline is the limit.
    pub(crate) fn left_of_deadline(&self, clock: &dyn Clock) -> Option<Duration> {
        self.until.filter(|_| self.by_sender).map(|until| until.saturating_duration_since(clock.now()))
    }

    /// Runs an attempt to reach `endpoint` until the limit.
    pub(crate) async fn run(
        &self,
        clock: &dyn Clock,
        endpoint: &str,
        attempt: impl Future<Output = ExportResult>,
    ) -> ExportResult {
        let Some(until) = self.until else { return attempt.await };
        // `attempt` is dropped after `has_passed` is set, since the drop of its call reads the flag.
        let mut attempt = std::pin::pin!(attempt);
        tokio::select! {
            biased;
            result = &mut attempt => result,
            () = clock.sleep_until(until) => {
                self.has_passed.store(true, Ordering::Relaxed);
                Err(self.passed(endpoint))
            }
        }
    }

    /// True if an attempt that is dropped now counts against its connection.
    pub(crate) fn speaks_against_connection(&self) -> bool {
        self.blames_connection && self.has_passed.load(Ordering::Relaxed)
    }

    fn passed(&self, endpoint: &str) -> ExportError {
        let missing = if self.is_connected.load(Ordering::Relaxed) { "answer from" } else { "connection to" };
        let message = match self.timeout {
            Some(timeout) if !self.by_sender => {
                format!("no {missing} {endpoint} within {timeout:?} (timeout)")
            }
            _ => format!("no {missing} {endpoint} before the sender's deadline"),
        };
        ExportError::new(ErrorKind::Timeout, Retry::Backoff, message)
    }
}

fn deadline_passed() -> ExportError {
    ExportError::new(
        ErrorKind::Timeout,
        Retry::Backoff,
        "the sender's deadline passed before the request was sent",
    )
}

/// An answer with its body and trailers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The body; empty if there is a fault.
    pub(crate) body: Bytes,
    pub(crate) fault: Option<BodyFault>,
    pub(crate) trailers: Option<HeaderMap>,
}

/// Reason why the body of an answer could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyFault {
    #[error("the body is over the limit of {0} bytes (max_response_bytes)")]
    Oversized(usize),
    #[error("the body broke off, or did not arrive in time")]
    BrokenOff,
    #[error("the body cannot be decoded: {0}")]
    Undecodable(Box<dyn std::error::Error + Send + Sync>),
}

/// Limits on reading an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerLimits {
    /// The largest body kept, in bytes.
    pub(crate) max_bytes: usize,
    /// The end of the attempt; `None`: no limit.
    pub(crate) attempt_ends: Option<Instant>,
    /// True if the status is in the trailers, as in gRPC, and not in the headers.
    pub(crate) judged_by_trailers: bool,
}

// === impl Answer ===

impl Answer {
    /// Makes an answer whose body has not been read.
    pub(crate) fn of(head: Parts) -> Self {
        Self { status: head.status, headers: head.headers, body: Bytes::new(), fault: None, trailers: None }
    }

    /// Adds the result of reading the body.
    pub(crate) fn with(mut self, read: Result<Bytes, BodyFault>) -> Self {
        match read {
            Ok(body) => self.body = body,
            Err(fault) => self.fault = Some(fault),
        }
        self
    }
}

// === impl BodyFault ===

impl BodyFault {
    /// Counts and logs the fault of an answer.
    pub(crate) fn count(&self, stats: &ClientStats) {
        counter::count(match self {
            Self::Oversized(_) => &stats.oversized_answers,
            Self::BrokenOff | Self::Undecodable(_) => &stats.unreadable_answers,
        });
        tracing::debug!(fault = %self, "the body of an answer could not be read; its status decides");
    }
}

// === impl AnswerLimits ===

impl AnswerLimits {
    /// Reads the body of an answer whose headers have just arrived, within a short time limit.
    pub(crate) async fn in_time(
        &self,
        clock: &dyn Clock,
        status: StatusCode,
        read: impl Future<Output = Result<Bytes, BodyFault>>,
    ) -> Result<Bytes, BodyFault> {
        tokio::select! {
            biased;
            read = read => read,
            () = self.body_ends(clock, status) => Err(BodyFault::BrokenOff),
        }
    }

    /// Resolves when reading of the body is given up.
    fn body_ends(&self, clock: &dyn Clock, status: StatusCode) -> Sleep {
        let latest = clock.now() + if status.is_success() { BODY_TIMEOUT } else { FAILURE_BODY_TIMEOUT };
        clock.sleep_until(self.attempt_ends.map_or(latest, |ends| ends.min(latest)))
    }
}

/// Collects a body of at most `limit` bytes. A single chunk is kept without a copy. Several chunks are copied into one
/// buffer, so that many tiny chunks cost no more memory than the limit.
#[derive(Debug)]
pub(crate) struct BodyBuffer {
    limit: usize,
    first: Bytes,
    more: BytesMut,
}

// === impl BodyBuffer ===

impl BodyBuffer {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, first: Bytes::new(), more: BytesMut::new() }
    }

    pub(crate) fn push(&mut self, chunk: Bytes) -> Result<(), BodyFault> {
        if self.len().saturating_add(chunk.len()) > self.limit {
            return Err(BodyFault::Oversized(self.limit));
        }
        if self.len() == 0 {
            self.first = chunk;
            return Ok(());
        }
        if self.more.is_empty() {
            self.more.extend_from_slice(&self.first);
            self.first = Bytes::new();
        }
        self.more.extend_from_slice(&chunk);
        Ok(())
    }

    pub(crate) fn finish(self) -> Bytes {
        if self.more.is_empty() { self.first } else { self.more.freeze() }
    }

    fn len(&self) -> usize {
        self.first.len().max(self.more.len())
    }
}

/// Returns the beginning of a text on one line, for error messages: proxies answer with whole pages.
pub(super) fn excerpt(text: &[u8]) -> String {
    let beginning = String::from_utf8_lossy(&text[..text.len().min(8 * MAX_EXCERPT_CHARS)]);
    let visible =
        beginning.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = visible.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Returns the user agent and the configured headers. Header values count as secrets: they are marked sensitive, which
/// keeps them out of debug output and HPACK's tables, and errors do not quote them. `binary`: values of names that end in
/// `-bin` are encoded in base64, as in gRPC.
pub(crate) fn configured_headers(config: &ClientConfig, binary: bool) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::with_capacity(config.headers.len() + 12);
    let user_agent =
        HeaderValue::from_str(&config.user_agent).map_err(|_| problem("user_agent", NOT_A_VALUE))?;
    headers.insert(USER_AGENT, user_agent);
    // Reserves an entry, so that `set_hops` does not grow the map.
    headers.insert(HOPS, HeaderValue::from_static(""));
    for (name, value) in &config.headers {
        let name = name
            .parse::<HeaderName>()
            .map_err(|_| problem("headers", format!("`{name}` is not a header name")))?;
        if is_reserved(&name) {
            return Err(problem("headers", format!("`{name}` is set by the exporter: remove this header")));
        }
        let encoded = (binary && name.as_str().ends_with("-bin")).then(|| STANDARD_NO_PAD.encode(value));
        let mut value = HeaderValue::from_str(encoded.as_deref().unwrap_or(value))
            .map_err(|_| problem("headers", format!("the value of `{name}`: {NOT_A_VALUE}")))?;
        value.set_sensitive(true);
        if name == USER_AGENT {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
    }
    Ok(headers)
}

/// Returns the headers of one request: the client's headers, and the credentials, which are made anew for each request.
pub(crate) fn proven_headers<'a>(
    headers: &'a HeaderMap,
    credentials: Option<&dyn Credentials>,
    batch: &Batch,
) -> Result<Cow<'a, HeaderMap>, ExportError> {
    let Some(credentials) = credentials else { return Ok(Cow::Borrowed(headers)) };
    let mut headers = headers.clone();
    credentials.apply(&mut headers, batch.origin.as_deref())?;
    Ok(Cow::Owned(headers))
}

/// Returns the value of the header that names the receivers a batch has been at.
pub(crate) fn hops_header(batch: &Batch) -> Option<HeaderValue> {
    HeaderValue::from_maybe_shared(batch.hops.as_deref().map(Hops::text)?).ok()
}

/// Sets the header of the receivers that a batch has been at, or removes the reserved entry.
pub(crate) fn set_hops(headers: &mut HeaderMap, hops: Option<&HeaderValue>) {
    match hops {
        Some(hops) => drop(headers.insert(HOPS, hops.clone())),
        None => drop(headers.remove(HOPS)),
    }
}

/// Returns the value of the header with the span that the batch is sent in, if that span is to be sent.
pub(crate) fn traceparent(batch: &Batch) -> Option<HeaderValue> {
    let trace = batch.trace.as_deref().filter(|trace| trace.is_propagated)?;
    HeaderValue::from_str(&trace.spans().first()?.to_traceparent()).ok()
}

/// Sets the header of the span, if there is one.
pub(crate) fn set_traceparent(headers: &mut HeaderMap, traceparent: Option<&HeaderValue>) {
    if let Some(traceparent) = traceparent {
        headers.insert(TRACEPARENT, traceparent.clone());
    }
}

/// True if secrets would be sent in cleartext to another machine.
pub(crate) fn exposes_secrets(config: &ClientConfig, endpoint: &Endpoint) -> bool {
    let is_secret = endpoint.authorization.is_some()
        || config.credentials.as_ref().is_some_and(|credentials| credentials.is_secret());
    let host = endpoint.host();
    let is_near = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    is_secret && !endpoint.secure && !is_near
}

/// True for headers that the exporter sets itself, which define how a request is read.
pub(crate) fn is_reserved(name: &HeaderName) -> bool {
    RESERVED.contains(&name.as_str()) || name.as_str().starts_with("grpc-")
}

fn problem(key: &'static str, problem: impl ToString) -> ConfigError {
    ConfigError::new(key, problem.to_string())
}

/// A shorter sender's deadline does not count against the connection.
const BLAMING_TIME: Duration = Duration::from_secs(1);
/// Servers send headers once they have processed a request; bodies of answers are small.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// The body of a failure holds only its reason.
const FAILURE_BODY_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_EXCERPT_CHARS: usize = 200;
const NOT_A_VALUE: &str = "it has characters that a header cannot carry, such as control characters";

/// Name of the header whose value [`hops_header`] returns.
const HOPS: HeaderName = HeaderName::from_static(HOPS_HEADER);
/// Name of the header whose value [`traceparent`] returns.
const TRACEPARENT: HeaderName = HeaderName::from_static(TRACEPARENT_HEADER);

const RESERVED: [&str; 12] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    HOPS_HEADER,
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
