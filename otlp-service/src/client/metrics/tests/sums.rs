//! Sums and last values, cumulative and delta.

use super::super::TemporalityPreference;
use super::{Measured, collect, metrics, numbers, value, values};
use otlp_protocol::AggregationTemporality::{Cumulative, Delta};
use otlp_protocol::view::{MetricData, Number};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// An addition to one of a few sets, given in one of two orders; bound or not. `Collect` ends a period.
#[derive(Clone, Debug)]
enum Step {
    Add { set: u8, value: u32, swapped: bool, bound: bool },
    Collect,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let add = (0u8..4, 0u32..1_000, any::<bool>(), any::<bool>());
    let add = add.prop_map(|(set, value, swapped, bound)| Step::Add { set, value, swapped, bound });
    prop::collection::vec(prop_oneof![6 => add, 1 => Just(Step::Collect)], 0..200)
}

fn key(set: u8) -> String {
    format!("route=\"/{set}\" status={set}")
}

proptest! {
    #[test]
    fn sums_equal_brute_force(steps in steps(), is_delta: bool) {
        let temporality = if is_delta { TemporalityPreference::Delta } else { TemporalityPreference::Cumulative };
        let Measured { meters, .. } = Measured::new(|settings| settings.temporality = temporality);
        let counter = meters.counter::<u64>("requests").build();
        let doubles = meters.counter::<f64>("seconds").build();
        let level = meters.up_down_counter::<i64>("level").build();
        let (mut sums, mut levels) = (BTreeMap::<u8, u64>::new(), BTreeMap::<u8, i64>::new());
        let mut now = 100;
        for step in steps.into_iter().chain([Step::Collect]) {
            match step {
                Step::Add { set, value, swapped, bound } => {
                    let route = format!("/{set}");
                    let (route, status) = (("route", &route), ("status", set));
                    let below = -i64::from(value);
                    if bound {
                        counter.bind((status, route)).add(value.into());
                        level.bind((route, status)).add(below);
                    } else if swapped {
                        counter.add(value.into(), (status, route));
                        level.add(below, (status, route));
                    } else {
                        counter.add(value.into(), (route, status));
                        level.add(below, (route, status));
                    }
                    doubles.add(f64::from(value) / 4.0, (route, status));
                    *sums.entry(set).or_default() += u64::from(value);
                    *levels.entry(set).or_default() += below;
                }
                Step::Collect => {
                    let start = if is_delta { now } else { 100 };
                    now += 10;
                    let request = collect(&meters, now);
                    // A delta of zero is not exported.
                    let expected = sums.iter().filter(|(_, sum)| !is_delta || **sum > 0);
                    let expected_sums: BTreeMap<_, _> = expected.clone().map(|(set, sum)|
                        (key(*set), (Number::Int(*sum as i64), start, now))).collect();
                    let expected_doubles: BTreeMap<_, _> = expected.map(|(set, sum)|
                        (key(*set), Number::Double(*sum as f64 / 4.0))).collect();
                    let expected_levels: BTreeMap<_, _> = levels.iter().map(|(set, level)|
                        (key(*set), (Number::Int(*level), 100, now))).collect();
                    prop_assert_eq!(numbers(&request, "requests"), expected_sums);
                    prop_assert_eq!(values(&request, "seconds"), expected_doubles);
                    prop_assert_eq!(numbers(&request, "level"), expected_levels);
                    if is_delta {
                        sums.clear();
                    }
                }
            }
        }
    }
}

#[test]
fn a_metric_has_name_unit_description_and_kind() {
    let Measured { meters, .. } = Measured::new(|_| ());
    let counter = meters.counter::<u64>("http.requests").unit("{request}").description("Requests.").build();
    counter.add(1, ());
    meters.up_down_counter::<f64>("level").build().add(-0.5, ());
    meters.gauge::<f64>("heat").unit("Cel").build().record(36.6, ());
    let request = collect(&meters, 200);
    let shown: Vec<_> = metrics(&request)
        .map(|metric| (metric.name(), metric.unit(), metric.description(), metric.data()))
        .collect();
    let [requests, level, heat] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!((requests.0, requests.1, requests.2), ("http.requests", "{request}", "Requests."));
    let MetricData::Sum(sum) = requests.3 else { panic!("{requests:?}") };
    assert!(sum.is_monotonic() && sum.aggregation_temporality() == Cumulative);
    let MetricData::Sum(sum) = level.3 else { panic!("{level:?}") };
    assert!(!sum.is_monotonic() && sum.aggregation_temporality() == Cumulative);
    assert!(matches!(heat.3, MetricData::Gauge(_)));
    assert_eq!(value(&request, "level"), Some(Number::Double(-0.5)));
    assert_eq!(value(&request, "heat"), Some(Number::Double(36.6)));
}

