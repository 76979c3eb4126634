//! Exporters that send to the gateway itself.

use super::*;

/// A receiver on every address, and one on a socket; `exporters`, and pipelines.
fn gateway(exporters: &str, pipelines: &str) -> String {
    format!(
        "receivers:\n  otlp: {{protocols: {{grpc: {{endpoint: '0.0.0.0:4317'}}, http: {{endpoint: '0.0.0.0:4318'}}}}}}\n  \
         otlp/in: {{protocols: {{grpc: {{transport: unix, endpoint: /run/in.sock}}}}}}\n\
         exporters:\n  debug:\n{exporters}\nservice: {{pipelines: {{{pipelines}}}}}\n"
    )
}

#[test]
fn an_exporter_to_an_own_receiver_is_refused_with_its_place() {
    // Exporter, the line under which it is shown, and the address that is named.
    for (exporter, shown, named) in [
        (
            "  x:\n    endpoint: localhost:4317",
            "    endpoint: localhost:4317\n   |               ^^^",
            "localhost:4317",
        ),
        ("  x:\n    endpoint: http://127.0.0.1:4317", "   |               ^^^", "endpoint: 127.0.0.1:4317"),
        ("  x:\n    endpoint: dns:///localhost:4317", "^^^", "localhost:4317"),
        ("  x:\n    endpoint: '[::1]:4317'", "^^^", "[::1]:4317"),
        ("  x:\n    endpoint: unix:///run/in.sock", "^^^", "receiver otlp/in"),
        ("  otlp_http/x:\n    endpoint: http://localhost:4318/", "^^^", "localhost:4318"),
        (
            "  otlp_http/x:\n    endpoint: http://c\n    traces_endpoint: http://localhost:4318/v1/traces",
            "    traces_endpoint: ",
            "traces_endpoint: localhost:4318",
        ),
        (
            "  load_balancing/x:\n    resolver: {static: {hostnames: ['c:1', localhost]}}",
            "^^^^^^^^^\n",
            "localhost:4317",
        ),
        ("  load_balancing/x:\n    resolver: {dns: {hostname: localhost}}", "^^^^^^^^^\n", "localhost:4317"),
    ] {
        let exporter = exporter.replacen("  x:", "  otlp/x:", 1);
        let id = exporter.trim().split_once(":\n").unwrap().0;
        let receivers = "receivers: [otlp, otlp/in]";
        let shown_problems =
            problems(&gateway(&exporter, &format!("traces: {{{receivers}, exporters: [debug, {id}]}}")));
        for part in [shown, named, "this gateway's own receiver", "take "] {
            assert!(shown_problems.contains(part), "{part:?} is not in:\n{shown_problems}");
        }
    }
}

#[test]
fn pipelines_that_follow_one_another_are_no_loop() {
    let to_socket = "  otlp/x: {endpoint: 'unix:///run/in.sock'}";
    let to_port = "  otlp/x: {endpoint: 'localhost:4317'}";
    for (exporters, pipelines) in [
        // Through the socket into the next pipeline.
        (
            to_socket,
            "traces: {receivers: [otlp], exporters: [otlp/x]}, traces/2: {receivers: [otlp/in], exporters: [debug]}",
        ),
        // The receiver takes another signal.
        (
            to_port,
            "traces: {receivers: [otlp], exporters: [debug]}, logs: {receivers: [otlp/in], exporters: [otlp/x]}",
        ),
        // Another host, another port; traces alone go to the own port, and there are none.
        ("  otlp/x: {endpoint: 'collector:4317'}", "traces: {receivers: [otlp], exporters: [otlp/x]}"),
        // HTTP to the gRPC port is refused there.
        (
            "  otlp_http/x: {endpoint: 'http://localhost:4317'}",
            "traces: {receivers: [otlp], exporters: [otlp_http/x]}",
        ),
        ("  otlp/x: {endpoint: 'localhost:14317'}", "traces: {receivers: [otlp], exporters: [otlp/x]}"),
        (
            "  otlp_http/x: {endpoint: 'http://c', traces_endpoint: 'http://localhost:4318/v1/traces'}",
            "logs: {receivers: [otlp], exporters: [otlp_http/x]}",
        ),
    ] {
        plan(&gateway(exporters, pipelines));
    }
    let circle = "traces: {receivers: [otlp], exporters: [otlp/x]}, traces/2: {receivers: [otlp/in], exporters: [otlp/y]}";
    let exporters = format!("{to_socket}\n  otlp/y: {{endpoint: 'localhost:4317'}}");
    let found = problems(&gateway(&exporters, circle));
    assert!(
        found.contains("otlp/x: endpoint: unix:///run/in.sock") && found.contains("otlp/y: endpoint"),
        "{found}"
    );
}
