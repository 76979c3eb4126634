//! Clients against servers that answer by script, and against our own.

mod adaptive;
mod answers;
mod dead;
mod dial;
mod fake;
mod grpc;
mod http;
mod mix_ups;
mod pool;
mod proxy;
mod sim;
mod strategies;
#[cfg(feature = "tls")]
mod tls;

use bytes::Bytes;
use otlp_protocol::{Batch, Charge, Count, Payload, Signal};
use otlp_transport::{ClientConfig, TransportContext};
use serde_json::Value;

/// Network, real time, and room for bodies.
fn context() -> TransportContext {
    TransportContext::tcp(64 << 20)
}

/// A cleartext client's settings for that address.
fn config(address: impl std::fmt::Display) -> ClientConfig {
    ClientConfig::new(format!("http://{address}"))
}

/// A batch of traces whose body is in two segments, and the bytes it must arrive as.
fn batch() -> (Batch, Vec<u8>) {
    batch_of(Signal::TRACES, 400)
}

/// A batch of `len` bytes or a few more, which are protobuf: one `resource_spans` after the other, empty but for unknown
/// fields.
fn batch_of(signal: Signal, len: usize) -> (Batch, Vec<u8>) {
    let entry = b"\x0a\x04\xa2\x3f\x01x";
    let bytes = entry.repeat(len.div_ceil(entry.len()));
    let (front, back) = bytes.split_at(bytes.len() / 2);
    let body = Payload::from_iter([Bytes::copy_from_slice(front), Bytes::copy_from_slice(back)]);
    (Batch::unchecked(signal, body, Count { items: 1, entries: 1 }, true, Charge::none()), bytes)
}

/// A table of the shared test vectors.
fn table(name: &str) -> Vec<Value> {
    let tables: Value = serde_json::from_slice(&fixture("tables.json")).unwrap();
    tables[name].as_array().unwrap().clone()
}

/// A file of the shared test vectors.
fn fixture(path: &str) -> Vec<u8> {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../otlp-protocol/tests/fixtures/");
    std::fs::read(format!("{fixtures}{path}")).unwrap()
}
