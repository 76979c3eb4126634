//! The ways in which a server speaks OTLP: gRPC or HTTP, with or without TLS, on this or the other usual port.

use crate::protocol::Protocol;
use otlp_protocol::{Batch, Body, Charge, ErrorKind, Signal, ValidateLimits};
use otlp_transport::{Attempt as _, ClientConfig, TransportContext};
use std::fmt;
use std::time::Duration;
use tokio::task::JoinSet;

/// A way to speak OTLP to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) protocol: Protocol,
    has_tls: bool,
    host: String,
    port: u16,
}

impl Way {
    /// Returns the endpoint.
    pub(super) fn url(&self) -> String {
        let Self { has_tls, host, port, .. } = self;
        let scheme = if *has_tls { "https" } else { "http" };
        if host.contains(':') {
            format!("{scheme}://[{host}]:{port}")
        } else {
            format!("{scheme}://{host}:{port}")
        }
    }

    /// Returns true if a server takes or refuses an empty request as a server of OTLP does.
    async fn is_spoken(&self, context: &TransportContext, timeout: Duration) -> bool {
        let mut config = ClientConfig::new(self.url());
        (config.timeout, config.limits.connect_timeout) = (Some(timeout), timeout);
        // No credentials are sent, and the name in the certificate is another finding.
        config.tls.insecure_skip_verify = true;
        let client = self.protocol.strategy().client(context, config);
        let (Ok(client), Some(batch)) = (client, empty(FIRST)) else { return false };
        client.attempt(&batch).await.map_or_else(
            |error| matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::PermissionDenied),
            |_| true,
        )
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if self.protocol == Protocol::Grpc { "gRPC" } else { "HTTP" };
        let with = if self.has_tls { "with" } else { "without" };
        write!(f, "OTLP over {protocol} {with} TLS")
    }
}

/// Tries all ways at once, and returns the first of them that the server speaks, of the earliest port.
pub(super) async fn spoken(
    host: &str,
    ports: &[u16],
    context: &TransportContext,
    timeout: Duration,
) -> Option<Way> {
    let mut tries = JoinSet::new();
    let protocols =
        [(Protocol::Grpc, false), (Protocol::Http, false), (Protocol::Grpc, true), (Protocol::Http, true)];
    let ways = ports.iter().flat_map(|port| protocols.map(|(protocol, has_tls)| (*port, protocol, has_tls)));
    for (index, (port, protocol, has_tls)) in ways.enumerate() {
        let way = Way { protocol, has_tls, host: host.to_owned(), port };
        let context = context.clone();
        tries.spawn(async move { way.is_spoken(&context, timeout).await.then_some((index, way)) });
    }
    let found = tries.join_all().await;
    found.into_iter().flatten().min_by_key(|(index, _)| *index).map(|(_, way)| way)
}

/// Returns a request without telemetry.
pub(super) fn empty(signal: Signal) -> Option<Batch> {
    let body = Body::check(signal, Vec::new(), &ValidateLimits::default()).ok()?;
    Some(Batch::new(body, Charge::none()))
}

/// The signal of requests to an endpoint for all signals.
pub(super) const FIRST: Signal = {
    let [first, ..] = Signal::ALL;
    first
};
