//! From tree to plan: defaults, and settings that reach the layers below.

use super::*;
use otlp_protocol::Signal;
use otlp_service::{GoDuration, MetricsPage};
use std::time::Duration;

#[test]
fn defaults_are_the_collectors() {
    let plan = plan(
        "receivers: {otlp: {protocols: {grpc: , http: {}}}}\nprocessors: {batch: }\nexporters: {otlp: {endpoint: c:1}}\n\
         extensions: {health_check: }\nservice:\n  extensions: [health_check]\n  \
         pipelines: {traces/a: {receivers: [otlp], processors: [batch], exporters: [otlp]}}",
    );
    let endpoints: Vec<_> =
        plan.receivers[0].1.servers.iter().map(|server| server.spec.config.endpoint.as_str()).collect();
    assert_eq!(endpoints, ["localhost:4317", "localhost:4318"]);
    assert_eq!(plan.telemetry.pages, [MetricsPage::new("localhost:8888")]);
    assert_eq!(
        plan.health
            .probes
            .iter()
            .map(|health| (health.endpoint.clone(), health.path.clone()))
            .collect::<Vec<_>>(),
        [("localhost:13133".into(), "/".into())]
    );
    let stages = &plan.pipelines[0].stages;
    assert_eq!(stages.iter().map(|stage| stage.id.as_str()).collect::<Vec<_>>(), ["batch"]);
    let batch = batch(&plan);
    assert_eq!((batch.timeout, batch.send_batch_size), (Duration::from_millis(200), 8192));
    assert_eq!((plan.pipelines[0].id.as_str(), plan.pipelines[0].signal), ("traces/a", Signal::TRACES));
    let otlp = &plan.exporters[0].1;
    assert!(otlp.part.queue.enabled && otlp.part.queue.queue_size == 1000 && otlp.part.retry.enabled);
    assert_eq!(plan.memory_limit_bytes, None);
    assert!(plan.notes.is_empty());
}

/// Endpoints for the log, and for the delays that destinations ask for.
#[test]
fn exporters_say_where_each_signal_goes() {
    for (exporter, expect) in [
        ("otlp: {endpoint: 'c:1'}", &["c:1"; 4][..]),
        ("otlp: {endpoint: 'https://c:1/'}", &["c:1"; 4]),
        ("otlp: {endpoint: 'unix:///run/x.sock'}", &["unix:///run/x.sock"; 4]),
        (
            "otlp_http: {endpoint: 'http://c:1/base', traces_endpoint: 'http://t/v1?key=1'}",
            &["t", "c:1", "c:1", "c:1"],
        ),
        ("debug: ", &[]),
    ] {
        let (id, _) = exporter.split_once(':').unwrap();
        let plan = plan(&format!(
            "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{{exporter}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [{id}]}}}}}}",
        ));
        let endpoints: Vec<_> =
            plan.exporters[0].1.part.endpoints.iter().map(|(_, endpoint)| endpoint.as_str()).collect();
        assert_eq!(endpoints, expect, "{exporter}");
    }
}

#[test]
fn every_key_of_debug_is_used() {
    let plan = plan(
        "receivers: {otlp: {protocols: {grpc: }}}\nexporters:\n  debug: {verbosity: detailed, sampling_initial: 5, \
         sampling_thereafter: 200, use_internal_logger: false, max_items_per_second: 10}\n\
         service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}",
    );
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
}

#[test]
fn settings_reach_the_layers_below() {
    let plan = plan(
        "receivers:\n  otlp:\n    protocols:\n      grpc:\n        endpoint: 1.2.3.4:1\n        max_recv_msg_size_mib: 8\n        \
         max_concurrent_streams: 7\n        keepalive: {server_parameters: {max_connection_age: 1m30s, max_connection_idle: 5m, time: 10s}}\n      \
         http: {endpoint: '[::1]:2', max_request_body_size: 1000, logs_url_path: l, idle_timeout: 0}\n\
         processors:\n  memory_limiter: {limit_mib: 64, check_interval: 1s}\n  batch: {send_batch_max_size: 100, timeout: 1s}\n\
         exporters:\n  otlphttp:\n    logs_endpoint: http://c/l\n    timeout: 0\n    retry_on_failure: {max_elapsed_time: 0, multiplier: 2}\n    \
         sending_queue: {enabled: false}\n\
         service:\n  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: '::1', port: 9}}}}]}, logs: {level: DEBUG, encoding: json}}\n  \
         pipelines: {logs: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlphttp]}}",
    );
    let [grpc, http] = plan.receivers[0].1.servers.as_slice() else { panic!("not two servers") };
    let limits = &grpc.spec.config.limits;
    assert_eq!((limits.max_request_bytes, limits.max_concurrent_streams), (8 << 20, 7));
    assert_eq!(limits.max_connection_age, Some(Duration::from_secs(90)));
    assert_eq!(limits.max_connection_idle, Some(Duration::from_secs(300)));
    assert_eq!(limits.keepalive_interval, Duration::from_secs(10));
    assert_eq!(
        (http.spec.config.limits.max_request_bytes, http.spec.config.endpoint.as_str()),
        (1000, "[::1]:2")
    );
    let limits = &http.spec.config.limits;
    assert_eq!((limits.idle_timeout, limits.max_connection_idle), (Duration::from_secs(60), None));
    assert_eq!(http.spec.http_paths, [(Signal::LOGS, "/l".to_owned())]);
    assert_eq!(plan.memory_limit_bytes, Some(64 << 20));
    let batch = batch(&plan);
    assert_eq!((batch.send_batch_max_size, batch.send_batch_size), (100, 100));
    let exporter = &plan.exporters[0].1;
    assert_eq!((exporter.part.retry.max_elapsed_time, exporter.part.retry.multiplier), (None, 2.0));
    assert!(!exporter.part.queue.enabled);
    assert_eq!(plan.telemetry.pages, [MetricsPage::new("[::1]:9")]);
    assert!(
        plan.telemetry.logs.json && plan.telemetry.logs.level == tracing::level_filters::LevelFilter::DEBUG
    );
    assert_eq!(plan.notes.len(), 1, "check_interval: {:?}", plan.notes);
}

