//! A client of several endpoints: finds the endpoints, picks one for each request, and fails over to others.
//!
//! * An endpoint that a resolver no longer finds gets no new requests. Its requests in flight go on to their end.
//! * A request that an endpoint refused retryably, or that could not reach the endpoint, goes to another endpoint at
//!   once: to at most `max_failovers` further endpoints, and not after the attempt's timeout. An endpoint that does not
//!   answer uses up the attempt. A request whose connection broke off may have been delivered and may arrive twice:
//!   delivery is at least once.
//! * Final refusals do not fail over: every endpoint would answer the same.
//! * An endpoint that asks for a delay (RetryInfo, Retry-After) gets no requests until the delay is over. The answer to
//!   the caller has a delay only if every endpoint asked for a delay: the shortest that is left. Otherwise another
//!   endpoint may accept the batch at any time.

mod following;

use super::endpoint_set::{Candidates, Endpoint, EndpointSet, NoCandidate};
use super::joined::Joined;
use super::outlier::Outcome;
use super::routing::Routing;
use super::stats::BalanceStats;
use super::status::EndpointStatus;
use super::{BalanceConfig, BalanceLimits};
use crate::client::{Place, Rooms};
use crate::log_limiter::LogLimiter;
use crate::{
    Attempt, BoxAttempt, Client, ClientConfig, ClientStats, ClientStrategy, Clock, Compression, ConfigError,
    ExportError, ExportFuture, ExportResult, Resolver, TransportContext,
};
use following::{ClientFactory, ResolverTask};
use futures_util::future::join_all;
use otlp_protocol::{Batch, ErrorKind, Retry};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// Exports to several endpoints, each request to one endpoint. Clones share the endpoints. Dropping the last clone ends
/// the resolver's task.
///
/// ```
/// use otlp_transport::{
///     BalanceConfig, BalancedClient, BalancePolicy, ClientConfig, FixedResolver, GrpcTransportStrategy, ResolvedEndpoint,
///     TransportContext,
/// };
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), otlp_transport::ConfigError> {
/// let mut template = ClientConfig::new("");
/// template.tls.insecure = true;
/// let endpoints = ["backend-1:4317", "backend-2:4317"].map(ResolvedEndpoint::new);
/// let mut balance = BalanceConfig::default();
/// balance.policy = BalancePolicy::LeastConnections;
/// let client = BalancedClient::new(
///     &TransportContext::tcp(64 << 20),
///     Arc::new(GrpcTransportStrategy),
///     template,
///     balance,
///     Box::new(FixedResolver::new(endpoints.into())),
/// )?;
/// assert_eq!(client.stats().endpoints().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct BalancedClient {
    shared: Arc<Shared>,
    _resolver_task: Arc<ResolverTask>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    routing: Routing,
    limits: BalanceLimits,
    /// Time after the start of an attempt in which the attempt may go to a further endpoint.
    failover_time: Duration,
    set: Mutex<EndpointSet<Client>>,
    /// Log limit for failures of the resolver.
    failed_resolutions: LogLimiter,
    /// True once the resolver has answered or failed.
    has_resolved: watch::Sender<bool>,
    client_stats: Arc<ClientStats>,
    stats: Arc<BalanceStats>,
}

/// A request to one endpoint, from start to end.
struct Lease<'a> {
    shared: &'a Shared,
    endpoint: Arc<Endpoint<Client>>,
    start: Instant,
    probes: bool,
    ended: bool,
}

/// Progress of a request through endpoints.
#[derive(Clone)]
struct Trail {
    /// No further endpoint is tried after this instant.
    until: Option<Instant>,
    tried: Vec<u64>,
    last: Option<ExportError>,
    /// The place outside the memory budget, if parts of the request are held there.
    place: Option<Place>,
}

// === impl BalancedClient ===

