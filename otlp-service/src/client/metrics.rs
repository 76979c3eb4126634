//! Metrics: instruments, the aggregation of what they measure, and its collection as OTLP requests.
//!
//! A measurement is added to the cells of its series at once; nothing is queued. [`Meters::collect`] reads the cells. The cells of
//! counters and histograms exist several times, so that threads write to memory of their own (`shards`). From attributes to cells
//! each thread has a cache (`cache`); bound instruments skip that step.

mod aggregation;
mod attributes;
mod builder;
mod cache;
mod collect;
mod counter;
mod exponential;
mod given;
mod histogram;
mod instrument;
mod lost;
mod number;
mod observable;
mod problem;
mod registry;
mod series;
mod shards;
mod sum;

pub use attributes::Attributes;
pub use builder::InstrumentBuilder;
pub use counter::{
    BoundCounter, BoundGauge, BoundHistogram, BoundUpDownCounter, Counter, Gauge, Histogram, UpDownCounter,
};
pub use instrument::{InstrumentKind, MetricScope};
pub use lost::LostMeasurements;
pub use number::{Number, Signed, Unsigned};
pub use observable::{
    ObservableCallback, ObservableCounter, ObservableGauge, ObservableUpDownCounter, Observer,
};
pub use problem::MetricProblem;

use super::engine::fork;
use aggregation::Aggregation;
use histogram::MAX_BOUNDARIES;
use instrument::{Identity, Instrument, is_valid_name};
use lost::LostCounts;
use observable::MAX_CALLBACKS;
use parking_lot::Mutex;
use problem::Report;
use registry::{Declared, MAX_INSTRUMENTS, Registry};
use series::SeriesMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Makes instruments and collects what they measure. Clones share the instruments.
///
/// ```
/// use otlp_protocol::{Signal, view::RequestView};
/// use otlp_service::client::{MeterSettings, Meters};
///
/// let meters = Meters::new(MeterSettings::default(), 1_000, |problem| eprintln!("{problem}"));
/// let requests = meters.counter::<u64>("http.server.requests").unit("{request}").build();
/// requests.add(1, (("http.request.method", "GET"), ("http.response.status_code", 200)));
/// let bound = requests.bind([("http.request.method", "POST")]);
/// bound.add(2);
/// let queue = meters.observable_gauge::<i64>("queue.length").build();
/// queue.observe(|observer| observer.observe(17, ()));
///
/// let mut request = Vec::new();
/// assert_eq!(meters.collect(2_000, &[], "", &mut request), 3);
/// let names: Vec<&str> = RequestView::new(Signal::METRICS, &request).metrics().map(|metric| metric.name()).collect();
/// assert_eq!(names, ["http.server.requests", "queue.length"]);
/// ```
#[derive(Clone)]
pub struct Meters(Arc<Shared>);

struct Shared {
    settings: MeterSettings,
    start_unix_nanos: AtomicU64,
    /// Time of the previous collection.
    previous_unix_nanos: AtomicU64,
    registry: Mutex<Registry>,
    lost: Arc<LostCounts>,
    report: Report,
}

/// Settings of [`Meters`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MeterSettings {
    /// Time that points cover. Default [`TemporalityPreference::Cumulative`].
    pub temporality: TemporalityPreference,
    /// Aggregation of histograms. Default [`HistogramAggregation::ExplicitBuckets`].
    pub histogram_aggregation: HistogramAggregation,
    /// Most series of an instrument, with the overflow series. Default 2,000.
    ///
    /// With cumulative temporality an instrument keeps the series that it has. With delta temporality, series without measurements
    /// are removed and make room.
    pub cardinality_limit: usize,
}

/// Time that the points of sums and histograms cover; `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TemporalityPreference {
    /// `cumulative`: points count from the start.
    #[default]
    Cumulative,
    /// `delta`: points of counters, observable counters and histograms count from the previous collection; those of up-down counters
    /// from the start. Gauges without a value since the previous collection have no point.
    Delta,
    /// `lowmemory`: points of counters and histograms count from the previous collection; those of observable counters and up-down
    /// counters from the start.
    LowMemory,
}

/// Aggregation of histograms; `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HistogramAggregation {
    /// `base2_exponential_bucket_histogram`: up to 160 buckets for positive and for negative values, which adapt to the values.
    Base2Exponential,
    /// `explicit_bucket_histogram`: buckets between boundaries.
    #[default]
    ExplicitBuckets,
}

impl Default for MeterSettings {
    fn default() -> Self {
        Self {
            temporality: TemporalityPreference::default(),
            histogram_aggregation: HistogramAggregation::default(),
            cardinality_limit: 2_000,
        }
    }
}

