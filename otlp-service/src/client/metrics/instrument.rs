//! Instruments: identity, aggregation, series.

use super::aggregation::Aggregation;
use super::attributes::AttributeSet;
use super::lost::LostCounts;
use super::number::{Number, NumberKind};
use super::observable::Callbacks;
use super::problem::{MetricProblem, Report};
use super::series::{Found, Series, SeriesMap};
use crate::client::engine::{begin_anew, fork};
use std::fmt;
use std::panic::RefUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An instrument that a program has made.
pub(super) struct Instrument {
    /// Number of the instrument in this process.
    pub(super) id: u64,
    pub(super) identity: Identity,
    pub(super) scope: MetricScope,
    pub(super) aggregation: Aggregation,
    pub(super) series: SeriesMap,
    /// Sources of an observable instrument; without any in others.
    pub(super) callbacks: Callbacks,
    pub(super) lost: Arc<LostCounts>,
    pub(super) report: Report,
}

/// Properties that tell instruments of one scope apart. Names are compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) name: Arc<str>,
    pub(super) kind: InstrumentKind,
    pub(super) number: NumberKind,
    pub(super) unit: Arc<str>,
    pub(super) description: Arc<str>,
}

/// Kind of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InstrumentKind {
    /// [`Counter`](super::Counter).
    Counter,
    /// [`Gauge`](super::Gauge).
    Gauge,
    /// [`Histogram`](super::Histogram).
    Histogram,
    /// [`ObservableCounter`](super::ObservableCounter).
    ObservableCounter,
    /// [`ObservableGauge`](super::ObservableGauge).
    ObservableGauge,
    /// [`ObservableUpDownCounter`](super::ObservableUpDownCounter).
    ObservableUpDownCounter,
    /// [`UpDownCounter`](super::UpDownCounter).
    UpDownCounter,
}

/// Instrumentation scope of instruments. The default is a scope without a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MetricScope {
    /// An encoded `InstrumentationScope`, as [`ScopeWriter`](otlp_protocol::encode::ScopeWriter) writes it.
    pub message: Arc<[u8]>,
    /// Schema URL of the scope's metrics.
    pub schema_url: Arc<str>,
}

/// Longest name of an instrument, in characters.
const MAX_NAME_LEN: usize = 255;

// === impl Instrument ===

impl Instrument {
    /// Returns the series of the attributes.
    pub(super) fn find(&self, attributes: AttributeSet) -> Arc<Series> {
        let Found { series, overflows } = self.series.get(attributes, || self.aggregation.cells());
        if overflows && !matches!(self.aggregation, Aggregation::Refused(_)) {
            (self.report)(&MetricProblem::CardinalityLimit { metric: Arc::clone(&self.identity.name) });
        }
        series
    }

    /// True for a value that can be aggregated; counts other values.
    #[inline]
    pub(super) fn accepts<T: Number>(&self, value: T, takes_negative: bool) -> bool {
        if fork::is_unsettled() {
            begin_anew();
        }
        if !value.as_f64().is_finite() {
            self.lost.not_finite.add();
            return false;
        }
        if !takes_negative && value.is_negative() {
            self.lost.negative.add();
            return false;
        }
        true
    }

    /// Returns the number of the next instrument.
    pub(super) fn next_id() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }
}

/// A panic of a program's code cannot leave an instrument in an inconsistent state: no such code runs while a lock is held.
impl RefUnwindSafe for Instrument {}

impl fmt::Debug for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instrument").field("identity", &self.identity).finish_non_exhaustive()
    }
}

// === impl Identity ===

impl Identity {
    /// True if both are the same instrument.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same_name = self.name.eq_ignore_ascii_case(&other.name);
        same_name && (self.kind, self.number) == (other.kind, other.number) && self.texts() == other.texts()
    }

    fn texts(&self) -> (&str, &str) {
        (&self.unit, &self.description)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, number, unit, description, .. } = self;
        write!(f, "{kind:?} of {number}, unit {unit:?}, description {description:?}")
    }
}

/// True if a name has 1 to 255 characters: a letter, then letters, digits, `_`, `.`, `-`, `/`, all of ASCII.
pub(super) fn is_valid_name(name: &str) -> bool {
    let starts_with_letter = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/');
    starts_with_letter && name.len() <= MAX_NAME_LEN && name.bytes().all(is_allowed)
}

// === impl InstrumentKind ===

impl InstrumentKind {
    /// True if a callback gives the values.
    pub fn is_observable(self) -> bool {
        matches!(self, Self::ObservableCounter | Self::ObservableGauge | Self::ObservableUpDownCounter)
    }
}
