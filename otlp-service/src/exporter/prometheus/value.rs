//! Values of series, and how the next point of a series changes the value.

use super::exponential::Exponential;
use otlp_protocol::AggregationTemporality as Temporality;
use otlp_protocol::view::{self, HistogramPoint, Number, NumberPoint, SummaryPoint};

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Number(Number),
    Histogram(Box<Histogram>),
    Exponential(Box<Exponential>),
    Summary(Box<Summary>),
}

/// Counts in buckets of given bounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Histogram {
    pub(super) count: u64,
    pub(super) sum: f64,
    /// Upper bounds.
    pub(super) bounds: Box<[f64]>,
    /// One more than bounds.
    pub(super) counts: Box<[u64]>,
}

/// Quantiles.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Summary {
    pub(super) count: u64,
    pub(super) sum: f64,
    /// Quantiles and values, sorted.
    pub(super) quantiles: Box<[(f64, f64)]>,
}

/// A measured value that stands for others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Exemplar {
    pub(super) value: f64,
    /// In nanoseconds since 1970.
    pub(super) time: u64,
    pub(super) trace_id: Option<[u8; 16]>,
    pub(super) span_id: Option<[u8; 8]>,
}

/// A point of a metric, as far as a series keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) value: Value,
    /// In nanoseconds since 1970; 0: unknown.
    pub(super) start: u64,
    /// In nanoseconds since 1970.
    pub(super) time: u64,
    pub(super) exemplars: Box<[Exemplar]>,
}

/// What becomes of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The series has its value.
    Taken,
    /// The series has a later value.
    Old,
    /// A delta that begins before the end of the one before: it would be counted twice.
    Overlapping,
}

// === impl Point ===

impl Point {
    pub(super) fn of_number(point: NumberPoint<'_>) -> Self {
        Self {
            value: Value::Number(point.value()),
            start: point.start_time_unix_nano(),
            time: point.time_unix_nano(),
            exemplars: exemplars(point.exemplars()),
        }
    }

    pub(super) fn of_histogram(point: HistogramPoint<'_>) -> Self {
        let histogram = Histogram {
            count: point.count(),
            sum: point.sum().unwrap_or_default(),
            bounds: point.explicit_bounds().collect(),
            counts: point.bucket_counts().collect(),
        };
        Self {
            value: Value::Histogram(Box::new(histogram)),
            start: point.start_time_unix_nano(),
            time: point.time_unix_nano(),
            exemplars: exemplars(point.exemplars()),
        }
    }

    pub(super) fn of_exponential(point: view::ExponentialHistogramPoint<'_>) -> Self {
        Self {
            value: Value::Exponential(Box::new(Exponential::of(point))),
            start: point.start_time_unix_nano(),
            time: point.time_unix_nano(),
            exemplars: exemplars(point.exemplars()),
        }
    }

    pub(super) fn of_summary(point: SummaryPoint<'_>) -> Self {
        let mut quantiles: Vec<_> =
            point.quantile_values().map(|quantile| (quantile.quantile(), quantile.value())).collect();
        quantiles.sort_by(|one, other| one.0.total_cmp(&other.0));
        quantiles.dedup_by_key(|(quantile, _)| quantile.to_bits());
        let summary = Summary { count: point.count(), sum: point.sum(), quantiles: quantiles.into() };
        Self {
            value: Value::Summary(Box::new(summary)),
            start: point.start_time_unix_nano(),
            time: point.time_unix_nano(),
            exemplars: Box::default(),
        }
    }

