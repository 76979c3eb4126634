//! A server for tests of exporters.

use crate::{
    BoxExport, Clock, ConfigError, Export, ExportError, ExportResult, MultiplexTransportStrategy, Routes,
    Server, ServerConfig, ServerStrategy as _, TransportContext,
};
use bytes::Bytes;
use otlp_protocol::{Accepted, Batch, Body, Charge, ErrorKind, Signal};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::Notify;

/// A server that keeps what it receives, for tests of anything that sends OTLP: gRPC and HTTP on one port of 127.0.0.1, all
/// signals, each request checked as by any server of this crate. Dropping the sink closes the port.
///
/// ```
/// use otlp_protocol::{ErrorKind, Retry, Signal};
/// use otlp_transport::{ExportError, testing::Sink};
/// use std::time::Duration;
/// # use otlp_protocol::encode::Spans;
/// # use otlp_protocol::{Batch, Body, Charge};
/// # use otlp_transport::{Attempt, ClientConfig, HttpClient, TransportContext};
/// # async fn my_exporter_sends_a_span(endpoint: &str) -> Result<(), Box<dyn std::error::Error>> {
/// #     let body = Body::write::<Spans>(|request| {
/// #         request.resource_group(|group| {
/// #             group.scope_group(|scope| {
/// #                 scope.span(|span| {
/// #                     span.trace_id(&[1; 16]).span_id(&[2; 8]).name("GET /cart");
/// #                 });
/// #             });
/// #         });
/// #     });
/// #     let client = HttpClient::new(&TransportContext::tcp(1 << 20), &ClientConfig::new(endpoint))?;
/// #     let batch = Batch::new(body, Charge::none());
/// #     while client.attempt(&batch).await.is_err() {}
/// #     Ok(())
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sink = Sink::start().await?;
/// sink.answer(Err(ExportError::new(ErrorKind::Unavailable, Retry::Backoff, "not yet")));
/// my_exporter_sends_a_span(&sink.endpoint()).await?; // and sends it again after the error
/// let batches = sink.wait_for(Signal::TRACES, 1, Duration::from_secs(5)).await?;
/// assert_eq!(batches[0].items(), 1);
///
/// let missing = sink.wait_for(Signal::LOGS, 2, Duration::from_millis(10)).await.unwrap_err();
/// assert_eq!(
///     missing.to_string(),
///     "expected 2 log_records within 10ms, received 0; received 1 spans; answered 1 requests with an error"
/// );
/// # Ok(())
/// # }
/// ```
pub struct Sink {
    server: Server,
    endpoint: String,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
}

/// The items that [`Sink::wait_for`] waited for did not come; says what came instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkTimeout {
    /// The signal that was waited for.
    pub signal: Signal,
    /// Items that were waited for.
    pub expected: u64,
    /// Time that was waited.
    pub timeout: Duration,
    /// Items received so far, by signal, without signals of which nothing came.
    pub received: Vec<(Signal, u64)>,
    /// Requests that got an error of [`Sink::answer`], or came when the sink was full.
    pub failed_requests: u64,
    /// Requests that the server refused by itself, such as malformed ones.
    pub refused_requests: u64,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    answers: VecDeque<ExportResult>,
    received: Vec<Batch>,
    bytes: usize,
}

// === impl Sink ===

impl Sink {
    /// Starts a sink on 127.0.0.1, at a port that the system chooses.
    ///
    /// # Errors
    /// If the system has no port left.
    pub async fn start() -> Result<Self, ConfigError> {
        Self::start_with(ServerConfig::new("127.0.0.1:0")).await
    }

    /// Starts a sink with settings of one's own, such as TLS, authentication or another endpoint.
    ///
    /// # Errors
    /// If a setting cannot work, or the endpoint cannot be listened on.
    pub async fn start_with(config: ServerConfig) -> Result<Self, ConfigError> {
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let context = TransportContext::tcp(MAX_UNFINISHED_BYTES);
        let shared = Arc::new(Shared::default());
        let routes = Routes::all(BoxExport::new(shared.clone()));
        let server = MultiplexTransportStrategy.bind(&context, config, routes).await?;
        let address = server.local_addr();
        let endpoint = match address.tcp() {
            Some(_) => format!("{scheme}://{address}"),
            None => address.to_string(),
        };
        Ok(Self { server, endpoint, clock: context.clock, shared })
    }

