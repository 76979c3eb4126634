//! Telemetry of a shop of seven services: traces, the log records of their spans, the metrics of the services, profiles.
//!
//! A *moment* is what happens in the shop during one request's worth of telemetry: a list of calls. Spans, log records,
//! exemplars and profile samples of one moment are of the same calls, and so have the same trace ids. Moments are numbered,
//! and made of the seed and their number alone: the same seed makes the same telemetry, except for times, in any order and on
//! any number of threads.

mod calls;
mod data_points;
mod log_records;
mod random;
mod samples;
mod shop;
mod spans;

use calls::Call;
use otlp_protocol::encode::{
    Entries, LogRecords, Metrics, Profiles, RequestWriter, ResourceGroupWriter, ScopeGroupWriter, Spans,
};
use otlp_protocol::{Body, Signal};
use random::Random;
use shop::{SERVICES, Service};

/// Generator of requests.
pub(super) struct Generator {
    /// Signals to generate, in turn.
    signals: Vec<Signal>,
    /// Items of each request.
    items: usize,
    seed: u64,
    /// Nanoseconds since 1970 at which counters started.
    started: u64,
}

/// The calls between services of the shop from which one request of telemetry is generated.
struct Moment {
    /// Number of the moment.
    number: u64,
    /// Nanoseconds since 1970.
    now: u64,
    /// Nanoseconds since 1970 at which counters started.
    started: u64,
    seed: u64,
    calls: Vec<Call>,
    /// Items to write.
    items: usize,
}

// === impl Generator ===

impl Generator {
    /// Makes a generator of requests with `items` items. `started` is the time in nanoseconds since 1970 at which counters
    /// are zero.
    pub(super) fn new(signals: Vec<Signal>, items: usize, seed: u64, started: u64) -> Self {
        Self { signals, items: items.clamp(1, MAX_ITEMS), seed, started }
    }

    /// Makes a request; `number` counts the requests from 0. `now` is in nanoseconds since 1970.
    pub(super) fn request(&self, number: u64, now: u64) -> Body {
        let signals = self.signals.len().max(1) as u64;
        let turn = usize::try_from(number % signals).unwrap_or_default();
        let number = number / signals;
        let calls = calls::make(self.seed, number, self.items);
        let moment = Moment { number, now, started: self.started, seed: self.seed, calls, items: self.items };
        let signal = self.signals.get(turn);
        let write = WRITERS.iter().find(|(known, _)| Some(known) == signal).map(|(_, write)| write);
        write.map_or_else(|| spans::write(&moment), |write| write(&moment))
    }
}

// === impl Moment ===

impl Moment {
    /// Returns a random sequence for one use of the moment.
    fn random(&self, purpose: u64) -> Random {
        Random::new(&[self.seed, self.number, purpose])
    }

    /// Returns the value of a counter that grows by `step` a moment on average.
    fn counter(&self, step: u64, random: &mut Random) -> u64 {
        let step = step.max(1);
        // What is added stays below one step, so that a later moment never has a smaller value.
        self.number.saturating_add(1).saturating_mul(step).saturating_add(random.below(step))
    }

    /// Returns nanoseconds since 1970 of a time in a call.
    fn time(&self, before_now: u64) -> u64 {
        self.now.saturating_sub(before_now)
    }

    /// Returns the calls of a service.
    fn calls_of(&self, service: usize) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(move |call| call.service == service)
    }
}

/// Writes the resource of one instance of a service.
fn resource<E: Entries>(group: &mut ResourceGroupWriter<'_, E>, service: usize, instance: usize) {
    let Some(service) = SERVICES.get(service) else { return };
    let pod = format!("{}-{instance}", service.name);
    group.resource(|resource| {
        resource
            .attribute("service.name", service.name)
            .attribute("service.namespace", "shop")
            .attribute("service.version", service.version)
            .attribute("service.instance.id", &pod)
            .attribute("deployment.environment.name", "test")
            .attribute("k8s.pod.name", &pod)
            .attribute("telemetry.sdk.language", service.language)
            .attribute("telemetry.sdk.name", "opentelemetry")
            .attribute("telemetry.sdk.version", "1.40.0");
    });
}

/// Writes the group and the scope of each service that has calls in the moment; `write` writes the scope of a service, by its
/// index.
fn services<E: Entries>(
    request: &mut RequestWriter<'_, E>,
    moment: &Moment,
    mut write: impl FnMut(&mut ScopeGroupWriter<'_, E>, usize, &Service),
) {
    for (index, service) in SERVICES.iter().enumerate() {
        if moment.calls_of(index).next().is_some() {
            request.resource_group(|group| {
                resource(group, index, 0);
                group.scope_group(|scope| write(scope, index, service));
            });
        }
    }
}

/// Writes a request of a signal.
type Write = fn(&Moment) -> Body;

const WRITERS: [(Signal, Write); 4] = [
    (Spans::SIGNAL, spans::write),
    (LogRecords::SIGNAL, log_records::write),
    (Metrics::SIGNAL, data_points::write),
    (Profiles::SIGNAL, samples::write),
];
/// The most items of a request: about 40 MiB of spans.
pub(super) const MAX_ITEMS: usize = 100_000;

#[cfg(test)]
mod tests;
