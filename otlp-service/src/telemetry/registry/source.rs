//! Sources of the values of a registry's metrics.

use super::Labels;
use super::histogram::Buckets;
use crate::telemetry::Sample;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source is read without the registry's lock: whoever reads may drop the last holder of another metric.
#[derive(Clone)]
pub(super) enum Source {
    Counter(Arc<AtomicU64>),
    Value(Arc<dyn Fn() -> f64 + Send + Sync>),
    Histogram(Arc<Buckets>),
    Samples(Arc<dyn Fn() -> Vec<Sample> + Send + Sync>),
}

// === impl Source ===

impl Source {
    /// True if the two may be one metric.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Counter(_), Self::Counter(_)) => true,
            (Self::Histogram(one), Self::Histogram(other)) => {
                one.bounds == other.bounds && one.unit == other.unit && one.fine == other.fine
            }
            _ => false,
        }
    }

    /// The value of a single number; 0 of anything else.
    pub(super) fn value(&self) -> f64 {
        match self {
            Self::Counter(value) => value.load(Ordering::Relaxed) as f64,
            Self::Value(read) => read(),
            Self::Histogram(_) | Self::Samples(_) => 0.0,
        }
    }

    /// `gone` is added to a single number.
    pub(super) fn samples(&self, labels: Labels, gone: f64) -> Vec<Sample> {
        match self {
            Self::Counter(_) | Self::Value(_) => {
                vec![Sample { suffix: "", labels, value: self.value() + gone }]
            }
            Self::Histogram(buckets) => buckets.samples(&labels),
            Self::Samples(read) => read(),
        }
    }
}

/// Adds up samples of the same labels.
pub(super) fn summed(samples: Vec<Sample>) -> Vec<Sample> {
    let mut places: HashMap<_, usize> = HashMap::with_capacity(samples.len());
    let mut all: Vec<Sample> = Vec::with_capacity(samples.len());
    for sample in samples {
        match places.entry((sample.suffix, sample.labels.clone())) {
            Entry::Occupied(place) => all[*place.get()].value += sample.value,
            Entry::Vacant(place) => {
                place.insert(all.len());
                all.push(sample);
            }
        }
    }
    all
}
