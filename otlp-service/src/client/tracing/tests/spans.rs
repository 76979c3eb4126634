//! Spans: fields `otel.*`, attributes of metadata, parents, contexts, links, ends.

use super::support::{DOORS, Recorded, client, lean, on_both, record_with, table};
use crate::client::{SetParentError, SpanEnd, SpanExt as _, TraceContext, TracingOptions};
use otlp_protocol::StatusCode;
use std::cell::Cell;
use std::error::Error;
use tracing::{Span, error, info, info_span, warn_span};

const UNSET: (i32, String) = (0, String::new());

fn remote(flags: u8) -> TraceContext {
    let mut context = TraceContext::new([7; 16], [8; 8], flags);
    context.is_remote = true;
    context.state = Some("vendor=1".into());
    context
}

#[test]
fn otel_fields_set_name_kind_and_status() {
    let body = || {
        drop(info_span!("a", otel.name = "GET /cart", otel.kind = "SERVER", otel.status_code = "ok"));
        drop(info_span!("b", otel.name = %"display", otel.kind = ?otel_kind(), otel.status_code = "Error"));
        drop(info_span!("c", otel.status_description = "broken"));
        drop(info_span!("d", otel.kind = "unknown", otel.status_code = "unknown"));
        // Ok is final, and only Error has a description.
        drop(info_span!("e", otel.status_code = "ok", otel.status_description = "ignored"));
        let late = info_span!(
            "f",
            otel.name = tracing::field::Empty,
            otel.kind = "producer",
            otel.status_code = tracing::field::Empty
        );
        late.in_scope(|| {});
        late.record("otel.name", "late");
        late.record("otel.status_code", "ERROR");
    };
    on_both(&lean(), body, |recorded| {
        let facts = |name: &str| {
            let span = recorded.span(name);
            assert_eq!(span.attributes, table(&[]));
            (span.kind, span.status.0, span.status.1.clone())
        };
        assert_eq!(facts("GET /cart"), (2, 1, String::new()));
        assert_eq!(facts("display"), (3, 2, String::new()));
        assert_eq!(facts("c"), (1, 2, "broken".to_owned()));
        assert_eq!(facts("d"), (1, 0, String::new()));
        assert_eq!(facts("late"), (4, 2, String::new()));
        assert_eq!(recorded.span("e").status.0, 2);
    });
}

fn otel_kind() -> impl std::fmt::Debug {
    #[derive(Debug)]
    struct Client;
    Client
}

#[test]
fn metadata_are_attributes_as_the_options_say() {
    let body = || drop(warn_span!(target: "shop::cart", "s", own = 1));
    let line = std::panic::Location::caller().line() - 1;
    on_both(&TracingOptions::default(), body, |recorded| {
        let mut attributes = recorded.span("s").attributes.clone();
        let id = format!("{:?}", std::thread::current().id());
        assert_eq!(attributes.remove("thread.id").map(|digits| format!("ThreadId({digits})")), Some(id));
        let name = std::thread::current().name().unwrap().to_owned();
        let expected = table(&[
            ("code.file.path", &format!("{:?}", file!())),
            ("code.module.name", &format!("{:?}", module_path!())),
            ("code.line.number", &line.to_string()),
            ("thread.name", &format!("{name:?}")),
            ("target", "\"shop::cart\""),
            ("own", "1"),
        ]);
        assert_eq!(attributes, expected);
    });
    let mut options = lean();
    options.levels = true;
    on_both(&options, body, |recorded| {
        assert_eq!(recorded.span("s").attributes, table(&[("level", "\"WARN\""), ("own", "1")]));
    });
}

