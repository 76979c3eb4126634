//! Counters and histograms, and the registry that shows them by name.

mod histogram;
mod kept;
mod source;

pub use histogram::Histogram;

pub(super) use histogram::{Distribution, histogram_samples};

use super::MetricsLevel;
use super::performance::{MeasuredPart, RequestStats};
use super::snapshot::{MetricFamily, MetricKind, PerformanceMetrics, Sample};
use kept::Kept;
use otlp_transport::{Clock, TokioClock};
use parking_lot::Mutex;
use source::{Source, summed};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::SystemTime;

/// All metrics of a gateway. Cloning shares it; only making components and taking snapshots lock it.
///
/// A metric is shown for as long as its owner lives: a [`Counter`] or [`Histogram`] until its last clone is dropped, any
/// other until its [`Registration`] is. Counters of the same name and labels are one counter, histograms likewise; of other
/// metrics with the same name and labels the sum is shown, and counters among these never fall when one of them goes. So a
/// component and its successor can be shown as one while the first still works.
#[derive(Clone)]
pub struct Registry {
    families: Arc<Mutex<Families>>,
    /// Level of the metrics that are registered through this handle.
    level: MetricsLevel,
    /// Time of the requests that are measured.
    clock: Arc<dyn Clock>,
    /// Time since when metrics count.
    created: SystemTime,
}

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

#[derive(Default)]
pub(super) struct Families {
    by_name: BTreeMap<String, Family>,
    last_id: u64,
    measured: Vec<MeasuredRequests>,
    /// Metrics whose owners are gone.
    kept: Kept,
}

/// The requests of a part of the gateway, for as long as the part lives.
struct MeasuredRequests {
    part: MeasuredPart,
    labels: Labels,
    stats: Weak<RequestStats>,
}

struct Family {
    help: &'static str,
    kind: MetricKind,
    /// Lowest level that shows the metric.
    level: MetricsLevel,
    series: Vec<Series>,
}

