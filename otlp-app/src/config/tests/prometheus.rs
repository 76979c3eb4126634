//! Settings of the exporter `prometheus`.

use super::*;

fn shown(signal: &str, settings: &str) -> String {
    problems(&format!(
        "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{prometheus: {settings}}}\n\
         service: {{pipelines: {{{signal}: {{receivers: [otlp], exporters: [prometheus]}}}}}}\n"
    ))
}

#[test]
fn the_address_is_required() {
    let expected = "\
error: prometheus: endpoint: it is missing
  --> c.yaml:2:13
   |
 2 | exporters: {prometheus: {namespace: a}}
   |             ^^^^^^^^^^
   = add the address that Prometheus scrapes: `endpoint: 0.0.0.0:8889`";
    assert_eq!(shown("metrics", "{namespace: a}").trim_end(), expected);
}

#[test]
fn labels_of_resources_are_chosen_in_one_place() {
    for (conversion, expected) in [
        (
            "resource_to_telemetry_conversion: {enabled: true, included: [a]}",
            "`included` and `excluded` choose some",
        ),
        (
            "resource_to_telemetry_conversion: {enabled: true}, resource_constant_labels: {excluded: [a]}",
            "it is the old name of `resource_constant_labels`, which is set, too",
        ),
    ] {
        let shown = shown("metrics", &format!("{{endpoint: 'a:1', {conversion}}}"));
        assert!(shown.contains(expected), "{shown}");
    }
}

#[test]
fn other_signals_than_metrics_are_refused() {
    let expected = "\
error: logs: prometheus takes metrics alone
  --> c.yaml:3:23
   |
 3 | service: {pipelines: {logs: {receivers: [otlp], exporters: [prometheus]}}}
   |                       ^^^^
   = use prometheus in pipelines of metrics";
    assert_eq!(shown("logs", "{endpoint: 'a:1'}").trim_end(), expected);
}

#[test]
fn authentication_is_refused_with_a_way_out() {
    let shown = shown("metrics", "{endpoint: 'a:1', auth: {authenticator: b}}");
    assert!(shown.contains("let TLS ask for client certificates"), "{shown}");
}
