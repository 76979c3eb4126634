//! Description of an instrument that is about to be made.

use super::aggregation::Aggregation;
use super::counter::Histogram;
use super::histogram::{DEFAULT_BOUNDARIES, are_valid};
use super::instrument::{Identity, Instrument, InstrumentKind, MetricScope};
use super::number::NumberKind;
use super::problem::MetricProblem;
use super::{HistogramAggregation, Meters};
use std::marker::PhantomData;
use std::sync::Arc;

/// Description of an instrument of type `I`: name, unit, description, scope. `build` makes the instrument.
#[derive(Debug)]
#[must_use = "`build` makes the instrument"]
pub struct InstrumentBuilder<'m, I> {
    meters: &'m Meters,
    name: Arc<str>,
    unit: Arc<str>,
    description: Arc<str>,
    scope: MetricScope,
    boundaries: Option<Arc<[f64]>>,
    of: PhantomData<fn() -> I>,
}

// === impl InstrumentBuilder ===

impl<'m, I> InstrumentBuilder<'m, I> {
    pub(in crate::client) fn new(meters: &'m Meters, name: &str) -> Self {
        let (unit, description) = (Arc::default(), Arc::default());
        Self {
            meters,
            name: name.into(),
            unit,
            description,
            scope: MetricScope::default(),
            boundaries: None,
            of: PhantomData,
        }
    }

    /// Sets the unit, in UCUM: `s`, `By`, `{request}`.
    pub fn unit(mut self, unit: &str) -> Self {
        self.unit = unit.into();
        self
    }

    /// Sets the description, in words.
    pub fn description(mut self, description: &str) -> Self {
        self.description = description.into();
        self
    }

    /// Sets the instrumentation scope: the library that measures.
    pub fn scope(mut self, scope: &MetricScope) -> Self {
        self.scope = scope.clone();
        self
    }

    pub(super) fn declare(
        self,
        kind: InstrumentKind,
        number: NumberKind,
        aggregation: Aggregation,
    ) -> Arc<Instrument> {
        let Self { meters, name, unit, description, scope, .. } = self;
        meters.declare(Identity { name, kind, number, unit, description }, scope, aggregation)
    }
}

impl<T> InstrumentBuilder<'_, Histogram<T>> {
    /// Sets the boundaries of the histogram's buckets: finite and ascending. A value that equals a boundary belongs to the bucket
    /// below. The default is the specification's: 0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000.
    ///
    /// Exponential histograms ([`HistogramAggregation`]) need no boundaries and ignore them.
    pub fn boundaries(mut self, boundaries: impl IntoIterator<Item = f64>) -> Self {
        let boundaries: Arc<[f64]> = boundaries.into_iter().take(super::MAX_BOUNDARIES + 1).collect();
        if are_valid(&boundaries) {
            self.boundaries = Some(boundaries);
        } else {
            self.meters.report(&MetricProblem::Boundaries { metric: Arc::clone(&self.name) });
        }
        self
    }

    pub(super) fn histogram_aggregation(&self) -> Aggregation {
        match self.meters.settings().histogram_aggregation {
            HistogramAggregation::Base2Exponential => Aggregation::Exponential,
            HistogramAggregation::ExplicitBuckets => {
                Aggregation::Explicit(self.boundaries.clone().unwrap_or_else(|| DEFAULT_BOUNDARIES.into()))
            }
        }
    }
}
