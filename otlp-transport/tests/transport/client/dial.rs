//! Names with several addresses: RFC 8305.

use super::fake::{Reply, serve_http2};
use super::sim::{Host, SimNet};
use super::{batch, config, context};
use otlp_protocol::{Accepted, ErrorKind, Retry};
use otlp_transport::{Export, GrpcClient};
use std::sync::Arc;
use tokio::time::Duration;

const NAME: &str = "backend:4317";
const FIRST: &str = "[2001:db8::1]:4317";
const SECOND: &str = "192.0.2.1:4317";
const THIRD: &str = "[2001:db8::2]:4317";

fn grpc() -> Host {
    Host::Serves(Arc::new(|number, io| {
        let script = Arc::new(|_| Box::pin(async { Reply::message(b"") }) as _);
        tokio::spawn(serve_http2(io, None, number, Arc::default(), script));
    }))
}

/// Connects twice to a name of these addresses; returns the outcomes and who was tried when.
async fn export(hosts: [Host; 3]) -> (Result<Accepted, String>, Vec<(u64, String)>) {
    let [first, second, third] = hosts;
    let hosts = vec![(FIRST, first), (SECOND, second), (THIRD, third)];
    let net = SimNet::new(&[(NAME, &[FIRST, THIRD, SECOND])], hosts);
    let client = GrpcClient::new(&net.context(), &config(NAME)).unwrap();
    let result = client.export(batch().0).await.map_err(|error| {
        assert_eq!(error.retry(), Retry::Backoff);
        error.to_string()
    });
    let connects = net.connects().into_iter().map(|(time, address)| (time.as_millis() as u64, address));
    (result, connects.collect())
}

fn times(connects: &[(u64, String)]) -> Vec<(u64, &str)> {
    // The simulated clock has a millisecond of grain.
    connects.iter().map(|(time, address)| (time / 10 * 10, address.as_str())).collect()
}

#[tokio::test(start_paused = true)]
async fn an_address_that_swallows_packets_does_not_hide_the_next() {
    let (result, connects) = export([Host::Silent, grpc(), grpc()]).await;
    assert_eq!(result, Ok(Accepted::FULL));
    assert_eq!(times(&connects), [(0, FIRST), (250, SECOND)], "families take turns");
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_the_next_address_is_tried_at_once() {
    let (result, connects) = export([Host::Refuses, Host::Silent, grpc()]).await;
    assert_eq!(result, Ok(Accepted::FULL));
    assert_eq!(times(&connects), [(0, FIRST), (0, SECOND), (250, THIRD)]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_names_every_address() {
    let (result, _) = export([Host::Refuses, Host::Refuses, Host::Refuses]).await;
    let error = result.unwrap_err();
    for expected in ["cannot connect to http://backend:4317", FIRST, SECOND, THIRD, "connection refused"] {
        assert!(error.contains(expected), "{error}: no {expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_to_connect_say_which_part_failed() {
    let net = SimNet::new(&[(NAME, &[FIRST])], vec![(FIRST, Host::Silent)]);
    let mut config = config(NAME);
    let error = GrpcClient::new(&net.context(), &config).unwrap().export(batch().0).await.unwrap_err();
    assert_eq!(error.message(), "no connection to http://backend:4317 within 5s (timeout)");
    config.timeout = Some(Duration::from_secs(60));
    let error = GrpcClient::new(&net.context(), &config).unwrap().export(batch().0).await.unwrap_err();
    let expected = "cannot connect to http://backend:4317: no connection within 10s (connect_timeout)";
    assert_eq!((error.kind(), error.message()), (ErrorKind::Unavailable, expected));
    config.endpoint = "http://elsewhere:4317".into();
    let error = GrpcClient::new(&net.context(), &config).unwrap().export(batch().0).await.unwrap_err();
    let expected =
        "cannot connect to http://elsewhere:4317: `elsewhere:4317` cannot be looked up: no such host";
    assert_eq!(error.message(), expected);
}

#[tokio::test]
async fn an_address_without_a_port_is_quoted() {
    let mut config = config("backend:4317");
    config.connect_to = Some("127.0.0.1".into());
    let error = GrpcClient::new(&context(), &config).unwrap().export(batch().0).await.unwrap_err();
    assert!(error.message().contains("`127.0.0.1` cannot be looked up: "), "{error}");
    assert!(error.message().ends_with("; write host:port"), "{error}");
}
