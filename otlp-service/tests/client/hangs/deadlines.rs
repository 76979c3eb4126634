//! Time limits of exports and of calls.

use super::{ALL_ITEMS, Case, HANG, ITEMS, LIMIT, all_are_lost, in_each_case, record, until};
use otlp_protocol::Accepted;
use otlp_service::client::{FlushError, LossReason, OtlpClient, OtlpConfig, Protocol};
use otlp_transport::{
    BoxExport, Clock as _, MultiplexTransportStrategy, Routes, ServerConfig, ServerStrategy as _, TokioClock,
    TransportContext,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;

#[test]
fn exports_end_at_their_time_limit() {
    in_each_case(|case| {
        let client = OtlpClient::new(case.config().with_timeout(LIMIT)).unwrap();
        for round in 1..=2 {
            record(&client);
            assert_eq!(client.force_flush(HANG), Err(FlushError::Lost(ALL_ITEMS)));
            all_are_lost(&client, round * ITEMS);
            let stats = client.stats();
            assert_eq!((stats.spans.lost(LossReason::Shutdown), stats.points.lost_in_all()), (0, round));
        }
        // Nothing is left to send but the sum, which each collection has.
        assert_eq!(client.shutdown(HANG), Err(FlushError::Lost(1)));
    });
}

#[test]
fn a_flush_without_time_answers() {
    in_each_case(|case: &Case| {
        let client = case.client();
        record(&client);
        assert_eq!(client.force_flush(Duration::ZERO), Err(FlushError::TimedOut));
        client.shutdown(Duration::ZERO).unwrap_err();
        all_are_lost(&client, ITEMS);
    });
}

#[test]
fn what_a_slow_server_takes_arrives_after_a_flush_that_timed_out() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let slow = BoxExport::from_fn(|_| async {
        TokioClock.sleep(3 * LIMIT).await;
        Ok(Accepted::FULL)
    });
    let bind = async {
        let context = TransportContext::tcp(1 << 20);
        let config = ServerConfig::new("127.0.0.1:0");
        MultiplexTransportStrategy.bind(&context, config, Routes::all(slow)).await.unwrap()
    };
    let server = runtime.block_on(bind);
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        let config = OtlpConfig::default().with_endpoint(format!("http://{}", server.local_addr()));
        let client = OtlpClient::new(config.with_protocol(protocol)).unwrap();
        record(&client);
        assert_eq!(client.force_flush(LIMIT), Err(FlushError::TimedOut));
        record(&client);
        client.shutdown(HANG).unwrap();
        let stats = client.stats();
        assert_eq!((stats.spans.sent(), stats.logs.sent()), (2 * ITEMS, 2 * ITEMS));
        assert_eq!((stats.points.sent(), stats.points.lost_in_all()), (2, 0));
        assert_eq!((stats.spans.lost_in_all(), stats.logs.lost_in_all()), (0, 0));
    }
}

#[test]
fn a_flush_ends_while_another_thread_records_more_than_is_sent() {
    let slow = BoxExport::from_fn(|_| async {
        TokioClock.sleep(LIMIT / 10).await;
        Ok(Accepted::FULL)
    });
    let mut config = OtlpConfig::default().with_exporter(slow).with_error_hook(|_| {});
    config.max_finished_bytes = 1 << 20;
    let client = OtlpClient::new(config).unwrap();
    let (recording, is_over) = (client.clone(), Arc::new(AtomicBool::new(false)));
    let over = is_over.clone();
    let thread = thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            record(&recording);
        }
    });
    until("too much waits", || client.stats().spans.lost(LossReason::QueueFull) > 0);
    let flushed = client.force_flush(HANG / 2);
    is_over.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    assert!(matches!(flushed, Ok(()) | Err(FlushError::Lost(_))), "{flushed:?}");
    client.shutdown(HANG).unwrap();
}
