//! Histograms with explicit boundaries.

use super::shards::Shards;
use parking_lot::Mutex;
use std::sync::Arc;

/// Counts of recorded values by range. A value that equals a boundary belongs to the range below the boundary.
#[derive(Debug)]
pub(super) struct ExplicitHistogram {
    bounds: Arc<[f64]>,
    shards: Shards<Mutex<Counts>>,
}

/// Values recorded by the threads of one shard since the last reset.
#[derive(Debug)]
struct Counts {
    lines: Box<[Line]>,
    summary: Summary,
}

/// Counts that share no cache line with those of another shard.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(128))]
struct Line([u64; COUNTS_PER_LINE]);

/// Sum and extremes of recorded values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) sum: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

/// Values of a histogram, to be exported.
#[derive(Debug, PartialEq)]
pub(super) struct Distribution {
    pub(super) bounds: Arc<[f64]>,
    pub(super) counts: Vec<u64>,
    pub(super) summary: Summary,
}

/// Most boundaries that a histogram may have.
pub(super) const MAX_BOUNDARIES: usize = 1_024;

/// Boundaries unless others are given, as the SDK specification has them.
pub(super) const DEFAULT_BOUNDARIES: [f64; 15] = [
    0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1_000.0, 2_500.0, 5_000.0, 7_500.0,
    10_000.0,
];

const COUNTS_PER_LINE: usize = 16;

// === impl ExplicitHistogram ===

impl ExplicitHistogram {
    /// A histogram with boundaries that [`are_valid`].
    pub(super) fn new(bounds: Arc<[f64]>) -> Self {
        let lines = (bounds.len() + 1).div_ceil(COUNTS_PER_LINE);
        let shards = Shards::new(|| Mutex::new(Counts::new(lines)));
        Self { bounds, shards }
    }

    #[inline]
    pub(super) fn record(&self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        let mut counts = self.shards.lock();
        counts.summary.add(value);
        counts.lines[bucket / COUNTS_PER_LINE].0[bucket % COUNTS_PER_LINE] += 1;
    }

    /// Returns the recorded values, and forgets them if `reset`; `None` if there are none.
    pub(super) fn read(&self, reset: bool) -> Option<Distribution> {
        let (mut counts, mut summary) = (vec![0; self.bounds.len() + 1], Summary::EMPTY);
        for mut shard in self.shards.lock_each() {
            summary.merge(shard.summary);
            let added = shard.lines.iter().flat_map(|line| line.0);
            counts.iter_mut().zip(added).for_each(|(count, added)| *count += added);
            if reset {
                shard.lines.fill(Line::default());
                shard.summary = Summary::EMPTY;
            }
        }
        let is_empty = counts.iter().all(|count| *count == 0);
        (!is_empty).then(|| Distribution { bounds: Arc::clone(&self.bounds), counts, summary })
    }
}

/// True if the boundaries ascend, are finite and are not too many.
pub(super) fn are_valid(boundaries: &[f64]) -> bool {
    let ascend = boundaries.is_sorted_by(|one, next| one < next);
    ascend && boundaries.iter().all(|bound| bound.is_finite()) && boundaries.len() <= MAX_BOUNDARIES
}

// === impl Counts ===

impl Counts {
    fn new(lines: usize) -> Self {
        Self { lines: vec![Line::default(); lines].into(), summary: Summary::EMPTY }
    }
}

// === impl Summary ===

impl Summary {
    pub(super) const EMPTY: Self = Self { sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };

    #[inline]
    pub(super) fn add(&mut self, value: f64) {
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}
