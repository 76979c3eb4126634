//! Clients that choose the encoding of each request, against servers that take some encodings and refuse others.

use super::fake::{Fake, Reply, Seen};
use super::{batch_of, config, context};
use otlp_protocol::{BufferPool, ByteBudget, Charge, ErrorKind, Signal};
use otlp_transport::{
    AdaptiveStats, ClientConfig, Compression, Encoding, Export, GrpcClient, HttpClient, codec,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

fn adaptive(address: SocketAddr) -> ClientConfig {
    let mut config = config(address);
    config.compression = Compression::Adaptive;
    config
}

fn answer(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Whatever\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The content encoding of a request; empty for none.
fn encoding(seen: &Seen) -> String {
    let name = if seen.headers.contains_key("grpc-timeout") { "grpc-encoding" } else { "content-encoding" };
    seen.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// The request's body before compression.
fn plain(seen: &Seen) -> Vec<u8> {
    match &*encoding(seen) {
        "" => seen.body.clone(),
        name => inflate(name, &seen.body),
    }
}

fn inflate(encoding: &str, wire: &[u8]) -> Vec<u8> {
    let inflated =
        codec(encoding).unwrap().decompress(wire, 64 << 20, &mut Charge::none(), &BufferPool::new(1));
    inflated.unwrap().to_vec()
}

/// Sends batches of many sizes by HTTP to a server that answers by `script`: each must be accepted, and arrive once.
async fn arrives_once(script: fn(&Seen) -> Vec<u8>) -> (Vec<Seen>, Arc<AdaptiveStats>) {
    let fake = Fake::http1(move |seen| script(&seen)).await;
    let client = HttpClient::new(&context(), &adaptive(fake.address)).unwrap();
    let mut sent = Vec::new();
    for len in [400, 3_000, 50_000, 200_000, 900_000, 400, 3_000, 50_000, 200_000, 900_000] {
        let (batch, bytes) = batch_of(Signal::LOGS, len);
        client.export(batch).await.unwrap();
        sent.push(bytes);
    }
    let accepted = fake.seen().into_iter().filter(|seen| script(seen).starts_with(b"HTTP/1.1 200"));
    let accepted: Vec<_> = accepted.collect();
    assert!(accepted.iter().map(plain).eq(sent), "each body arrives once, unchanged");
    (fake.seen(), client.stats().adaptive.get().unwrap().clone())
}

#[tokio::test]
async fn a_server_that_takes_all_gets_each_request_once() {
    let (seen, stats) = arrives_once(|_| answer(200, "")).await;
    assert_eq!(seen.len(), 10);
    assert_eq!(encoding(&seen[0]), "gzip", "most servers take gzip");
    assert_eq!(stats.bodies().map(|(.., count)| count).sum::<u64>(), 10);
    let first = stats.bodies().find(|(class, encoding, _)| (*class, *encoding) == ("1KiB", "gzip-1"));
    assert!(first.is_some_and(|(.., count)| count > 0));
    assert!(stats.probes.load(Ordering::Relaxed) > 0);
    assert_eq!(stats.refused_encodings.load(Ordering::Relaxed), 0);
    let sizes = |len: fn(&Seen) -> usize| seen.iter().map(len).sum::<usize>() as u64;
    assert_eq!(stats.plain_bytes.load(Ordering::Relaxed), sizes(|seen| plain(seen).len()));
    assert_eq!(stats.wire_bytes.load(Ordering::Relaxed), sizes(|seen| seen.body.len()));
}

/// 415 of the specification, the Collector's 400, and a server that knows no encoding and finds no protobuf.
#[tokio::test]
async fn a_refused_encoding_is_sent_again_in_another_and_not_used_any_more() {
    for script in [
        |seen: &Seen| if encoding(seen) == "gzip" { answer(415, "") } else { answer(200, "") },
        |seen: &Seen| match &*encoding(seen) {
            "gzip" => answer(400, "unsupported Content-Encoding: gzip"),
            _ => answer(200, ""),
        },
        |seen: &Seen| {
            if encoding(seen).is_empty() { answer(200, "") } else { answer(400, "proto: illegal tag") }
        },
        |seen: &Seen| if encoding(seen).is_empty() { answer(200, "") } else { answer(500, "") },
    ] {
        let (seen, stats) = arrives_once(script).await;
        let refused: Vec<_> =
            seen.iter().filter(|seen| !script(seen).starts_with(b"HTTP/1.1 200")).map(encoding).collect();
        assert_eq!(refused[0], "gzip");
        let mut once = refused.clone();
        once.dedup();
        assert_eq!(refused, once, "an encoding is refused once");
        assert_eq!(stats.refused_encodings.load(Ordering::Relaxed), refused.len() as u64);
    }
}

/// The error of the data is the answer, and says nothing of the encoding.
#[tokio::test]
async fn data_that_is_refused_in_any_encoding_is_refused() {
    let fake = Fake::http1(|_| answer(400, "a span without an id")).await;
    let client = HttpClient::new(&context(), &adaptive(fake.address)).unwrap();
    for _ in 0..2 {
        let error = client.export(batch_of(Signal::TRACES, 400).0).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.message().contains("a span without an id"), "{error}");
    }
    let encodings: Vec<_> = fake.seen().iter().map(encoding).collect();
    let (first, second) = encodings.split_at(2);
    assert_eq!(first, ["gzip", ""]);
    // A probe may have measured by then that another encoding, or none, costs less.
    assert!(second.len() <= 2 && second.last().is_some_and(String::is_empty), "{second:?}");
    let adaptive = client.stats().adaptive.get().unwrap();
    assert_eq!(adaptive.refused_encodings.load(Ordering::Relaxed), 0);
}

/// Refusals that are not about the encoding are not sent again.
#[tokio::test]
async fn other_failures_are_not_sent_again() {
    for status in [401, 403, 413, 429, 503] {
        let fake = Fake::http1(move |_| answer(status, "")).await;
        let client = HttpClient::new(&context(), &adaptive(fake.address)).unwrap();
        client.export(batch_of(Signal::TRACES, 400).0).await.unwrap_err();
        assert_eq!(fake.seen().len(), 1, "{status}");
    }
    // Nor are refusals of an encoding that was accepted before.
    let fake =
        Fake::http1(|seen| if seen.number == 0 { answer(200, "") } else { answer(400, "bad data") }).await;
    let client = HttpClient::new(&context(), &adaptive(fake.address)).unwrap();
    client.export(batch_of(Signal::TRACES, 400).0).await.unwrap();
    client.export(batch_of(Signal::TRACES, 400).0).await.unwrap_err();
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test]
async fn grpc_names_the_encoding_of_each_message() {
    let refuses = |seen: &Seen| encoding(seen) == "gzip";
    let fake = Fake::http2(move |seen| match refuses(&seen) {
        true => Reply::trailers_only(vec![
            ("grpc-status", "12".into()),
            ("grpc-message", "grpc: Decompressor is not installed for grpc-encoding \"gzip\"".into()),
        ]),
        false => Reply::message(b""),
    })
    .await;
    let client = GrpcClient::new(&context(), &adaptive(fake.address)).unwrap();
    let mut sent = Vec::new();
    for len in [400, 50_000, 900_000].repeat(12) {
        let (batch, bytes) = batch_of(Signal::METRICS, len);
        client.export(batch).await.unwrap();
        sent.push(bytes);
    }
    let seen = fake.seen();
    assert_eq!(encoding(&seen[0]), "gzip");
    assert_eq!(seen.iter().filter(|seen| refuses(seen)).count(), 1);
    let message = |seen: &Seen| {
        let (head, body) = seen.body.split_at(5);
        assert_eq!(head[0] == 1, !encoding(seen).is_empty(), "the flag says if the message is compressed");
        if head[0] == 1 { inflate(&encoding(seen), body) } else { body.to_vec() }
    };
    assert!(seen.iter().skip(1).map(message).eq(sent));
    assert_eq!(fake.connections(), 1);
}

/// A call that is not served is no matter of the encoding.
#[tokio::test]
async fn an_unserved_method_is_unimplemented() {
    let fake = Fake::http2(|_| Reply::trailers_only(vec![("grpc-status", "12".into())])).await;
    let client = GrpcClient::new(&context(), &adaptive(fake.address)).unwrap();
    let error = client.export(batch_of(Signal::TRACES, 400).0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unimplemented);
    assert_eq!(client.pool().stats().adaptive.get().unwrap().refused_encodings.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn json_is_compressed_as_text() {
    let fake = Fake::http1(|_| answer(200, "")).await;
    let mut config = adaptive(fake.address);
    config.encoding = Encoding::Json;
    let client = HttpClient::new(&context(), &config).unwrap();
    for _ in 0..3 {
        client.export(batch_of(Signal::LOGS, 9_000).0).await.unwrap();
    }
    for seen in fake.seen() {
        assert!(plain(&seen).starts_with(b"{"), "{}", encoding(&seen));
    }
}

/// Probes need memory; requests go on without.
#[tokio::test]
async fn without_memory_there_are_no_probes() {
    let fake = Fake::http1(|_| answer(200, "")).await;
    let mut context = context();
    context.budget = ByteBudget::new(1_000);
    let client = HttpClient::new(&context, &adaptive(fake.address)).unwrap();
    for _ in 0..10 {
        client.export(batch_of(Signal::LOGS, 50_000).0).await.unwrap();
    }
    let stats = client.stats().adaptive.get().unwrap();
    assert_eq!(stats.probes.load(Ordering::Relaxed), 0);
    assert!(stats.skipped_probes.load(Ordering::Relaxed) > 0);
    assert_eq!(context.budget.used(), 0);
}

#[test]
fn weights_that_cannot_work_are_errors() {
    let mut config = adaptive(([127, 0, 0, 1], 1).into());
    config.adaptive_compression.speed_weight = f64::NAN;
    let error = HttpClient::new(&context(), &config).unwrap_err();
    assert_eq!(error.key, "adaptive_compression.speed_weight");
    config.adaptive_compression = Default::default();
    config.adaptive_compression.ratio_weight = 0.0;
    config.adaptive_compression.speed_weight = 0.0;
    config.adaptive_compression.decompress_weight = 0.0;
    let error = HttpClient::new(&context(), &config).unwrap_err();
    assert_eq!(error.key, "adaptive_compression");
}
