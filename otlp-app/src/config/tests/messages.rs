//! Whole messages, where a part of the text could mislead.

use super::*;

/// A configuration whose pipeline `traces` names these lists, with `sections` before it.
fn with(sections: &str, pipeline: &str) -> String {
    format!("{sections}\nservice: {{pipelines: {{traces: {{{pipeline}}}}}}}\n")
}

const OTLP: &str = "receivers: {otlp: {protocols: {grpc: }}}\n";

#[track_caller]
fn check(text: &str, expected: &str) {
    let shown = problems(text);
    assert_eq!(shown.trim_end(), expected.trim_end(), "the message is:\n{shown}");
}

#[test]
fn an_unknown_component_is_reported_at_its_definition_alone() {
    check(
        &with(
            "receivers: {otlp: {protocols: {grpc: }}, otpl: }\nexporters: {nop: }\nextensions: {pprf: }",
            "receivers: [otlp, otpl], exporters: [nop]}, logs: {receivers: [otpl], exporters: [nop]",
        ),
        "\
error: unknown receiver `otpl`
  --> c.yaml:1:42
   |
 1 | receivers: {otlp: {protocols: {grpc: }}, otpl: }
   |                                          ^^^^
   = did you mean `otlp`? available: otlp
   = used in: traces, logs
error: unknown extension `pprf`
  --> c.yaml:3:14
   |
 3 | extensions: {pprf: }
   |              ^^^^
   = did you mean `pprof`? available: health_check, healthcheckv2, api_key, basicauth, bearertokenauth, client_certificate, file_storage, headers_setter, memory_ballast, pprof, zpages",
    );
}

#[test]
fn a_connector_is_reported_once_though_it_is_a_receiver_and_an_exporter() {
    check(
        &with(
            &format!("{OTLP}connectors: {{spanmetrics: }}\nexporters: {{nop: }}"),
            "receivers: [otlp], exporters: [spanmetrics]}, metrics: {receivers: [spanmetrics], exporters: [nop]",
        ),
        "\
error: unknown connector `spanmetrics`
  --> c.yaml:2:14
   |
 2 | connectors: {spanmetrics: }
   |              ^^^^^^^^^^^
   = available: forward, routing
   = used in: traces, metrics",
    );
}

#[test]
fn a_component_that_is_not_defined_is_not_called_unknown() {
    check(
        &with(
            &format!("{OTLP}processors: {{memory_limiter: {{limit_mib: 9}}}}\nexporters: {{nop: }}"),
            "receivers: [otlp], processors: [memory_limiter, batch], exporters: [nop]",
        ),
        "\
error: traces: the processor `batch` is not defined
  --> c.yaml:4:80
   |
 4 | service: {pipelines: {traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [nop]}}}
   |                                                                                ^^^^^
   = defined: memory_limiter
   = define it under `processors`: `batch:` and its settings",
    );
    check(
        &with(OTLP, "receivers: [otlp], exporters: [datadog]"),
        "\
error: traces: the exporter `datadog` is not defined
  --> c.yaml:3:63
   |
 3 | service: {pipelines: {traces: {receivers: [otlp], exporters: [datadog]}}}
   |                                                               ^^^^^^^
   = types of exporters: debug, logging, nop, otlp_grpc, otlp_http, load_balancing, prometheus",
    );
    check(
        &with(
            &format!("{OTLP}processors: {{batch: }}\nexporters: {{nop: }}"),
            "receivers: [otlp], exporters: [batch, nop]",
        ),
        "\
error: traces: the exporter `batch` is not defined
  --> c.yaml:4:63
   |
 4 | service: {pipelines: {traces: {receivers: [otlp], exporters: [batch, nop]}}}
   |                                                               ^^^^^
   = `batch` is defined under `processors`: the processor `batch`",
    );
    check(
        "exporters: {nop: }\nreceivers: {otlp: {protocols: {grpc: }}}\n\
         service: {extensions: healthcheck, pipelines: {traces: {receivers: otlp, exporters: nop}}}\n",
        "\
error: service.extensions: the extension `healthcheck` is not defined
  --> c.yaml:3:23
   |
 3 | service: {extensions: healthcheck, pipelines: {traces: {receivers: otlp, exporters: nop}}}
   |                       ^^^^^^^^^^^
   = did you mean `health_check`? types of extensions: health_check, healthcheckv2, api_key, basicauth, bearertokenauth, client_certificate, file_storage, headers_setter, memory_ballast, pprof, zpages",
    );
}

