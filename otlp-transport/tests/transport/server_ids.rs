//! Ids of the wrong length: what is handed on, what the sender is told, and what is counted.

use crate::harness::engines::{Engine, Port};
use crate::harness::{Capture, Http1Peer, context, framed};
use bytes::Bytes;
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{Accepted, Batch, RpcStatus, Signal};
use otlp_transport::{
    BoxExport, Export, ExportResult, HttpTransportStrategy, InvalidIds, Routes, ServerConfig,
    ServerStrategy as _,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

on_each_engine!(
    a_span_with_a_bad_id_is_rejected_and_the_others_go_on,
    ids_in_json_are_held_to_the_same_lengths,
    a_request_with_a_bad_id_can_be_refused_as_a_whole,
);

fn field(number: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_len_delimited(&mut out, number, value);
    out
}

/// A request of a span with each of these trace ids.
fn spans(ids: &[&[u8]]) -> Bytes {
    let spans: Vec<u8> = ids.iter().flat_map(|id| field(2, &field(1, id))).collect();
    field(1, &field(2, &spans)).into()
}

const GOOD: &[u8] = &[7; 16];
const HEX: &[u8] = b"000102030405060708090a0b0c0d0e0f";
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");

fn expected(rejected: u64, of: u64, index: u64) -> Accepted {
    let message = format!(
        "{rejected} of {of} spans rejected; the first: resource_spans[0].scope_spans[0].spans[{index}].trace_id: wrong \
         length of an id: 32 bytes instead of 16"
    );
    Accepted { rejected, message }
}

async fn a_span_with_a_bad_id_is_rejected_and_the_others_go_on(engine: Engine) {
    let (capture, context) = (Capture::accepting(), context());
    let server = engine.serve_config(Port::Grpc, &capture, &context, ServerConfig::new("127.0.0.1:0")).await;
    let peer = server.http2().await;
    let path = Signal::TRACES.grpc_path;

    let reply = peer.call(path, &[], vec![framed(false, &spans(&[GOOD, HEX, &[0; 16], HEX, b""]))]).await;
    assert_eq!(reply.code(), 0, "{reply:?}");
    assert_eq!(Accepted::decode(&reply.body[5..]).unwrap(), expected(2, 5, 1));
    let [(_, body, items)] = &capture.take()[..] else { panic!("not one batch") };
    assert_eq!((body, *items), (&spans(&[GOOD, &[0; 16], b""]), 3));

    // Nothing is handed on of a request without any good span.
    let reply = peer.call(path, &[], vec![framed(false, &spans(&[HEX]))]).await;
    assert_eq!(reply.code(), 0, "{reply:?}");
    assert_eq!(Accepted::decode(&reply.body[5..]).unwrap(), expected(1, 1, 0));
    assert!(capture.take().is_empty());

    let stats = server.stats();
    assert_eq!(stats.rejected_items.load(Ordering::Relaxed), 3);
    assert_eq!(stats.accepted_requests.load(Ordering::Relaxed), 2);
    assert_eq!(stats.repaired_requests.load(Ordering::Relaxed), 0);
    assert_eq!(context.budget.used(), 0);
}

async fn ids_in_json_are_held_to_the_same_lengths(engine: Engine) {
    let (capture, context) = (Capture::accepting(), context());
    let server = engine.serve_config(Port::Http, &capture, &context, ServerConfig::new("127.0.0.1:0")).await;
    let mut peer = server.http1().await;
    let text = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00ff"},{"name":"a"}]}]}]}"#;
    let reply = peer.post("/v1/traces", &[JSON], text).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let accepted = Accepted::decode_json(&reply.body).unwrap();
    assert_eq!(accepted.rejected, 1);
    assert!(
        accepted.message.ends_with("spans[0].trace_id: wrong length of an id: 2 bytes instead of 16"),
        "{accepted:?}"
    );
    assert_eq!(capture.take().len(), 1);

    let text = br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"00ff","eventName":"a"}]}]}]}"#;
    let reply = peer.post("/v1/logs", &[JSON], text).await;
    assert_eq!((reply.status, &reply.body[..]), (200, &b"{}"[..]));
    let [(_, body, _)] = &capture.take()[..] else { panic!("not one batch") };
    assert_eq!(body, &field(1, &field(2, &field(2, &field(12, b"a")))));
    assert_eq!(server.stats().removed_ids.load(Ordering::Relaxed), 1);
}

async fn a_request_with_a_bad_id_can_be_refused_as_a_whole(engine: Engine) {
    let refuse = || {
        let mut config = ServerConfig::new("127.0.0.1:0");
        config.invalid_ids = InvalidIds::Refuse;
        config
    };
    let message = "resource_spans[0].scope_spans[0].spans[1].trace_id: wrong length of an id: 32 bytes instead of 16 (at byte 26)";
    let (capture, context) = (Capture::accepting(), context());
    let server = engine.serve_config(Port::Http, &capture, &context, refuse()).await;
    let mut peer = server.http1().await;
    let reply = peer.post("/v1/traces", &[PROTOBUF], &spans(&[GOOD, HEX])).await;
    assert_eq!((reply.status, RpcStatus::decode(&reply.body).unwrap().message), (400, message.to_owned()));

    let server = engine.serve_config(Port::Grpc, &capture, &context, refuse()).await;
    let peer = server.http2().await;
    let frame = framed(false, &spans(&[GOOD, HEX]));
    let reply = peer.call(Signal::TRACES.grpc_path, &[], vec![frame]).await;
    assert_eq!((reply.code(), reply.header("grpc-message")), (3, message));
    assert!(capture.take().is_empty());
    assert_eq!(server.stats().refused_malformed.load(Ordering::Relaxed), 1);
}

/// Rejects one item of each batch, and counts items that it is told were refused.
#[derive(Clone, Default)]
struct Picky(Arc<AtomicU64>);

impl Export for Picky {
    async fn export(&self, _batch: Batch) -> ExportResult {
        Ok(Accepted { rejected: 1, message: "too old".to_owned() })
    }

    fn refuse(&self, items: u64) {
        self.0.fetch_add(items, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn the_answer_adds_up_what_server_and_pipeline_rejected() {
    let (picky, context) = (Picky::default(), context());
    let routes = Routes::new().with(Signal::TRACES, BoxExport::new(picky.clone()));
    let config = ServerConfig::new("127.0.0.1:0");
    let server = HttpTransportStrategy.bind(&context, config, routes).await.unwrap();
    let mut peer = Http1Peer::connect(server.local_addr()).await;
    let reply = peer.post("/v1/traces", &[PROTOBUF], &spans(&[HEX, GOOD, HEX])).await;
    let Accepted { message, .. } = expected(2, 3, 0);
    let told = Accepted::decode(&reply.body).unwrap();
    assert_eq!(told, Accepted { rejected: 3, message: format!("{message}; too old") });
    assert_eq!(picky.0.load(Ordering::Relaxed), 2);
}
