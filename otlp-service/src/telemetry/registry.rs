//! What is counted with, and by which name it is shown.

use super::snapshot::{MetricFamily, MetricKind, PerformanceMetrics, Sample};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// All metrics of a gateway. Cloning shares it; only making components and taking snapshots lock it.
///
/// A metric is shown for as long as its owner lives: a [`Counter`] or [`Histogram`] until its last clone is dropped, any
/// other until its [`Registration`] is.
#[derive(Clone, Default)]
pub struct Registry(Arc<Mutex<Families>>);

/// Keeps a metric in a [`Registry`]: dropping it removes the metric.
#[must_use = "dropping it removes the metric"]
#[derive(Debug)]
pub struct Registration {
    families: Weak<Mutex<Families>>,
    name: String,
    id: u64,
}

/// A number that only grows. Cloning shares it; a counter of a [`Registry`] is shown until its last clone
/// is dropped.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    value: Arc<AtomicU64>,
    _registration: Option<Arc<Registration>>,
}

/// How often values fell into which range, and their exact sum. Cloning shares it; a histogram of a
/// [`Registry`] is shown until its last clone is dropped.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: Arc<Buckets>,
    _registration: Option<Arc<Registration>>,
}

#[derive(Debug)]
struct Buckets {
    bounds: &'static [u64],
    /// A value of this much is shown as 1.
    unit: u64,
    /// One for each bound, and one for what is above the last.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

#[derive(Default)]
pub(super) struct Families {
    by_name: BTreeMap<String, Family>,
    last_id: u64,
}

struct Family {
    help: &'static str,
    kind: MetricKind,
    series: Vec<Series>,
}

struct Series {
    id: u64,
    labels: Labels,
    source: Source,
}

/// Sources are read without the registry's lock: whoever reads may drop the last holder of another metric.
#[derive(Clone)]
enum Source {
    Value(Arc<dyn Fn() -> f64 + Send + Sync>),
    Histogram(Arc<Buckets>),
    Samples(Arc<dyn Fn() -> Vec<Sample> + Send + Sync>),
}

/// Labels of a series, in the order in which they are shown.
pub(super) type Labels = Vec<(&'static str, String)>;

// === impl Registry ===

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new counter.
    pub fn counter(
        &self,
        name: impl Into<String>,
        help: &'static str,
        labels: &[(&'static str, &str)],
    ) -> Counter {
        let value = Arc::new(AtomicU64::new(0));
        let shown = value.clone();
        let read = move || shown.load(Ordering::Relaxed) as f64;
        let registration = self.observe(MetricKind::Counter, name, help, labels, read);
        Counter::registered(value, registration)
    }

    /// Shows a histogram.
    pub fn histogram(
        &self,
        name: impl Into<String>,
        help: &'static str,
        labels: &[(&'static str, &str)],
        histogram: Histogram,
    ) -> Histogram {
        let source = Source::Histogram(histogram.buckets());
        let registration = self.insert(MetricKind::Histogram, name.into(), help, labels, source);
        histogram.registered(registration)
    }

    /// A metric whose value is read when a snapshot is taken.
    pub fn observe(
        &self,
        kind: MetricKind,
        name: impl Into<String>,
        help: &'static str,
        labels: &[(&'static str, &str)],
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Registration {
        self.insert(kind, name.into(), help, labels, Source::Value(Arc::new(read)))
    }

    /// A metric whose samples, labels included, are only known when a snapshot is taken. Whoever reads bounds them.
    pub fn observe_each(
        &self,
        kind: MetricKind,
        name: impl Into<String>,
        help: &'static str,
        read: impl Fn() -> Vec<Sample> + Send + Sync + 'static,
    ) -> Registration {
        self.insert(kind, name.into(), help, &[], Source::Samples(Arc::new(read)))
    }

    /// All metrics as they stand.
    pub fn snapshot(&self) -> PerformanceMetrics {
        let families: Vec<_> = {
            let families = self.0.lock();
            let shown = |(name, family): (&String, &Family)| {
                let series =
                    family.series.iter().map(|series| (series.labels.clone(), series.source.clone()));
                (name.clone(), family.help, family.kind, series.collect::<Vec<_>>())
            };
            families.by_name.iter().map(shown).collect()
        };
        let family = |(name, help, kind, series): (_, _, _, Vec<(Labels, Source)>)| MetricFamily {
            name,
            help,
            kind,
            samples: series.into_iter().flat_map(|(labels, source)| source.samples(labels)).collect(),
        };
        PerformanceMetrics { families: families.into_iter().map(family).collect() }
    }

    fn insert(
        &self,
        kind: MetricKind,
        name: String,
        help: &'static str,
        labels: &[(&'static str, &str)],
        source: Source,
    ) -> Registration {
        let labels = labels.iter().map(|&(key, value)| (key, value.to_owned())).collect();
        let mut families = self.0.lock();
        families.last_id += 1;
        let id = families.last_id;
        let family = Family { help, kind, series: Vec::new() };
        let family = families.by_name.entry(name.clone()).or_insert(family);
        family.series.push(Series { id, labels, source });
        Registration { families: Arc::downgrade(&self.0), name, id }
    }
}

// === impl Registration ===

impl Drop for Registration {
    fn drop(&mut self) {
        let Some(families) = self.families.upgrade() else { return };
        let mut families = families.lock();
        let Some(family) = families.by_name.get_mut(&self.name) else { return };
        let Some(place) = family.series.iter().position(|series| series.id == self.id) else { return };
        let removed = family.series.remove(place);
        if family.series.is_empty() {
            families.by_name.remove(&self.name);
        }
        // What the series reads may own further registrations.
        drop(families);
        drop(removed);
    }
}

// === impl Counter ===

impl Counter {
    fn registered(value: Arc<AtomicU64>, registration: Registration) -> Self {
        Self { value, _registration: Some(Arc::new(registration)) }
    }

    /// Adds to it.
    pub fn add(&self, amount: u64) {
        self.value.fetch_add(amount, Ordering::Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }
}

// === impl Histogram ===

impl Histogram {
    /// A histogram of ranges that end at `bounds`, ascending and inclusive.
    pub fn new(bounds: &'static [u64]) -> Self {
        Self::in_units(bounds, 1)
    }

    /// The same of values, and bounds, that are shown divided by `unit`, which is not 0: 1000 of milliseconds that are
    /// shown in seconds.
    pub fn in_units(bounds: &'static [u64], unit: u64) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        let buckets = Arc::new(Buckets { bounds, unit: unit.max(1), counts, sum: AtomicU64::new(0) });
        Self { buckets, _registration: None }
    }

    /// Counts a value.
    pub fn record(&self, value: u64) {
        let bucket = self.buckets.bounds.partition_point(|&bound| bound < value);
        self.buckets.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.buckets.sum.fetch_add(value, Ordering::Relaxed);
    }

    fn buckets(&self) -> Arc<Buckets> {
        self.buckets.clone()
    }

    fn registered(self, registration: Registration) -> Self {
        Self { _registration: Some(Arc::new(registration)), ..self }
    }
}

// === impl Buckets ===

impl Buckets {
    fn samples(&self, labels: &[(&'static str, String)]) -> Vec<Sample> {
        let Self { bounds, unit, counts, sum } = self;
        histogram_samples(labels, bounds, *unit, counts, sum)
    }
}

impl Default for Histogram {
    /// One range for everything.
    fn default() -> Self {
        Self::new(&[])
    }
}

impl fmt::Debug for Families {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.by_name.keys()).finish()
    }
}

impl Source {
    fn samples(&self, labels: Labels) -> Vec<Sample> {
        match self {
            Self::Value(read) => vec![Sample { suffix: "", labels, value: read() }],
            Self::Histogram(buckets) => buckets.samples(&labels),
            Self::Samples(read) => read(),
        }
    }
}

/// The samples of Prometheus' histogram: cumulative buckets, sum, count.
pub(super) fn histogram_samples(
    labels: &[(&'static str, String)],
    bounds: &[u64],
    unit: u64,
    counts: &[AtomicU64],
    sum: &AtomicU64,
) -> Vec<Sample> {
    let shown = |value: u64| value as f64 / unit as f64;
    let sample = |suffix, bound: Option<String>, value| {
        let bound = bound.map(|bound| ("le", bound));
        Sample { suffix, labels: labels.iter().cloned().chain(bound).collect(), value }
    };
    let bounds = bounds.iter().map(|&bound| shown(bound).to_string()).chain(["+Inf".into()]);
    let mut total = 0;
    let mut samples = Vec::with_capacity(counts.len() + 2);
    for (count, bound) in counts.iter().zip(bounds) {
        total += count.load(Ordering::Relaxed);
        samples.push(sample("_bucket", Some(bound), total as f64));
    }
    samples.push(sample("_sum", None, shown(sum.load(Ordering::Relaxed))));
    samples.push(sample("_count", None, total as f64));
    samples
}
