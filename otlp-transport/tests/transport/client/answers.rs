//! An answer is judged by its status, whatever its body is like.

use super::fake::{Fake, Reply};
use super::{batch, config, context};
use otlp_protocol::{Accepted, ErrorKind, Retry};
use otlp_transport::{Export, ExportResult, GrpcClient, HttpClient};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What an HTTP client with an answer limit of 1 KiB makes of these bytes, and how many oversized and unreadable answers
/// it counted. The server closes the connection after them.
async fn read(raw: &str) -> (ExportResult, [u64; 2]) {
    let raw = raw.as_bytes().to_vec();
    let fake = Fake::http1(move |seen| if seen.number == 0 { raw.clone() } else { Vec::new() }).await;
    let mut config = config(fake.address);
    config.limits.max_response_bytes = 1024;
    let client = HttpClient::new(&context(), &config).unwrap();
    let result = client.export(batch().0).await;
    assert_eq!(fake.seen().len(), 1, "nothing is sent again");
    let stats = client.stats();
    let counts = [&stats.oversized_answers, &stats.unreadable_answers];
    (result, counts.map(|count| count.load(Ordering::Relaxed)))
}

#[tokio::test]
async fn every_2xx_is_success() {
    let large = "x".repeat(2000);
    let protobuf = "content-type: application/x-protobuf\r\n";
    let json = "content-type: application/json\r\n";
    let rows = [
        ("HTTP/1.1 201 Created\r\ncontent-length: 8\r\n\r\naccepted".to_owned(), [0, 0]),
        ("HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n".to_owned(), [0, 0]),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), [0, 0]),
        (
            "HTTP/1.1 202 Accepted\r\ncontent-type: text/html\r\ncontent-length: 3\r\n\r\n<p>".to_owned(),
            [0, 0],
        ),
        (format!("HTTP/1.1 200 OK\r\n{protobuf}content-length: 2\r\n\r\n\n\x7f"), [0, 1]),
        (format!("HTTP/1.1 200 OK\r\n{json}content-length: 2\r\n\r\n[]"), [0, 1]),
        (format!("HTTP/1.1 200 OK\r\n{protobuf}content-length: 2000\r\n\r\n{large}"), [1, 0]),
        (format!("HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n{large}"), [1, 0]),
        (format!("HTTP/1.1 200 OK\r\n{protobuf}content-encoding: lzw\r\ncontent-length: 1\r\n\r\nx"), [0, 1]),
        (
            format!("HTTP/1.1 200 OK\r\n{protobuf}content-encoding: gzip\r\ncontent-length: 1\r\n\r\nx"),
            [0, 1],
        ),
    ];
    for (raw, counted) in rows {
        let (result, counts) = read(&raw).await;
        assert_eq!((result.unwrap(), counts), (Accepted::FULL, counted), "{raw:.60}");
    }
}

/// The server judged the request before the connection broke.
#[tokio::test]
async fn an_answer_that_breaks_off_after_its_headers_is_judged_by_them() {
    for (status, kind) in
        [(200, None), (400, Some(ErrorKind::InvalidData)), (503, Some(ErrorKind::Unavailable))]
    {
        let fake = Fake::accept("127.0.0.1:0", move |_, _, mut io| {
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                let mut request = vec![0; 1000];
                let _ = io.read(&mut request).await;
                let head = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: 100\r\n\r\nhalf");
                let _ = io.write_all(head.as_bytes()).await;
            });
        })
        .await;
        let client = HttpClient::new(&context(), &config(fake.address)).unwrap();
        let result = client.export(batch().0).await;
        assert_eq!(result.map_err(|error| error.kind()).err(), kind, "{status}");
        assert_eq!(client.stats().unreadable_answers.load(Ordering::Relaxed), 1, "{status}");
    }
}

/// As a server does that forgets the length on a connection it keeps.
#[tokio::test]
async fn an_answer_whose_body_never_ends_is_judged_by_its_status_before_the_attempt_ends() {
    for (status, succeeds) in [(200, true), (503, false)] {
        let fake = Fake::accept("127.0.0.1:0", move |_, _, mut io| {
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                let mut request = vec![0; 1000];
                let _ = io.read(&mut request).await;
                let head = format!("HTTP/1.1 {status} Whatever\r\nretry-after: 0\r\n\r\n");
                let _ = io.write_all(head.as_bytes()).await;
                let _ = io.read_to_end(&mut request).await;
            });
        })
        .await;
        let mut config = config(fake.address);
        config.timeout = Some(Duration::from_millis(200));
        let client = HttpClient::new(&context(), &config).unwrap();
        match client.export(batch().0).await {
            Ok(_) => assert!(succeeds),
            Err(error) => {
                assert!(!succeeds);
                // `Retry-After: 0` asks for no delay: the usual backoff.
                assert_eq!(
                    (error.kind(), error.retry()),
                    (ErrorKind::Unavailable, Retry::Backoff),
                    "{error}"
                );
            }
        }
    }
}

/// A failure keeps the meaning of its status, and never becomes a refusal of the request's size.
#[tokio::test]
async fn failures_with_oversized_answers_keep_their_status() {
    let large = "x".repeat(2000);
    for (status, kind, retry) in [
        (503, ErrorKind::Unavailable, Retry::Backoff),
        (400, ErrorKind::InvalidData, Retry::Never),
        (401, ErrorKind::Unauthenticated, Retry::Never),
    ] {
        let raw = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: 2000\r\n\r\n{large}");
        let (result, counts) = read(&raw).await;
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.retry(), counts), (kind, retry, [1, 0]), "{status}");
    }
    let fake = Fake::http2(move |_| Reply::Answer {
        status: 200,
        headers: vec![("content-type", "application/grpc".into())],
        body: vec![0; 100_000],
        trailers: vec![("grpc-status", "3".into())],
    })
    .await;
    let mut config = config(fake.address);
    config.limits.max_response_bytes = 1000;
    let error = GrpcClient::new(&context(), &config).unwrap().export(batch().0).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::InvalidData, Retry::Never), "{error}");
}

#[tokio::test]
async fn refusals_for_size_are_recognised_by_status_and_text() {
    let http = |status: u16, text: &str| {
        format!(
            "HTTP/1.1 {status} X\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        )
    };
    for (raw, kind) in [
        (http(413, ""), ErrorKind::TooLarge),
        (http(400, "http: request body too large"), ErrorKind::TooLarge),
        (http(401, "token larger than max"), ErrorKind::Unauthenticated),
    ] {
        let error = read(&raw).await.0.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Never), "{error}");
    }
}
