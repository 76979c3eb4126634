//! Events: of spans, as log records, or both.

use super::support::{lean, on_both, table, with_events};
use crate::client::{EventForm, TracingOptions};
use tracing::{debug, error, info, info_span, trace, warn};

#[test]
fn levels_are_severities() {
    let body = || {
        trace!("1");
        debug!("5");
        info!("9");
        warn!("13");
        error!("17");
    };
    on_both(&lean(), body, |recorded| {
        let severities: Vec<_> =
            recorded.logs.iter().map(|log| (log.severity.0, log.severity.1.as_str())).collect();
        assert_eq!(severities, [(1, "TRACE"), (5, "DEBUG"), (9, "INFO"), (13, "WARN"), (17, "ERROR")]);
        let bodies: Vec<_> = recorded.logs.iter().map(|log| log.body.clone()).collect();
        assert_eq!(bodies, ["\"1\"", "\"5\"", "\"9\"", "\"13\"", "\"17\""]);
    });
}

#[test]
fn a_log_record_has_scope_name_times_and_ids() {
    let body = || {
        info!(target: "shop::cart", a = 1, "put {}", 2);
        info!(name: "cart.put", target: "shop::cart", a = 1);
        info_span!("s").in_scope(|| info!(target: "shop::cart", "in span"));
    };
    on_both(&with_events(EventForm::Logs), body, |recorded| {
        let [formatted, named, in_span] = &recorded.logs[..] else { panic!("{recorded:?}") };
        assert!(recorded.logs.iter().all(|log| log.scope == "shop::cart"));
        assert!(recorded.logs.iter().all(|log| log.times.0 == 0 && log.times.1 > 0));
        assert_eq!((formatted.body.as_str(), &formatted.attributes), ("\"put 2\"", &table(&[("a", "1")])));
        assert!(formatted.event_name.starts_with("event "), "{}", formatted.event_name);
        assert_eq!((named.body.as_str(), named.event_name.as_str()), ("Empty", "cart.put"));
        assert_eq!((formatted.ids, named.ids), (None, None));
        let span = recorded.span("s");
        assert_eq!(in_span.ids, Some((span.trace_id, span.span_id)));
        assert!(span.events.is_empty());
    });
}

#[test]
fn log_records_have_locations_if_asked() {
    let mut options = lean();
    options.log_location = true;
    on_both(
        &options,
        || info!("here"),
        |recorded| {
            let keys: Vec<_> = recorded.logs[0].attributes.keys().map(String::as_str).collect();
            assert_eq!(keys, ["code.file.path", "code.line.number", "code.module.name"]);
        },
    );
}

#[test]
fn events_in_spans_have_the_form_of_the_options() {
    let body = || info_span!("s").in_scope(|| info!(a = 1, "event"));
    for (form, span_events, logs) in
        [(EventForm::SpanEvents, 1, 0), (EventForm::Logs, 0, 1), (EventForm::Both, 1, 1)]
    {
        on_both(&with_events(form), body, |recorded| {
            assert_eq!((recorded.span("s").events.len(), recorded.logs.len()), (span_events, logs));
        });
    }
}

#[test]
fn span_events_have_level_target_and_location() {
    let body = || info_span!("s").in_scope(|| info!(target: "shop", a = 1, "event"));
    on_both(&TracingOptions::default(), body, |recorded| {
        let event = &recorded.span("s").events[0];
        let keys: Vec<_> = event.attributes.keys().map(String::as_str).collect();
        assert_eq!(keys, ["a", "code.file.path", "code.line.number", "code.module.name", "level", "target"]);
        assert_eq!(event.attributes["target"], "\"shop\"");
        assert!(event.time > 0);
    });
}

#[test]
fn an_event_without_a_message_has_the_name_of_its_metadata() {
    let body = || info_span!("s").in_scope(|| info!(name: "cart.put", a = 1));
    on_both(&lean(), body, |recorded| assert_eq!(recorded.span("s").events[0].name, "cart.put"));
}

#[test]
fn explicit_parents_of_events_count() {
    let body = || {
        let span = info_span!("s");
        info_span!("other").in_scope(|| {
            info!(parent: &span, "of s");
            info!(parent: None, "of none");
        });
    };
    on_both(&lean(), body, |recorded| {
        assert_eq!(recorded.span("s").events[0].name, "of s");
        assert!(recorded.span("other").events.is_empty());
        assert_eq!((recorded.logs[0].body.as_str(), recorded.logs[0].ids), ("\"of none\"", None));
    });
}

#[test]
fn records_of_the_log_crate_keep_their_target_and_location() {
    let body = || {
        info!(
            target: "log",
            { "log.target" = "shop", "log.module_path" = "shop::cart", "log.file" = "cart.rs", "log.line" = 7 },
            "bridged"
        );
    };
    on_both(&lean(), body, |recorded| {
        let expected = [
            ("target", "\"shop\""),
            ("code.module.name", "\"shop::cart\""),
            ("code.file.path", "\"cart.rs\""),
            ("code.line.number", "7"),
        ];
        assert_eq!(recorded.logs[0].attributes, table(&expected));
    });
}
