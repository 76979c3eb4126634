//! Limits of spans, events, log records, and of the number of open spans.

use super::support::{DOORS, client, client_with, lean, record_with, table};
use crate::client::engine::local;
use crate::client::tracing::open::Open;
use crate::client::{LossReason, SpanExt as _, TraceContext};
use tracing::{Span, info, info_span};

/// Open spans of a door at a time.
const MAX_OPEN_SPANS: usize = 16_384;

#[test]
fn open_spans_beyond_the_limit_are_counted_and_their_children_belong_to_the_span_around_them() {
    for door in DOORS {
        let client = client();
        let recorded = record_with(&client, door, lean(), || {
            let root = info_span!("root");
            let in_root = root.enter();
            let open: Vec<Span> = (1..MAX_OPEN_SPANS).map(|_| info_span!("open")).collect();
            let beyond = info_span!("beyond", a = tracing::field::Empty);
            assert!(beyond.context().is_none());
            beyond.record("a", 1);
            let in_beyond = beyond.enter();
            drop(open);
            // There is room again.
            drop(info_span!("child"));
            info!("event");
            drop((in_beyond, in_root));
        });
        assert_eq!(recorded.spans.len(), MAX_OPEN_SPANS + 1);
        let root = recorded.span("root");
        assert_eq!((recorded.span("child").parent, root.events.len()), (Some(root.span_id), 1));
        let spans = client.stats().spans;
        assert_eq!((spans.lost(LossReason::OpenSpansLimit), spans.lost_in_all()), (1, 1));
    }
}

#[test]
fn what_is_beyond_the_limits_of_a_span_is_dropped_and_counted() {
    for door in DOORS {
        let client = client_with(|config| {
            let limits = &mut config.span_limits;
            (limits.attributes, limits.events, limits.links) = (2, 2, 1);
            (limits.attributes_per_event, limits.attribute_value_length) = (2, Some(3));
        });
        let recorded = record_with(&client, door, lean(), || {
            let span = info_span!("s", a = "äöüß", b = ?"text", c = 3, d = tracing::field::Empty);
            span.record("d", 4);
            // A present key is replaced.
            span.record("a", "new");
            for _ in 0..3 {
                span.in_scope(|| info!(a = 1, b = 2, "a long message"));
                span.add_link(&TraceContext::new([1; 16], [1; 8], 1));
            }
        });
        let span = recorded.span("s");
        assert_eq!(span.attributes, table(&[("a", "\"new\""), ("b", "\"\\\"te\"")]));
        assert_eq!((span.dropped, span.events.len(), span.links.len()), ((2, 1, 2), 2, 1));
        let event = &span.events[0];
        assert_eq!(event.name, "a long message");
        assert_eq!(
            (event.attributes.clone(), event.dropped),
            (table(&[("level", "\"INF\""), ("a", "1")]), 1)
        );
    }
}

#[test]
fn what_is_beyond_the_limits_of_a_log_record_is_dropped_and_counted() {
    for door in DOORS {
        let client = client_with(|config| {
            (config.log_limits.attributes, config.log_limits.attribute_value_length) = (2, Some(3));
        });
        let recorded = record_with(&client, door, lean(), || {
            info!(a = "äöüß", b = &[1u8, 2, 3, 4][..], c = 1, "a long body");
        });
        let log = &recorded.logs[0];
        assert_eq!(log.attributes, table(&[("a", "\"äöü\""), ("b", "0x010203")]));
        assert_eq!((log.dropped, log.body.as_str()), (1, "\"a long body\""));
    }
}

#[test]
fn attributes_of_metadata_give_way_to_a_small_limit() {
    for door in DOORS {
        let client = client_with(|config| config.span_limits.attributes = 2);
        let recorded =
            record_with(&client, door, Default::default(), || drop(info_span!("s", a = 1, b = 2, c = 3)));
        let span = recorded.span("s");
        assert_eq!((span.attributes.len(), span.dropped.0), (2, 7));
    }
}

#[test]
fn a_span_that_grows_without_end_stops_growing() {
    let text = "x".repeat(100_000);
    for door in DOORS {
        let recorded = record_with(&client(), door, lean(), || {
            let span = info_span!("s");
            for _ in 0..100 {
                span.in_scope(|| info!(text, "event"));
            }
        });
        let span = recorded.span("s");
        assert_eq!((span.events.len() + span.dropped.1 as usize, span.events.len()), (100, 11));
    }
}

#[test]
fn a_span_that_is_open_when_its_door_is_dropped_gives_its_permit_back() {
    let client = client_with(|config| config.max_open_spans = 1);
    let span = local::open_behind(client.0.engine.shared(), 0).map(|(span, _)| span);
    assert!(span.is_some() && !client.send_trace("beyond").start().is_recording());
    let mut open = Open::default();
    open.span = span;
    drop(open);
    assert!(client.send_trace("free").start().is_recording());
}
