//! The balanced client: in simulated time over a simulated network, and against our own servers.

#[path = "balance/sim.rs"]
mod sim;

#[path = "balance/membership.rs"]
mod membership;
#[path = "balance/routing.rs"]
mod routing;
#[path = "balance/servers.rs"]
mod servers;
#[path = "balance/spread.rs"]
mod spread;

use otlp_protocol::{Batch, Charge, Count, Origin, Signal};
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

const KEY: &str = "x-tenant";
