//! The cardinality limit.

use super::super::TemporalityPreference;
use super::super::aggregation::{Aggregate, Aggregation};
use super::super::attributes::AttributeSet;
use super::super::number::NumberKind;
use super::super::series::SeriesMap;
use super::{Measured, collect, values};
use otlp_protocol::view::Number;
use std::collections::BTreeMap;

const OVERFLOW: &str = "otel.metric.overflow=true";

fn total(values: &BTreeMap<String, Number>) -> i64 {
    values.values().map(|value| if let Number::Int(value) = value { *value } else { 0 }).sum()
}

#[test]
fn measurements_over_the_limit_are_one_series_and_counted_once() {
    let measured = Measured::new(|_| ());
    let counter = measured.meters.counter::<u64>("requests").build();
    for _ in 0..2 {
        for user in 0..3_000 {
            counter.add(1, [("user", user)]);
        }
    }
    let found = values(&collect(&measured.meters, 200), "requests");
    assert_eq!((found.len(), total(&found)), (2_000, 6_000));
    assert_eq!(found.get("user=1998"), Some(&Number::Int(2)));
    assert_eq!(found.get("user=1999"), None);
    assert_eq!(found.get(OVERFLOW), Some(&Number::Int(2_002)));
    let problems = measured.problems();
    assert!(matches!(&problems[..], [one] if one.contains("cardinality limit reached")), "{problems:?}");
    // What exists stays.
    counter.add(1, [("user", 7)]);
    let found = values(&collect(&measured.meters, 300), "requests");
    assert_eq!((found.len(), total(&found)), (2_000, 6_001));
    assert_eq!(found.get("user=7"), Some(&Number::Int(3)));
}

#[test]
fn the_overflow_series_may_be_given_by_the_program() {
    let Measured { meters, .. } = Measured::new(|settings| settings.cardinality_limit = 3);
    let counter = meters.counter::<u64>("requests").build();
    counter.add(1, [("otel.metric.overflow", true)]);
    (0..4).for_each(|user| counter.add(1, [("user", user)]));
    let found = values(&collect(&meters, 200), "requests");
    assert_eq!((found.len(), total(&found)), (3, 5));
    assert_eq!(found.get(OVERFLOW), Some(&Number::Int(3)));
}

#[test]
fn a_limit_of_one_leaves_the_overflow_series() {
    for limit in [0, 1] {
        let Measured { meters, .. } = Measured::new(|settings| settings.cardinality_limit = limit);
        let counter = meters.counter::<u64>("requests").build();
        (0..4).for_each(|user| counter.add(1, [("user", user)]));
        let found = values(&collect(&meters, 200), "requests");
        assert_eq!(found, [(OVERFLOW.to_owned(), Number::Int(4))].into());
    }
}

/// Series without measurements make room; no measurement is lost, and bound instruments stay valid.
#[test]
fn deltas_forget_series_that_are_not_measured() {
    let Measured { meters, .. } = Measured::new(|settings| {
        settings.cardinality_limit = 10;
        settings.temporality = TemporalityPreference::Delta;
    });
    let counter = meters.counter::<u64>("requests").build();
    let bound = counter.bind([("user", -1)]);
    let mut own = 0;
    for period in 0..10 {
        for user in 0..8 {
            counter.add(1, [("user", period * 100 + user)]);
        }
        bound.add(1);
        let found = values(&collect(&meters, 200 + period as u64), "requests");
        assert_eq!(total(&found), 9, "{found:?}");
        assert_eq!(found.get("user=-1"), Some(&Number::Int(1)));
        own += usize::from(!found.contains_key(OVERFLOW));
    }
    // A period's series are removed at the end of the next.
    assert!(own >= 4, "{own}");
    assert!(values(&collect(&meters, 900), "requests").is_empty());
}

/// A thread that measures after the collection has read a series, and forgets the series before the collection has removed it.
#[test]
fn a_series_is_not_removed_with_a_value_that_was_not_read() {
    let series = SeriesMap::new(10);
    let get = || series.get(AttributeSet::of(&()), || Aggregation::Sum.cells()).series;
    let mut held = Some(get());
    let mut found = Vec::new();
    for _ in 0..3 {
        series.retain(|series| {
            let value = series.cells.read(NumberKind::Unsigned, true);
            let has_value = value.is_some();
            found.push(value);
            if let Some(held) = held.take() {
                held.cells.record(1_u64);
            }
            has_value
        });
    }
    assert_eq!(found, [None, Some(Aggregate::Number(1)), None]);
    let mut left = 0;
    series.for_each(|_| left += 1);
    assert_eq!(left, 0);
}

#[test]
fn observed_sets_over_the_limit_are_one_series() {
    let measured = Measured::new(|settings| settings.cardinality_limit = 3);
    let meters = &measured.meters;
    let observe = |user: i64, value| (value, [("user", user)]);
    meters.observable_counter::<u64>("sum").build().observe(move |observer| {
        for (value, attributes) in (0..5).map(|user| observe(user, 10)) {
            observer.observe(value, attributes);
        }
    });
    meters.observable_gauge::<i64>("last").build().observe(move |observer| {
        (0..5).for_each(|user| observer.observe(user, [("user", user)]));
    });
    let request = collect(meters, 200);
    let found = values(&request, "sum");
    assert_eq!((found.len(), found.get(OVERFLOW)), (3, Some(&Number::Int(30))));
    let found = values(&request, "last");
    assert_eq!((found.len(), found.get(OVERFLOW)), (3, Some(&Number::Int(4))));
    assert_eq!(measured.problems().len(), 2);
}
