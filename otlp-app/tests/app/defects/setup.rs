//! Gateways and requests of these cases.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::process::{FORWARDING, Otlp, file, frugal, http_with};
use bytes::Bytes;
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{BufferPool, Payload, Signal};
use otlp_transport::{Codec, codec};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

/// A gateway that takes traces and logs; what is empty has its defaults.
#[derive(Clone, Copy)]
pub(crate) struct Setup<'a> {
    pub(crate) limit_mib: u64,
    /// Settings of both protocols, each followed by a comma.
    pub(crate) receiver: &'a str,
    /// Settings of gRPC alone, each followed by a comma.
    pub(crate) grpc: &'a str,
    /// Settings of `batch`; `None`: there is none.
    pub(crate) batch: Option<&'a str>,
    /// Settings of the exporter `otlp_http`, or a whole exporter of another id.
    pub(crate) exporter: &'a str,
    pub(crate) exporter_id: &'a str,
    pub(crate) extensions: &'a str,
    /// Ids of the extensions.
    pub(crate) extension_ids: &'a str,
}

impl Setup<'_> {
    pub(crate) fn config(&self) -> String {
        let Self { limit_mib, receiver, grpc, batch, exporter, exporter_id, extensions, extension_ids } =
            self;
        let processors = if batch.is_some() { "memory_limiter, batch" } else { "memory_limiter" };
        let pipeline =
            format!("{{receivers: [otlp], processors: [{processors}], exporters: [{exporter_id}]}}");
        let port = "endpoint: 127.0.0.1:0";
        file(&format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{{grpc} {receiver} {port}}}, \
             http: {{{receiver} {port}}}}}}}}}\nextensions: {{{extensions}}}\n\
             processors: {{memory_limiter: {{check_interval: 1s, limit_mib: {limit_mib}}}, batch: {{{}}}}}\n\
             exporters: {{{exporter_id}: {{{exporter}}}}}\nservice:\n  extensions: [{extension_ids}]\n  \
             telemetry: {{metrics: {{address: 127.0.0.1:0}}}}\n  \
             pipelines: {{traces: {pipeline}, logs: {pipeline}}}\n",
            batch.unwrap_or_default()
        ))
    }

    pub(crate) fn start(&self) -> Otlp {
        Otlp::start(frugal(&["--config", &self.config()]), FORWARDING)
    }
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self {
            limit_mib: 64,
            receiver: "",
            grpc: "",
            batch: None,
            exporter: "",
            exporter_id: "otlp_http",
            extensions: "",
            extension_ids: "",
        }
    }
}

/// Settings of an exporter to there that compresses nothing and tries again soon.
pub(crate) fn to(address: SocketAddr) -> String {
    format!(
        "endpoint: 'http://{address}', compression: none, \
         retry_on_failure: {{initial_interval: 50ms, max_interval: 100ms, max_elapsed_time: 2s}}"
    )
}

pub(crate) const TRACES: Signal = Signal::ALL[0];
pub(crate) const LOGS: Signal = Signal::ALL[2];

/// Posts a body to the gateway; the status.
pub(crate) fn send(otlp: &Otlp, signal: Signal, body: &[u8]) -> u16 {
    send_with(otlp, signal, "", body)
}

/// The same with more header lines, each with its end.
pub(crate) fn send_with(otlp: &Otlp, signal: Signal, headers: &str, body: &[u8]) -> u16 {
    http_with(otlp.address("otlp/http"), "POST", signal.http_path, headers, body).0
}

/// A request with a span for each name, of its own trace.
pub(crate) fn spans<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let spans = names.into_iter().flat_map(|name| field(2, &span(&[7; 16], name)));
    field(1, &field(2, &spans.collect::<Vec<_>>()))
}

/// A span with that trace id and name.
pub(crate) fn span(trace_id: &[u8], name: &str) -> Vec<u8> {
    [field(1, trace_id), field(2, &[9; 8]), field(5, name.as_bytes())].concat()
}

/// A request of one resource with an attribute of `resource_bytes`, and `records` empty log records.
pub(crate) fn records(resource_bytes: usize, records: usize) -> Vec<u8> {
    let value = field(2, &field(1, &vec![b'x'; resource_bytes]));
    let resource = field(1, &field(1, &[field(1, b"k"), value].concat()));
    field(1, &[resource, field(2, &[0x12, 0].repeat(records))].concat())
}

/// A field with a length.
pub(crate) fn field(number: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 8);
    put_len_delimited(&mut out, number, value);
    out
}

/// The body compressed by gzip.
pub(crate) fn gzip(body: Vec<u8>) -> Bytes {
    let codec = codec("gzip").and_then(Codec::compressor).expect("gzip");
    codec.compress(&Payload::from(Bytes::from(body)), &BufferPool::new(1)).expect("compress")
}

/// Waits until something is so, at most 15 seconds; whether it is.
pub(crate) fn soon(mut is_so: impl FnMut() -> bool) -> bool {
    (0..1500).any(|_| {
        let so = is_so();
        if !so {
            thread::sleep(Duration::from_millis(10));
        }
        so
    })
}