    /// The endpoint for clients, over gRPC and over HTTP: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// Answers the next request with `result`. Several answers are given in turn, one a request; afterwards requests are
    /// accepted again. Batches that are answered with an error are not kept.
    pub fn answer(&self, result: ExportResult) {
        self.shared.state.lock().answers.push_back(result);
    }

    /// Copies of the batches received so far, in the order of their arrival.
    pub fn received(&self) -> Vec<Batch> {
        self.shared.state.lock().received.iter_mut().map(Batch::share).collect()
    }

    /// Waits until at least `items` items of a signal have been received since the start, and returns the batches of that
    /// signal. Cancel-safe.
    ///
    /// # Errors
    /// If fewer have been received after `timeout`.
    pub async fn wait_for(
        &self,
        signal: Signal,
        items: u64,
        timeout: Duration,
    ) -> Result<Vec<Batch>, SinkTimeout> {
        let mut too_late = self.clock.sleep(timeout);
        loop {
            let mut changed = pin!(self.shared.changed.notified());
            changed.as_mut().enable();
            if self.shared.items(signal) >= items {
                let mut batches = self.received();
                batches.retain(|batch| batch.signal() == signal);
                return Ok(batches);
            }
            tokio::select! {
                () = changed => {}
                () = too_late.as_mut() => return Err(self.missing(signal, items, timeout)),
            }
        }
    }

    fn missing(&self, signal: Signal, expected: u64, timeout: Duration) -> SinkTimeout {
        let received = Signal::ALL.map(|signal| (signal, self.shared.items(signal)));
        let stats = self.server.stats();
        SinkTimeout {
            signal,
            expected,
            timeout,
            received: received.into_iter().filter(|(_, items)| *items > 0).collect(),
            failed_requests: stats.failed_requests.load(Relaxed),
            refused_requests: stats.refused_requests.load(Relaxed),
        }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let received = self.shared.state.lock().received.len();
        f.debug_struct("Sink")
            .field("endpoint", &self.endpoint)
            .field("received", &received)
            .finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    /// Items of a signal received so far.
    fn items(&self, signal: Signal) -> u64 {
        let state = self.state.lock();
        state.received.iter().filter(|batch| batch.signal() == signal).map(Batch::items).sum()
    }

    fn take(&self, batch: &Batch) -> ExportResult {
        let mut state = self.state.lock();
        let answer = state.answers.pop_front().unwrap_or(Ok(Accepted::FULL))?;
        if state.bytes + batch.len() > MAX_RECEIVED_BYTES {
            let message = format!("the sink is full: it keeps {MAX_RECEIVED_BYTES} bytes");
            return Err(ExportError::refused(ErrorKind::Exhausted, message));
        }
        state.bytes += batch.len();
        // A copy, on no budget: what a test keeps must not keep the server from receiving.
        let plain = Bytes::copy_from_slice(&batch.body().plain().to_contiguous());
        let body = Body::unchecked(batch.signal(), plain, batch.count(), batch.is_mergeable());
        state.received.push(batch.part(body, Charge::none()));
        drop(state);
        self.changed.notify_waiters();
        Ok(answer)
    }
}

impl Export for Shared {
    async fn export(&self, batch: Batch) -> ExportResult {
        self.take(&batch)
    }
}

// === impl SinkTimeout ===

impl fmt::Display for SinkTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signal, expected, timeout, received, failed_requests, refused_requests } = self;
        let of_signal = received.iter().find(|(other, _)| other == signal).map_or(0, |(_, items)| *items);
        write!(f, "expected {expected} {} within {timeout:?}, received {of_signal}", signal.items_noun)?;
        for (other, items) in received.iter().filter(|(other, _)| other != signal) {
            write!(f, "; received {items} {}", other.items_noun)?;
        }
        if *failed_requests > 0 {
            write!(f, "; answered {failed_requests} requests with an error")?;
        }
        if *refused_requests > 0 {
            write!(f, "; refused {refused_requests} requests as unfit: see the log")?;
        }
        Ok(())
    }
}

impl std::error::Error for SinkTimeout {}

/// Bodies that are being received, in bytes.
const MAX_UNFINISHED_BYTES: u64 = 256 << 20;
/// Bodies that are kept, in bytes.
const MAX_RECEIVED_BYTES: usize = 256 << 20;
