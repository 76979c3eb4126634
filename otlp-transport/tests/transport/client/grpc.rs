//! OTLP/gRPC clients: what they send, and how they read what comes back.

use super::fake::{Fake, Reply};
use super::{batch, batch_of, config, context, fixture, table};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use h2::Reason;
use otlp_protocol::{Accepted, BufferPool, ByteBudget, Charge, ErrorKind, Payload, Retry, RpcStatus, Signal};
use otlp_transport::{ClientConfig, Compression, Export, ExportError, ExportResult, GrpcClient, codec};
use std::time::Duration;

async fn export(config: &ClientConfig) -> ExportResult {
    GrpcClient::new(&context(), config).unwrap().export(batch().0).await
}

/// How the client reads that reply.
async fn read(reply: impl Fn() -> Reply + Send + Sync + 'static) -> ExportResult {
    let fake = Fake::http2(move |_| reply()).await;
    export(&config(fake.address)).await
}

#[tokio::test]
async fn what_is_sent_is_the_batch_under_the_right_headers() {
    let fake = Fake::http2(|_| Reply::message(b"")).await;
    let mut config = config(fake.address);
    config.headers =
        vec![("X-Token".into(), "secret".into()), ("trace-bin".into(), "\u{1}\u{2}\u{3}".into())];
    let client = GrpcClient::new(&context(), &config).unwrap();
    for signal in Signal::ALL {
        let (batch, bytes) = batch_of(signal, 400);
        assert_eq!(client.export(batch).await.unwrap(), Accepted::FULL);
        let seen = fake.seen().pop().unwrap();
        assert_eq!(seen.uri, format!("http://{}{}", fake.address, signal.grpc_path));
        assert_eq!(seen.body[..5], [0, 0, 0, (bytes.len() >> 8) as u8, bytes.len() as u8]);
        assert_eq!(seen.body[5..], bytes);
        let expected = [
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("grpc-accept-encoding", otlp_transport::accepted_encodings()),
            ("grpc-timeout", "5000000u"),
            ("user-agent", concat!("OTel-OTLP-Exporter-otlp/", env!("CARGO_PKG_VERSION"))),
            ("x-token", "secret"),
            ("trace-bin", "AQID"),
        ];
        for (name, value) in expected {
            assert_eq!(seen.headers[name], value, "{name}");
        }
        assert_eq!(seen.headers.get("grpc-encoding"), None);
    }
    assert_eq!(fake.connections(), 1);
}

/// The name is that of the bare block, which gRPC does not use.
#[tokio::test]
async fn snappy_is_the_framed_stream() {
    let fake = Fake::http2(|_| Reply::message(b"")).await;
    let mut config = config(fake.address);
    config.compression = Compression::Snappy;
    config.authority = "tenant.example:9".into();
    config.endpoint = format!("http://user:s3cret@{}", fake.address);
    let (batch, bytes) = batch();
    GrpcClient::new(&context(), &config).unwrap().export(batch).await.unwrap();
    let seen = fake.seen().pop().unwrap();
    assert_eq!(seen.headers["grpc-encoding"], "snappy");
    assert!(seen.body[5..].starts_with(b"\xff\x06\0\0sNaPpY"));
    let plain = codec("snappy").unwrap().decompress(
        &seen.body[5..],
        1 << 20,
        &mut Charge::none(),
        &BufferPool::new(1),
    );
    assert_eq!(plain.unwrap(), bytes);
    assert_eq!(seen.headers["authorization"], "Basic dXNlcjpzM2NyZXQ=");
    assert!(seen.uri.starts_with("http://tenant.example:9/"), "{}", seen.uri);
}

#[tokio::test]
async fn the_senders_deadline_shortens_grpc_timeout_and_is_not_outlived() {
    let fake = Fake::http2(|_| Reply::Never).await;
    let context = context();
    let client = GrpcClient::new(&context, &config(fake.address)).unwrap();
    let (mut batch, _) = batch();
    batch.deadline = Some(context.clock.now() + Duration::from_millis(80));
    let error = client.export(batch).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Timeout, Retry::Backoff), "{error}");
    let seen = fake.seen().pop().unwrap();
    let timeout = seen.headers["grpc-timeout"].to_str().unwrap();
    let nanos: u64 = timeout.strip_suffix('n').unwrap().parse().unwrap();
    assert!(nanos <= 80_000_000, "{timeout}");

    let (mut late, _) = super::batch();
    late.deadline = Some(context.clock.now());
    assert_eq!(client.export(late).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(fake.seen().len(), 1, "no attempt starts after the deadline");
}