    /// Takes the next point of the series.
    ///
    /// A delta is added if it begins where the last point ended. Another delta of a number replaces the value, as a counter that
    /// began anew. Another delta of a histogram does so if it begins later, and is refused if it does not.
    pub(super) fn take(&mut self, next: Self, temporality: Temporality) -> Outcome {
        let is_delta = temporality == Temporality::Delta;
        let is_next = next.start == self.time;
        match (&mut self.value, &next.value) {
            (Value::Number(_), Value::Number(_)) | (Value::Summary(_), _) if next.time < self.time => {
                return Outcome::Old;
            }
            (Value::Number(all), Value::Number(delta)) if is_delta && is_next => {
                *all = sum(*all, *delta);
            }
            (Value::Histogram(all), Value::Histogram(delta)) if is_delta && is_next => all.add(delta),
            (Value::Exponential(all), Value::Exponential(delta)) if is_delta && is_next => all.add(delta),
            (Value::Histogram(_), Value::Histogram(_)) | (Value::Exponential(_), Value::Exponential(_))
                if is_delta && next.start <= self.time =>
            {
                return Outcome::Overlapping;
            }
            (Value::Histogram(_), Value::Histogram(_)) | (Value::Exponential(_), Value::Exponential(_))
                if !is_delta && next.time < self.time =>
            {
                return Outcome::Old;
            }
            _ => {
                *self = next;
                return Outcome::Taken;
            }
        }
        self.time = next.time.max(self.time);
        self.exemplars = next.exemplars;
        Outcome::Taken
    }
}

// === impl Histogram ===

impl Histogram {
    /// Adds counts of the same bounds; counts of other bounds replace these.
    fn add(&mut self, delta: &Self) {
        if self.bounds != delta.bounds || self.counts.len() != delta.counts.len() {
            *self = delta.clone();
            return;
        }
        self.count = self.count.saturating_add(delta.count);
        self.sum += delta.sum;
        self.counts.iter_mut().zip(&delta.counts).for_each(|(all, more)| *all = all.saturating_add(*more));
    }

    /// Iterates over all buckets, the last of which has no bound: upper bounds, counts of all values up to the bound, and the last
    /// exemplar between this bound and the one before.
    pub(super) fn buckets<'a>(
        &'a self,
        exemplars: &'a [Exemplar],
    ) -> impl Iterator<Item = (f64, u64, Option<&'a Exemplar>)> {
        let bounded = self.cumulative().filter(|(bound, _)| *bound < f64::INFINITY);
        let mut below = f64::NEG_INFINITY;
        bounded.chain([(f64::INFINITY, self.count)]).map(move |(bound, count)| {
            let in_bucket = |exemplar: &&Exemplar| exemplar.value <= bound && exemplar.value > below;
            let exemplar = exemplars.iter().rev().find(in_bucket);
            below = bound;
            (bound, count, exemplar)
        })
    }

    /// Iterates over the buckets that have a bound: upper bounds, and counts of all values up to it.
    fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let counts = self.counts.iter().scan(0_u64, |all, count| {
            *all = all.saturating_add(*count);
            Some(*all)
        });
        // Without counts, all are 0.
        self.bounds.iter().copied().zip(counts.chain(std::iter::repeat(0)))
    }
}

// === impl Exemplar ===

impl Exemplar {
    /// Iterates over the labels of the exemplar: names, and ids in hex.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&'static str, String)> {
        let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect();
        let span = self.span_id.map(|id| ("span_id", hex(&id)));
        span.into_iter().chain(self.trace_id.map(|id| ("trace_id", hex(&id))))
    }
}

/// Returns a number as Prometheus has numbers.
pub(super) fn double(number: Number) -> f64 {
    match number {
        Number::Double(value) => value,
        Number::Int(value) => value as f64,
        _ => 0.0,
    }
}

fn sum(one: Number, other: Number) -> Number {
    match (one, other) {
        (Number::Int(one), Number::Int(other)) => Number::Int(one.saturating_add(other)),
        (one, other) => Number::Double(double(one) + double(other)),
    }
}

fn exemplars<'a>(exemplars: impl Iterator<Item = view::Exemplar<'a>>) -> Box<[Exemplar]> {
    let kept = exemplars.map(|exemplar| Exemplar {
        value: double(exemplar.value()),
        time: exemplar.time_unix_nano(),
        trace_id: exemplar.trace_id().copied(),
        span_id: exemplar.span_id().copied(),
    });
    kept.take(MAX_EXEMPLARS).collect()
}

/// Of a point; a page has one of a bucket.
const MAX_EXEMPLARS: usize = 32;

#[cfg(test)]
mod tests;
