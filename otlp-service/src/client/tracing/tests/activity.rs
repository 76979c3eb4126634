//! Tests of `busy_ns` and `idle_ns`, and of the spans' scope.

use super::support::{DOORS, Recorded, client, lean, on_both, record_with};
use crate::client::tracing::activity::Activity;
use crate::client::{SpanEnd, TracingOptions};
use std::thread::scope;
use tracing::info_span;

/// The duration of a span, `busy_ns` and `idle_ns`.
fn times(recorded: &Recorded, name: &str) -> [u64; 3] {
    let span = recorded.span(name);
    let read = |key: &str| span.attributes[key].parse().unwrap();
    [span.times.1 - span.times.0, read("busy_ns"), read("idle_ns")]
}

fn with_activity() -> TracingOptions {
    let mut options = lean();
    options.activity = true;
    options
}

#[test]
fn a_span_is_busy_from_the_first_entry_to_the_last_exit() {
    let mut activity = Activity::default();
    activity.enter(10);
    activity.enter(12);
    activity.exit(15);
    assert_eq!(activity.busy, 0);
    activity.exit(20);
    activity.enter(30);
    activity.exit(31);
    assert_eq!(activity.busy, 11);
    // An exit before the span's entry is of a clock that was set back.
    activity.enter(40);
    activity.exit(39);
    assert_eq!(activity.busy, 11);
}

#[test]
fn busy_and_idle_time_add_up_to_the_duration() {
    let body = || {
        let never = info_span!("never");
        let outer = info_span!("outer");
        outer.in_scope(|| outer.in_scope(|| ()));
        drop((never, outer.clone()));
        scope(|threads| {
            threads.spawn(|| outer.in_scope(|| ()));
        });
    };
    for ends in [SpanEnd::Close, SpanEnd::LastExit] {
        let mut options = with_activity();
        options.ends = ends;
        on_both(&options, body, |recorded| {
            let [duration, busy, idle] = times(recorded, "outer");
            assert_eq!(duration, busy + idle);
            let [duration, busy, idle] = times(recorded, "never");
            assert_eq!((busy, idle), (0, duration));
        });
    }
}

#[test]
fn activity_is_not_recorded_by_default() {
    on_both(
        &lean(),
        || info_span!("s").in_scope(|| ()),
        |recorded| {
            assert!(recorded.span("s").attributes.is_empty());
        },
    );
}

#[test]
fn spans_have_the_scope_of_the_options() {
    for door in DOORS {
        let client = client();
        let mut options = lean();
        options.scope = client.scope("shop", "", |_| {});
        let recorded = record_with(&client, door, options, || drop(info_span!("s")));
        assert_eq!(recorded.span("s").scope, "shop");
        let recorded = record_with(&client, door, lean(), || drop(info_span!("s")));
        assert_eq!(recorded.span("s").scope, "otlp-service");
    }
}
