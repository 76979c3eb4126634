//! Spans that several threads enter, record and close.

use super::support::{DOORS, lean, record, table};
use std::thread;
use tracing::{Dispatch, Span, info, info_span};

/// Runs the body on another thread, behind the same door.
fn elsewhere<R: Send>(body: impl FnOnce() -> R + Send) -> R {
    let dispatch = tracing::dispatcher::get_default(Dispatch::clone);
    let run = || tracing::dispatcher::with_default(&dispatch, body);
    thread::scope(|scope| scope.spawn(run).join().unwrap())
}

#[test]
fn a_span_is_entered_recorded_and_closed_on_other_threads() {
    for door in DOORS {
        let recorded = record(door, lean(), || {
            let span = info_span!("s", a = tracing::field::Empty);
            let child = elsewhere(|| {
                span.in_scope(|| info!("on another thread"));
                span.record("a", 1);
                info_span!(parent: &span, "child")
            });
            let span = elsewhere(move || {
                let _in_span = span.enter();
                drop(child);
                drop(info_span!("inner"));
                span.clone()
            });
            assert!(Span::current().is_none());
            elsewhere(move || drop(span));
        });
        let span = recorded.span("s");
        assert_eq!(span.attributes, table(&[("a", "1")]));
        assert_eq!(span.events[0].name, "on another thread");
        assert_eq!(recorded.span("child").parent, Some(span.span_id));
        assert_eq!(recorded.span("inner").parent, Some(span.span_id));
    }
}

#[test]
fn a_span_is_entered_on_two_threads_at_once() {
    for door in DOORS {
        let recorded = record(door, lean(), || {
            let span = info_span!("s");
            let _in_span = span.enter();
            elsewhere(|| {
                let _in_span = span.enter();
                drop(info_span!("there"));
            });
            drop(info_span!("here"));
        });
        let id = Some(recorded.span("s").span_id);
        assert_eq!((recorded.span("there").parent, recorded.span("here").parent), (id, id));
    }
}

#[test]
fn a_span_that_closes_late_is_still_recorded() {
    for door in DOORS {
        let recorded = record(door, lean(), || {
            let span = info_span!("s");
            let late = span.clone();
            drop(span);
            for _ in 0..100 {
                drop(info_span!("between"));
            }
            late.in_scope(|| info!("late"));
        });
        assert_eq!(recorded.spans.len(), 101);
        assert_eq!(recorded.span("s").events.len(), 1);
    }
}

#[test]
fn spans_of_many_threads_all_arrive() {
    const THREADS: usize = 8;
    const TRACES: usize = 200;
    for door in DOORS {
        let recorded = record(door, lean(), || {
            let dispatch = tracing::dispatcher::get_default(Dispatch::clone);
            let (sender, receiver) = std::sync::mpsc::channel::<Span>();
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    let (dispatch, sender) = (dispatch.clone(), sender.clone());
                    scope.spawn(move || {
                        tracing::dispatcher::with_default(&dispatch, || {
                            for trace in 0..TRACES {
                                let root = info_span!("root", trace, number = tracing::field::Empty);
                                root.in_scope(|| {
                                    let child = info_span!("child", trace);
                                    child.in_scope(|| info!(trace, "event"));
                                    // Closed by another thread.
                                    sender.send(child).unwrap();
                                });
                                root.record("number", trace);
                            }
                        });
                    });
                }
                drop(sender);
                let dispatch = dispatch.clone();
                scope.spawn(move || {
                    tracing::dispatcher::with_default(&dispatch, || {
                        receiver.into_iter().for_each(|span| span.in_scope(|| info!("last")));
                    });
                });
            });
        });
        assert_eq!(recorded.spans.len(), 2 * THREADS * TRACES);
        for child in recorded.spans.iter().filter(|span| span.name == "child") {
            let root = recorded.spans.iter().find(|span| Some(span.span_id) == child.parent).unwrap();
            assert_eq!(
                (&root.attributes["trace"], root.trace_id),
                (&child.attributes["trace"], child.trace_id)
            );
            assert_eq!(root.attributes["number"], root.attributes["trace"]);
            assert_eq!(child.events.len(), 2);
        }
    }
}
