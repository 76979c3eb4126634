//! Clients that speak to the wrong port: the error names the mix-up, and is retryable unless the server has judged.

use super::fake::{Fake, Reply};
use super::{batch, config, context};
use crate::harness::{Capture, serve};
use otlp_protocol::{ErrorKind, Retry};
use otlp_transport::{
    Export, ExportError, GrpcClient, GrpcTransportStrategy, HttpClient, HttpTransportStrategy,
};
use std::fmt::Display;
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
        (http(http2.address).await, "the server speaks HTTP/2 alone here"),
        (http(silent.address).await, "the server sent nothing"),
        (grpc(silent.address).await, "the server sent nothing"),
        (grpc(alert.address).await, "the server speaks TLS here"),
        (http(alert.address).await, "the server speaks TLS here"),
        (grpc(http1.address).await, "the server speaks HTTP/1.1 here"),
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
    // Its SETTINGS may be lost as it closes.
    let hints = ["the server speaks HTTP/2 alone here", "the server sent nothing"];
    assert!(hints.iter().any(|hint| error.message().contains(hint)), "{error}");
    assert_eq!(error.retry(), Retry::Backoff);
    let error = grpc(http_server.local_addr()).await;
    assert!(error.message().contains("does not speak gRPC here"), "{error}");
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