#[test]
fn temporality_follows_the_preference() {
    use TemporalityPreference::{Cumulative as All, Delta as Deltas, LowMemory};
    for (preference, expected) in [
        (All, [Cumulative, Cumulative, Cumulative, Cumulative, Cumulative]),
        (Deltas, [Delta, Delta, Cumulative, Delta, Cumulative]),
        (LowMemory, [Delta, Delta, Cumulative, Cumulative, Cumulative]),
    ] {
        let Measured { meters, .. } = Measured::new(|settings| settings.temporality = preference);
        meters.counter::<u64>("a").build().add(1, ());
        meters.histogram::<f64>("b").build().record(1.0, ());
        meters.up_down_counter::<i64>("c").build().add(1, ());
        meters.observable_counter::<u64>("d").build().observe(|observer| observer.observe(1, ()));
        meters.observable_up_down_counter::<i64>("e").build().observe(|observer| observer.observe(1, ()));
        let request = collect(&meters, 200);
        let found: Vec<_> = metrics(&request)
            .map(|metric| match metric.data() {
                MetricData::Sum(sum) => sum.aggregation_temporality(),
                MetricData::Histogram(histogram) => histogram.aggregation_temporality(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(found, expected, "{preference:?}");
    }
}

#[test]
fn a_gauge_has_the_last_value_once_it_has_one() {
    use TemporalityPreference::{Cumulative, Delta, LowMemory};
    for (preference, start, is_kept) in [(Cumulative, 100, true), (LowMemory, 100, true), (Delta, 200, false)]
    {
        let Measured { meters, .. } = Measured::new(|settings| settings.temporality = preference);
        let gauge = meters.gauge::<i64>("level").build();
        let bound = gauge.bind([("tank", 1)]);
        assert!(collect(&meters, 200).is_empty());
        gauge.record(5, [("tank", 1)]);
        bound.record(-7);
        let expected = |start, now| [("tank=1".to_owned(), (Number::Int(-7), start, now))].into();
        assert_eq!(numbers(&collect(&meters, 300), "level"), expected(start, 300));
        let again = numbers(&collect(&meters, 400), "level");
        assert_eq!(again, if is_kept { expected(start, 400) } else { [].into() }, "{preference:?}");
        bound.record(-7);
        let start = if is_kept { start } else { 400 };
        assert_eq!(numbers(&collect(&meters, 500), "level"), expected(start, 500), "{preference:?}");
    }
}

#[test]
fn an_observed_gauge_has_a_value_at_each_collection() {
    for (preference, starts) in
        [(TemporalityPreference::Cumulative, [100, 100]), (TemporalityPreference::Delta, [100, 200])]
    {
        let Measured { meters, .. } = Measured::new(|settings| settings.temporality = preference);
        meters.observable_gauge::<i64>("level").build().observe(|observer| observer.observe(7, ()));
        for (start, now) in starts.into_iter().zip([200, 300]) {
            let expected = [(String::new(), (Number::Int(7), start, now))];
            assert_eq!(numbers(&collect(&meters, now), "level"), expected.into(), "{preference:?}");
        }
    }
}

#[test]
fn values_that_are_not_numbers_and_negative_additions_are_counted() {
    let Measured { meters, .. } = Measured::new(|_| ());
    let counter = meters.counter::<f64>("seconds").build();
    let bound = counter.bind(());
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        counter.add(value, ());
        bound.add(value);
        meters.gauge::<f64>("heat").build().record(value, ());
        meters.histogram::<f64>("duration").build().record(value, ());
        meters.observable_gauge::<f64>("seen").build().observe(move |observer| observer.observe(value, ()));
    }
    counter.add(-1.0, ());
    counter.add(2.0, ());
    let request = collect(&meters, 200);
    assert_eq!(value(&request, "seconds"), Some(Number::Double(2.0)));
    assert_eq!(metrics(&request).count(), 1);
    assert_eq!((meters.lost().not_finite, meters.lost().negative), (15, 1));
}

#[test]
fn integers_beyond_the_range_of_otlp_stay_at_its_end() {
    let Measured { meters, .. } = Measured::new(|_| ());
    meters.counter::<u64>("bytes").build().add(u64::MAX, ());
    assert_eq!(value(&collect(&meters, 200), "bytes"), Some(Number::Int(i64::MAX)));
}

#[test]
fn a_clock_that_is_set_back_gives_no_start_after_the_time() {
    let Measured { meters, .. } =
        Measured::new(|settings| settings.temporality = TemporalityPreference::Delta);
    let counter = meters.counter::<u64>("requests").build();
    for (now, start) in [(200, 100), (50, 50), (60, 50)] {
        counter.add(1, ());
        let request = collect(&meters, now);
        let found: Vec<_> = numbers(&request, "requests").into_values().collect();
        assert_eq!(found, [(Number::Int(1), start, now)]);
    }
}

#[test]
fn a_restart_forgets_what_was_measured() {
    for temporality in [TemporalityPreference::Cumulative, TemporalityPreference::Delta] {
        let Measured { meters, .. } = Measured::new(|settings| settings.temporality = temporality);
        let counter = meters.counter::<u64>("requests").build();
        let level = meters.up_down_counter::<i64>("level").build();
        let (gauge, histogram) =
            (meters.gauge::<i64>("heat").build(), meters.histogram::<f64>("size").build());
        let bound = counter.bind([("a", 1)]);
        bound.add(1);
        counter.add(2, [("a", 2)]);
        level.add(3, ());
        gauge.record(4, ());
        histogram.record(5.0, ());
        collect(&meters, 200);
        bound.add(6);
        meters.restart(300);
        assert!(values(&collect(&meters, 400), "requests").values().all(|value| *value == Number::Int(0)));
        bound.add(7);
        level.add(-1, ());
        let request = collect(&meters, 500);
        let start = if temporality == TemporalityPreference::Delta { 400 } else { 300 };
        let expected = [("a=1".to_owned(), (Number::Int(7), start, 500))];
        // A set that a thread's cache still has is zero, as a bound one would be.
        let mut found = numbers(&request, "requests");
        found.retain(|_, (value, ..)| *value != Number::Int(0));
        assert_eq!(found, expected.into());
        assert_eq!(
            numbers(&request, "level").into_values().collect::<Vec<_>>(),
            [(Number::Int(-1), 300, 500)]
        );
        assert_eq!(metrics(&request).count(), 2);
    }
}
