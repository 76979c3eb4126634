//! Observable instruments.

use super::super::TemporalityPreference;
use super::{Measured, collect, numbers, value, values};
use otlp_protocol::view::Number;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

#[test]
fn callbacks_run_once_a_collection_and_unobserved_sets_vanish() {
    let Measured { meters, .. } = Measured::new(|_| ());
    let calls = Arc::new(AtomicI64::new(0));
    let counted = Arc::clone(&calls);
    let level = meters.observable_up_down_counter::<i64>("level").unit("1").build();
    level.observe(move |observer| {
        let call = counted.fetch_add(1, Relaxed);
        observer.observe(call, [("call", call)]);
        observer.observe(-1, ());
    });
    for call in 0..3 {
        let expected = [("".to_owned(), Number::Int(-1)), (format!("call={call}"), Number::Int(call))];
        assert_eq!(values(&collect(&meters, 200), "level"), expected.into());
    }
    assert_eq!(calls.load(Relaxed), 3);
}

#[test]
fn deltas_of_observed_sums_are_increases() {
    let Measured { meters, .. } =
        Measured::new(|settings| settings.temporality = TemporalityPreference::Delta);
    let sum = Arc::new(AtomicI64::new(0));
    let (ints, doubles) = (Arc::clone(&sum), Arc::clone(&sum));
    let counter = meters.observable_counter::<u64>("faults").build();
    counter.observe(move |observer| match ints.load(Relaxed) {
        0 => {}
        faults => observer.observe(faults as u64, ()),
    });
    let counter = meters.observable_counter::<f64>("seconds").build();
    counter.observe(move |observer| observer.observe(doubles.load(Relaxed) as f64, ()));
    let mut now = 200;
    // A sum that shrinks began again; a set that was away counts from zero.
    for (observed, increase, double) in [
        (5, Some(5), 5.0),
        (7, Some(2), 2.0),
        (7, Some(0), 0.0),
        (3, Some(3), 3.0),
        (0, None, 0.0),
        (3, Some(3), 3.0),
    ] {
        sum.store(observed, Relaxed);
        let request = collect(&meters, now);
        assert_eq!(value(&request, "faults"), increase.map(Number::Int), "{observed}");
        assert_eq!(value(&request, "seconds"), Some(Number::Double(double)), "{observed}");
        let start = if now == 200 { 100 } else { now - 10 };
        assert!(numbers(&request, "seconds").values().all(|(_, from, to)| (*from, *to) == (start, now)));
        now += 10;
    }
}

#[test]
fn a_panic_of_a_callback_is_counted_and_the_others_run() {
    let measured = Measured::new(|_| ());
    let gauge = measured.meters.observable_gauge::<i64>("level").build();
    gauge.observe(|observer| {
        observer.observe(1, [("before", true)]);
        panic!("no sensor");
    });
    gauge.observe(|observer| observer.observe(2, ()));
    for turn in 1..3 {
        let found = values(&collect(&measured.meters, 200), "level");
        let expected = [("".to_owned(), Number::Int(2)), ("before=true".to_owned(), Number::Int(1))];
        assert_eq!(found, expected.into());
        assert_eq!(measured.meters.lost().callback_panics, turn);
        assert!(measured.problems()[0].contains("\"level\": a callback panicked: no sensor"));
    }
}

/// No lock is held while a callback runs.
#[test]
fn callbacks_may_use_the_meters() {
    let Measured { meters, .. } =
        Measured::new(|settings| settings.temporality = TemporalityPreference::Delta);
    let (inner, counter) = (meters.clone(), meters.counter::<u64>("calls").build());
    let gauge = meters.observable_gauge::<i64>("level").build();
    let again = gauge.clone();
    gauge.observe(move |observer| {
        counter.add(1, [("turn", 1)]);
        inner.counter::<u64>("others").build().add(1, ());
        again.observe(|_| ()).remove();
        observer.observe(inner.lost().not_finite as i64, ());
    });
    let request = collect(&meters, 200);
    assert_eq!(value(&request, "level"), Some(Number::Int(0)));
    let request = collect(&meters, 300);
    assert_eq!(value(&request, "others"), Some(Number::Int(2)));
}

#[test]
fn a_callback_can_be_removed_and_there_are_only_so_many() {
    let measured = Measured::new(|_| ());
    let gauge = measured.meters.observable_gauge::<i64>("level").build();
    let callbacks: Vec<_> =
        (0..65).map(|tank| gauge.observe(move |observer| observer.observe(tank, [("tank", tank)]))).collect();
    assert!(matches!(&measured.problems()[..], [one] if one.contains("there are 64 callbacks already")));
    assert_eq!(measured.meters.lost().unregistered, 1);
    assert_eq!(values(&collect(&measured.meters, 200), "level").len(), 64);
    callbacks.into_iter().skip(1).for_each(|callback| callback.remove());
    assert_eq!(value(&collect(&measured.meters, 300), "level"), Some(Number::Int(0)));
}
