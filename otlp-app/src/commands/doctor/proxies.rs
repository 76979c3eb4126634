//! The proxy of an endpoint, by the environment.

use super::destination::Destination;
use super::finding::Finding;
use crate::own_addresses::Place;
use crate::protocol::Protocol;
use otlp_transport::ProxyConfig;

/// Names the proxy that connections to an endpoint go through. `None` if there is none.
pub(super) fn check(destination: &Destination, proxies: &ProxyConfig) -> Option<Finding> {
    let Some(Place::Tcp(host, port)) = destination.tcp_place() else { return None };
    let is_tunnelled = destination.protocol == Protocol::Grpc || destination.url.starts_with("https:");
    let variable = if is_tunnelled { "HTTPS_PROXY" } else { "HTTP_PROXY" };
    let place = Place::Tcp(host, port).to_string();
    let text = match proxies.proxy_of(&place, is_tunnelled)? {
        Ok(proxy) => format!("connections go through the proxy {proxy}, by {variable}"),
        Err(problem) => {
            let finding = Finding::problem(CHECK, destination.name(), format!("{variable}: {problem}"));
            return Some(finding.help("write http://host:port"));
        }
    };
    Some(
        Finding::warning(CHECK, destination.name(), text)
            .help("to connect without the proxy, add the host to NO_PROXY"),
    )
}

const CHECK: &str = "proxy";
