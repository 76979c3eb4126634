//! Ways into the gateway beside a port for each protocol: JSON, one port for both, Unix sockets.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::process::{Otlp, command, file, one_span};
use crate::sink::Port;
use otlp_protocol::{Accepted, Batch, Charge, Count, Signal};
use otlp_transport::{
    BoxExport, ClientConfig, ClientStrategy as _, Export, ExportResult, GrpcTransportStrategy, Routes,
    ServerConfig, ServerStrategy as _, TransportContext,
};
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

/// Keeps the bodies it gets.
#[derive(Clone, Default)]
struct Bodies(Arc<Mutex<Vec<Vec<u8>>>>);

impl Export for Bodies {
    async fn export(&self, batch: Batch) -> ExportResult {
        self.0.lock().push(batch.body().plain().to_contiguous().to_vec());
        Ok(Accepted::FULL)
    }
}

/// `one_span` in JSON.
const ONE_SPAN: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[
    {"traceId":"07070707070707070707070707070707","spanId":"0909090909090909","name":"GET /","unknown":1}]}]}]}"#;

/// A gateway that takes both protocols with those settings and passes traces on at once.
fn forwarding(settings: &str, sink: impl std::fmt::Display) -> String {
    file(&format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{{settings}}}, http: {{{settings}, cors: {{allowed_origins: ['*']}}}}}}}}}}\n\
         exporters: {{otlp: {{endpoint: 'http://{sink}', sending_queue: {{enabled: false}}}}}}\n\
         service: {{telemetry: {{metrics: {{address: 127.0.0.1:0}}}}, \
         pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]}}}}}}\n"
    ))
}

/// Posts JSON over HTTP/1.1; the whole answer.
async fn post_json(mut stream: impl AsyncRead + AsyncWrite + Unpin, body: &str) -> String {
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: a\r\norigin: https://page\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("send the head");
    stream.write_all(body.as_bytes()).await.expect("send the body");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read the answer");
    answer
}

/// Calls over gRPC, in protobuf.
async fn call(endpoint: &str) -> ExportResult {
    let mut config = ClientConfig::new(endpoint);
    config.tls.insecure = true;
    let context = TransportContext::tcp(1 << 20);
    let client = GrpcTransportStrategy.client(&context, config).expect("a client");
    let count = Count { items: 1, entries: 1 };
    client.export(Batch::unchecked(Signal::TRACES, one_span(), count, true, Charge::none())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_endpoint_takes_both_protocols_and_json_leaves_as_protobuf() {
    let bodies = Bodies::default();
    let routes = Routes::new().with(Signal::TRACES, BoxExport::new(bodies.clone()));
    let context = TransportContext::tcp(1 << 20);
    let sink = GrpcTransportStrategy.bind(&context, ServerConfig::new("127.0.0.1:0"), routes).await;
    let sink = sink.expect("a sink");
    let port = Port::reserve();
    // Paths of Unix sockets are short.
    let socket = PathBuf::from(format!("/tmp/otlp-ways-in-{}.sock", std::process::id()));
    let tcp = format!("endpoint: '{}'", port.address());
    let unix = format!("transport: unix, endpoint: {}", socket.display());
    for (settings, endpoint) in
        [(tcp, port.address().to_string()), (unix, format!("unix://{}", socket.display()))]
    {
        let config = forwarding(&settings, sink.local_addr());
        let names = ["otlp/grpc+http", "metrics"];
        let mut otlp =
            tokio::task::spawn_blocking(move || Otlp::start(command(&["--config", &config]), &names))
                .await
                .expect("it starts");
        let answer = if settings.contains("unix") {
            post_json(UnixStream::connect(&socket).await.expect("connect"), ONE_SPAN).await
        } else {
            post_json(TcpStream::connect(port.address()).await.expect("connect"), ONE_SPAN).await
        };
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{}"), "{answer}");
        assert!(answer.to_lowercase().contains("access-control-allow-origin: *"), "{answer}");
        assert_eq!(call(&endpoint).await.expect("accepted"), Accepted::FULL);
        assert_eq!(std::mem::take(&mut *bodies.0.lock()), [one_span(), one_span()], "{settings}");
        assert_eq!(otlp.metrics().sum("otlp_server_unknown_json_keys", "transport=\"grpc+http\""), 1);
        otlp.signal("TERM");
        otlp.line("drained");
        assert_eq!(otlp.exit_code(), 0);
        assert!(!socket.exists(), "it is removed");
    }
    sink.drain(context.clock.now() + Duration::from_secs(5)).await;
}
