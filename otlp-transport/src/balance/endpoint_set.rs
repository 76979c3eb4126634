//! The known endpoints and their state: which endpoints are candidates, and how the end of a request changes that.
//!
//! No I/O and no clock: callers pass the time, and hold a short lock around each call.

use super::outlier::{EjectionConfig, EndpointHealth, Outcome};
use super::stats::EndpointStats;
use super::status::{EndpointState, EndpointStatus};
use super::{Candidate, hash_key};
use crate::ResolvedEndpoint;
use crate::log_limiter::LogLimiter;
use crate::user_info::without_secrets;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Endpoints, each with a `T` that sends requests to the endpoint.
#[derive(Debug)]
pub(super) struct EndpointSet<T> {
    members: Vec<Member<T>>,
    ejection: EjectionConfig,
}

/// An endpoint. Requests in flight keep the endpoint alive after it has left the set.
#[derive(Debug)]
pub(super) struct Endpoint<T> {
    pub(super) id: u64,
    pub(super) reach: T,
    pub(super) stats: Arc<EndpointStats>,
}

#[derive(Debug)]
struct Member<T> {
    resolved: ResolvedEndpoint,
    endpoint: Arc<Endpoint<T>>,
    health: EndpointHealth,
    /// End of the delay that the endpoint asked for.
    throttled_until: Option<Instant>,
    /// Log limit for ejections.
    ejections: LogLimiter,
}

/// The candidates at one moment.
#[derive(Debug)]
pub(super) struct Candidates<T> {
    pub(super) candidates: Vec<Candidate>,
    endpoints: Vec<Arc<Endpoint<T>>>,
}

/// Reason why there are no candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoCandidate {
    /// No endpoint is known, or every endpoint was tried.
    None,
    /// All endpoints asked for a delay; the shortest delay left is given.
    Throttled(Duration),
}

/// Effect of a new list of endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Update {
    /// True if the endpoints or their weights changed.
    pub(super) changed: bool,
    /// Number of endpoints left out.
    pub(super) left_out: u64,
}

// === impl EndpointSet ===

impl<T> EndpointSet<T> {
    pub(super) fn new(ejection: EjectionConfig) -> Self {
        Self { members: Vec::new(), ejection }
    }

    /// Replaces the endpoints by `resolved`, at most `max` of them. Endpoints that stay keep their state. `make` makes
    /// the `T` of a new endpoint; an endpoint for which `make` returns `None` is left out.
    pub(super) fn update(
        &mut self,
        resolved: Vec<ResolvedEndpoint>,
        max: usize,
        mut make: impl FnMut(&ResolvedEndpoint) -> Option<T>,
    ) -> Update {
        let mut update = Update::default();
        let mut before: Vec<_> = std::mem::take(&mut self.members).into_iter().map(Some).collect();
        for resolved in resolved {
            if self.members.iter().any(|member| member.resolved.address() == resolved.address()) {
                continue;
            }
            if self.members.len() == max {
                update.left_out += 1;
                continue;
            }
            let known = before
                .iter_mut()
                .find(|member| member.as_ref().is_some_and(|member| member.resolved.reaches_like(&resolved)))
                .and_then(Option::take);
            match known {
                Some(member) => {
                    update.changed |= member.resolved.weight != resolved.weight;
                    self.members.push(Member { resolved, ..member });
                }
                None => match make(&resolved) {
                    Some(reach) => {
                        update.changed = true;
                        self.members.push(Member::new(resolved, reach));
                    }
                    None => update.left_out += 1,
                },
            }
        }
        update.changed |= before.iter().any(Option::is_some);
        update
    }

