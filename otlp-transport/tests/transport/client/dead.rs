//! Connections that no answers come from, in simulated time.

use super::fake::{Reply, Script, serve_http2};
use super::sim::{Host, SimNet};
use super::{batch, config};
use otlp_protocol::ErrorKind;
use otlp_transport::{Export, GrpcClient};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::DuplexStream;

const ADDRESS: &str = "192.0.2.1:4317";

/// A network whose first connection is served by `first`, and all others well.
fn net(first: impl Fn(DuplexStream) + Send + Sync + 'static) -> SimNet {
    let serve = move |number: usize, io| {
        if number == 0 {
            return first(io);
        }
        let script: Script = Arc::new(|_| Box::pin(async { Reply::message(b"") }));
        tokio::spawn(serve_http2(io, None, number, Arc::default(), script));
    };
    SimNet::new(&[], vec![(ADDRESS, Host::Serves(Arc::new(serve)))])
}

/// Neither reads nor answers.
fn never_reads(io: DuplexStream) {
    tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop(io);
    });
}

/// HTTP/2 that answers pings but no calls.
fn answers_pings_alone(io: DuplexStream) {
    let script: Script = Arc::new(|_| Box::pin(async { Reply::Never }));
    tokio::spawn(serve_http2(io, None, 0, Arc::default(), script));
}

#[tokio::test(start_paused = true)]
async fn keepalive_finds_a_dead_connection_though_attempts_are_shorter_than_the_interval() {
    let net = net(never_reads);
    let mut config = config(ADDRESS);
    config.timeout = Some(Duration::from_secs(2));
    config.limits.keepalive_interval = Some(Duration::from_secs(3));
    config.limits.keepalive_timeout = Duration::from_secs(1);
    let context = net.context();
    let client = GrpcClient::new(&context, &config).unwrap();
    let start = context.clock.now();
    let error = client.export(batch().0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(error.message(), "no answer from http://192.0.2.1:4317 within 2s (timeout)");
    // Nothing is in flight from here on; the one attempt is enough.
    context.clock.sleep_until(start + Duration::from_millis(4100)).await;
    let stats = client.pool().stats();
    assert_eq!(stats.open_connections.load(std::sync::atomic::Ordering::Relaxed), 0);
    client.export(batch().0).await.unwrap();
    assert_eq!(net.connects().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn without_keepalive_a_connection_is_replaced_after_three_timeouts_in_a_row() {
    for answers_pings in [false, true] {
        let first = if answers_pings { answers_pings_alone } else { never_reads };
        let net = net(first);
        let mut config = config(ADDRESS);
        // Answered pings must not keep it.
        config.limits.keepalive_interval = Some(Duration::from_secs(1)).filter(|_| answers_pings);
        let client = GrpcClient::new(&net.context(), &config).unwrap();
        for _ in 0..3 {
            assert_eq!(client.export(batch().0).await.unwrap_err().kind(), ErrorKind::Timeout);
        }
        client.export(batch().0).await.unwrap();
        assert_eq!(net.connects().len(), 2);
        // The old one is let go of, though its peer never says anything.
        tokio::time::sleep(Duration::from_secs(31)).await;
        let stats = client.pool().stats();
        assert_eq!(stats.open_connections.load(std::sync::atomic::Ordering::Relaxed), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn deadlines_of_senders_that_are_short_do_not_cost_connections() {
    let net = net(answers_pings_alone);
    let context = net.context();
    let client = GrpcClient::new(&context, &config(ADDRESS)).unwrap();
    for _ in 0..10 {
        let (mut batch, _) = batch();
        batch.deadline = Some(context.clock.now() + Duration::from_millis(10));
        assert_eq!(client.export(batch).await.unwrap_err().kind(), ErrorKind::Timeout);
    }
    assert_eq!(net.connects().len(), 1);
}
