//! Connectors in files: their places in pipelines, and the pipelines that their settings name.

use super::*;
use crate::start;
use otlp_protocol::encode::Spans;
use otlp_protocol::{Accepted, Batch, Body, Charge, ErrorKind, Retry, Signal};
use otlp_service::{
    BuildContext, Components, ConnectorPart, ForwardConnector, Ledger, NopExporter, OtlpPlugin, PipelineRef,
    SettingsError,
};
use otlp_transport::{Export, ExportError, ExportResult, TokioClock};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn text(connectors: &str, pipelines: &[&str]) -> String {
    let pipelines: String = pipelines.iter().map(|pipeline| format!("    {pipeline}\n")).collect();
    format!(
        "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nconnectors: {{{connectors}}}\nexporters: {{nop: }}\nservice:\n  \
         pipelines:\n{pipelines}"
    )
}

#[track_caller]
fn check(text: &str, place: &str, expected: &str) {
    let shown = problems(text);
    assert!(shown.contains(expected) && shown.contains(&format!("c.yaml:{place}")), "{shown}");
}

const IN: &str = "traces/in: {receivers: [otlp], exporters: [forward]}";

#[test]
fn forward_fans_in_and_out() {
    let plan = plan(&text(
        "forward: , forward/2: {}",
        &[
            IN,
            "traces/also: {receivers: [otlp], exporters: [forward, nop]}",
            "traces/out: {receivers: [forward], exporters: [nop, forward/2]}",
            "traces/out2: {receivers: [forward, forward/2], exporters: [nop]}",
        ],
    ));
    let spec = spec_of(plan);
    assert_eq!(
        spec.connectors.iter().map(|known| known.id.as_str()).collect::<Vec<_>>(),
        ["forward", "forward/2"]
    );
    assert!(spec.connectors.iter().all(|known| known.settings.is_some()));
}

#[test]
fn forward_keeps_signals_apart() {
    let logs = "logs/out: {receivers: [forward], exporters: [nop]}";
    check(
        &text("forward: ", &[IN, logs]),
        "2:14",
        "forward is an exporter of traces/in, but no pipeline of traces has it as a receiver\n",
    );
    check(
        &text("forward: ", &[IN, "traces/out: {receivers: [forward], exporters: [nop]}", logs]),
        "2:14",
        "forward is a receiver of logs/out, but no pipeline of logs has it as an exporter\n",
    );
    check(&text("forward: {size: 1}", &[IN]), "2:24", "unknown key `size`\n");
}

#[test]
fn a_cycle_is_shown_with_its_path() {
    let text = text(
        "forward: , forward/back: ",
        &[
            "traces/a: {receivers: [otlp, forward/back], exporters: [forward]}",
            "traces/b: {receivers: [forward], exporters: [nop, forward/back]}",
        ],
    );
    let shown = refusals(&text);
    assert!(
        shown.contains("form a cycle: traces/a -> forward -> traces/b -> forward/back -> traces/a\n")
            && shown.contains("c.yaml:6:5"),
        "{shown}"
    );
}

/// A connector whose settings name pipelines.
struct Naming;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    pipelines: Vec<String>,
}

impl OtlpPlugin for Naming {
    fn name(&self) -> &str {
        "naming"
    }

    fn version(&self) -> &str {
        "0"
    }

    fn register(&self, components: &mut Components<'_>) {
        components.connector("choose", "chooses", |Names { pipelines }: Names, _: &BuildContext<'_>| {
            let named = pipelines.into_iter().enumerate();
            let named = named.map(|(index, id)| PipelineRef { id, path: format!("pipelines.{index}") });
            let part = ConnectorPart::from(ForwardConnector::spec()).with_pipelines(named.collect());
            Ok::<_, SettingsError>(part)
        });
    }
}

#[test]
fn pipelines_in_settings_must_have_the_connector_among_their_receivers() {
    let load_with = |named: &str| {
        let text = text(
            &format!("choose: {{pipelines: [{named}]}}"),
            &[
                "traces/in: {receivers: [otlp], exporters: [choose]}",
                "traces/out: {receivers: [choose], exporters: [nop]}",
                "traces/other: {receivers: [otlp], exporters: [nop]}",
            ],
        );
        let mut plugins = shipped();
        plugins.load(Naming).expect("no clash");
        let mut sources = Sources::default();
        let fake = Fake::default().file("c.yaml", text);
        let plan = load(&["c.yaml".into()], &[], &fake, &plugins, &mut sources);
        plan.map(|plan| drop(start::context(&plan))).map_err(|problems| problems.render(&sources, false))
    };
    assert_eq!(load_with("traces/out"), Ok(()));
    for (named, expected) in [
        ("traces/ot", "choose: pipelines.0: the pipeline `traces/ot` is not defined\n"),
        (
            "traces/out, traces/other",
            "choose: pipelines.1: the pipeline `traces/other` does not have choose among its receivers\n",
        ),
    ] {
        let shown = load_with(named).expect_err(named);
        assert!(shown.contains(expected) && shown.contains("c.yaml:2:"), "{shown}");
        assert!(shown.contains("pipelines behind the connector: traces/out"), "{shown}");
    }
}

