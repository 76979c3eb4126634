//! Panics of the program's code.

use super::*;

/// A value whose conversion panics.
struct Bad;

impl otlp_protocol::ToValue for Bad {
    fn with_value<R>(&self, _: impl FnOnce(otlp_protocol::Value<'_>) -> R) -> R {
        panic!("the user's value panics")
    }
}

impl std::fmt::Debug for Bad {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("the user's Debug panics")
    }
}

impl std::fmt::Display for Bad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("half")?;
        panic!("the user's Display panics")
    }
}

impl std::error::Error for Bad {}

#[test]
fn panics_of_values_leave_valid_spans() {
    let kept = Kept::default();
    let client = client(kept.export(), |_| {});
    let mut span = client.send_trace("span").start();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        span.event("event", |event| {
            event.attribute("first", 1).attribute("bad", Bad);
        });
    }));
    assert!(caught.is_err());
    span.record_error(&Bad).attribute("after", 2);
    span.end();
    client.force_flush(WAIT).unwrap();
    let body = &kept.requests(Signal::TRACES)[0];
    validate(Signal::TRACES, body, &ValidateLimits::default()).unwrap();
    let span = RequestView::new(Signal::TRACES, body).spans().next().unwrap();
    let events: Vec<_> = span.events().collect();
    assert_eq!((events[0].name(), events[1].name()), ("event", "exception"));
    assert_eq!(events[1].attributes().get("exception.message"), Some(AnyValue::String("half")));
    assert_eq!(span.attributes().get("after"), Some(AnyValue::Int(2)));
}

#[test]
fn panics_of_the_exporter_and_of_the_hook_are_counted() {
    let export = BoxExport::from_fn(|_: Batch| async { panic!("the exporter panics") });
    let client =
        client(export, |config| config.on_error.call = Some(Arc::new(|_| panic!("the hook panics"))));
    client.send_trace("span").finish();
    assert_eq!(client.force_flush(WAIT), Err(FlushError::Lost(1)));
    client.send_trace("span").finish();
    assert_eq!(client.force_flush(WAIT), Err(FlushError::Lost(1)));
    assert_eq!(client.stats().spans.lost(LossReason::SendFailed), 2);
}
