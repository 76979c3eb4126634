//! Forwarding loops: batches carry the receivers they have been at, and none of these takes them again.

use crate::harness::engines::{Engine, Port};
use crate::harness::{Capture, context, fixture, framed};
use bytes::Bytes;
use otlp_protocol::{Accepted, Batch, Charge, Count, ErrorKind, HOPS_HEADER, HopId, Hops, Retry, Signal};
use otlp_transport::{
    ClientConfig, Export as _, GrpcTransportStrategy, HttpTransportStrategy, Server, ServerConfig,
    ServerStrategy, TransportContext, TransportStrategy,
};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const STRATEGIES: [&dyn TransportStrategy; 2] = [&GrpcTransportStrategy, &HttpTransportStrategy];

type Seen = Arc<Mutex<Vec<Bytes>>>;

/// A server with that id that answers OK, and the values of the header with which its batches would go on.
async fn serve(context: &TransportContext, strategy: &dyn ServerStrategy, id: HopId) -> (Server, Seen) {
    let (capture, config, seen) = receiver(id);
    (strategy.bind(context, config, capture.routes()).await.unwrap(), seen)
}

/// Who takes the batches of such a server, its settings, and those values.
fn receiver(id: HopId) -> (Capture, ServerConfig, Seen) {
    let seen = Seen::default();
    let keep = Arc::clone(&seen);
    let capture = Capture::answering(move |batch| {
        keep.lock().extend(batch.hops.as_ref().map(|hops| hops.text()));
        Ok(Accepted::FULL)
    });
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.hop = id;
    (capture, config, seen)
}

on_each_engine!(a_request_that_was_here_before_is_refused_for_good);

async fn a_request_that_was_here_before_is_refused_for_good(engine: Engine) {
    let (own, other) = (HopId::random(), HopId::random());
    let context = context();
    let (capture, config, seen) = receiver(own);
    let server = engine.serve_config(Port::Both, &capture, &context, config).await;
    let logs = fixture("valid/logs_min.pb");
    let mut http1 = server.http1().await;
    let http2 = server.http2().await;
    for (hops, is_taken) in [
        (None, true),
        (Some(format!("{other}")), true),
        (Some("who knows, 12".to_owned()), true),
        (Some(format!("{own}")), false),
        (Some(format!("{own}, {other}")), false),
    ] {
        let hops: Vec<_> = hops.iter().map(|hops| (HOPS_HEADER, hops.as_str())).collect();
        let headers = [&[("content-type", "application/x-protobuf")], &hops[..]].concat();
        let status = http1.post("/v1/logs", &headers, &logs).await.status;
        assert_eq!(status, if is_taken { 200 } else { 508 }, "{hops:?}");
        let reply = http2.call(Signal::LOGS.grpc_path, &hops, vec![framed(false, &logs)]).await;
        assert_eq!(reply.code(), if is_taken { 0 } else { 9 }, "{hops:?}");
    }
    assert_eq!(server.stats().refused_loops.load(Ordering::Relaxed), 4);
    let (alone, both) = (own.to_string(), format!("{other},{own}"));
    assert_eq!(*seen.lock(), [&alone, &alone, &both, &both, &alone, &alone].map(|text| text.clone()));
    assert_eq!(context.budget.used(), 0, "what the header took is given back");
}

#[tokio::test]
async fn clients_send_on_where_a_batch_has_been() {
    let (first, second) = (HopId::random(), HopId::random());
    let context = context();
    for strategy in STRATEGIES {
        let (server, seen) = serve(&context, strategy, second).await;
        let config = ClientConfig::new(format!("http://{}", server.local_addr()));
        let client = strategy.client(&context, config).unwrap();
        let send = async |hops: Option<Hops>| {
            let body = fixture("valid/logs_min.pb");
            let count = Count { items: 1, entries: 1 };
            let mut batch = Batch::unchecked(Signal::LOGS, body, count, true, Charge::none());
            batch.hops = hops.map(Arc::new);
            client.export(batch).await
        };
        assert_eq!(send(None).await.unwrap(), Accepted::FULL);
        assert_eq!(send(Some(Hops::of(first))).await.unwrap(), Accepted::FULL);
        assert_eq!(*seen.lock(), [second.to_string(), format!("{first},{second}")]);
        let error = send(Some(Hops::of(second))).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Loop, Retry::Never), "{error}");
        assert!(error.message().contains("remove the exporter"), "{error}");
        assert_eq!(server.stats().refused_loops.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn the_header_is_the_exporters_own() {
    for strategy in STRATEGIES {
        let mut config = ClientConfig::new("http://127.0.0.1:1");
        config.headers = vec![("Otlp-Hops".into(), "0000000000000001".into())];
        let error = strategy.client(&context(), config).expect_err("it is refused");
        assert!(error.problem.contains("otlp-hops"), "{error}");
    }
}
