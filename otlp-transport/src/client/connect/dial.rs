//! Connecting to one of the addresses of a name: Happy Eyeballs (RFC 8305).
//!
//! The next address is tried as soon as the last one failed, or 250 ms after it was tried, whichever comes first; the first
//! connection wins and the other attempts are dropped. So an address that swallows packets costs 250 ms. Nothing is
//! remembered: the next connection begins with the first address again.

use crate::{Address, BoxIo, Clock, Net};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

/// Connects to `address`: `host:port` or `unix:///path`. No timeout of its own.
pub(super) async fn dial(net: &dyn Net, clock: &dyn Clock, address: &str) -> io::Result<BoxIo> {
    if Address::unix_path(address).is_some() || address.parse::<SocketAddr>().is_ok() {
        return net.connect(address).await;
    }
    match net.resolve(address).await {
        Ok(found) if found.is_empty() => Err(io::Error::new(ErrorKind::NotFound, "the name has no address")),
        Ok(found) => race(net, clock, interleaved(found)).await,
        // A network without names takes the address as it is.
        Err(error) if error.kind() == ErrorKind::Unsupported => net.connect(address).await,
        Err(error) => Err(io::Error::new(error.kind(), format!("the name cannot be looked up: {error}"))),
    }
}

async fn race(net: &dyn Net, clock: &dyn Clock, addresses: Vec<SocketAddr>) -> io::Result<BoxIo> {
    let mut left: VecDeque<_> = addresses.into_iter().take(MAX_ADDRESSES).collect();
    let mut attempts = FuturesUnordered::new();
    let mut failures = Vec::new();
    loop {
        match left.pop_front() {
            Some(address) => attempts.push(async move {
                let text = address.to_string();
                net.connect(&text).await.map_err(|error| (text, error))
            }),
            None if attempts.is_empty() => return Err(all_failed(&failures)),
            None => {}
        }
        tokio::select! {
            biased;
            Some(ended) = attempts.next() => match ended {
                Ok(io) => return Ok(io),
                Err(failure) => failures.push(failure),
            },
            () = clock.sleep(STAGGER), if !left.is_empty() => {}
        }
    }
}

/// The families in turns, beginning with the first address's (RFC 8305 §4); the resolver's order within each.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let is_first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == is_first);
    let mut second = second.into_iter();
    let mut order: Vec<_> =
        first.into_iter().flat_map(|address| [Some(address), second.next()]).flatten().collect();
    order.extend(second);
    order
}

/// Each address with its failure.
fn all_failed(failures: &[(String, io::Error)]) -> io::Error {
    let kind = failures.first().map_or(ErrorKind::Other, |(_, error)| error.kind());
    let texts: Vec<_> = failures.iter().map(|(address, error)| format!("{address}: {error}")).collect();
    io::Error::new(kind, texts.join("; "))
}

/// RFC 8305 §5: "Connection Attempt Delay".
const STAGGER: Duration = Duration::from_millis(250);
/// Of one name.
const MAX_ADDRESSES: usize = 32;

#[cfg(test)]
mod tests;