const ROUTED: [&str; 3] = [
    "traces/in: {receivers: [otlp], exporters: [routing]}",
    "traces/a: {receivers: [routing], exporters: [nop]}",
    "traces/rest: {receivers: [routing], exporters: [nop]}",
];

#[test]
fn routes_are_taken_in_all_forms() {
    for row in [
        "{condition: 'span.name == \"a\"', pipelines: [traces/a]}",
        "{context: span, condition: 'name == \"a\"', action: copy, pipelines: [traces/a]}",
        "{context: request, condition: 'request[\"k\"] == \"v\"', pipelines: [traces/a]}",
        "{statement: 'route() where attributes[\"a\"] == 1', pipelines: [traces/a]}",
        "{context: span, statement: ' route ( )', pipelines: [traces/a]}",
    ] {
        let plan =
            plan(&text(&format!("routing: {{default_pipelines: [traces/rest], table: [{row}]}}"), &ROUTED));
        assert_eq!(plan.connectors.len(), 1, "{row}");
    }
}

/// Refuses the first batch.
struct Overloaded(AtomicU32);

impl Export for Overloaded {
    async fn export(&self, _batch: Batch) -> ExportResult {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Err(ExportError::new(ErrorKind::Unavailable, Retry::Backoff, "overloaded")),
            _ => Ok(Accepted::FULL),
        }
    }
}

#[tokio::test]
async fn parts_are_sent_again_for_as_long_as_the_file_says() {
    for (key, arrives) in [("retry_parts_for: 1s, ", true), ("", false)] {
        let row = "{condition: 'resource.schema_url == \"\"', pipelines: [traces/a, traces/rest]}";
        let spec = spec_of(plan(&text(&format!("routing: {{{key}table: [{row}]}}"), &ROUTED)));
        let connector = &spec.connectors[0].connector;
        let account = Ledger::new().account("traces/in", "routing");
        let context = connector
            .context(account, Signal::TRACES, Arc::new(TokioClock))
            .with_outlet("traces/a", Signal::TRACES, NopExporter)
            .with_outlet("traces/rest", Signal::TRACES, Overloaded(AtomicU32::new(0)));
        let body = Body::write::<Spans>(|request| {
            request.resource_group(|group| {
                group.scope_group(|scope| {
                    scope.span(|_| ());
                });
            });
        });
        let result = connector.make(context).unwrap().export(Batch::new(body, Charge::none())).await;
        assert_eq!(result.is_ok(), arrives, "{result:?}");
    }
}

#[test]
fn wrong_routes_are_shown_with_their_places() {
    let row =
        |row: &str| text(&format!("routing: {{default_pipelines: [traces/rest], table: [{row}]}}"), &ROUTED);
    for (row_text, place, expected) in [
        ("{condition: 'span.nmae == 1', pipelines: [traces/a]}", "2:", "table.0: 1:6: unknown path `nmae`"),
        (
            "{condition: 'span.name == 1', pipelines: [traces/b]}",
            "2:",
            "the pipeline `traces/b` is not defined",
        ),
        ("{condition: 'span.name == 1'}", "2:", "a pipeline is required"),
        ("{pipelines: [traces/a]}", "2:", "a condition is required"),
        (
            "{statement: 'delete_key(attributes, \"a\")', pipelines: [traces/a]}",
            "2:",
            "it must be `route() where CONDITION`",
        ),
        (
            "{statement: 'route() whereattributes', pipelines: [traces/a]}",
            "2:",
            "it must be `route() where CONDITION`",
        ),
        ("{context: scope, condition: 'name == 1', pipelines: [traces/a]}", "2:", "unknown context `scope`"),
    ] {
        check(&row(row_text), place, expected);
    }
    check(&text("routing: ", &ROUTED), "2:", "a route is required");
}
