//! `Debug` and `Display` of values that record telemetry, or panic.

use super::support::{
    DOORS, Kept, client, exported, lean, on_both, own_process, record, set_global_default, with_events,
};
use crate::client::EventForm;
use std::fmt;
use tracing::{Span, info, info_span};

/// Records telemetry while it is formatted.
struct Chatty(u32);

impl fmt::Debug for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!(depth = self.0, "formatting");
        let span = info_span!("format", depth = self.0);
        let _in_span = span.enter();
        Span::current().record("depth", 9);
        if self.0 > 0 {
            info!(inner = ?Self(self.0 - 1), "nested");
        }
        write!(f, "chatty {}", self.0)
    }
}

/// Panics while it is formatted, after some text.
struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("some text")?;
        std::panic::resume_unwind(Box::new("formatting"));
    }
}

/// Records on the span that it is formatted for.
struct Recursive(Span);

impl fmt::Debug for Recursive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.record("other", 1);
        self.0.in_scope(|| info!("inside"));
        f.write_str("recursive")
    }
}

/// `tracing` passes on nested telemetry only to a global default subscriber.
#[test]
fn values_may_record_telemetry_while_they_are_formatted() {
    let test = "nested::values_may_record_telemetry_while_they_are_formatted";
    let variants = [
        "subscriber events",
        "subscriber logs",
        "subscriber both",
        "layer events",
        "layer logs",
        "layer both",
    ];
    let Some(variant) = own_process(test, &variants) else { return };
    let (door, form) = variant.split_once(' ').unwrap();
    let form = match form {
        "events" => EventForm::SpanEvents,
        "logs" => EventForm::Logs,
        _ => EventForm::Both,
    };
    let client = client();
    set_global_default(&client, door, with_events(form));
    // While another thread has a subscriber of its own, as the client's thread has while it is awake, `tracing` drops nested
    // telemetry.
    assert!((0..100).any(|_| records_nested(&client, form)));
}

/// Records values that record telemetry. Returns true if the nested telemetry arrived.
fn records_nested(client: &Kept, form: EventForm) -> bool {
    let span = info_span!("outer", value = ?Chatty(2), after = 1);
    span.in_scope(|| info!(value = ?Chatty(1), after = 1, "in span {:?}", Chatty(0)));
    span.record("after", tracing::field::debug(Chatty(0)));
    info!(value = ?Chatty(1), after = 1, "alone");
    drop(span);
    let recorded = exported(client);
    let span = recorded.span("outer");
    assert_eq!(span.attributes["value"], "\"chatty 2\"");
    assert_eq!(span.attributes["after"], "\"chatty 0\"");
    if form != EventForm::Logs {
        let event = span.events.iter().find(|event| event.name == "in span chatty 0").unwrap();
        assert_eq!(event.attributes["value"], "\"chatty 1\"");
        assert_eq!(event.attributes["after"], "1");
    }
    let alone = recorded.logs.iter().find(|log| log.body == "\"alone\"").unwrap();
    assert_eq!(alone.attributes["value"], "\"chatty 1\"");
    let formats = recorded.spans.iter().filter(|span| span.name == "format");
    // An event in a span is formatted once a form, and a chatty value formats the next in such an event.
    let forms = if form == EventForm::Both { 2 } else { 1 };
    let chatty = |depth: usize| (0..depth).fold(1, |inner, _| 1 + forms * inner);
    formats.count() == chatty(2) + forms * (chatty(1) + chatty(0)) + chatty(0) + chatty(1)
}

#[test]
fn values_may_record_on_their_own_span() {
    let body = || {
        let span = info_span!("s", value = tracing::field::Empty, other = 0);
        span.record("value", tracing::field::debug(Recursive(span.clone())));
    };
    on_both(&lean(), body, |recorded| {
        let span = recorded.span("s");
        assert_eq!(
            (span.attributes["value"].as_str(), span.attributes["other"].as_str()),
            ("\"recursive\"", "1")
        );
        assert_eq!(span.events.len(), 1);
    });
}

#[test]
fn a_panic_while_formatting_replaces_the_value_alone() {
    for door in DOORS {
        let recorded = record(door, with_events(EventForm::Both), || {
            let span = info_span!("s", value = ?Panics, after = 1);
            span.in_scope(|| info!(value = ?Panics, after = 1, "message"));
            info!("message {:?}", Panics);
        });
        let span = recorded.span("s");
        let panicked = "\"(formatting panicked)\"";
        assert_eq!((span.attributes["value"].as_str(), span.attributes["after"].as_str()), (panicked, "1"));
        assert_eq!(span.events[0].attributes["value"], panicked);
        assert_eq!(recorded.logs[0].attributes["value"], panicked);
        assert_eq!(recorded.logs[1].body, panicked);
    }
}
