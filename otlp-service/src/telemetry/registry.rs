//! What is counted, by name.

use super::instrument::{Counter, Histogram};
use super::snapshot::{MetricFamily, MetricKind, PerformanceMetrics, Sample};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All metrics of a gateway. Cloning shares it; only making components and taking snapshots lock it.
#[derive(Clone, Default)]
pub struct Registry(Arc<Mutex<BTreeMap<String, Family>>>);

struct Family {
    help: &'static str,
    kind: MetricKind,
    series: Vec<Series>,
}

struct Series {
    labels: Labels,
    source: Source,
}

enum Source {
    Value(Box<dyn Fn() -> f64 + Send + Sync>),
    Histogram(Histogram),
    Samples(Box<dyn Fn() -> Vec<Sample> + Send + Sync>),
}

/// Labels of a series, in the order in which they are shown.
pub(super) type Labels = Vec<(&'static str, String)>;

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
        let counter = Counter::default();
        let shown = counter.clone();
        self.observe(MetricKind::Counter, name, help, labels, move || shown.get() as f64);
        counter
    }

    /// Shows a histogram.
    pub fn histogram(
        &self,
        name: impl Into<String>,
        help: &'static str,
        labels: &[(&'static str, &str)],
        histogram: Histogram,
    ) -> Histogram {
        self.insert(MetricKind::Histogram, name.into(), help, labels, Source::Histogram(histogram.clone()));
        histogram
    }

    /// A metric whose value is read when a snapshot is taken.
    pub fn observe(
        &self,
        kind: MetricKind,
        name: impl Into<String>,
        help: &'static str,
        labels: &[(&'static str, &str)],
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) {
        self.insert(kind, name.into(), help, labels, Source::Value(Box::new(read)));
    }

    /// A metric whose samples, labels included, are only known when a snapshot is taken. Whoever reads bounds them.
    pub fn observe_each(
        &self,
        kind: MetricKind,
        name: impl Into<String>,
        help: &'static str,
        read: impl Fn() -> Vec<Sample> + Send + Sync + 'static,
    ) {
        self.insert(kind, name.into(), help, &[], Source::Samples(Box::new(read)));
    }

    /// All metrics as they stand.
    pub fn snapshot(&self) -> PerformanceMetrics {
        let families = self.0.lock();
        let family = |(name, family): (&String, &Family)| MetricFamily {
            name: name.clone(),
            help: family.help,
            kind: family.kind,
            samples: family.series.iter().flat_map(Series::samples).collect(),
        };
        PerformanceMetrics { families: families.iter().map(family).collect() }
    }

    fn insert(
        &self,
        kind: MetricKind,
        name: String,
        help: &'static str,
        labels: &[(&'static str, &str)],
        source: Source,
    ) {
        let labels = labels.iter().map(|&(key, value)| (key, value.to_owned())).collect();
        let mut families = self.0.lock();
        let family = families.entry(name).or_insert(Family { help, kind, series: Vec::new() });
        family.series.push(Series { labels, source });
    }
}

impl Series {
    fn samples(&self) -> Vec<Sample> {
        match &self.source {
            Source::Value(read) => vec![Sample { suffix: "", labels: self.labels.clone(), value: read() }],
            Source::Histogram(histogram) => histogram.samples(&self.labels),
            Source::Samples(read) => read(),
        }
    }
}
