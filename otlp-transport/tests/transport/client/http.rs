//! OTLP/HTTP clients: what they send, and how they read what comes back.

use super::fake::{Fake, Seen, serve_http1};
use super::{batch, batch_of, config, context, fixture, table};
use otlp_protocol::json::from_protobuf;
use otlp_protocol::{
    Accepted, Batch, BufferPool, Charge, Count, ErrorKind, Payload, Retry, RpcStatus, Signal,
};
use otlp_transport::{
    ClientConfig, Compression, ConfigError, Encoding, Export, ExportError, ExportResult, HttpClient, codec,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Notify;

/// An HTTP/1.1 answer.
fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} Whatever\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

const PROTOBUF: &str = "content-type: application/x-protobuf\r\n";
const JSON: &str = "content-type: application/json\r\n";

/// An error's message without the address of the test's server.
fn said(error: &ExportError) -> String {
    let (before, after) = error.message().split_once(" from http://127.0.0.1:").unwrap();
    let after = after.split_once("/v1/traces").unwrap().1;
    format!("{before}{after}")
}

/// How a client reads that answer.
async fn read(answer: Vec<u8>) -> ExportResult {
    let fake = Fake::http1(move |_| answer.clone()).await;
    HttpClient::new(&context(), &config(fake.address)).unwrap().export(batch().0).await
}

#[tokio::test]
async fn what_is_sent_is_the_batch_under_the_right_headers() {
    let fake = Fake::http1(|_| answer(200, PROTOBUF, b"")).await;
    let mut config = config(fake.address);
    config.headers = vec![("X-Token".into(), "secret".into()), ("User-Agent".into(), "mine".into())];
    let client = HttpClient::new(&context(), &config).unwrap();
    for signal in Signal::ALL {
        let (batch, bytes) = batch_of(signal, 100_000);
        assert_eq!(client.export(batch).await.unwrap(), Accepted::FULL);
        let seen = fake.seen().pop().unwrap();
        assert_eq!((&*seen.uri, seen.body), (signal.http_path, bytes));
        let expected = [
            ("content-type", "application/x-protobuf"),
            ("host", &*fake.address.to_string()),
            ("x-token", "secret"),
            ("user-agent", "mine"),
        ];
        for (name, value) in expected {
            assert_eq!(seen.headers[name], value, "{name}");
        }
        assert_eq!(seen.headers.get("content-encoding"), None);
    }
    assert_eq!((fake.connections(), client.pools().count()), (1, 1));
}

#[tokio::test]
async fn signals_may_have_urls_of_their_own() {
    let base = Fake::http1(|_| answer(200, PROTOBUF, b"")).await;
    let other = Fake::http1(|_| answer(200, PROTOBUF, b"")).await;
    let mut config = ClientConfig::new(format!("http://{}/base/", base.address));
    config.signal_endpoints = vec![
        ("logs".into(), format!("http://{}/in?key=1", other.address)),
        ("metrics".into(), format!("http://{}", base.address)),
    ];
    let client = HttpClient::new(&context(), &config).unwrap();
    for signal in Signal::ALL {
        client.export(batch_of(signal, 10).0).await.unwrap();
    }
    let uris = |fake: &Fake| fake.seen().into_iter().map(|seen| seen.uri).collect::<Vec<_>>();
    assert_eq!(uris(&base), ["/base/v1/traces", "/", "/base/v1development/profiles"]);
    assert_eq!(uris(&other), ["/in?key=1"]);
    assert_eq!((base.connections(), other.connections(), client.pools().count()), (1, 1, 2));
}

#[tokio::test]
async fn the_url_may_name_a_user_and_requests_another_host() {
    let fake = Fake::http1(|_| answer(200, PROTOBUF, b"")).await;
    let mut config = ClientConfig::new(format!("http://user:s3cret@{}/in?key=s3cret", fake.address));
    config.authority = "tenant.example".into();
    assert!(!format!("{config:?}").contains("s3cret"));
    let client = HttpClient::new(&context(), &config).unwrap();
    client.export(batch().0).await.unwrap();
    config.headers = vec![("authorization".into(), "mine".into())];
    HttpClient::new(&context(), &config).unwrap().export(batch().0).await.unwrap();
    let [first, second] = &fake.seen()[..] else { panic!("not two requests") };
    assert_eq!(
        (&*first.uri, &first.headers["host"]),
        ("/in/v1/traces?key=s3cret", &"tenant.example".parse().unwrap())
    );
    assert_eq!(first.headers["authorization"], "Basic dXNlcjpzM2NyZXQ=");
    assert_eq!(second.headers["authorization"], "mine", "what is configured goes before the URL");

    config.endpoint = "http://user:s3cret@127.0.0.1:1".into();
    let error = HttpClient::new(&context(), &config).unwrap().export(batch().0).await.unwrap_err();
    assert!(!error.to_string().contains("s3cret") && error.to_string().contains("127.0.0.1:1"), "{error}");
}