#[tokio::test]
async fn a_slow_server_times_out_and_the_connection_lives_on() {
    let fake = Fake::http2(|seen| if seen.number == 0 { Reply::Never } else { Reply::message(b"") }).await;
    let mut config = config(fake.address);
    // Enough for the second call on a busy machine.
    config.timeout = Some(Duration::from_secs(1));
    let client = GrpcClient::new(&context(), &config).unwrap();
    let error = client.export(batch().0).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Timeout, Retry::Backoff), "{error}");
    client.export(batch().0).await.unwrap();
    assert_eq!(fake.connections(), 1);
}

/// OTLP §Failures: every row of the table, in trailers and as Trailers-Only.
#[tokio::test]
async fn codes_are_retryable_as_the_table_says() {
    for row in table("grpc_retryable") {
        let code = row["code"].to_string();
        let trailers = |details: bool| {
            let mut trailers =
                vec![("grpc-status", code.clone()), ("grpc-message", "caf%C3%A9 100%25".into())];
            if details {
                let info = RpcStatus { retry_delay: Some(Duration::from_secs(3)), ..RpcStatus::default() };
                trailers.push(("grpc-status-details-bin", STANDARD_NO_PAD.encode(info.encode())));
            }
            trailers
        };
        let retryable = row["retryable"].as_bool().unwrap();
        let with_info = row["retryable_with_retry_info"].as_bool().unwrap_or(retryable);
        let (plain, only, detailed) = (trailers(false), trailers(false), trailers(true));
        let plain = read(move || Reply::trailers(plain.clone())).await.unwrap_err();
        let only = read(move || Reply::trailers_only(only.clone())).await.unwrap_err();
        let detailed = read(move || Reply::trailers(detailed.clone())).await.unwrap_err();
        assert_eq!((plain.kind(), plain.retry()), (only.kind(), only.retry()), "{row}");
        assert_eq!(plain.retry().is_retryable(), retryable, "{row}");
        assert_eq!(plain.message(), "café 100%");
        let expected = if with_info { Retry::After(Duration::from_secs(3)) } else { Retry::Never };
        assert_eq!(detailed.retry(), expected, "{row}");
    }
}

#[tokio::test]
async fn status_details_are_read_padded_or_not_and_ignored_if_they_do_not_parse() {
    for row in table("grpc_status_details_bin") {
        let unpadded = row["base64_unpadded"].as_str().unwrap().to_owned();
        let bytes = STANDARD_NO_PAD.decode(&unpadded).unwrap();
        for encoded in [unpadded, STANDARD.encode(&bytes)] {
            let error = read(move || {
                Reply::trailers(vec![
                    ("grpc-status", "8".into()),
                    ("grpc-status-details-bin", encoded.clone()),
                ])
            })
            .await
            .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Exhausted, "{row}");
            let details = RpcStatus::decode(&bytes).unwrap_or_default();
            let retry = details.retry_delay.map_or(Retry::Never, Retry::After);
            assert_eq!((error.retry(), &error.to_status().violations), (retry, &details.violations), "{row}");
            assert!(details.message.is_empty() || error.message() == details.message, "{row}: {error}");
        }
    }
    let absurd = [("grpc-status", "14".to_owned()), ("grpc-status-details-bin", "A".repeat(9000))];
    let error = read(move || Reply::trailers(absurd.to_vec())).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
}

#[tokio::test]
async fn the_answers_partial_success_is_handed_on() {
    for signal in Signal::ALL {
        for case in ["success", "partial", "partial_empty", "warning"] {
            let message = fixture(&format!("responses/{}_{case}.pb", signal.name));
            let expected = Accepted::decode(&message).unwrap();
            assert_eq!(expected.is_partial(), ["partial", "warning"].contains(&case));
            assert_eq!(read(move || Reply::message(&message)).await.unwrap(), expected, "{signal} {case}");
        }
    }
}