#[test]
fn components_that_were_removed_name_what_replaces_them() {
    for (kind, name, instead) in [
        ("exporters", "jaeger", "Jaeger takes OTLP: use `otlp_grpc` with `endpoint: HOST:4317`"),
        ("exporters", "loki/eu", "Loki takes OTLP: use `otlp_http` with `endpoint: http://HOST:3100/otlp`"),
        ("exporters", "sapm", "`traces_endpoint: https://ingest.REALM.signalfx.com/v2/trace/otlp`"),
        ("exporters", "opencensus", "OTLP replaces OpenCensus: use `otlp_grpc` with `endpoint: HOST:4317`"),
        ("receivers", "opencensus", "use the receiver `otlp`, which listens on 4317 (gRPC) and 4318 (HTTP)"),
        ("processors", "queued_retry", "use `sending_queue` and `retry_on_failure` of the exporters"),
    ] {
        let name_alone = name.split('/').next().unwrap_or_default();
        let unknown = problems(&format!("{kind}: {{{name}: }}\n"));
        let title = format!("error: unknown {} `{name_alone}`\n", kind.trim_end_matches('s'));
        assert!(unknown.contains(&title) && unknown.contains(instead), "{unknown}");
    }
    let undefined = problems(&with(OTLP, "receivers: [otlp], exporters: [jaeger]"));
    assert!(undefined.contains("Jaeger takes OTLP"), "{undefined}");
}

#[test]
fn keys_of_older_collectors_name_their_place() {
    let shown = problems(&around("  otlp: {endpoint: c:1, insecure: true}"));
    let expected = "error: unknown key `insecure`\n  --> c.yaml:3:25\n";
    let help = "   = the key is now `insecure` below `tls`\n";
    assert!(shown.starts_with(expected) && shown.ends_with(help), "{shown}");
    let http = around("  otlp: {endpoint: c:1}").replace("grpc: ", "http: {cors_allowed_origins: ['*']}");
    let shown = problems(&http);
    assert!(shown.ends_with("   = the key is now `allowed_origins` below `cors`\n"), "{shown}");
}

#[test]
fn all_variables_that_are_not_set_are_shown() {
    check(
        &around("  otlp: {endpoint: '${HOST}:${env:PORT}', compression: '${env:C:-gzip}'}\n  nop: ${HOST}"),
        "\
error: the environment variable `HOST` is not set
  --> c.yaml:3:20
   |
 3 |   otlp: {endpoint: '${HOST}:${env:PORT}', compression: '${env:C:-gzip}'}
   |                    ^^^^^^^^^^^^^^^^^^^^^
   = also at c.yaml:4:8
   = set the variable, give a default (`${env:HOST:-default}`), or start with --allow-unset, which makes all such variables empty
error: the environment variable `PORT` is not set
  --> c.yaml:3:20
   |
 3 |   otlp: {endpoint: '${HOST}:${env:PORT}', compression: '${env:C:-gzip}'}
   |                    ^^^^^^^^^^^^^^^^^^^^^
   = set the variable, give a default (`${env:PORT:-default}`), or start with --allow-unset, which makes all such variables empty",
    );
}

#[test]
fn more_than_twenty_variables_that_are_not_set_are_shown() {
    let headers: String = (0..40).map(|n| format!("      h{n}: ${{V{n}}}\n")).collect();
    let shown = problems(&around(&format!("  otlp:\n    endpoint: c:1\n    headers:\n{headers}")));
    assert!((0..40).all(|n| shown.contains(&format!("variable `V{n}` is not set"))), "{shown}");
}