/// OTLP §Failures-1: every row of the table.
#[tokio::test]
async fn statuses_are_retryable_as_the_table_says() {
    for row in table("http_retryable") {
        let status = row["status"].as_u64().unwrap() as u16;
        let error = read(answer(status, "", b"")).await.unwrap_err();
        assert_eq!(error.retry().is_retryable(), row["retryable"].as_bool().unwrap(), "{row}");
        assert_eq!(said(&error), format!("HTTP {status}"));
    }
}

#[tokio::test]
async fn retry_after_is_honoured_on_retryable_statuses_alone() {
    for row in table("retry_after") {
        let value = row["value"].as_str().unwrap();
        for status in [429, 503, 500] {
            let headers = format!("retry-after: {value}\r\n");
            let error = read(answer(status, &headers, b"")).await.unwrap_err();
            let expected = match row["seconds"].as_u64() {
                _ if status == 500 => Retry::Never,
                Some(seconds) if seconds > 0 => Retry::After(Duration::from_secs(seconds)),
                _ => Retry::Backoff,
            };
            assert_eq!(error.retry(), expected, "{row} {status}");
        }
    }
}

#[tokio::test]
async fn failures_tell_the_servers_message_whatever_its_form() {
    let status = fixture("responses/status_badrequest.pb");
    let violations = RpcStatus::decode(&status).unwrap().violations;
    let error = read(answer(400, PROTOBUF, &status)).await.unwrap_err();
    assert_eq!((error.kind(), &*said(&error)), (ErrorKind::InvalidData, "HTTP 400: bad data"));
    assert_eq!((error.to_status().violations, violations.len()), (violations, 1));

    let status = fixture("responses/status_unavailable_retryinfo.pb");
    let error = read(answer(503, PROTOBUF, &status)).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_millis(5500)));

    let page = format!("<html>\r\n\t<b>Bad\u{1}gateway</b>{}", " ü".repeat(1000));
    let error = read(answer(502, "content-type: text/html\r\n", page.as_bytes())).await.unwrap_err();
    assert!(said(&error).starts_with("HTTP 502: <html> <b>Bad gateway</b> ü ü"), "{error}");
    assert_eq!(said(&error).chars().count(), "HTTP 502: ".len() + 201);

    for body in [&b"\xff\xff\xff"[..], b"\x0a\x7f"] {
        let error = read(answer(500, PROTOBUF, body)).await.unwrap_err();
        assert_eq!((error.retry(), &*said(&error)), (Retry::Never, "HTTP 500"));
    }

    let error = read(answer(307, "location: https://elsewhere.example/\r\n", b"")).await.unwrap_err();
    assert_eq!(said(&error), "HTTP 307: redirect to https://elsewhere.example/, not followed");
    assert_eq!(error.retry(), Retry::Never);
}

#[tokio::test]
async fn the_answers_partial_success_is_handed_on() {
    for signal in Signal::ALL {
        for case in ["success", "partial", "partial_empty", "warning"] {
            let body = fixture(&format!("responses/{}_{case}.pb", signal.name));
            let expected = Accepted::decode(&body).unwrap();
            let headers = "Content-Type: Application/X-Protobuf ; charset=utf-8\r\n";
            assert_eq!(read(answer(200, headers, &body)).await.unwrap(), expected, "{signal} {case}");
            assert_eq!(read(answer(202, "", &body)).await.unwrap(), expected, "{signal} {case}");
        }
    }
    let text = read(answer(200, "content-type: text/plain\r\n", b"ok")).await;
    assert_eq!(text.unwrap(), Accepted::FULL);
}

