//! Limits: finished spans, open spans, attributes, events and links.

use super::*;
use crate::client::AttributeKey as _;
use crate::key;
use otlp_protocol::view::AnyValue;

/// Exports after `ready` is true.
fn gated(kept: &Kept, ready: tokio::sync::watch::Receiver<bool>) -> BoxExport {
    let export = kept.export();
    BoxExport::from_fn(move |batch: Batch| {
        let (export, mut ready) = (export.clone(), ready.clone());
        async move {
            let _ = ready.wait_for(|ready| *ready).await;
            export.export(batch).await
        }
    })
}

#[test]
fn a_full_store_drops_the_newest_and_counts() {
    let kept = Kept::default();
    let (ready, gate) = tokio::sync::watch::channel(false);
    let client = client(gated(&kept, gate), |config| config.max_finished_bytes = 4 * (64 << 10));
    for index in 0..10_000 {
        client.send_trace("work").attribute("index", index).finish();
    }
    ready.send_replace(true);
    let lost = client.stats().spans.lost(LossReason::QueueFull);
    assert!(lost > 0);
    client.force_flush(WAIT).unwrap();
    assert_eq!(client.stats().spans.sent() + lost, 10_000);
    let body = &kept.requests(Signal::TRACES)[0];
    let first = RequestView::new(Signal::TRACES, body).spans().next().unwrap();
    assert_eq!(first.attributes().get("index"), Some(AnyValue::Int(0)));
}

#[test]
fn open_spans_have_a_limit() {
    let kept = Kept::default();
    let client = client(kept.export(), |config| config.max_open_spans = 10);
    let spans: Vec<_> = (0..12).map(|_| client.send_trace("open").start()).collect();
    assert_eq!(spans.iter().filter(|span| span.is_recording()).count(), 10);
    assert_eq!(client.stats().spans.lost(LossReason::OpenSpansLimit), 2);
    // The span that is not recorded has a context all the same, and its children are not recorded.
    let context = spans[11].context();
    assert!(context.trace_id != [0; 16] && context.span_id != [0; 8] && !context.is_sampled());
    drop(spans);
    client.send_trace("free").finish();
    client.force_flush(WAIT).unwrap();
    assert_eq!(kept.spans(), 11);
}

#[test]
fn one_open_span_is_a_limit() {
    let client = client(Kept::default().export(), |config| config.max_open_spans = 1);
    for _ in 0..2 {
        let spans = [client.send_trace("first").start(), client.send_trace("second").start()];
        assert_eq!(spans.map(|span| span.is_recording()), [true, false]);
    }
}

#[test]
fn limits_drop_the_newest_and_count() {
    let kept = Kept::default();
    let client = client(kept.export(), |config| {
        let limits = &mut config.span_limits;
        (limits.attributes, limits.events, limits.links, limits.attributes_per_event) = (2, 1, 1, 1);
        limits.attribute_value_length = Some(3);
        config.log_limits.attributes = 1;
    });
    let other = client.send_trace("other").finish();
    let nested = otlp_protocol::AttributeValue::array(["long text", "ä€𝄞x"]);
    client
        .send_trace("limited")
        .attribute("a", "ä€𝄞x")
        .attribute(key!("b"), &nested)
        .attribute("c", 3)
        .attribute(key!("a"), 4)
        .event("kept", |event| {
            event.attribute("a", 1).attribute("b", 2);
        })
        .event("dropped", |_| {})
        .link(&other, |_| {})
        .link(&other, |_| {})
        .finish();
    client.send_log(SeverityNumber::Info).attribute("a", 1).attribute("b", 2).emit();
    client.force_flush(WAIT).unwrap();
    let body = &kept.requests(Signal::TRACES)[0];
    let span = RequestView::new(Signal::TRACES, body).spans().find(|span| span.name() == "limited").unwrap();
    assert_eq!(span.attributes().count(), 2);
    assert_eq!(format!("{:?}", span.attributes().get("b")), r#"Some(["lon", "ä€𝄞"])"#);
    assert_eq!(span.attributes().get("a"), Some(AnyValue::Int(4)));
    let dropped = (span.dropped_attributes_count(), span.dropped_events_count(), span.dropped_links_count());
    assert_eq!(dropped, (1, 1, 1));
    let event = span.events().next().unwrap();
    assert_eq!((event.attributes().count(), event.dropped_attributes_count()), (1, 1));
    let body = &kept.requests(Signal::LOGS)[0];
    let record = RequestView::new(Signal::LOGS, body).log_records().next().unwrap();
    assert_eq!((record.attributes().count(), record.dropped_attributes_count()), (1, 1));
}

/// Keys with one fingerprint are told apart by their text, also after one of them was dropped.
#[test]
fn keys_of_one_fingerprint_are_compared() {
    let key = |index: u32| format!("key.{index}");
    let first = key(0);
    let other = (1..).map(key).find(|key| key.fingerprint() == first.fingerprint()).unwrap();
    for (most, count, dropped) in [(2, 2, 0), (1, 1, 1)] {
        let kept = Kept::default();
        let client = client(kept.export(), |config| config.span_limits.attributes = most);
        let span = client.send_trace("span").attribute(&first, 1).attribute(&other, 2).attribute(&first, 3);
        span.finish();
        client.force_flush(WAIT).unwrap();
        let body = &kept.requests(Signal::TRACES)[0];
        let span = RequestView::new(Signal::TRACES, body).spans().next().unwrap();
        assert_eq!(span.attributes().iter().count(), count);
        assert_eq!(span.attributes().get(&first), Some(AnyValue::Int(3)));
        assert_eq!(span.dropped_attributes_count(), dropped);
    }
}