#[test]
fn values_recorded_later_replace_earlier_values() {
    let body = || {
        let span = info_span!("s", a = 1, b = tracing::field::Empty, c = "first", target = "t");
        span.in_scope(|| info!("between"));
        span.record("b", true);
        span.record("c", tracing::field::display("a longer text"));
        span.record("c", "x");
        span.record("unknown", 1);
        span.set_attribute("a", 2);
        span.set_attribute("d", "new");
        span.set_attribute("list", otlp_protocol::AttributeValue::new(2.5));
    };
    on_both(&lean(), body, |recorded| {
        let span = recorded.span("s");
        let expected = [
            ("a", "2"),
            ("b", "true"),
            ("c", "\"x\""),
            ("d", "\"new\""),
            ("list", "2.5"),
            ("target", "\"t\""),
        ];
        assert_eq!(span.attributes, table(&expected));
        assert_eq!(span.events.len(), 1);
    });
    let body = || info_span!("s").set_attribute("target", "mine");
    on_both(&TracingOptions::default(), body, |recorded| {
        assert_eq!(recorded.span("s").attributes["target"], "\"mine\"");
        assert!(recorded.span("s").attributes.contains_key("code.file.path"));
    });
}

#[test]
fn parents_are_explicit_or_current() {
    let body = || {
        let root = info_span!("root");
        let elsewhere = info_span!("elsewhere");
        root.in_scope(|| {
            drop(info_span!("child"));
            drop(info_span!(parent: &elsewhere, "explicit"));
            drop(info_span!(parent: None, "alone"));
            info_span!("middle").in_scope(|| drop(info_span!("grandchild")));
        });
        drop(info_span!("after"));
    };
    on_both(&lean(), body, |recorded| {
        let parent = |name: &str| recorded.span(name).parent;
        let id = |name: &str| Some(recorded.span(name).span_id);
        assert_eq!(parent("child"), id("root"));
        assert_eq!(parent("explicit"), id("elsewhere"));
        assert_eq!(parent("grandchild"), id("middle"));
        assert_eq!((parent("root"), parent("alone"), parent("after")), (None, None, None));
        assert_eq!(recorded.span("grandchild").trace_id, recorded.span("root").trace_id);
        assert_ne!(recorded.span("alone").trace_id, recorded.span("root").trace_id);
        // Roots have the flag of random trace ids; all are sampled.
        assert!(recorded.spans.iter().all(|span| span.flags == 0x103), "{recorded:?}");
        assert!(recorded.spans.iter().all(|span| span.times.0 > 0 && span.times.0 <= span.times.1));
    });
}

#[test]
fn a_remote_parent_is_set_before_the_start() {
    let body = || {
        let span = info_span!("s", a = 1);
        assert_eq!(span.set_parent(&remote(1)), Ok(()));
        let context = span.context().unwrap();
        assert_eq!((context.trace_id, context.flags, context.is_remote), ([7; 16], 1, false));
        assert_eq!(context.state.as_deref(), Some("vendor=1"));
        assert_eq!(span.set_parent(&remote(1)), Err(SetParentError::Started));
        span.in_scope(|| assert_eq!(Span::current().context(), Some(context.clone())));
        assert_eq!(Span::none().set_parent(&remote(1)), Err(SetParentError::NotRecorded));
        assert_eq!(Span::none().context(), None);
    };
    on_both(&lean(), body, |recorded| {
        let span = recorded.span("s");
        assert_eq!((span.parent, span.trace_id, span.flags), (Some([8; 8]), [7; 16], 0x301));
        assert_eq!(span.state, "vendor=1");
        assert_eq!(span.attributes, table(&[("a", "1")]));
    });
}

#[test]
fn spans_of_an_unsampled_parent_are_not_exported_but_have_contexts() {
    let body = || {
        let span = info_span!("s");
        span.set_parent(&remote(0)).unwrap();
        span.in_scope(|| {
            info!("event");
            let child = info_span!("child");
            assert_eq!(child.context().unwrap().trace_id, [7; 16]);
            assert!(!child.context().unwrap().is_sampled());
        });
        span.record("a", 1);
    };
    on_both(&lean(), body, |recorded| {
        assert!(recorded.spans.is_empty() && recorded.logs.is_empty(), "{recorded:?}");
    });
}

#[test]
fn links_lead_to_the_spans_that_are_followed() {
    let body = || {
        let first = info_span!("first");
        let second = info_span!("second");
        second.follows_from(&first);
        second.add_link(&remote(1));
    };
    on_both(&lean(), body, |recorded| {
        let first = recorded.span("first");
        let links = [(first.trace_id, first.span_id), ([7; 16], [8; 8])];
        assert_eq!(recorded.span("second").links, links);
    });
}

