//! The header `traceparent`: read by servers while it is asked for, sent by clients for batches that say so.

use crate::harness::{Capture, context, fixture};
use otlp_protocol::{Accepted, Batch, BatchTrace, Charge, Count, Signal, SpanContext};
use otlp_transport::{
    ClientConfig, Export as _, GrpcTransportStrategy, HttpTransportStrategy, ServerConfig, TransportStrategy,
};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_span_passes_from_client_to_server() {
    let strategies: [&dyn TransportStrategy; 2] = [&GrpcTransportStrategy, &HttpTransportStrategy];
    for strategy in strategies {
        let context = context();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let keep = seen.clone();
        let capture = Capture::answering(move |batch| {
            keep.lock().push(batch.trace.as_ref().map(|trace| (trace.spans().to_vec(), trace.is_propagated)));
            Ok(Accepted::FULL)
        });
        let server =
            strategy.bind(&context, ServerConfig::new("127.0.0.1:0"), capture.routes()).await.unwrap();
        let config = ClientConfig::new(format!("http://{}", server.local_addr()));
        let client = strategy.client(&context, config).unwrap();
        let span = SpanContext { trace_id: [7; 16], span_id: [9; 8], is_sampled: false };
        for (reads, trace, expected) in [
            (true, Some(true), Some((vec![span], true))),
            (true, Some(false), None),
            (true, None, None),
            (false, Some(true), None),
        ] {
            context.reads_traceparent.store(reads, Ordering::Relaxed);
            let body = fixture("valid/logs_min.pb");
            let count = Count { items: 1, entries: 1 };
            let mut batch = Batch::unchecked(Signal::LOGS, body, count, true, Charge::none());
            batch.trace = trace.map(|is_propagated| Arc::new(BatchTrace::new(span, is_propagated)));
            client.export(batch).await.unwrap();
            assert_eq!(seen.lock().pop().unwrap(), expected, "{reads} {trace:?}");
        }
    }
}
