//! What is counted, by name.

use super::instrument::{Buckets, Counter, Histogram};
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