#[test]
fn keys_without_use_are_noted_or_refused() {
    let noted = around("  otlp: {endpoint: c:1, write_buffer_size: 3, wait_for_ready: true}\n  nop:");
    let noted = plan(&noted);
    let notes: Vec<_> = noted.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(
        notes.iter().any(|note| note.starts_with("exporters.otlp.write_buffer_size is ignored: ")),
        "{notes:?}"
    );
    assert!(notes.contains(&"exporter nop is defined but not used"), "{notes:?}");

    for taken in [
        "auth: ",
        "tls: {min_version: 1.3}",
        "sending_queue: {sizer: requests}",
        "sending_queue: {sizer: items, queue_size: 5000000}",
        "sending_queue: {batch: }",
        "sending_queue: {batch: {min_size: 3, flush_timeout: 1s}}",
        "tls: {min_version: \"1.2\"}",
    ] {
        let text = around(&format!("  otlp: {{endpoint: c:1, {taken}}}"));
        let wrong = Fake::default().file("c.yaml", text).load(&["c.yaml"], &[]).err();
        assert_eq!(wrong, None, "{taken}");
    }
    for refused in [
        "sending_queue: {storage: file_storage}",
        "tls: {min_version: \"1.1\"}",
        "tls: {tpm: {enabled: true}}",
        "middlewares: [{id: x}]",
    ] {
        let problems = problems(&around(&format!("  otlp: {{endpoint: c:1, {refused}}}")));
        assert!(problems.contains(" c.yaml:3:"), "{refused}: {problems}");
    }
}

#[test]
fn an_exporter_gets_only_signals_it_has_an_endpoint_for() {
    let text = around("  otlphttp: {logs_endpoint: http://c/l}")
        .replace("[otlp], exporters: [otlp]", "[otlp], exporters: [otlphttp]");
    assert!(problems(&text).contains("otlphttp has no endpoint for traces"), "{}", problems(&text));
}

#[test]
fn durations_are_gos() {
    let cases = [
        ("0", Some(0)),
        ("200ms", Some(200_000_000)),
        ("1m30s", Some(90_000_000_000)),
        ("1.5h", Some(5_400_000_000_000)),
        ("3us", Some(3_000)),
        ("3µs", Some(3_000)),
        ("+1s", Some(1_000_000_000)),
        (".5s", Some(500_000_000)),
        ("", None),
        ("5", None),
        ("-1s", None),
        ("1d", None),
        ("s", None),
        ("1s2", None),
        ("1.2.3s", None),
        ("99999999h", None),
        (&"9".repeat(400), None),
    ];
    for (text, nanos) in cases {
        let parsed = text.parse().ok().map(|GoDuration(duration)| duration.as_nanos());
        assert_eq!(parsed, nanos, "{text}");
    }
}

#[test]
fn addresses_to_listen_on_have_a_port() {
    let cases = [
        ("localhost:4317", Ok("localhost:4317")),
        ("[::1]:0", Ok("[::1]:0")),
        (":4317", Ok("[::]:4317")),
        ("0.0.0.0:4317", Ok("[::]:4317")),
        ("localhost", Err("a port is missing")),
        ("localhost:http", Err("must be a number")),
        ("localhost:99999", Err("must be a number")),
        ("::1:4317", Err("needs brackets")),
        ("http://localhost:4317", Err("not a URL")),
    ];
    for (endpoint, expected) in cases {
        match (listen::listen_address(endpoint), expected) {
            (Ok(address), Ok(expected)) => assert_eq!(address, expected),
            (Err(problem), Err(expected)) => assert!(problem.contains(expected), "{endpoint}: {problem}"),
            (found, _) => panic!("{endpoint}: {found:?}"),
        }
    }
    let receiver = around("  otlp: {endpoint: c:1}").replace("{grpc: }", "{grpc: {endpoint: localhost}}");
    assert!(problems(&receiver).contains(" c.yaml:1:49\n"), "{}", problems(&receiver));
    let metrics = around("  otlp: {endpoint: c:1}") + "  telemetry: {metrics: {address: here}}\n";
    assert!(problems(&metrics).contains("`here`: a port is missing"), "{}", problems(&metrics));
}
