//! Exporters go through the proxies that the environment or their configuration names.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::process::{Otlp, command, file, http, one_span};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};

/// A proxy that refuses everything, and the heads of the requests it got.
fn refusing_proxy() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = listener.local_addr().expect("an address");
    let (sender, heads) = channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && connection.read_exact(&mut byte).is_ok() {
                head.push(byte[0]);
            }
            let _ = connection.write_all(b"HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n");
            if sender.send(String::from_utf8_lossy(&head).into_owned()).is_err() {
                return;
            }
        }
    });
    (address, heads)
}

/// A gateway with one exporter.
fn config(name: &str, exporter: &str) -> String {
    file(&format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0}}}}}}}}\nexporters: {{{name}: {{{exporter}}}}}\n\
         service: {{telemetry: {{metrics: {{level: none}}}}, \
         pipelines: {{traces: {{receivers: [otlp], exporters: [{name}]}}}}}}\n"
    ))
}

#[test]
fn the_environment_and_the_configuration_name_proxies() {
    let (proxy, heads) = refusing_proxy();
    let settings = "sending_queue: {enabled: false}, retry_on_failure: {enabled: false}, compression: none";
    let by_url = format!("proxy_url: 'http://user:secret@{proxy}', {settings}");
    let url = format!("http://user:secret@{proxy}");
    let rows = [
        (
            "otlp",
            format!("endpoint: backend.invalid:4317, tls: {{insecure: true}}, {settings}"),
            "HTTPS_PROXY",
            "CONNECT backend.invalid:4317 HTTP/1.1",
        ),
        (
            "otlp_http",
            format!("endpoint: 'http://backend.invalid:4318', {settings}"),
            "http_proxy",
            "POST http://backend.invalid:4318/v1/traces HTTP/1.1",
        ),
        (
            "otlp_http",
            format!("endpoint: 'https://backend.invalid', tls: {{insecure_skip_verify: true}}, {by_url}"),
            "NO_PROXY",
            "CONNECT backend.invalid:443 HTTP/1.1",
        ),
    ];
    for (name, exporter, variable, expected) in rows {
        let mut command = command(&["--config", &config(name, &exporter)]);
        for variable in ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"] {
            command.env_remove(variable);
        }
        command.env(variable, if variable == "NO_PROXY" { "*" } else { &url });
        let otlp = Otlp::start(command, &["otlp/http"]);
        let (status, answer) = http(otlp.address("otlp/http"), "POST", "/v1/traces", &one_span());
        assert!(status >= 400 && answer.contains("credentials"), "{status} {answer}");
        assert!(!answer.contains("secret"), "{answer}");
        let head = heads.recv().expect("the proxy was asked").to_lowercase();
        assert!(head.starts_with(&expected.to_lowercase()), "{head}");
        assert!(head.contains("proxy-authorization: basic dxnlcjpzzwnyzxq="), "{head}");
    }
}