#[test]
fn status_is_set_by_error_events_and_by_the_program() {
    let failure = std::io::Error::other("broken");
    let body = || {
        info_span!("by event").in_scope(|| error!("failed"));
        info_span!("by ok").in_scope(|| {
            Span::current().set_status(StatusCode::Ok, "ignored");
            error!("failed");
        });
        info_span!("by program").set_status(StatusCode::Error, "program");
        // What `#[instrument(err)]` emits: an error without a message.
        info_span!("by instrument").in_scope(|| error!(error = %failure));
        info_span!("by text").in_scope(|| info!(error = "text"));
        info_span!("with message").in_scope(|| info!(error = "text", "message"));
    };
    on_both(&lean(), body, |recorded| {
        let status = |name: &str| recorded.span(name).status.clone();
        assert_eq!(status("by event"), (2, String::new()));
        assert_eq!(status("by ok"), (1, String::new()));
        assert_eq!(status("by program"), (2, "program".to_owned()));
        assert_eq!(status("by instrument"), (2, "broken".to_owned()));
        assert_eq!(status("by text"), (2, "text".to_owned()));
        assert_eq!(status("with message"), UNSET);
        let event = &recorded.span("by instrument").events[0];
        let expected = [("exception.message", "\"broken\""), ("level", "\"ERROR\"")];
        assert_eq!((event.name.as_str(), &event.attributes), ("exception", &table(&expected)));
    });
}

#[test]
fn a_span_ends_at_its_close_or_at_the_last_exit() {
    let exit = Cell::new(0);
    let body = || {
        let span = info_span!("s");
        span.in_scope(|| info!("inside"));
        span.in_scope(|| info!("last"));
        info_span!("later").in_scope(|| info!("after the exit"));
        drop(span.clone());
        exit.set(exit.get() + 1);
        drop(span);
    };
    let times = |recorded: &Recorded| {
        let (span, later) = (recorded.span("s"), recorded.span("later"));
        assert!(span.events[1].time <= span.times.1);
        (span.times.1, later.events[0].time)
    };
    on_both(&lean(), body, |recorded| {
        let (end, later) = times(recorded);
        assert!(end >= later);
    });
    let mut options = lean();
    options.ends = SpanEnd::LastExit;
    on_both(&options, body, |recorded| {
        let (end, later) = times(recorded);
        assert!(end <= later);
    });
}

#[test]
fn exits_may_come_out_of_order() {
    let body = || {
        let a = info_span!("a");
        let in_a = a.enter();
        let b = info_span!("b");
        let in_b = b.enter();
        drop(in_a);
        drop(info_span!("in b"));
        drop(in_b);
        drop(info_span!("in none"));
    };
    on_both(&lean(), body, |recorded| {
        assert_eq!(recorded.span("b").parent, Some(recorded.span("a").span_id));
        assert_eq!(recorded.span("in b").parent, Some(recorded.span("b").span_id));
        assert_eq!(recorded.span("in none").parent, None);
    });
}

#[test]
fn the_current_span_is_the_last_that_was_entered() {
    let body = || {
        assert!(Span::current().is_none());
        let span = info_span!("s", late = tracing::field::Empty);
        span.in_scope(|| {
            assert_eq!(Span::current().id(), span.id());
            Span::current().record("late", 1);
        });
    };
    on_both(&lean(), body, |recorded| assert_eq!(recorded.span("s").attributes, table(&[("late", "1")])));
}

#[test]
fn spans_of_two_clients_do_not_mix() {
    for door in DOORS {
        let (one, two) = (client(), client());
        let recorded = record_with(&one, door, lean(), || {
            let outer = info_span!("outer");
            let _in_outer = outer.enter();
            let inner = record_with(&two, door, lean(), || info_span!("inner").in_scope(|| info!("event")));
            assert_eq!(inner.spans.len(), 1, "{inner:?}");
            info!("event");
        });
        assert_eq!(recorded.spans.len(), 1);
        assert_eq!(recorded.span("outer").events.len(), 1);
    }
}

#[test]
fn errors_of_parents_say_what_to_do() {
    let text = SetParentError::Started.to_string();
    assert!(text.contains("set the parent before"), "{text}");
    assert!((&SetParentError::NotRecorded as &dyn Error).to_string().contains("OtlpLayer"));
}
