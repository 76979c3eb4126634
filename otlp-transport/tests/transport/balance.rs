//! The balanced client: in simulated time over a simulated network, and against our own servers.

mod sim;

mod membership;
mod routing;
mod servers;
mod spread;

use otlp_protocol::{Batch, Charge, Count, Origin, Signal};
use otlp_transport::{
    BalanceConfig, BalancedClient, ClientConfig, FixedResolver, GrpcTransportStrategy, ResolvedEndpoint,
    TransportContext,
};
use std::sync::Arc;

/// A request that carries a number, and has it as its routing header, too.
fn request(number: u64) -> Batch {
    let body = number.to_be_bytes().to_vec();
    let mut batch =
        Batch::unchecked(Signal::TRACES, body, Count { items: 1, entries: 1 }, true, Charge::none());
    let key = number.to_string().into_bytes().into();
    batch.origin = Some(Arc::new(Origin { headers: vec![(KEY.into(), key)], ..Origin::default() }));
    batch
}

/// The number of a request.
fn number(batch: &Batch) -> u64 {
    let body = batch.body().plain().to_contiguous();
    u64::from_be_bytes(body[..].try_into().unwrap())
}

/// Counters of endpoints are labels of metrics, and debug output goes into logs.
#[tokio::test]
async fn user_and_password_of_an_endpoint_are_shown_nowhere() {
    let endpoint = ResolvedEndpoint::new("http://user:hunter2@localhost:1");
    let client = BalancedClient::new(
        &TransportContext::tcp(1),
        Arc::new(GrpcTransportStrategy),
        ClientConfig::new(""),
        BalanceConfig::default(),
        Box::new(FixedResolver::new(vec![endpoint.clone()])),
    )
    .unwrap();
    assert_eq!(client.stats().endpoints()[0].endpoint, "http://localhost:1");
    let shown = format!("{endpoint:?} {client:?}");
    assert!(shown.contains("http://localhost:1") && !shown.contains("hunter2"), "{shown}");
}

/// The resolver is followed by a task.
#[test]
fn outside_of_a_runtime_a_balanced_client_is_an_error() {
    let resolver = FixedResolver::new(vec![ResolvedEndpoint::new("http://localhost:1")]);
    let client = BalancedClient::new(
        &TransportContext::tcp(1),
        Arc::new(GrpcTransportStrategy),
        ClientConfig::new(""),
        BalanceConfig::default(),
        Box::new(resolver),
    );
    assert_eq!(client.unwrap_err().key, "resolver");
}

const KEY: &str = "x-tenant";
