//! Groups: their order, conditions, errors, scratch maps and counters.

use super::*;
use crate::telemetry::Registry;
use std::sync::Arc;

/// A request with records of these bodies, in one resource.
fn logs(texts: &[&str]) -> Body {
    Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                for text in texts {
                    scope.log_record(|record| {
                        record.body(*text);
                    });
                }
            });
        });
    })
}

/// Shows the attributes of the resource, and of each record.
fn all(body: &Body) -> String {
    let bytes = body.to_bytes();
    let view = RequestView::new(Signal::LOGS, &bytes);
    let resource = view.resources().next().map(|group| show_attributes(group.resource().attributes()));
    let records = view.log_records().map(|record| show_attributes(record.attributes()));
    resource.into_iter().chain(records).collect::<Vec<_>>().join(" ")
}

fn passes(processor: &TransformProcessor) -> Vec<usize> {
    processor.plans.iter().flat_map(|plan| &plan.passes).map(|pass| pass.steps.len()).collect()
}

#[test]
fn groups_run_in_order_each_over_the_whole_request() {
    let first = r#"set(resource.attributes["n"], log.body)"#;
    let second = r#"set(log.attributes["seen"], resource.attributes["n"])"#;
    let group = |statements: &[&str]| TransformGroup::new(Signal::LOGS, statements.iter().copied());
    let two = processor([group(&[first]), group(&[second])]);
    assert_eq!(all(&transform(&two, logs(&["a", "b"]))), r#"{"n": "b"} {"seen": "b"} {"seen": "b"}"#);
    // A list is one group: both statements run on each record.
    let one = processor([group(&[first, second])]);
    assert_eq!(all(&transform(&one, logs(&["a", "b"]))), r#"{"n": "b"} {"seen": "a"} {"seen": "b"}"#);
    assert_eq!((passes(&two), passes(&one)), (vec![1, 1], vec![1]));
}

#[test]
fn groups_share_a_walk_unless_messages_would_see_each_other() {
    let resource = || group(Signal::TRACES, "resource", [r#"set(attributes["r"], 1)"#]);
    let span = || group(Signal::TRACES, "span", [r#"set(attributes["s"], resource.attributes["r"])"#]);
    let event = || group(Signal::TRACES, "spanevent", [r#"set(attributes["e"], span.attributes["s"])"#]);
    assert_eq!(passes(&processor([resource(), span(), span(), event(), resource(), span()])), [4, 2]);
    let up = || group(Signal::TRACES, "spanevent", [r#"set(span.name, name)"#]);
    assert_eq!(passes(&processor([span(), up(), event()])), [1, 1, 1]);
    let shared = || TransformGroup { shares_cache: true, ..span() };
    assert_eq!(passes(&processor([span(), shared(), shared()])), [1, 1, 1]);
}

#[test]
fn conditions_of_a_group_are_alternatives() {
    let mut of = group(Signal::LOGS, "log", [r#"set(attributes["hit"], true)"#]);
    of.conditions = vec![r#"body["k"] == 1"#.to_owned(), r#"body == "a""#.to_owned()];
    // The first condition fails on texts, and counts as not met.
    assert_eq!(all(&transform(&processor([of.clone()]), logs(&["a", "b"]))), r#"{} {"hit": true} {}"#);
    of.error_mode = ErrorMode::Propagate;
    let mut out = Out::new();
    assert!(processor([of]).process(Batch::new(logs(&["a"]), Charge::none()), &mut out).is_err());
    assert!(out.into_batches().is_empty());
}

#[test]
fn an_error_that_is_propagated_changes_nothing() {
    let mut failing =
        group(Signal::LOGS, "log", [r#"set(attributes["x"], 1)"#, r#"set(severity_text, body)"#]);
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.log_record(|record| {
                    record.body("text");
                });
                scope.log_record(|record| {
                    record.body(7);
                });
            });
        });
    });
    let ignoring = all(&transform(&processor([failing.clone()]), body.clone()));
    assert_eq!(ignoring, r#"{} {"x": 1} {"x": 1}"#);
    failing.error_mode = ErrorMode::Propagate;
    let mut out = Out::new();
    let error = processor([failing]).process(Batch::new(body, Charge::none()), &mut out).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the log statement `set(severity_text, body)` failed: set: expected a string")
    );
    assert!(out.into_batches().is_empty());
}

#[test]
fn a_scratch_map_lives_for_one_message_unless_it_is_shared() {
    let statements = [r#"set(attributes["before"], cache["k"])"#, r#"set(cache["k"], body)"#];
    let own = || group(Signal::LOGS, "log", statements);
    let alone = all(&transform(&processor([own()]), logs(&["a", "b"])));
    assert_eq!(alone, r#"{} {"before": Empty} {"before": Empty}"#);
    let shared = || TransformGroup { shares_cache: true, ..own() };
    let both = all(&transform(&processor([shared()]), logs(&["a", "b"])));
    assert_eq!(both, r#"{} {"before": Empty} {"before": "a"}"#);
}

#[test]
fn statements_are_counted_and_a_dry_run_changes_nothing() {
    let registry = Registry::default();
    let metrics = ProcessorMetrics::new(&registry, "transform/x", "logs", Signal::LOGS);
    let mut config = TransformConfig { is_dry_run: true, ..TransformConfig::default() };
    let statements = [r#"set(attributes["a"], 1) where body == "a""#, "set(severity_text, 5)"];
    config.groups.push(group(Signal::LOGS, "log", statements));
    let processor: Arc<dyn Processor> =
        TransformProcessor::new(config).unwrap().with_metrics(&metrics).unwrap();
    let mut out = Out::new();
    processor.process(Batch::new(logs(&["a", "b", "a"]), Charge::none()), &mut out).unwrap();
    assert_eq!(all(out.into_batches()[0].body()), "{} {} {} {}");
    let shown = registry.snapshot();
    let count = |name: &str, statement: &str| {
        let labels = [
            ("processor", "transform/x"),
            ("otel_signal", "logs"),
            ("pipeline", "logs"),
            ("context", "log"),
            ("statement", statement),
        ];
        shown.get(&format!("otelcol_processor_transform_statement_{name}"), &labels)
    };
    let [set, failing] = statements;
    assert_eq!((count("runs", set), count("errors", set)), (Some(2.0), Some(0.0)));
    assert_eq!((count("runs", failing), count("errors", failing)), (Some(0.0), Some(3.0)));
}

#[test]
fn headers_of_the_request_are_read() {
    let statement = r#"set(attributes["user"], otelcol.client.metadata["X-User"][0])"#;
    let processor = processor([group(Signal::LOGS, "log", [statement])]);
    assert_eq!(processor.needs().headers, [Box::from("x-user")]);
    let mut batch = Batch::new(log("x"), Charge::none());
    batch.origin =
        Some(Arc::new(Origin { headers: vec![("x-user".into(), "bob".into())], ..Origin::default() }));
    let mut out = Out::new();
    processor.process(batch, &mut out).unwrap();
    let body = out.into_batches()[0].body().clone();
    assert_eq!(show_log(&body, |record| show_attributes(record.attributes())), r#"{"user": "bob"}"#);
}

#[test]
fn faults_are_found_all_at_once_with_their_paths() {
    let mut config = TransformConfig::default();
    config.groups.push(TransformGroup {
        path: "trace_statements.0.statements".to_owned(),
        conditions: vec!["nmae == \"x\"".to_owned()],
        ..group(Signal::TRACES, "span", [r#"set(name, "x")"#, "sett(name, 1)"])
    });
    config.groups.push(group(Signal::TRACES, "log", ["set(body, 1)"]));
    let errors = TransformProcessor::new(config).unwrap_err();
    let paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["trace_statements.0.conditions.0", "trace_statements.0.statements.1", "context"]);
    assert!(errors[2].to_string().contains("unknown context `log`, known: spanevent, span, scope, resource"));
}
