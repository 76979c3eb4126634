//! Instruments whose values a callback gives at each collection.

use super::aggregation::Aggregation;
use super::attributes::{AttributeSet, Attributes};
use super::builder::InstrumentBuilder;
use super::instrument::{Instrument, InstrumentKind};
use super::number::{Number, NumberKind, Signed, Unsigned};
use super::problem::MetricProblem;
use parking_lot::Mutex;
use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

/// Takes the values that a callback observes.
#[derive(Debug)]
pub struct Observer<'o, T> {
    observed: &'o mut Observed,
    instrument: &'o Instrument,
    of: PhantomData<fn(T)>,
}

/// A registered callback. Dropping it changes nothing; [`remove`](Self::remove) ends the callback.
#[derive(Debug)]
pub struct ObservableCallback {
    instrument: Weak<Instrument>,
    id: u64,
}

/// Callbacks of an instrument, and what they observed last.
#[derive(Default)]
pub(super) struct Callbacks {
    registered: Mutex<Registered>,
    before: Mutex<HashMap<AttributeSet, u64>>,
}

#[derive(Default)]
struct Registered {
    callbacks: Vec<(u64, Callback)>,
    next_id: u64,
}

/// Values of one collection, as bits, by attributes.
#[derive(Debug)]
pub(super) struct Observed {
    values: HashMap<AttributeSet, u64>,
    limit: usize,
    overflows: bool,
}

type Callback = Arc<dyn Fn(&Instrument, &mut Observed) + Send + Sync>;

/// Most callbacks of one instrument.
pub(super) const MAX_CALLBACKS: usize = 64;

macro_rules! observables {
    ($($(#[$doc:meta])* $name:ident<$number:ident>, $aggregation:ident;)*) => { $(
        $(#[$doc])*
        ///
        /// Clones are the same instrument.
        #[derive(Clone)]
        pub struct $name<T> {
            instrument: Arc<Instrument>,
            of: PhantomData<fn(T)>,
        }

        impl<T: $number> $name<T> {
            /// Registers a callback, which is called once at each collection, by the thread that collects, and gives the values as they
            /// are at that moment. Sets of attributes that no callback observes are not exported. A set that is observed twice has the
            /// last value. If the callback panics, the panic is caught and counted.
            pub fn observe(
                &self,
                callback: impl Fn(&mut Observer<'_, T>) + Send + Sync + 'static,
            ) -> ObservableCallback {
                register(&self.instrument, Arc::new(move |instrument, observed| {
                    callback(&mut Observer { observed, instrument, of: PhantomData });
                }))
            }
        }

        impl<T: $number> InstrumentBuilder<'_, $name<T>> {
            /// Makes the instrument, or returns the one that was made with the same name, kind, unit and description.
            pub fn build(self) -> $name<T> {
                let aggregation = Aggregation::$aggregation;
                let instrument = self.declare(InstrumentKind::$name, T::KIND, aggregation);
                $name { instrument, of: PhantomData }
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.instrument.identity.name).finish()
            }
        }
    )* };
}

observables! {
    /// A sum that only grows and is kept elsewhere: page faults, CPU time.
    ObservableCounter<Unsigned>, Sum;
    /// A value that is kept elsewhere: the temperature of a sensor.
    ObservableGauge<Number>, Last;
    /// A sum that grows and shrinks and is kept elsewhere: the length of a queue.
    ObservableUpDownCounter<Signed>, Sum;
}

// === impl Observer ===

impl<T: Number> Observer<'_, T> {
    /// Sets the value for these attributes: of counters the sum since the start, not the increase. A value that is infinite or NaN
    /// is dropped and counted ([`LostMeasurements`](super::LostMeasurements)); of counters also a negative one.
    pub fn observe(&mut self, value: T, attributes: impl Attributes) {
        let takes_negative = self.instrument.identity.kind != InstrumentKind::ObservableCounter;
        if self.instrument.accepts(value, takes_negative) {
            let adds = matches!(self.instrument.aggregation, Aggregation::Sum).then_some(T::KIND);
            self.observed.set(AttributeSet::of(&attributes), value.bits(), adds);
        }
    }
}

// === impl ObservableCallback ===

impl ObservableCallback {
    /// Removes the callback. A collection that has begun may still call it.
    pub fn remove(self) {
        if let Some(instrument) = self.instrument.upgrade() {
            let mut registered = instrument.callbacks.registered.lock();
            let at = registered.callbacks.iter().position(|(id, _)| *id == self.id);
            let removed = at.map(|at| registered.callbacks.remove(at));
            // What the callback owns is dropped without the lock.
            drop(registered);
            drop(removed);
        }
    }
}

fn register(instrument: &Arc<Instrument>, callback: Callback) -> ObservableCallback {
    let mut registered = instrument.callbacks.registered.lock();
    let id = registered.next_id;
    registered.next_id += 1;
    let has_room = registered.callbacks.len() < MAX_CALLBACKS;
    if has_room {
        registered.callbacks.push((id, callback));
    }
    drop(registered);
    if !has_room {
        instrument.lost.unregistered.add();
        (instrument.report)(&MetricProblem::TooManyCallbacks {
            metric: Arc::clone(&instrument.identity.name),
        });
    }
    ObservableCallback { instrument: Arc::downgrade(instrument), id }
}

// === impl Callbacks ===

impl Callbacks {
    /// Calls all callbacks and returns what they observed; as the increase since the last call if `as_increase`.
    pub(super) fn collect(&self, instrument: &Instrument, limit: usize, as_increase: bool) -> Observed {
        let callbacks: Vec<Callback> =
            self.registered.lock().callbacks.iter().map(|(_, callback)| Arc::clone(callback)).collect();
        let mut observed = Observed { values: HashMap::new(), limit, overflows: false };
        for callback in callbacks {
            let call = AssertUnwindSafe(|| callback(instrument, &mut observed));
            if let Err(panic) = catch_unwind(call) {
                instrument.lost.callback_panics.add();
                (instrument.report)(&MetricProblem::CallbackPanicked {
                    metric: Arc::clone(&instrument.identity.name),
                    message: message_of(&*panic),
                });
            }
        }
        if observed.overflows {
            let metric = Arc::clone(&instrument.identity.name);
            (instrument.report)(&MetricProblem::CardinalityLimit { metric });
        }
        if as_increase {
            self.subtract_before(instrument.identity.number, &mut observed);
        }
        observed
    }

    fn subtract_before(&self, number: NumberKind, observed: &mut Observed) {
        let mut before = self.before.lock();
        let now = observed.values.clone();
        for (attributes, value) in &mut observed.values {
            *value = number.increase(*value, before.get(attributes).copied().unwrap_or_default());
        }
        *before = now;
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks").finish_non_exhaustive()
    }
}

// === impl Observed ===

impl Observed {
    pub(super) fn into_values(self) -> impl Iterator<Item = (AttributeSet, u64)> {
        self.values.into_iter()
    }

    /// Sets the value of a set. Sets over the limit share the overflow set: with the sum of their values if `adds`, else with the
    /// last.
    fn set(&mut self, attributes: AttributeSet, bits: u64, adds: Option<NumberKind>) {
        if let Some(value) = self.values.get_mut(&attributes) {
            *value = bits;
            return;
        }
        let overflow = AttributeSet::overflow();
        let used = self.values.len() + usize::from(!self.values.contains_key(&overflow));
        if used < self.limit {
            self.values.insert(attributes, bits);
            return;
        }
        self.overflows = true;
        let value = self.values.entry(overflow).or_default();
        *value = adds.map_or(bits, |number| number.sum(*value, bits));
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