struct Series {
    id: u64,
    labels: Labels,
    source: Source,
    /// Last values of counters with the same labels that are gone.
    gone: f64,
    /// Of a counter or a histogram that others may share.
    shared: Weak<Registration>,
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
        let source = Source::Counter(Arc::default());
        match self.share(MetricKind::Counter, name.into(), help, labels, source) {
            (Source::Counter(value), registration) => Counter { value, _registration: Some(registration) },
            _ => Counter::default(),
        }
    }

    /// Shows a histogram. If one of the same name, labels and bounds is shown already, that one comes back.
    pub fn histogram(
        &self,
        name: impl Into<String>,
        help: &'static str,
        labels: &[(&'static str, &str)],
        histogram: Histogram,
    ) -> Histogram {
        let source = Source::Histogram(histogram.buckets.clone());
        match self.share(MetricKind::Histogram, name.into(), help, labels, source) {
            (Source::Histogram(buckets), registration) => {
                Histogram { buckets, _registration: Some(registration) }
            }
            _ => histogram,
        }
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

    /// Returns the same registry, in which metrics get this level: lower levels do not show the metrics. Without it, metrics are
    /// [`Basic`](MetricsLevel::Basic). A metric that is registered at several levels has the lowest.
    #[must_use]
    pub fn with_level(&self, level: MetricsLevel) -> Self {
        Self { level, ..self.clone() }
    }

    /// Returns the same registry, in which durations and throughput of requests are measured by this clock. Without it:
    /// [`TokioClock`].
    #[must_use]
    pub fn with_clock(&self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self.clone() }
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Returns the time at which the registry was made.
    pub(super) fn created(&self) -> SystemTime {
        self.created
    }

    /// All metrics as they stand.
    pub fn snapshot(&self) -> PerformanceMetrics {
        self.at_level(MetricsLevel::Detailed)
    }

    /// The metrics of this level and of the levels below, as they stand.
    pub fn at_level(&self, level: MetricsLevel) -> PerformanceMetrics {
        let (families, measured): (Vec<_>, Vec<_>) = {
            let families = self.families.lock();
            let shown = |(name, family): (&String, &Family)| {
                let series = family.series.iter().map(|series| {
                    let Series { labels, source, gone, .. } = series;
                    (labels.clone(), source.clone(), *gone)
                });
                (name.clone(), family.help, family.kind, series.collect::<Vec<_>>())
            };
            let is_shown = |(_, family): &(&String, &Family)| family.level <= level;
            let alive =
                |known: &MeasuredRequests| Some((known.part, known.id().to_owned(), known.stats.upgrade()?));
            let measured = families.measured.iter().filter_map(alive).collect();
            (families.by_name.iter().filter(is_shown).map(shown).collect(), measured)
        };
        let family = |(name, help, kind, series): (_, _, _, Vec<(Labels, Source, f64)>)| {
            let samples = series.into_iter().flat_map(|(labels, source, gone)| source.samples(labels, gone));
            MetricFamily { name, help, kind, samples: summed(samples.collect()) }
        };
        PerformanceMetrics {
            families: families.into_iter().map(family).collect(),
            measured: measured.into_iter().map(|(part, id, stats)| stats.read(part, &id)).collect(),
        }
    }

    /// Returns the requests of a part with these labels, of which the first has the part's id; made by `make` if nothing counts
    /// them yet, so that a part and its successor count together.
    pub(super) fn measure(
        &self,
        part: MeasuredPart,
        labels: &[(&'static str, &str)],
        make: impl FnOnce() -> RequestStats,
    ) -> Arc<RequestStats> {
        let labels = owned(labels);
        let known = self.families.lock().measured(part, &labels);
        if let Some(known) = known {
            return known;
        }
        let made = Arc::new(make());
        let mut families = self.families.lock();
        // Another thread may have made the same meanwhile.
        let known = families.measured(part, &labels);
        if known.is_none() {
            families.measured.retain(|known| known.stats.strong_count() > 0);
            families.measured.push(MeasuredRequests { part, labels, stats: Arc::downgrade(&made) });
        }
        // What was made takes the lock when it is dropped.
        drop(families);
        known.unwrap_or(made)
    }

    fn insert(
        &self,
        kind: MetricKind,
        name: String,
        help: &'static str,
        labels: &[(&'static str, &str)],
        source: Source,
    ) -> Registration {
        let mut families = self.families.lock();
        let id = families.push((kind, self.level), &name, help, owned(labels), source);
        Registration { families: Arc::downgrade(&self.families), name, id }
    }

    /// Shows `source`, or returns the one of the same kind that is shown under the name and the labels.
    fn share(
        &self,
        kind: MetricKind,
        name: String,
        help: &'static str,
        labels: &[(&'static str, &str)],
        source: Source,
    ) -> (Source, Arc<Registration>) {
        let labels = owned(labels);
        let mut families = self.families.lock();
        let known = families.by_name.get(&name).into_iter().flat_map(|family| &family.series);
        let mut same = known.filter(|series| series.labels == labels && series.source.is_alike(&source));
        if let Some(found) = same.find_map(|series| Some((series.source.clone(), series.shared.upgrade()?))) {
            return found;
        }
        let id = families.push((kind, self.level), &name, help, labels, source.clone());
        let registration = Arc::new(Registration { families: Arc::downgrade(&self.families), name, id });
        if let Some(series) = families.series(&registration) {
            series.shared = Arc::downgrade(&registration);
        }
        (source, registration)
    }
}

impl Default for Registry {
    fn default() -> Self {
        let (level, clock) = (MetricsLevel::Basic, Arc::new(TokioClock));
        Self { families: Arc::default(), level, created: clock.wall(), clock }
    }
}

fn owned(labels: &[(&'static str, &str)]) -> Labels {
    labels.iter().map(|&(key, value)| (key, value.to_owned())).collect()
}

// === impl Families ===

impl Families {
    fn push(
        &mut self,
        (kind, level): (MetricKind, MetricsLevel),
        name: &str,
        help: &'static str,
        labels: Labels,
        source: Source,
    ) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let family = Family { help, kind, level, series: Vec::new() };
        let family = self.by_name.entry(name.to_owned()).or_insert(family);
        family.level = family.level.min(level);
        family.series.push(Series { id, labels, source, gone: 0.0, shared: Weak::new() });
        id
    }

    fn measured(&self, part: MeasuredPart, labels: &Labels) -> Option<Arc<RequestStats>> {
        let mut same = self.measured.iter().filter(|known| known.part == part && known.labels == *labels);
        same.find_map(|known| known.stats.upgrade())
    }

    fn series(&mut self, registration: &Registration) -> Option<&mut Series> {
        let family = self.by_name.get_mut(&registration.name)?;
        family.series.iter_mut().find(|series| series.id == registration.id)
    }

    /// The source of a counter. `None` if the metric is of another kind.
    fn counter(&self, registration: &Registration) -> Option<Source> {
        let family = self.by_name.get(&registration.name)?;
        let series = family.series.iter().find(|series| series.id == registration.id)?;
        (family.kind == MetricKind::Counter).then(|| series.source.clone())
    }

    /// Takes a series out. What it had counted at last is added to another counter of the same labels.
    fn remove(&mut self, registration: &Registration, last: f64) -> Option<Series> {
        let family = self.by_name.get_mut(&registration.name)?;
        let place = family.series.iter().position(|series| series.id == registration.id)?;
        let removed = family.series.remove(place);
        if family.kind == MetricKind::Counter {
            let heir = family.series.iter_mut().find(|series| series.labels == removed.labels);
            if let Some(heir) = heir {
                heir.gone += removed.gone + last;
            }
        }
        if family.series.is_empty() {
            self.by_name.remove(&registration.name);
        }
        Some(removed)
    }
}

// === impl MeasuredRequests ===

impl MeasuredRequests {
    fn id(&self) -> &str {
        self.labels.first().map_or("", |(_, id)| id)
    }
}

// === impl Registration ===

impl Drop for Registration {
    fn drop(&mut self) {
        let Some(families) = self.families.upgrade() else { return };
        if families.lock().keep(self) {
            return;
        }
        let source = families.lock().counter(self);
        // Whoever reads may own further registrations, and so may what the series reads.
        let last = source.as_ref().map_or(0.0, Source::value);
        let removed = families.lock().remove(self, last);
        drop((source, removed));
    }
}

// === impl Counter ===

impl Counter {
    /// Adds to it.
    pub fn add(&self, amount: u64) {
        self.value.fetch_add(amount, Ordering::Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Families {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.by_name.keys()).finish()
    }
}