#[test]
fn values_of_another_kind_name_the_reference() {
    let fake = Fake::default().var("S", "s3cret-value").file(
        "c.yaml",
        around("  otlp: {endpoint: c:1, compression: '${env:S}', sending_queue: {queue_size: 'x${env:S}'}}"),
    );
    let shown = fake.load(&["c.yaml"], &[]).err().unwrap_or_default();
    let expected = "expected one of gzip, zstd, br, brotli, zlib, deflate, snappy, x-snappy-framed, lz4, none, adaptive, found the value of `${env:S}`\n";
    assert!(shown.contains(expected) && !shown.contains("s3cret"), "{shown}");
    let fake =
        fake.file("c.yaml", around("  otlp: {endpoint: c:1, sending_queue: {queue_size: 'x${env:S}'}}"));
    let shown = fake.load(&["c.yaml"], &[]).err().unwrap_or_default();
    let expected = "queue_size: expected a whole number, found the value of `${env:S}`\n";
    assert!(shown.contains(expected) && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_quoted_value_of_another_kind_is_called_a_text() {
    check(
        &around("  otlp: {endpoint: c:1, sending_queue: {enabled: \"yes\"}}"),
        "\
error: sending_queue.enabled: expected true or false, found the text `yes`
  --> c.yaml:3:50
   |
 3 |   otlp: {endpoint: c:1, sending_queue: {enabled: \"yes\"}}
   |                                                  ^^^^^",
    );
}

#[test]
fn a_missing_action_is_not_called_unknown() {
    check(
        &with(
            &format!(
                "{OTLP}processors: {{attributes: {{actions: [{{key: a, value: 1}}]}}}}\nexporters: {{nop: }}"
            ),
            "receivers: otlp, processors: attributes, exporters: nop",
        ),
        "\
error: attributes: actions.0.action: it is required
  --> c.yaml:2:37
   |
 2 | processors: {attributes: {actions: [{key: a, value: 1}]}}
   |                                     ^^^^^^^^^^^^^^^^^^
   = available: insert, update, upsert, delete, hash, extract, convert",
    );
}

#[test]
fn one_value_is_a_list_of_one_in_every_list() {
    let text = "receivers: {otlp: {protocols: {http: {compression_algorithms: gzip, cors: {allowed_origins: 'https://a'}}}}}\n\
                processors: {batch: {metadata_keys: k}}\nextensions: {health_check: }\n\
                exporters: {load_balancing: {resolver: {static: {hostnames: a}}}}\n\
                service:\n  extensions: health_check\n  pipelines:\n    \
                traces: {receivers: otlp, processors: batch, exporters: load_balancing}\n";
    let plan = plan(text);
    assert_eq!(plan.pipelines[0].receivers, ["otlp"]);
    assert_eq!(plan.pipelines[0].exporters, ["load_balancing"]);
    assert!(plan.pipelines[0].stages.len() == 1 && !plan.health.probes.is_empty());
}

#[test]
fn a_refused_key_hides_what_follows_from_its_absence() {
    check(
        &with(
            &format!("{OTLP}exporters: {{load_balancing: {{resolver: {{k8s: {{service: a}}}}}}}}"),
            "receivers: otlp, exporters: load_balancing",
        ),
        "\
error: exporters.load_balancing.resolver.k8s is not supported: endpoints would not be found; a headless service can be found by `dns`
  --> c.yaml:2:41
   |
 2 | exporters: {load_balancing: {resolver: {k8s: {service: a}}}}
   |                                         ^^^
   = ignoring it could lose or expose data; remove it",
    );
}

#[test]
fn components_without_use_are_noted_with_their_kind() {
    let text = "receivers: {otlp: {protocols: {grpc: }}, otlp/b: {protocols: {http: }}}\nexporters: {otlp: {endpoint: 'c:1'}, nop: }\n\
                processors: {batch: }\nextensions: {health_check: }\n\
                service: {pipelines: {traces: {receivers: otlp, exporters: nop}}}\n";
    let notes: Vec<_> = plan(text).notes.into_iter().map(|note| note.text).collect();
    assert_eq!(
        notes,
        [
            "receiver otlp/b is defined but not used",
            "processor batch is defined but not used",
            "exporter otlp is defined but not used",
            "extension health_check is defined but not in service.extensions",
        ]
    );
}

#[test]
fn the_caret_stands_below_wide_characters() {
    check(
        &around("  otlp: {user_agent: 日本語, endpont: c:1, endpoint: c:1}"),
        "\
error: unknown key `endpont`
  --> c.yaml:3:27
   |
 3 |   otlp: {user_agent: 日本語, endpont: c:1, endpoint: c:1}
   |                              ^^^^^^^
   = did you mean `endpoint`? available: endpoint, balancer_name, authority, keepalive, timeout, compression, adaptive_compression, headers, user_agent, auth, tls, sending_queue, retry_on_failure, dead_letter",
    );
}
