//! Ports to listen on: free, or taken and by whom.

use super::finding::Finding;
use super::{owner, ways};
use crate::own_addresses::Place;
use otlp_transport::TransportContext;
use std::io::ErrorKind;
use std::time::Duration;

/// Listens on an address for a moment. A Unix socket is connected to instead, since listening would leave a file.
pub(super) async fn check(
    name: &str,
    address: &str,
    context: &TransportContext,
    timeout: Duration,
) -> Finding {
    let place = format!("{name} {address}");
    let Some(Place::Tcp(host, port)) = Place::of(address) else {
        return match context.net.connect(address).await {
            Ok(_) => Finding::problem(CHECK, place, "another process listens on this socket")
                .help("stop that process, or listen on another path"),
            Err(_) => Finding::ok(CHECK, place, "no process listens on this socket"),
        };
    };
    if port == 0 {
        return Finding::ok(CHECK, place, "the system chooses a port");
    }
    match context.net.bind(address).await.map(drop) {
        Ok(()) => Finding::ok(CHECK, place, "free"),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            taken(place, &host, port, context, timeout).await
        }
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {
            Finding::problem(CHECK, place, format!("this machine has no such address: {error}"))
                .help("listen on an address of this machine, or on 0.0.0.0 for all of them")
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Finding::problem(CHECK, place, format!("not allowed: {error}"))
                .help("choose a port from 1024, or give the process CAP_NET_BIND_SERVICE")
        }
        Err(error) => Finding::problem(CHECK, place, error.to_string()),
    }
}

async fn taken(
    place: String,
    host: &str,
    port: u16,
    context: &TransportContext,
    timeout: Duration,
) -> Finding {
    let owner = owner::of_port(port);
    let by = match &owner {
        Some(owner) => format!("taken by {} (process {})", owner.name, owner.pid),
        None => "taken by a process that cannot be seen: of another user, or in another container".to_owned(),
    };
    let host = if matches!(host, "" | "::" | "0.0.0.0") { "127.0.0.1" } else { host };
    let speaks = match ways::spoken(host, &[port], context, timeout).await {
        Some(way) => format!(", which speaks {way}"),
        None => String::new(),
    };
    let text = format!("{by}{speaks}");
    if owner.is_some_and(|owner| owner.is_same) {
        return Finding::warning(CHECK, place, text)
            .help("nothing is wrong if that is the gateway in question");
    }
    Finding::problem(CHECK, place, text).help("stop that process, or listen on another port")
}

const CHECK: &str = "port";
