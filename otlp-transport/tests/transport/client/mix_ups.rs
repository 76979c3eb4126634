//! Clients that speak to the wrong port: the error names the mix-up, and is retryable unless the server has judged.

use super::fake::{Fake, Reply};
use super::{batch, config, context};
use crate::harness::{Capture, Http1Peer, serve, serve_config};
use otlp_protocol::{ErrorKind, Retry};
use otlp_transport::{
    ApiKey, ApiKeyAuth, ClientConfig, Export, ExportError, GrpcClient, GrpcTransportStrategy, HttpClient,
    HttpTransportStrategy, ServerConfig,
};
use std::fmt::Display;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn grpc(address: impl Display) -> ExportError {
    GrpcClient::new(&context(), &config(address)).unwrap().export(batch().0).await.unwrap_err()
}

async fn http(address: impl Display) -> ExportError {
    HttpClient::new(&context(), &config(address)).unwrap().export(batch().0).await.unwrap_err()
}

/// A server that answers the first bytes with these and closes.
async fn saying(answer: &'static [u8]) -> Fake {
    Fake::accept("127.0.0.1:0", move |_, _, mut io| {
        tokio::spawn(async move {
            let _ = io.read(&mut [0; 4096]).await;
            let _ = io.write_all(answer).await;
            let _ = io.shutdown().await;
            let _ = io.read_to_end(&mut Vec::new()).await;
        });
    })
    .await
}

#[tokio::test]
async fn the_first_bytes_tell_what_the_server_speaks() {
    let alert = saying(&[0x15, 3, 3, 0, 2, 2, 70]).await;
    let http1 = saying(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    let http2 = saying(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
    let silent = saying(b"").await;
    let rows = [
        (http(http2.address).await, "the server speaks only HTTP/2 on this port"),
        (
            http(silent.address).await,
            "it may be a gRPC port (use the exporter otlp_grpc, or the HTTP port 4318)",
        ),
        (grpc(silent.address).await, "it may expect TLS (give the endpoint with https://)"),
        (grpc(alert.address).await, "the server speaks TLS on this port: give the endpoint with https://"),
        (http(alert.address).await, "the server speaks TLS on this port: give the endpoint with https://"),
        (grpc(http1.address).await, "the server speaks HTTP/1.1 on this port"),
    ];
    for (error, expected) in rows {
        assert!(error.message().contains(expected), "{error}");
        assert!(error.message().contains("http://127.0.0.1:"), "{error}");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff), "{error}");
    }
}

#[tokio::test]
async fn our_own_servers_are_told_apart() {
    let capture = Capture::accepting();
    let grpc_server = serve(&GrpcTransportStrategy, &capture).await;
    let http_server = serve(&HttpTransportStrategy, &capture).await;
    let error = http(grpc_server.local_addr()).await;
    let (url, port) = (format!("http://{}", grpc_server.local_addr()), "serves OTLP/gRPC alone, over HTTP/2");
    assert!(
        error.message().starts_with(&format!("HTTP 505 from {url}/v1/traces: This port {port}")),
        "{error}"
    );
    assert!(error.message().contains("use the exporter otlp_grpc"), "{error}");
    assert_eq!(error.retry(), Retry::Never);
    let error = grpc(http_server.local_addr()).await;
    assert!(
        error.message().contains(
            "does not speak gRPC on this port: use the gRPC port (4317), or the exporter otlp_http"
        ),
        "{error}"
    );
    assert!(error.message().contains("this port serves OTLP/HTTP alone"), "{error}");
    assert_eq!(capture.taken(), 0);
}

/// 200 is no success if it comes from a gRPC server: its status stands elsewhere.
#[tokio::test]
async fn an_http_client_does_not_take_a_grpc_answer_for_success() {
    let raw =
        "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\ngrpc-status: 12\r\ncontent-length: 0\r\n\r\n";
    let fake = Fake::http1(move |_| raw.as_bytes().to_vec()).await;
    let error = http(fake.address).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unimplemented, Retry::Never));
    assert!(error.message().contains("the server speaks gRPC"), "{error}");
}

#[tokio::test]
async fn a_page_instead_of_grpc_is_named() {
    let fake = Fake::http2(|_| Reply::Answer {
        status: 404,
        headers: vec![("content-type", "text/html".into())],
        body: format!("<html>\n{}", "no entry ".repeat(40)).into_bytes(),
        trailers: Vec::new(),
    })
    .await;
    let error = grpc(fake.address).await;
    let expected = format!("HTTP 404 from http://{} with text/html and without grpc-status", fake.address);
    assert!(error.message().starts_with(&expected), "{error}");
    assert!(error.message().contains("; the answer: <html> no entry no entry"), "{error}");
    assert!(error.message().ends_with("…") && error.message().chars().count() < 500, "{error}");
}

/// TLS to our own cleartext ports: the error names the setting.
#[tokio::test]
async fn tls_to_a_cleartext_port_names_the_setting() {
    let capture = Capture::accepting();
    for server in
        [serve(&GrpcTransportStrategy, &capture).await, serve(&HttpTransportStrategy, &capture).await]
    {
        let mut config = ClientConfig::new(format!("https://{}", server.local_addr()));
        config.tls.insecure_skip_verify = true;
        let context = context();
        for error in [
            GrpcClient::new(&context, &config).unwrap().export(batch().0).await.unwrap_err(),
            HttpClient::new(&context, &config).unwrap().export(batch().0).await.unwrap_err(),
        ] {
            let expected = "TLS handshake failed: the server does not speak TLS on this port: give the endpoint with \
                            http://, or set `tls: {insecure: true}`";
            assert!(error.message().contains(expected), "{error}");
        }
    }
}

/// A gRPC port that asks for credentials tells HTTP/1.1 nothing, and closes bytes that are not HTTP without an answer.
#[tokio::test]
async fn grpc_ports_answer_http1_unless_they_ask_for_credentials() {
    for (credentials, bytes, answered) in [
        (false, "GET / HTTP/1.1\r\n\r\n", true),
        (true, "GET / HTTP/1.1\r\n\r\n", false),
        (false, "\0\x01", false),
    ] {
        let mut config = ServerConfig::new("127.0.0.1:0");
        if credentials {
            let keys = [ApiKey { name: "a".into(), key: "secret".into() }];
            config.auth = Some(Arc::new(ApiKeyAuth::new("x-api-key", &keys).unwrap()));
        }
        let server = serve_config(&GrpcTransportStrategy, &Capture::accepting(), &context(), config).await;
        let mut peer = Http1Peer::connect(server.local_addr()).await;
        peer.write(bytes).await;
        let reply = peer.answer().await;
        assert_eq!(reply.as_ref().map(|reply| reply.status), answered.then_some(505), "{bytes:?} {reply:?}");
    }
}
