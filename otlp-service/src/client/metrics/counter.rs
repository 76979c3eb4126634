//! Instruments that a program calls: counters, up-down counters, gauges, histograms.

use super::aggregation::Aggregation;
use super::attributes::{AttributeSet, Attributes};
use super::builder::InstrumentBuilder;
use super::cache::with_series;
use super::instrument::{Instrument, InstrumentKind};
use super::number::{Number, Signed, Unsigned};
use super::series::Series;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// An instrument, whose measurements are aggregated by attributes.
#[derive(Clone)]
struct Unbound<T> {
    instrument: Arc<Instrument>,
    of: PhantomData<fn(T)>,
}

/// A series of an instrument.
#[derive(Clone)]
struct Bound<T> {
    series: Arc<Series>,
    instrument: Arc<Instrument>,
    of: PhantomData<fn(T)>,
}

/// Declares instruments: name and type of the values, name of the bound instrument; method that measures, `true` if the instrument
/// takes negative values; aggregation.
macro_rules! instruments {
    ($(
        $(#[$doc:meta])*
        $name:ident<$number:ident>, $bound:ident: $record:ident, $negative:literal, $aggregation:expr;
        $(#[$record_doc:meta])*
        fn;
    )*) => { $(
        $(#[$doc])*
        ///
        /// Clones are the same instrument.
        #[derive(Clone)]
        pub struct $name<T>(Unbound<T>);

        #[doc = concat!("A [`", stringify!($name), "`] with fixed attributes: faster than to give them each time.")]
        ///
        /// The series is that of the attributes, or the overflow series if the cardinality limit was reached before.
        #[derive(Clone)]
        pub struct $bound<T>(Bound<T>);

        impl<T: $number> $name<T> {
            $(#[$record_doc])*
            #[inline]
            pub fn $record(&self, value: T, attributes: impl Attributes) {
                if self.0.instrument.accepts(value, $negative) {
                    with_series(&self.0.instrument, &attributes, |series| series.cells.record(value));
                }
            }

            /// Returns the instrument with fixed attributes.
            pub fn bind(&self, attributes: impl Attributes) -> $bound<T> {
                $bound(self.0.bind(&attributes))
            }
        }

        impl<T: $number> $bound<T> {
            $(#[$record_doc])*
            #[inline]
            pub fn $record(&self, value: T) {
                if self.0.instrument.accepts(value, $negative) {
                    self.0.series.cells.record(value);
                }
            }
        }

        impl<T: $number> InstrumentBuilder<'_, $name<T>> {
            /// Makes the instrument, or returns the one that was made with the same name, kind, unit and description.
            pub fn build(self) -> $name<T> {
                let aggregation = ($aggregation)(&self);
                let instrument = self.declare(InstrumentKind::$name, T::KIND, aggregation);
                $name(Unbound { instrument, of: PhantomData })
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0.instrument.identity.name).finish()
            }
        }

        impl<T> fmt::Debug for $bound<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut f = f.debug_tuple(stringify!($bound));
                f.field(&self.0.instrument.identity.name).field(&self.0.series.attributes.view()).finish()
            }
        }
    )* };
}

instruments! {
    /// A sum that only grows: requests, bytes sent.
    Counter<Unsigned>, BoundCounter: add, false, |_: &InstrumentBuilder<'_, _>| Aggregation::Sum;
    /// Adds to the sum. A value that is negative, infinite or NaN is dropped and counted
    /// ([`LostMeasurements`](super::LostMeasurements)).
    fn;

    /// The last value: a temperature, the fill level of a tank.
    Gauge<Number>, BoundGauge: record, true, |_: &InstrumentBuilder<'_, _>| Aggregation::Last;
    /// Sets the value. A value that is infinite or NaN is dropped and counted ([`LostMeasurements`](super::LostMeasurements)).
    fn;

    /// Counts of values by range, with their sum, smallest and largest: durations, sizes.
    Histogram<Unsigned>, BoundHistogram: record, true, InstrumentBuilder::histogram_aggregation;
    /// Counts a value. A value that is infinite or NaN is dropped and counted ([`LostMeasurements`](super::LostMeasurements)).
    fn;

    /// A sum that grows and shrinks: open connections, bytes in use.
    UpDownCounter<Signed>, BoundUpDownCounter: add, true, |_: &InstrumentBuilder<'_, _>| Aggregation::Sum;
    /// Adds to the sum, or subtracts from it if the value is negative. A value that is infinite or NaN is dropped and counted
    /// ([`LostMeasurements`](super::LostMeasurements)).
    fn;
}

// === impl Unbound ===

impl<T> Unbound<T> {
    fn bind(&self, attributes: &impl Attributes) -> Bound<T> {
        let series = self.instrument.find(AttributeSet::of(attributes));
        Bound { series, instrument: Arc::clone(&self.instrument), of: PhantomData }
    }
}
