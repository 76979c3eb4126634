//! Outlier ejection: an endpoint that fails gets no requests for a while, and then one probing request.
//!
//! No I/O and no clock: callers pass the time. Only failures of the endpoint count (unreachable, no answer in time), not
//! refusals of a request.

use super::status::EndpointState;
use std::time::{Duration, Instant};

/// Settings of ejection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EjectionConfig {
    /// Consecutive failures that eject an endpoint. 0: only `failure_ratio` ejects. Default 5.
    pub consecutive_failures: u32,
    /// Share of failed requests within a window that ejects an endpoint, 0 to 1. Default 0.5.
    pub failure_ratio: f64,
    /// Requests in a window below which `failure_ratio` does not apply. Default 20.
    pub min_requests: u32,
    /// Length of a window. Default 10 s.
    pub window: Duration,
    /// Duration of the first ejection; each further ejection takes twice as long. Default 5 s.
    pub base_time: Duration,
    /// The longest ejection, at most a day. Default 60 s.
    pub max_time: Duration,
    /// Share of the endpoints that may be ejected at a time, in percent, rounded down; never all. Default 50.
    pub max_percent: u32,
}

/// Outcome of a request for the endpoint's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The endpoint answered, with success or refusal.
    Answered,
    /// The endpoint could not be reached, or did not answer in time.
    Failed,
    /// Unknown: the request was dropped, or ended by the sender's deadline.
    Unknown,
}

/// Health of one endpoint.
#[derive(Debug, Default)]
pub(super) struct EndpointHealth {
    state: State,
    consecutive: u32,
    window: Window,
    /// Consecutive ejections: each soon after the end of the one before.
    ejections: u32,
    returned: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Healthy,
    Ejected {
        until: Instant,
    },
    /// One probing request is in flight.
    Probing,
}

#[derive(Debug, Default)]
struct Window {
    end: Option<Instant>,
    requests: u32,
    failures: u32,
}

// === impl EndpointHealth ===

impl EndpointHealth {
    /// True if the endpoint may get requests: the endpoint is healthy, or its ejection is over and no probe is in flight.
    pub(super) fn is_available(&self, now: Instant) -> bool {
        match self.state {
            State::Healthy => true,
            State::Ejected { until } => until <= now,
            State::Probing => false,
        }
    }

    /// Returns the time left of the ejection, or that a request probes the endpoint.
    pub(super) fn status(&self, now: Instant) -> EndpointState {
        match self.state {
            State::Healthy => EndpointState::InUse,
            State::Ejected { until } => EndpointState::Ejected(until.saturating_duration_since(now)),
            State::Probing => EndpointState::Probing,
        }
    }

    /// True if the endpoint counts as ejected.
    pub(super) fn is_ejected(&self) -> bool {
        self.state != State::Healthy
    }

    /// Records the start of a request. Returns true if the request is the probe.
    pub(super) fn start(&mut self, now: Instant) -> bool {
        let probes = self.is_ejected() && self.is_available(now);
        if probes {
            self.state = State::Probing;
        }
        probes
    }

    /// Records the end of a request. Returns true if the endpoint is ejected now, which only happens if `may_eject`.
    pub(super) fn finish(
        &mut self,
        config: &EjectionConfig,
        now: Instant,
        outcome: Outcome,
        probed: bool,
        may_eject: bool,
    ) -> bool {
        match (self.state, outcome) {
            (State::Probing, Outcome::Answered) if probed => {
                *self = Self { ejections: self.ejections, returned: Some(now), ..Self::default() };
                false
            }
            (State::Probing, Outcome::Failed) if probed => self.eject(config, now),
            // The probe ended without an outcome: the next request probes again.
            (State::Probing, Outcome::Unknown) if probed => {
                self.state = State::Ejected { until: now };
                false
            }
            // A request that started before the ejection changes nothing.
            (State::Probing | State::Ejected { .. }, _) | (State::Healthy, Outcome::Unknown) => false,
            (State::Healthy, _) => self.count(config, now, outcome == Outcome::Failed, may_eject),
        }
    }

    fn count(&mut self, config: &EjectionConfig, now: Instant, failed: bool, may_eject: bool) -> bool {
        self.window.count(config, now, failed);
        self.consecutive = if failed { self.consecutive.saturating_add(1) } else { 0 };
        let in_a_row = config.consecutive_failures > 0 && self.consecutive >= config.consecutive_failures;
        failed && may_eject && (in_a_row || self.window.is_bad(config)) && self.eject(config, now)
    }

    fn eject(&mut self, config: &EjectionConfig, now: Instant) -> bool {
        let length = |ejections: u32| {
            config
                .base_time
                .saturating_mul(1 << ejections.min(MAX_DOUBLINGS))
                .min(config.max_time)
                .min(MAX_TIME)
        };
        // An endpoint that stayed healthy for twice as long as its last ejection begins anew.
        let recovered = self.returned.is_some_and(|returned| {
            now.saturating_duration_since(returned) > 2 * length(self.ejections.saturating_sub(1))
        });
        let ejections = if recovered { 0 } else { self.ejections };
        *self = Self {
            state: State::Ejected { until: now + length(ejections) },
            ejections: ejections.saturating_add(1),
            ..Self::default()
        };
        true
    }
}

// === impl Window ===

impl Window {
    fn count(&mut self, config: &EjectionConfig, now: Instant, failed: bool) {
        if self.end.is_none_or(|end| end <= now) {
            *self = Self { end: now.checked_add(config.window), ..Self::default() };
        }
        self.requests = self.requests.saturating_add(1);
        self.failures = self.failures.saturating_add(u32::from(failed));
    }

    fn is_bad(&self, config: &EjectionConfig) -> bool {
        self.requests >= config.min_requests
            && f64::from(self.failures) >= config.failure_ratio * f64::from(self.requests)
    }
}

// === impl EjectionConfig ===

impl EjectionConfig {
    /// Returns the number of endpoints that may be ejected at a time, out of `endpoints`.
    pub(super) fn max_ejected(&self, endpoints: usize) -> usize {
        let share = endpoints * self.max_percent.min(100) as usize / 100;
        share.min(endpoints.saturating_sub(1))
    }
}

impl Default for EjectionConfig {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            failure_ratio: 0.5,
            min_requests: 20,
            window: Duration::from_secs(10),
            base_time: Duration::from_secs(5),
            max_time: Duration::from_secs(60),
            max_percent: 50,
        }
    }
}

/// Keeps the factor from overflowing; `max_time` is reached far earlier.
const MAX_DOUBLINGS: u32 = 16;
/// Upper bound of `max_time`, so that the time can be added to an instant.
const MAX_TIME: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests;