impl BalancedClient {
    /// Makes a client of the endpoints that `resolver` finds. `template` has the settings of each endpoint's client; its
    /// `endpoint` is not used. Must be called within a tokio runtime, in which a task then follows the resolver.
    ///
    /// # Errors
    /// If a setting is invalid, also a setting of an endpoint that the resolver knows from the start; or if called outside
    /// of a tokio runtime.
    pub fn new(
        context: &TransportContext,
        transport: Arc<dyn ClientStrategy>,
        template: ClientConfig,
        config: BalanceConfig,
        resolver: Box<dyn Resolver>,
    ) -> Result<Self, ConfigError> {
        let runtime = Handle::try_current().map_err(|_| {
            ConfigError::new("resolver", "no tokio runtime to follow it in: make the client within a runtime")
        })?;
        let stats = Arc::new(BalanceStats::new(resolver.name()));
        let client_stats = Arc::new(ClientStats { balance: Some(stats.clone()), ..ClientStats::default() });
        if template.compression == Compression::Adaptive {
            // Shown before the resolver has found the first endpoint.
            client_stats.adaptive.get_or_init(Arc::default);
        }
        let failover_time = template.timeout.filter(|timeout| !timeout.is_zero()).unwrap_or(FAILOVER_TIME);
        let factory = ClientFactory::new(context, transport, template, client_stats.clone());
        let shared = Arc::new(Shared {
            clock: context.clock.clone(),
            routing: Routing::new(config.policy, config.routing, Rooms::new(context.budget.clone())),
            limits: config.limits,
            failover_time,
            set: Mutex::new(EndpointSet::new(config.ejection)),
            failed_resolutions: LogLimiter::every(following::LOG_INTERVAL),
            has_resolved: watch::Sender::new(false),
            client_stats,
            stats,
        });
        let known = resolver.known();
        let example = resolver.example();
        known.iter().chain(&example).try_for_each(|endpoint| factory.client(endpoint).map(drop))?;
        if !known.is_empty() {
            shared.follow(&factory, Ok(known));
        }
        let task = ResolverTask::spawn(&runtime, shared.clone(), factory, resolver);
        Ok(Self { shared, _resolver_task: Arc::new(task) })
    }

    /// Returns the counters, by endpoint.
    pub fn stats(&self) -> &Arc<BalanceStats> {
        &self.shared.stats
    }

    /// Returns the endpoints that the resolver found last, each with its state.
    pub fn endpoints(&self) -> Vec<EndpointStatus> {
        self.shared.set.lock().status(self.shared.clock.now())
    }

    /// Returns this client as a [`Client`], with the counters of the connections to all endpoints.
    pub fn into_client(self) -> Client {
        let stats = self.shared.client_stats.clone();
        Client::new(BoxAttempt::new(self), stats)
    }
}

impl fmt::Debug for BalancedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BalancedClient").field("stats", &self.shared.stats).finish_non_exhaustive()
    }
}

impl Attempt for BalancedClient {
    /// Sends the batch to one endpoint, or parts of the batch to several, with failovers. If a part fails retryably, the
    /// whole batch may be retried; accepted parts then arrive again.
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let shared = &*self.shared;
        shared.first_endpoints().await;
        let until = shared.clock.now().checked_add(shared.failover_time);
        let result = shared.route(batch, Trail { until, tried: Vec::new(), last: None, place: None }).await;
        result.map_err(|error| shared.with_own_delay(error))
    }
}

// === impl Shared ===

impl Shared {
    /// Waits for the resolver's first answer, at most for the resolver's timeout.
    async fn first_endpoints(&self) {
        if !*self.has_resolved.borrow() {
            let _ = self.has_resolved.subscribe().wait_for(|resolved| *resolved).await;
        }
    }

    /// Sends a batch, or its parts concurrently, to endpoints that were not tried yet.
    fn route<'a>(&'a self, batch: &'a Batch, trail: Trail) -> ExportFuture<'a> {
        Box::pin(async move {
            let candidates = match self.set.lock().candidates(self.clock.now(), &trail.tried) {
                Ok(candidates) => candidates,
                Err(reason) => return Err(trail.last.unwrap_or_else(|| self.no_candidate(reason))),
            };
            let division = self.routing.divide(batch, &candidates.candidates, trail.place.as_ref()).await?;
            let trail = Trail { place: division.place.or(trail.place), ..trail };
            let mut joined = Joined::default();
            let deliveries = division.parts.iter().map(|part| {
                let (candidates, trail, batch) = (&candidates, trail.clone(), part.batch());
                async move { (batch.count(), self.deliver(batch, candidates, part.candidate, trail).await) }
            });
            for (count, result) in join_all(deliveries).await {
                joined.add(batch.signal(), count, result);
            }
            joined.result()
        })
    }

