//! Measurements of several threads.

use super::super::{HistogramAggregation, TemporalityPreference};
use super::{Measured, collect, metrics, values};
use otlp_protocol::view::{DataPoint, Number};
use otlp_protocol::{ToValue, Value};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

const THREADS: u64 = 24;
const TURNS: u64 = 2_000;

/// More threads than there are shards, some of which begin when others have ended, while deltas are collected.
#[test]
fn no_measurement_is_lost_or_counted_twice() {
    for aggregation in [HistogramAggregation::ExplicitBuckets, HistogramAggregation::Base2Exponential] {
        let Measured { meters, .. } = Measured::new(|settings| {
            settings.temporality = TemporalityPreference::Delta;
            settings.histogram_aggregation = aggregation;
            settings.cardinality_limit = 4;
        });
        let counter = meters.counter::<u64>("requests").build();
        let doubles = meters.counter::<f64>("seconds").build();
        let histogram = meters.histogram::<u64>("size").build();
        let measure = || {
            let bound = counter.bind([("set", 0)]);
            for turn in 0..TURNS {
                bound.add(1);
                counter.add(1, [("set", turn % 7)]);
                doubles.add(0.25, [("set", turn % 7)]);
                histogram.record(turn, [("set", turn % 7)]);
            }
        };
        let is_done = AtomicBool::new(false);
        let (mut sum, mut seconds, mut count) = (0, 0.0, 0);
        let mut read = || {
            let request = collect(&meters, 200);
            for value in
                values(&request, "requests").into_values().chain(values(&request, "seconds").into_values())
            {
                match value {
                    Number::Int(value) => sum += value,
                    Number::Double(value) => seconds += value,
                    Number::Empty => panic!("no value"),
                }
            }
            for point in metrics(&request).flat_map(|metric| metric.points().collect::<Vec<_>>()) {
                match point {
                    DataPoint::Histogram(point) => {
                        assert_eq!(point.count(), point.bucket_counts().sum::<u64>());
                        count += point.count();
                    }
                    DataPoint::ExponentialHistogram(point) => count += point.count(),
                    _ => {}
                }
            }
        };
        thread::scope(|scope| {
            let measuring = scope.spawn(|| {
                for _ in 0..2 {
                    thread::scope(|scope| (0..THREADS / 2).for_each(|_| drop(scope.spawn(measure))));
                }
                is_done.store(true, Relaxed);
            });
            while !is_done.load(Relaxed) && !measuring.is_finished() {
                read();
            }
        });
        read();
        assert_eq!(sum as u64, THREADS * TURNS * 2);
        assert_eq!(seconds, (THREADS * TURNS) as f64 / 4.0);
        assert_eq!(count, THREADS * TURNS);
    }
}

/// One thread after the other, so that all have the same shard, and a thread whose measurements go on while the others begin and end.
#[test]
fn threads_take_over_the_cells_of_threads_that_have_ended() {
    for temporality in [TemporalityPreference::Cumulative, TemporalityPreference::Delta] {
        let Measured { meters, .. } = Measured::new(|settings| settings.temporality = temporality);
        let counter = meters.counter::<u64>("requests").build();
        let bound = counter.bind([("set", 0)]);
        let is_done = AtomicBool::new(false);
        let mut sum = 0;
        let mut read = || match values(&collect(&meters, 200), "requests").into_values().next() {
            Some(Number::Int(value)) if temporality == TemporalityPreference::Delta => sum += value,
            Some(Number::Int(value)) => sum = value,
            _ => {}
        };
        let steady = thread::scope(|scope| {
            let steady = scope.spawn(|| {
                let mut count = 0;
                while !is_done.load(Relaxed) {
                    bound.add(1);
                    count += 1;
                }
                count
            });
            for _ in 0..100 {
                thread::scope(|scope| drop(scope.spawn(|| (0..10).for_each(|_| bound.add(1)))));
                read();
            }
            is_done.store(true, Relaxed);
            steady.join().unwrap()
        });
        read();
        assert_eq!(sum, steady + 1_000, "{temporality:?}");
    }
}

/// A value whose conversion measures something itself.
struct Measuring<'a>(&'a dyn Fn());

impl ToValue for Measuring<'_> {
    fn with_value<R>(&self, write: impl FnOnce(Value<'_>) -> R) -> R {
        (self.0)();
        "x".with_value(write)
    }
}

#[test]
fn conversions_of_values_may_measure_and_panic() {
    let Measured { meters, .. } = Measured::new(|_| ());
    let (outer, inner) = (meters.counter::<u64>("outer").build(), meters.counter::<u64>("inner").build());
    for turn in 0..3 {
        outer.add(1, [("a", Measuring(&|| inner.add(1, [("turn", turn)])))]);
        let panic = std::panic::catch_unwind(|| {
            outer.add(1, [("a", Measuring(&|| panic!("no value")))]);
        });
        assert!(panic.is_err());
    }
    let request = collect(&meters, 200);
    assert_eq!(values(&request, "outer"), [("a=\"x\"".to_owned(), Number::Int(3))].into());
    assert_eq!(values(&request, "inner").len(), 3);
}

/// Destructors of thread-local values run in any order; measurements in them count as well.
#[test]
fn measurements_at_the_end_of_a_thread_count() {
    struct Last(super::super::Counter<u64>);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.add(1, [("at", "end")]);
        }
    }
    thread_local! {
        static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) };
    }
    let Measured { meters, .. } = Measured::new(|_| ());
    let counter = meters.counter::<u64>("ends").build();
    for is_first in [true, false] {
        let counter = counter.clone();
        let thread = thread::spawn(move || {
            let keep = || LAST.with(|last| *last.borrow_mut() = Some(Last(counter.clone())));
            if is_first {
                keep();
            }
            counter.add(1, [("at", "start")]);
            if !is_first {
                keep();
            }
        });
        thread.join().unwrap();
    }
    let found = values(&collect(&meters, 200), "ends");
    let expected = [("at=\"end\"".to_owned(), Number::Int(2)), ("at=\"start\"".to_owned(), Number::Int(2))];
    assert_eq!(found, expected.into());
}