    /// Returns the endpoints of `resolved` that are not in the set.
    pub(super) fn missing<'a>(&self, resolved: &'a [ResolvedEndpoint]) -> Vec<&'a ResolvedEndpoint> {
        let known =
            |resolved: &ResolvedEndpoint| self.members.iter().any(|s| s.resolved.reaches_like(resolved));
        resolved.iter().filter(|resolved| !known(resolved)).collect()
    }

    pub(super) fn stats(&self) -> Vec<Arc<EndpointStats>> {
        self.members.iter().map(|member| member.endpoint.stats.clone()).collect()
    }

    /// Returns the state of all endpoints.
    pub(super) fn status(&self, now: Instant) -> Vec<EndpointStatus> {
        self.members.iter().map(|member| member.status(now)).collect()
    }

    /// Returns the candidates, without the endpoints in `tried`. If every other endpoint is ejected, ejected endpoints
    /// are candidates.
    pub(super) fn candidates(&self, now: Instant, tried: &[u64]) -> Result<Candidates<T>, NoCandidate> {
        let mut wait = None::<Duration>;
        let mut chosen = Candidates { candidates: Vec::new(), endpoints: Vec::new() };
        for healthy_only in [true, false] {
            for member in self.members.iter().filter(|member| !tried.contains(&member.endpoint.id)) {
                match member.throttled(now) {
                    Some(left) => wait = Some(wait.map_or(left, |wait| wait.min(left))),
                    _ if healthy_only && !member.health.is_available(now) => {}
                    _ => chosen.push(member),
                }
            }
            if !chosen.candidates.is_empty() {
                return Ok(chosen);
            }
        }
        Err(wait.map_or(NoCandidate::None, NoCandidate::Throttled))
    }

    /// Returns the time until the first endpoint may be asked again, if every endpoint has asked for a delay.
    pub(super) fn throttled(&self, now: Instant) -> Option<Duration> {
        let waits: Option<Vec<_>> = self.members.iter().map(|member| member.throttled(now)).collect();
        waits?.into_iter().min()
    }

    /// Records the start of a request. Returns true if the request probes an ejected endpoint.
    pub(super) fn start(&mut self, endpoint: &Arc<Endpoint<T>>, now: Instant) -> bool {
        endpoint.stats.in_flight.fetch_add(1, Ordering::Relaxed);
        self.member(endpoint).is_some_and(|member| member.health.start(now))
    }

    /// Records the end of a request. `throttle` is the delay that the endpoint asked for.
    pub(super) fn finish(
        &mut self,
        endpoint: &Arc<Endpoint<T>>,
        now: Instant,
        outcome: Outcome,
        throttle: Option<Duration>,
        probed: bool,
    ) {
        endpoint.stats.in_flight.fetch_sub(1, Ordering::Relaxed);
        let failed = outcome == Outcome::Failed;
        let may_eject = failed && {
            let ejected = self.members.iter().filter(|member| member.health.is_ejected()).count();
            ejected < self.ejection.max_ejected(self.members.len())
        };
        let ejection = self.ejection.clone();
        let Some(member) = self.member(endpoint) else { return };
        if let Some(until) = throttle.and_then(|throttle| now.checked_add(throttle.min(MAX_THROTTLE))) {
            member.throttled_until = member.throttled_until.max(Some(until));
        }
        if member.health.finish(&ejection, now, outcome, probed, may_eject) {
            endpoint.stats.ejections.fetch_add(1, Ordering::Relaxed);
            if let Some(count) = member.ejections.add(1, now) {
                tracing::warn!(endpoint = endpoint.stats.endpoint, count, "endpoint ejected after failures");
            }
        }
    }

    fn member(&mut self, endpoint: &Arc<Endpoint<T>>) -> Option<&mut Member<T>> {
        self.members.iter_mut().find(|member| Arc::ptr_eq(&member.endpoint, endpoint))
    }
}

// === impl Member ===

impl<T> Member<T> {
    fn new(resolved: ResolvedEndpoint, reach: T) -> Self {
        let stats = Arc::new(EndpointStats::new(without_secrets(resolved.address())));
        let id = hash_key(resolved.address().as_bytes());
        let endpoint = Arc::new(Endpoint { id, reach, stats });
        let ejections = LogLimiter::every(LOG_INTERVAL);
        Self { resolved, endpoint, health: EndpointHealth::default(), throttled_until: None, ejections }
    }

    fn status(&self, now: Instant) -> EndpointStatus {
        let Endpoint { stats, .. } = &*self.endpoint;
        // A delay applies to an ejected endpoint, too, but the ejection says more.
        let state = match (self.health.status(now), self.throttled(now)) {
            (EndpointState::InUse, Some(left)) => EndpointState::Throttled(left),
            (state, _) => state,
        };
        let (endpoint, weight, stats) = (stats.endpoint.clone(), self.resolved.weight.max(1), stats.clone());
        EndpointStatus { endpoint, weight, state, stats }
    }

    /// Returns the time left of the delay that the endpoint asked for.
    fn throttled(&self, now: Instant) -> Option<Duration> {
        let left = self.throttled_until?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }
}

// === impl Candidates ===

impl<T> Candidates<T> {
    /// Returns the endpoint of the candidate at `index`.
    pub(super) fn endpoint(&self, index: usize) -> Option<&Arc<Endpoint<T>>> {
        self.endpoints.get(index)
    }

    fn push(&mut self, member: &Member<T>) {
        let Endpoint { id, stats, .. } = &*member.endpoint;
        let in_flight = stats.in_flight.load(Ordering::Relaxed);
        self.candidates.push(Candidate { id: *id, weight: member.resolved.weight.max(1), in_flight });
        self.endpoints.push(member.endpoint.clone());
    }
}

const LOG_INTERVAL: Duration = Duration::from_secs(60);
/// The longest delay respected, so that a wrong or hostile delay does not exclude an endpoint for good.
const MAX_THROTTLE: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests;