/// Accepted, or what kind of failure and whether it is retryable.
type Read = Result<(), (ErrorKind, bool)>;

#[tokio::test]
async fn odd_answers_are_read_as_grpc_says() {
    let answer =
        |status: u16, headers: &[(&'static str, &str)], body: &[u8], trailers: &[(&'static str, &str)]| {
            let own =
                |pairs: &[(&'static str, &str)]| pairs.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
            Reply::Answer { status, headers: own(headers), body: body.to_vec(), trailers: own(trailers) }
        };
    let html = [("content-type", "text/html")];
    let ok = [("grpc-status", "0")];
    let rows: Vec<(Reply, Read)> = vec![
        (answer(400, &html, b"<html>", &[]), Err((ErrorKind::Internal, false))),
        (answer(401, &html, b"", &[]), Err((ErrorKind::Unauthenticated, false))),
        (answer(403, &html, b"", &[]), Err((ErrorKind::PermissionDenied, false))),
        (answer(404, &html, b"", &[]), Err((ErrorKind::Unimplemented, false))),
        (answer(429, &html, b"", &[]), Err((ErrorKind::Unavailable, true))),
        (answer(502, &html, b"<html>", &[]), Err((ErrorKind::Unavailable, true))),
        (answer(503, &html, b"", &[]), Err((ErrorKind::Unavailable, true))),
        (answer(504, &html, b"", &[]), Err((ErrorKind::Unavailable, true))),
        (answer(500, &html, b"", &[]), Err((ErrorKind::Internal, false))),
        (answer(200, &html, b"<html>", &[]), Err((ErrorKind::Internal, false))),
        // The status counts, whatever HTTP says.
        (answer(503, &[("grpc-status", "3")], b"", &[]), Err((ErrorKind::InvalidData, false))),
        (answer(200, &[], b"", &[("grpc-status", "99")]), Err((ErrorKind::Internal, false))),
        (answer(200, &[], b"", &[("grpc-status", "x")]), Err((ErrorKind::Internal, false))),
        // No message, or one that cannot be read, though OK: it has been accepted.
        (answer(200, &ok, b"", &[]), Ok(())),
        (answer(200, &[], b"\0\0\0", &ok), Ok(())),
        (answer(200, &[], b"\0\0\0\0\x05ab", &ok), Ok(())),
        (answer(200, &[], b"\0\0\0\0\0\0\0\0\0\0", &ok), Ok(())),
        (answer(200, &[], b"\x07\0\0\0\0", &ok), Ok(())),
        (answer(200, &[], b"\0\0\0\0\x02\x0a\x7f", &ok), Ok(())),
        (answer(200, &[("grpc-encoding", "lzw")], b"\x01\0\0\0\x01a", &ok), Ok(())),
        (answer(200, &[("grpc-encoding", "gzip")], b"\x01\0\0\0\x01a", &ok), Ok(())),
        (Reply::Reset(Reason::CANCEL), Err((ErrorKind::Cancelled, true))),
        (Reply::Reset(Reason::ENHANCE_YOUR_CALM), Err((ErrorKind::Exhausted, true))),
        (Reply::Reset(Reason::INTERNAL_ERROR), Err((ErrorKind::Internal, false))),
        (Reply::Reset(Reason::PROTOCOL_ERROR), Err((ErrorKind::Internal, false))),
    ];
    for (number, (reply, expected)) in rows.into_iter().enumerate() {
        let reply = parking_lot::Mutex::new(Some(reply));
        let outcome = read(move || reply.lock().take().unwrap_or(Reply::Never)).await;
        let outcome = outcome.map(drop).map_err(|error| (error.kind(), error.retry().is_retryable()));
        assert_eq!(outcome, expected, "row {number}");
    }
}

#[tokio::test]
async fn requests_and_answers_are_compressed_both_ways() {
    let budget = ByteBudget::new(1 << 30);
    let buffers = BufferPool::new(4);
    for (compression, name) in [(Compression::Gzip, "gzip"), (Compression::Zstd, "zstd")] {
        let codec = codec(name).unwrap();
        let accepted = Accepted { rejected: 1, message: "x".repeat(300) };
        let answer =
            codec.compressor().unwrap().compress(&Payload::from(accepted.encode()), &buffers).unwrap();
        let fake = Fake::http2(move |_| match Reply::framed(1, &answer) {
            Reply::Answer { status, mut headers, body, trailers } => {
                headers.push(("grpc-encoding", name.into()));
                Reply::Answer { status, headers, body, trailers }
            }
            other => other,
        })
        .await;
        let mut config = config(fake.address);
        config.compression = compression;
        let client = GrpcClient::new(&context(), &config).unwrap();
        // The second is large enough to be compressed on another thread.
        for len in [400, 3 << 20] {
            let (batch, bytes) = batch_of(Signal::LOGS, len);
            assert_eq!(client.export(batch).await.unwrap(), accepted);
            let seen = fake.seen().pop().unwrap();
            assert_eq!((seen.body[0], &seen.headers["grpc-encoding"]), (1, &name.parse().unwrap()));
            let mut charge = budget.try_charge(0).unwrap();
            assert!(seen.body.len() < bytes.len());
            let plain = codec.decompress(&seen.body[5..], 4 << 20, &mut charge, &buffers).unwrap();
            assert_eq!(plain, bytes);
        }
    }
}

#[tokio::test]
async fn sizes_are_limited_both_ways() {
    let fake =
        Fake::http2(|_| Reply::message(&Accepted { rejected: 0, message: "x".repeat(2000) }.encode())).await;
    let mut config = config(fake.address);
    config.limits.max_request_bytes = 1000;
    config.limits.max_response_bytes = 1000;
    let client = GrpcClient::new(&context(), &config).unwrap();
    let oversized =
        |error: ExportError| assert_eq!((error.kind(), error.retry()), (ErrorKind::TooLarge, Retry::Never));
    oversized(client.export(batch_of(Signal::TRACES, 1001).0).await.unwrap_err());
    assert!(fake.seen().is_empty(), "a request over the limit is not sent");
    assert_eq!(client.export(batch().0).await.unwrap(), Accepted::FULL, "the status is OK");
    let stats = client.pool().stats();
    assert_eq!(stats.oversized_answers.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert_eq!(stats.oversized_requests.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert_eq!(fake.seen().len(), 1);
}

/// An answer that inflates beyond the limit is as much too large as one that comes that way; OK is success.
#[tokio::test]
async fn answers_are_measured_inflated() {
    let bomb = codec("gzip")
        .unwrap()
        .compressor()
        .unwrap()
        .compress(&Payload::from(vec![0; 1 << 20]), &BufferPool::new(1))
        .unwrap();
    let fake = Fake::http2(move |_| match Reply::framed(1, &bomb) {
        Reply::Answer { status, trailers, body, .. } => {
            Reply::Answer { status, headers: vec![("grpc-encoding", "gzip".into())], body, trailers }
        }
        other => other,
    })
    .await;
    let mut config = config(fake.address);
    config.limits.max_response_bytes = 64 << 10;
    let client = GrpcClient::new(&context(), &config).unwrap();
    assert_eq!(client.export(batch().0).await.unwrap(), Accepted::FULL);
    assert_eq!(client.pool().stats().oversized_answers.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    type Change = fn(&mut ClientConfig);
    let refused = |change: Change| {
        let mut config = ClientConfig::new("http://localhost:4317");
        change(&mut config);
        GrpcClient::new(&context(), &config).expect_err("refused")
    };
    let rows: [(Change, &str); 6] = [
        (|config| config.endpoint = "localhost".into(), "endpoint"),
        (|config| config.headers = vec![("a b".into(), String::new())], "headers"),
        (|config| config.headers = vec![("a".into(), "line\nline".into())], "headers"),
        (|config| config.headers = vec![("Content-Type".into(), "text/plain".into())], "headers"),
        (|config| config.user_agent = "\n".into(), "user_agent"),
        (|config| config.signal_endpoints = vec![("logs".into(), "http://c".into())], "signal_endpoints"),
    ];
    for (change, key) in rows {
        let error = refused(change);
        assert_eq!(error.key, key);
        assert!(!error.problem.contains("line"), "values are secrets: {error}");
    }
    let mut config = ClientConfig::new("http://localhost:4317");
    config.headers = vec![("authorization".into(), "hush".into())];
    assert!(!format!("{config:?}").contains("hush"));
}