#[tokio::test]
async fn requests_and_answers_may_be_json() {
    for signal in Signal::ALL {
        for case in ["success", "partial", "partial_empty", "warning"] {
            let expected =
                Accepted::decode(&fixture(&format!("responses/{}_{case}.pb", signal.name))).unwrap();
            let body = fixture(&format!("responses/{}_{case}.json", signal.name));
            let fake = Fake::http1(move |_| answer(200, JSON, &body)).await;
            let mut config = config(fake.address);
            config.encoding = Encoding::Json;
            config.compression = Compression::Gzip;
            let client = HttpClient::new(&context(), &config).unwrap();
            // A small request, and one that is large enough to be written elsewhere.
            for size in [100, 400_000] {
                let (batch, bytes) = batch_of(signal, size);
                assert_eq!(client.export(batch).await.unwrap(), expected, "{signal} {case}");
                let seen = fake.seen().pop().unwrap();
                assert_eq!(seen.headers["content-type"], "application/json");
                let gzip = codec("gzip").unwrap();
                let buffers = BufferPool::new(1);
                let text = gzip.decompress(&seen.body, 4 << 20, &mut Charge::none(), &buffers).unwrap();
                let mut written = Vec::new();
                from_protobuf(signal.request, &bytes, usize::MAX, &mut written).unwrap();
                assert!(text == written, "{signal} {case}");
            }
        }
    }
    let status = fixture("responses/status_badrequest.json");
    let error = read(answer(400, JSON, &status)).await.unwrap_err();
    assert_eq!((error.kind(), &*said(&error)), (ErrorKind::InvalidData, "HTTP 400: bad data"));
    assert_eq!(error.to_status().violations.len(), 1);
    let error = read(answer(500, JSON, b"{\"error\": 1")).await.unwrap_err();
    assert_eq!(said(&error), "HTTP 500: {\"error\": 1");
    // Whatever it is, it was accepted.
    assert_eq!(read(answer(200, JSON, b"[]")).await.unwrap(), Accepted::FULL);
}

#[tokio::test]
async fn a_request_that_is_too_large_in_json_is_not_sent() {
    let fake = Fake::http1(|_| answer(200, JSON, b"{}")).await;
    // Two bytes each, which make three.
    let bytes = [0x0a, 0].repeat(200_000);
    let count = Count { items: 1, entries: 1 };
    let mut text = Vec::new();
    from_protobuf(Signal::TRACES.request, &bytes, usize::MAX, &mut text).unwrap();
    for (limit, is_sent) in [(text.len(), true), (text.len() - 1, false), (bytes.len(), false)] {
        let mut config = config(fake.address);
        config.encoding = Encoding::Json;
        config.limits.max_request_bytes = limit;
        let client = HttpClient::new(&context(), &config).unwrap();
        let batch = Batch::unchecked(Signal::TRACES, bytes.clone(), count, true, Charge::none());
        let kind = client.export(batch).await.map_err(|error| error.kind());
        assert_eq!(kind.is_ok(), is_sent, "{limit}: {kind:?}");
        assert!(is_sent || kind == Err(ErrorKind::TooLarge));
        assert_eq!(client.stats().oversized_requests.load(Ordering::Relaxed), u64::from(!is_sent));
    }
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn requests_and_answers_are_compressed_both_ways() {
    let buffers = BufferPool::new(4);
    for (compression, name) in
        [(Compression::Gzip, "gzip"), (Compression::Zstd, "zstd"), (Compression::Brotli, "br")]
    {
        let codec = codec(name).unwrap();
        let accepted = Accepted { rejected: 1, message: "x".repeat(300) };
        let body = codec.compressor().unwrap().compress(&Payload::from(accepted.encode()), &buffers).unwrap();
        let headers = format!("{PROTOBUF}content-encoding: {name}\r\n");
        let fake = Fake::http1(move |_| answer(200, &headers, &body)).await;
        let mut config = config(fake.address);
        config.compression = compression;
        let client = HttpClient::new(&context(), &config).unwrap();
        let (batch, bytes) = batch_of(Signal::LOGS, 4000);
        assert_eq!(client.export(batch).await.unwrap(), accepted);
        let seen = fake.seen().pop().unwrap();
        assert_eq!(seen.headers["content-encoding"], name);
        let plain = codec.decompress(&seen.body, 1 << 20, &mut Charge::none(), &buffers).unwrap();
        assert_eq!(plain, bytes);
    }
}

#[tokio::test]
async fn sizes_are_limited_both_ways() {
    let bomb = codec("gzip")
        .unwrap()
        .compressor()
        .unwrap()
        .compress(&Payload::from(vec![0; 1 << 20]), &BufferPool::new(1))
        .unwrap();
    let deflated = format!("{PROTOBUF}content-encoding: gzip\r\n");
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned()
        + &"10\r\n0123456789abcdef\r\n".repeat(9000);
    let answers = [answer(200, PROTOBUF, &[0; 70_000]), answer(200, &deflated, &bomb), chunked.into_bytes()];
    let fake = Fake::http1(move |seen| answers[seen.number].clone()).await;
    let mut config = config(fake.address);
    config.limits.max_request_bytes = 1000;
    config.limits.max_response_bytes = 64 << 10;
    let client = HttpClient::new(&context(), &config).unwrap();
    let oversized =
        |error: ExportError| assert_eq!((error.kind(), error.retry()), (ErrorKind::TooLarge, Retry::Never));
    oversized(client.export(batch_of(Signal::TRACES, 1001).0).await.unwrap_err());
    for _ in 0..3 {
        assert_eq!(client.export(batch().0).await.unwrap(), Accepted::FULL, "2xx is success");
    }
    assert_eq!(client.stats().oversized_answers.load(Ordering::Relaxed), 3);
    assert_eq!(fake.seen().len(), 3);
}

#[tokio::test]
async fn hopeless_answers_are_failures_not_hangs() {
    let endless = format!("HTTP/1.1 200 OK\r\n{}", "a: b\r\n".repeat(100_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(200));
    for raw in [&b"HTTP/9.9 200 OK\r\n\r\n"[..], b"nonsense\r\n\r\n", endless.as_bytes(), many.as_bytes()] {
        let error = read(raw.to_vec()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff), "{error}");
    }
}

/// Without an answer it is not known whether the batch arrived: the retry layer decides.
#[tokio::test]
async fn a_disconnect_without_an_answer_is_retryable() {
    let fake = Fake::http1(|_| Vec::new()).await;
    let client = HttpClient::new(&context(), &config(fake.address)).unwrap();
    let error = client.export(batch().0).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
    assert_eq!(fake.seen().len(), 1, "a fresh connection's failure is not resent");
}

/// Once a request has been written nothing tells whether the server processed it: the attempt fails, and whoever retries
/// decides.
#[tokio::test]
async fn a_request_that_was_written_is_not_resent_behind_the_callers_back() {
    let fake =
        Fake::http1(|seen| if seen.number == 1 { Vec::new() } else { answer(200, PROTOBUF, b"") }).await;
    let client = HttpClient::new(&context(), &config(fake.address)).unwrap();
    client.export(batch().0).await.unwrap();
    let error = client.export(batch().0).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff), "{error}");
    assert_eq!(fake.seen().len(), 2, "delivered once");
    client.export(batch().0).await.unwrap();
    let connections: Vec<_> = fake.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 0, 1]);
    assert_eq!(client.stats().resent_requests.load(Ordering::Relaxed), 0);
}

