//! Values of fields.

use super::support::{EventData, Recorded, lean, on_both, table, with_events};
use crate::client::EventForm;
use std::error::Error;
use std::fmt;
use tracing::{info, info_span};

#[derive(Debug)]
struct Failed(&'static str, Option<Box<Self>>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

fn chained() -> Failed {
    Failed("no cart", Some(Box::new(Failed("no row", Some(Box::new(Failed("no disk", None)))))))
}

fn expected() -> std::collections::BTreeMap<String, String> {
    table(&[
        ("text", "\"GET\""),
        ("small", "7"),
        ("negative", "-7"),
        ("unsigned", "7"),
        ("huge", "\"18446744073709551615\""),
        ("wide", "-8"),
        ("wider", "\"170141183460469231731687303715884105727\""),
        ("unsigned_wide", "9"),
        ("unsigned_wider", "\"340282366920938463463374607431768211455\""),
        ("double", "0.25"),
        ("single", "0.5"),
        ("yes", "true"),
        ("bytes", "0x01ff"),
        ("debug", "\"Some(\\\"a\\\")\""),
        ("display", "\"a\""),
        ("owned", "\"owned\""),
        ("some", "3"),
        ("dotted.name", "1"),
    ])
}

/// Fields of all types, for a macro of `tracing`.
macro_rules! with_fields {
    ($macro:ident, $($rest:tt)*) => {
        $macro!(
            text = "GET", small = 7i32, negative = -7i64, unsigned = 7u64, huge = u64::MAX, wide = -8i128,
            wider = i128::MAX, unsigned_wide = 9u128, unsigned_wider = u128::MAX, double = 0.25f64, single = 0.5f32, yes = true,
            bytes = &[1u8, 255][..], debug = ?Some("a"), display = %"a", owned = String::from("owned"), some = Some(3),
            none = None::<i32>, empty = tracing::field::Empty, dotted.name = 1, $($rest)*
        )
    };
}

#[test]
fn values_of_span_fields_have_types() {
    let body = || {
        let _span = info_span!(
            "all", text = "GET", small = 7i32, negative = -7i64, unsigned = 7u64, huge = u64::MAX, wide = -8i128,
            wider = i128::MAX, unsigned_wide = 9u128, unsigned_wider = u128::MAX, double = 0.25f64, single = 0.5f32,
            yes = true, bytes = &[1u8, 255][..], debug = ?Some("a"), display = %"a", owned = String::from("owned"),
            some = Some(3), none = None::<i32>, empty = tracing::field::Empty, dotted.name = 1,
        );
    };
    on_both(&lean(), body, |recorded| assert_eq!(recorded.span("all").attributes, expected()));
}

#[test]
fn values_of_event_fields_have_types() {
    let body = || with_fields!(info, "done");
    let check = |recorded: &Recorded| {
        let [log] = &recorded.logs[..] else { panic!("{recorded:?}") };
        assert_eq!((log.attributes.clone(), log.body.as_str()), (expected(), "\"done\""));
    };
    on_both(&lean(), body, check);
    let body = || info_span!("s").in_scope(|| with_fields!(info, "done"));
    let check = |recorded: &Recorded| {
        let [EventData { name, attributes, .. }] = &recorded.span("s").events[..] else {
            panic!("{recorded:?}")
        };
        let mut expected = expected();
        expected.insert("level".into(), "\"INFO\"".into());
        assert_eq!((attributes, name.as_str()), (&expected, "done"));
    };
    on_both(&lean(), body, check);
}

#[test]
fn long_values_have_long_lengths() {
    for len in [0, 1, 100, 110, 112, 120, 124, 125, 126, 127, 128, 129, 200, 16_370, 16_384, 70_000] {
        let text = "x".repeat(len);
        let body = || {
            let span = info_span!("s", str = text, display = %text, bytes = text.as_bytes(), "long.name.of.this.field" = %text);
            span.in_scope(|| info!(str = text, display = %text, "{text}"));
            info!(str = text, display = %text, "{text}");
        };
        let shown = format!("\"{text}\"");
        on_both(&with_events(EventForm::Both), body, |recorded| {
            let span = recorded.span("s");
            let keys = ["str", "display", "long.name.of.this.field"];
            assert!(keys.iter().all(|key| span.attributes[*key] == shown), "{len}");
            assert_eq!(span.attributes["bytes"].len(), 2 + 2 * len);
            assert_eq!(span.events[0].name, text);
            assert_eq!(recorded.logs.len(), 2);
            for log in &recorded.logs {
                assert_eq!(
                    (&log.body, &log.attributes["str"], &log.attributes["display"]),
                    (&shown, &shown, &shown)
                );
            }
        });
    }
}

#[test]
fn an_error_has_its_chain_and_exception() {
    let error = chained();
    let error = &error as &(dyn Error + 'static);
    let exception = [
        ("exception.message", "\"no cart\""),
        ("exception.stacktrace", "\"no cart\\ncaused by: no row\\ncaused by: no disk\""),
    ];
    let field = [("cause", "\"no cart\""), ("cause.chain", "[\"no row\", \"no disk\"]")];
    let body = || {
        let _span = info_span!("on span", cause = error);
        info_span!("on event").in_scope(|| info!(cause = error, "failed"));
        info!(cause = error, "failed");
    };
    on_both(&lean(), body, |recorded| {
        assert_eq!(recorded.span("on span").attributes, table(&[field, exception].concat()));
        // The event's exception is the span's too.
        let span = recorded.span("on event");
        assert_eq!(span.attributes, table(&exception));
        let level = [("level", "\"INFO\"")];
        assert_eq!(span.events[0].attributes, table(&[&field[..], &exception[..], &level[..]].concat()));
        assert_eq!(recorded.logs[0].attributes, table(&exception));
    });
}

#[test]
fn an_error_without_a_source_has_no_stacktrace() {
    let error = Failed("alone", None);
    let error = &error as &(dyn Error + 'static);
    let body = || drop(info_span!("s", cause = error, "exception.message" = "mine"));
    on_both(&lean(), body, |recorded| {
        let expected = [("cause", "\"alone\""), ("cause.chain", "[]"), ("exception.message", "\"mine\"")];
        assert_eq!(recorded.span("s").attributes, table(&expected));
    });
}

#[test]
fn a_cycle_of_sources_ends() {
    #[derive(Debug)]
    struct Cycle;
    impl fmt::Display for Cycle {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cycle")
        }
    }
    impl Error for Cycle {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }
    let body = || info!(cause = &Cycle as &(dyn Error + 'static), "failed");
    on_both(&lean(), body, |recorded| {
        assert_eq!(recorded.logs[0].attributes["exception.stacktrace"].matches("caused by").count(), 32);
    });
}

#[test]
fn keys_are_unique() {
    let body = || {
        let span = info_span!("s", target = "mine", thread.id = 1, code.file.path = "mine.rs");
        span.in_scope(|| info!(level = "mine", target = 2, "event"));
    };
    on_both(&Default::default(), body, |recorded| {
        let span = recorded.span("s");
        assert_eq!(span.attributes["target"], "\"mine\"");
        assert_eq!(span.attributes["code.file.path"], "\"mine.rs\"");
        assert_eq!(span.attributes["thread.id"], "1");
        assert_eq!(span.events[0].attributes["level"], "\"mine\"");
        assert_eq!(span.events[0].attributes["target"], "2");
    });
}

/// Panics when it is asked for its source.
#[derive(Debug)]
struct Sourceless;

impl fmt::Display for Sourceless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sourceless")
    }
}

impl Error for Sourceless {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        std::panic::resume_unwind(Box::new("source"));
    }
}

#[test]
fn an_error_whose_source_panics_has_no_source() {
    let error = &Sourceless as &(dyn Error + 'static);
    on_both(
        &lean(),
        || drop(info_span!("s", cause = error, after = 1)),
        |recorded| {
            let attributes = &recorded.span("s").attributes;
            assert_eq!((attributes["cause"].as_str(), attributes["after"].as_str()), ("\"sourceless\"", "1"));
            assert!(!attributes.contains_key("exception.stacktrace"));
        },
    );
}

/// Decoded attributes are a map, and a key that is there twice fails the decoding.
#[test]
fn attributes_of_errors_and_fields_have_different_keys() {
    let error = chained();
    let error = &error as &(dyn Error + 'static);
    let body = || {
        let _before = info_span!("before", cause.chain = 1, cause = error);
        let _after = info_span!("after", cause = error, cause.chain = 1);
    };
    on_both(&lean(), body, |recorded| {
        assert_eq!(recorded.span("after").attributes["cause.chain"], "1");
        assert!(recorded.span("before").attributes["cause.chain"].contains("no row"));
    });
}
