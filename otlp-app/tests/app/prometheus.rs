//! The exporter `prometheus` on the real binary: what was sent is on the page, also after a reload.

use crate::process::{Otlp, Socket, command, file, http_with};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

const REQUEST: &str = r#"{"resourceMetrics": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "cart"}}]},
    "scopeMetrics": [{"scope": {"name": "lib"}, "metrics": [{"name": "orders", "sum": {"aggregationTemporality": 2, "isMonotonic": true,
    "dataPoints": [{"asInt": "7", "timeUnixNano": "2", "startTimeUnixNano": "1"}]}}]}]}]}"#;

fn config(socket: &Socket, namespace: &str) -> String {
    format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0}}}}}}}}\n\
         exporters: {{prometheus: {{endpoint: '{}', transport: unix, namespace: {namespace}}}}}\n\
         service: {{pipelines: {{metrics: {{receivers: [otlp], exporters: [prometheus]}}}}}}\n",
        socket.0
    )
}

#[expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]
fn scrape(socket: &Socket) -> String {
    let mut connection = UnixStream::connect(&socket.0).expect("connect");
    connection.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("ask");
    let mut page = String::new();
    connection.read_to_string(&mut page).expect("read the page");
    page
}

#[test]
fn what_was_sent_is_on_the_page() {
    let socket = Socket::new();
    let path = file(&config(&socket, "shop"));
    let mut otlp = Otlp::start(command(&["--config", &path]), &["otlp/http"]);
    let send = |otlp: &Otlp| {
        let (address, json) = (otlp.address("otlp/http"), "content-type: application/json\r\n");
        let (status, answer) = http_with(address, "POST", "/v1/metrics", json, REQUEST.as_bytes());
        assert_eq!(status, 200, "{answer}");
    };
    send(&otlp);
    let line = "orders_total{job=\"cart\",otel_scope_name=\"lib\",otel_scope_schema_url=\"\",otel_scope_version=\"\"} 7";
    let page = scrape(&socket);
    assert!(page.contains(&format!("# TYPE shop_orders_total counter\nshop_{line}\n")), "{page}");
    std::fs::write(&path, config(&socket, "store")).unwrap();
    otlp.signal("HUP");
    otlp.line("configuration reloaded");
    send(&otlp);
    let page = scrape(&socket);
    assert!(page.contains(&format!("\nstore_{line}\n")) && !page.contains("shop_"), "{page}");
}
