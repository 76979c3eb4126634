//! The answers that docs/troubleshooting.md quotes are those of the gateway.
#![expect(clippy::panic, reason = "what the tests share may panic like the tests themselves")]

use super::read;
use crate::process::{Otlp, command, file, http_with};

const JSON: &str = "content-type: application/json\r\n";

/// A gateway with a small budget whose destinations are down; logs have a queue of one batch, metrics no pipeline.
fn gateway() -> Otlp {
    let down = "endpoint: 127.0.0.1:1, tls: {insecure: true}";
    let config = file(&format!(
        "extensions: {{api_key: {{header: authorization, keys: [{{name: a, key: b}}]}}}}\n\
         receivers:\n  otlp/open: {{protocols: {{http: {{endpoint: 127.0.0.1:0, max_request_body_size: 400000}}}}}}\n  \
         otlp/big: {{protocols: {{http: {{endpoint: 127.0.0.1:0}}, grpc: {{endpoint: 127.0.0.1:0}}}}}}\n  \
         otlp/auth: {{protocols: {{http: {{endpoint: 127.0.0.1:0, auth: {{authenticator: api_key}}}}}}}}\n\
         processors: {{memory_limiter: {{limit_mib: 1}}}}\n\
         exporters: {{otlp: {{{down}}}, otlp/full: {{{down}, sending_queue: {{queue_size: 1, num_consumers: 1}}}}}}\n\
         service:\n  extensions: [api_key]\n  telemetry: {{metrics: {{level: none}}}}\n  pipelines:\n    \
         traces: {{receivers: [otlp/open, otlp/big, otlp/auth], processors: [memory_limiter], exporters: [otlp]}}\n    \
         logs: {{receivers: [otlp/open], processors: [memory_limiter], exporters: [otlp/full]}}\n"
    ));
    let servers = ["otlp/open/http", "otlp/big/http", "otlp/big/grpc", "otlp/auth/http"];
    Otlp::start(command(&["--config", &config]), &servers)
}

#[test]
fn troubleshooting_quotes_what_senders_are_told() {
    let mut otlp = gateway();
    let [open, big, auth] =
        ["otlp/open/http", "otlp/big/http", "otlp/auth/http"].map(|name| otlp.address(name));
    let post = |to, path, headers: &str, body: &[u8], status, quoted| {
        quotes(http_with(to, "POST", path, headers, body), status, quoted);
    };
    let types = "content-type \"text/plain\" is not served: send application/x-protobuf or application/json";
    let encodings = "content-encoding \"compress\" is not served: send one of …";
    let bad_id = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"zz"}]}]}]}"#;
    let place =
        "resourceSpans[0].scopeSpans[0].spans[0].traceId: expected hex digits, two a byte (at byte 55)";
    let large = vec![b' '; 2 << 20];
    let budget = "the request needs … bytes of memory, over the memory budget of …";
    post(open, "/v1/metrics", JSON, b"{}", 404, "/v1/metrics is not served");
    post(open, "/v1/traces", "content-type: text/plain\r\n", b"x", 415, types);
    post(open, "/v1/traces", "content-encoding: compress\r\n", b"x", 415, encodings);
    post(open, "/v1/traces", JSON, bad_id, 400, place);
    post(open, "/v1/traces", JSON, &large, 413, "the body is over …");
    post(big, "/v1/traces", "", &large, 413, budget);
    post(auth, "/v1/traces", JSON, b"{}", 401, "the header `authorization` is missing");
    post(open, "/v1/traces", &format!("x-padding: {}\r\n", "a".repeat(17 << 10)), b"", 431, "");
    quotes(http_with(open, "GET", "/v1/traces", "", b""), 405, "only POST is served");
    // The first two are in flight and in the queue.
    let log = br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}}]}]}]}"#;
    quotes(until(503, || http_with(open, "POST", "/v1/logs", JSON, log)), 503, "sending queue is full");
    let span = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"name":"{}"}}]}}]}}]}}"#,
        "a".repeat(200_000)
    );
    let refused = until(429, || http_with(open, "POST", "/v1/traces", JSON, span.as_bytes()));
    quotes(refused, 429, "the memory budget of … bytes is used up");
    let line = otlp.line("sending fails");
    assert!(line.contains("Connection refused"), "{line}");
}

/// Asks until the answer has that status; the last answer.
fn until(status: u16, ask: impl Fn() -> (u16, String)) -> (u16, String) {
    let mut answers = std::iter::repeat_with(ask).take(20);
    answers.find(|(answered, _)| *answered == status).unwrap_or_default()
}

/// Checks that the page quotes an answer; `…` in the quotation is any text.
fn quotes((answered, text): (u16, String), status: u16, quoted: &str) {
    assert_eq!(answered, status, "{text}");
    assert!(
        read("docs/troubleshooting.md").contains(quoted),
        "docs/troubleshooting.md does not have {quoted:?}"
    );
    // In JSON quotation marks are escaped.
    let text = text.replace("\\\"", "\"");
    let mut rest = text.as_str();
    for part in quoted.split('…') {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("{part:?} is not in {text:?}")).1;
    }
}