/// RFC 9112 §9.5: a server may close an idle connection at any time.
#[tokio::test]
async fn a_connection_closed_while_idle_costs_nothing() {
    let closed = Arc::new(Notify::new());
    let close = closed.clone();
    let fake = Fake::accept("127.0.0.1:0", move |seen, number, io| {
        let closed = close.clone();
        let once = Arc::new(move |seen: Seen| {
            // The second request of the first connection is never read: it is closed before.
            assert!(seen.connection > 0 || seen.number == 0);
            answer(200, PROTOBUF, b"")
        });
        tokio::spawn(async move {
            let server = serve_http1(io, number, seen.clone(), once);
            if number > 0 {
                return server.await;
            }
            let answered = async {
                while seen.lock().is_empty() {
                    tokio::task::yield_now().await;
                }
                // The answer is written.
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            tokio::select! { () = server => {}, () = answered => {} }
            closed.notify_one();
        });
    })
    .await;
    let client = HttpClient::new(&context(), &config(fake.address)).unwrap();
    client.export(batch().0).await.unwrap();
    closed.notified().await;
    client.export(batch().0).await.unwrap();
    let connections: Vec<_> = fake.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 1]);
}

#[tokio::test]
async fn a_server_that_says_close_gets_a_new_connection() {
    let fake = Fake::http1(|_| answer(200, &format!("{PROTOBUF}connection: close\r\n"), b"")).await;
    let client = HttpClient::new(&context(), &config(fake.address)).unwrap();
    for _ in 0..3 {
        client.export(batch().0).await.unwrap();
    }
    assert_eq!((fake.connections(), fake.seen().len()), (3, 3));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let refused =
        |config: &ClientConfig| -> ConfigError { HttpClient::new(&context(), config).expect_err("refused") };
    assert_eq!(refused(&ClientConfig::new("localhost:4318")).key, "endpoint");
    let mut config = ClientConfig::new("http://localhost:4318");
    config.signal_endpoints = vec![("spans".into(), "http://c".into())];
    assert!(refused(&config).to_string().contains("`spans`"));
    config.signal_endpoints = vec![("traces".into(), "c".into())];
    assert_eq!(refused(&config).key, "signal_endpoints");
}