    /// Sends a batch to one endpoint, and fails over to others.
    async fn deliver(
        &self,
        batch: &Batch,
        candidates: &Candidates<Client>,
        index: usize,
        mut trail: Trail,
    ) -> ExportResult {
        let Some(endpoint) = candidates.endpoint(index) else {
            return Err(self.no_candidate(NoCandidate::None));
        };
        let lease = self.start(endpoint.clone());
        let result = endpoint.reach.attempt(batch).await;
        let now = self.clock.now();
        let outcome = outcome(&result, batch, lease.start, now);
        lease.end(outcome, now, &result);
        let Err(error) = result else { return result };
        let may_go_on = trail.tried.len() < self.limits.max_failovers
            && trail.until.is_none_or(|until| now < until)
            && is_for_others(&error);
        if !may_go_on {
            return Err(error);
        }
        trail.tried.push(endpoint.id);
        trail.last = Some(error);
        self.stats.failovers.fetch_add(1, Ordering::Relaxed);
        self.route(batch, trail).await
    }

    fn start(&self, endpoint: Arc<Endpoint<Client>>) -> Lease<'_> {
        let start = self.clock.now();
        let probes = self.set.lock().start(&endpoint, start);
        Lease { shared: self, endpoint, start, probes, ended: false }
    }

    /// Sets the delay of the balanced client in place of the delay of the endpoint that answered last. A batch that no
    /// endpoint could be reached for may be retried: the resolver may find others.
    fn with_own_delay(&self, error: ExportError) -> ExportError {
        match error.retry() {
            Retry::After(_) => {
                let wait = self.set.lock().throttled(self.clock.now());
                error.with_retry(wait.map_or(Retry::Backoff, Retry::After))
            }
            Retry::Never if error.kind() == ErrorKind::Unavailable => error.with_retry(Retry::Backoff),
            Retry::Backoff | Retry::Never => error,
        }
    }

    fn no_candidate(&self, reason: NoCandidate) -> ExportError {
        match reason {
            NoCandidate::Throttled(wait) => {
                self.stats.throttled_requests.fetch_add(1, Ordering::Relaxed);
                let message = "every endpoint has asked for a delay";
                ExportError::new(ErrorKind::Unavailable, Retry::After(wait), message)
            }
            NoCandidate::None => {
                let message = format!("the resolver `{}` has found no endpoint", self.stats.resolver);
                ExportError::new(ErrorKind::Unavailable, Retry::Backoff, message)
            }
        }
    }
}

// === impl Lease ===

impl Lease<'_> {
    fn end(mut self, outcome: Outcome, now: Instant, result: &ExportResult) {
        let throttle = match result {
            Err(error) => match error.retry() {
                Retry::After(delay) => Some(delay),
                Retry::Backoff | Retry::Never => None,
            },
            Ok(_) => None,
        };
        self.endpoint.stats.count(outcome, now.saturating_duration_since(self.start));
        self.ended = true;
        self.shared.set.lock().finish(&self.endpoint, now, outcome, throttle, self.probes);
    }
}

impl Drop for Lease<'_> {
    /// Ends the request without an outcome: the caller dropped the attempt.
    fn drop(&mut self) {
        if !self.ended {
            let now = self.shared.clock.now();
            self.shared.set.lock().finish(&self.endpoint, now, Outcome::Unknown, None, self.probes);
        }
    }
}

/// Derives from a result what the request says of its endpoint's health.
fn outcome(result: &ExportResult, batch: &Batch, start: Instant, now: Instant) -> Outcome {
    let Err(error) = result else { return Outcome::Answered };
    match (error.kind(), error.retry()) {
        // No retry reaches this endpoint before a setting changes, as with a certificate that is not trusted.
        (ErrorKind::Unavailable, Retry::Never) => Outcome::Failed,
        // An endpoint that can ask for time can be reached.
        (_, Retry::Never | Retry::After(_)) => Outcome::Answered,
        // A sender's short deadline says nothing about the endpoint; an endpoint that does not answer for a second does.
        (ErrorKind::Timeout, Retry::Backoff)
            if batch.deadline.is_some_and(|deadline| deadline <= now)
                && now.saturating_duration_since(start) < SILENCE =>
        {
            Outcome::Unknown
        }
        (ErrorKind::Cancelled | ErrorKind::Timeout | ErrorKind::Unavailable, Retry::Backoff) => {
            Outcome::Failed
        }
        (_, Retry::Backoff) => Outcome::Answered,
    }
}

/// True if another endpoint may accept a batch that failed with `error`. After a timeout no time is left.
fn is_for_others(error: &ExportError) -> bool {
    match error.kind() {
        ErrorKind::Timeout => false,
        ErrorKind::Unavailable => true,
        _ => error.retry().is_retryable(),
    }
}

/// An endpoint that leaves a request unanswered for this long until the sender's deadline has failed.
const SILENCE: Duration = Duration::from_secs(1);
/// Without a configured timeout: the Collector's default for gRPC.
const FAILOVER_TIME: Duration = Duration::from_secs(5);
