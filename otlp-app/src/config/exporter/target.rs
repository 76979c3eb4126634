//! Endpoints of exporters, with the path of the setting that names each: they are compared with the gateway's own receivers.

use crate::protocol::Protocol;
use otlp_protocol::Signal;
use otlp_service::Target;
use otlp_transport::ClientConfig;

/// Returns the targets of a client: the URLs of single signals, and `endpoint` for the others.
pub(super) fn of_client(protocol: Protocol, config: &ClientConfig) -> Vec<Target> {
    let own = |signal: Signal| config.signal_endpoints.iter().rev().find(|(name, _)| name == signal.name);
    let of = |signal: Signal| {
        let (path, endpoint) = match own(signal) {
            Some((name, url)) => (format!("{name}_endpoint"), url),
            None => ("endpoint".to_owned(), &config.endpoint),
        };
        target(protocol, Some(signal.name), endpoint, path)
    };
    Signal::ALL.map(of).into()
}

/// Makes the target of the endpoint at `path` of the component.
pub(super) fn target(
    protocol: Protocol,
    signal: Option<&'static str>,
    endpoint: &str,
    path: String,
) -> Target {
    Target { signal, transport: protocol.strategy().name(), endpoint: endpoint.to_owned(), path }
}