/// Declares the methods that describe instruments: of a type of which an expression makes [`Meters`].
macro_rules! instruments {
    ($self:ident => $meters:expr) => {
        instruments! { @$self $meters;
            /// Describes a sum that only grows.
            counter: Counter<Unsigned>;
            /// Describes a last value.
            gauge: Gauge<Number>;
            /// Describes counts of values by range.
            histogram: Histogram<Unsigned>;
            /// Describes a sum that only grows and that callbacks give.
            observable_counter: ObservableCounter<Unsigned>;
            /// Describes a value that callbacks give.
            observable_gauge: ObservableGauge<Number>;
            /// Describes a sum that grows and shrinks and that callbacks give.
            observable_up_down_counter: ObservableUpDownCounter<Signed>;
            /// Describes a sum that grows and shrinks.
            up_down_counter: UpDownCounter<Signed>;
        }
    };
    (@$self:ident $meters:expr; $($(#[$doc:meta])* $method:ident: $instrument:ident<$number:ident>;)*) => { $(
        $(#[$doc])*
        pub fn $method<T: $crate::client::$number>(
            &$self,
            name: &str,
        ) -> $crate::client::InstrumentBuilder<'_, $crate::client::$instrument<T>> {
            $crate::client::InstrumentBuilder::new($meters, name)
        }
    )* };
}
pub(super) use instruments;

// === impl Meters ===

impl Meters {
    /// Makes meters. `start_unix_nanos` is the time from which on cumulative values count, in nanoseconds since 1970. `report` is
    /// called with each problem, on the thread that meets the problem.
    pub fn new(
        settings: MeterSettings,
        start_unix_nanos: u64,
        report: impl Fn(&MetricProblem) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            settings,
            start_unix_nanos: AtomicU64::new(start_unix_nanos),
            previous_unix_nanos: AtomicU64::new(start_unix_nanos),
            registry: Mutex::default(),
            lost: Arc::default(),
            report: Arc::new(report),
        }))
    }

    instruments!(self => self);

    /// Forgets all measurements: sums and histograms begin at zero and count from now on, gauges have no value. Instruments stay valid,
    /// bound ones too. For the child process after a fork: what the parent measured is the parent's to export.
    pub fn restart(&self, now_unix_nanos: u64) {
        let (instruments, ..) = self.begin_collection(now_unix_nanos);
        self.0.start_unix_nanos.store(now_unix_nanos, Ordering::Relaxed);
        for instrument in instruments {
            instrument.series.retain(|series| {
                let _forgotten = series.cells.read(instrument.identity.number, true);
                false
            });
        }
        cache::release();
    }

    /// Returns the measurements that were dropped so far.
    pub fn lost(&self) -> LostMeasurements {
        self.0.lost.read()
    }

    fn settings(&self) -> &MeterSettings {
        &self.0.settings
    }

    fn report(&self, problem: &MetricProblem) {
        (self.0.report)(problem);
    }

    /// Returns the instrument of this identity. A refused instrument is not exported, and what it measures is counted as lost.
    fn declare(&self, identity: Identity, scope: MetricScope, aggregation: Aggregation) -> Arc<Instrument> {
        if !is_valid_name(&identity.name) {
            self.report(&MetricProblem::InvalidName { metric: Arc::clone(&identity.name) });
            return self.refused(identity, scope);
        }
        let make = || self.instrument(identity.clone(), scope.clone(), aggregation);
        let Declared { instrument, problem } = match self.0.registry.try_lock_for(lock_wait()) {
            Some(mut registry) => registry.declare(&scope, &identity, make),
            None => Declared { instrument: None, problem: None },
        };
        if let Some(problem) = problem {
            self.report(&problem);
        }
        instrument.unwrap_or_else(|| self.refused(identity, scope))
    }

    fn refused(&self, identity: Identity, scope: MetricScope) -> Arc<Instrument> {
        let aggregation = Aggregation::Refused(Arc::clone(&self.0.lost));
        let mut instrument = self.instrument(identity, scope, aggregation);
        instrument.series = SeriesMap::new(1);
        Arc::new(instrument)
    }

    fn instrument(&self, identity: Identity, scope: MetricScope, aggregation: Aggregation) -> Instrument {
        Instrument {
            id: Instrument::next_id(),
            identity,
            scope,
            aggregation,
            series: SeriesMap::new(self.settings().cardinality_limit),
            callbacks: observable::Callbacks::default(),
            lost: Arc::clone(&self.0.lost),
            report: Arc::clone(&self.0.report),
        }
    }

    /// Returns all instruments, the start of cumulative values, and the start of delta values.
    fn begin_collection(&self, now_unix_nanos: u64) -> (Vec<Arc<Instrument>>, u64, u64) {
        let previous = self.0.previous_unix_nanos.swap(now_unix_nanos, Ordering::Relaxed);
        let start = self.0.start_unix_nanos.load(Ordering::Relaxed);
        let registry = self.0.registry.try_lock_for(lock_wait());
        (registry.map(|registry| registry.instruments()).unwrap_or_default(), start, previous)
    }
}

/// Returns the longest wait for a lock: in a child process, the holder may be a thread of the parent process.
fn lock_wait() -> Duration {
    if fork::count() == 0 { Duration::MAX } else { LOCK_WAIT_OF_CHILDREN }
}

/// Much longer than a thread holds a lock.
const LOCK_WAIT_OF_CHILDREN: Duration = Duration::from_millis(100);

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meters").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
