//! Variables of the command.

use crate::config::Lookup;
use otlp_protocol::Signal;
use otlp_transport::Address;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Command;

/// Changes to the environment of the command.
#[derive(Debug)]
pub(super) struct Environment {
    removed: Vec<String>,
    set: Vec<(&'static str, String)>,
}

impl Environment {
    /// Makes the variables that lead an SDK to the first of the gateway's `endpoints` over HTTP, or else over gRPC. `None` if there is no
    /// such receiver on TCP.
    pub(super) fn of(endpoints: &[(String, Address)], outside: &dyn Lookup) -> Option<Self> {
        let get = |name: &str| outside.env(name).filter(|value| !value.is_empty());
        let of = |strategy: &str| {
            endpoints.iter().find_map(|(name, address)| match address {
                Address::Tcp(address) if name.rsplit('/').next() == Some(strategy) => Some(*address),
                _ => None,
            })
        };
        let chosen = get(PROTOCOL);
        let (address, protocol) = match of("grpc+http") {
            Some(both) => (both, chosen.unwrap_or_else(|| HTTP.into())),
            None => match (of("http"), of("grpc")) {
                (_, Some(grpc)) if chosen.as_deref() == Some(GRPC) => (grpc, GRPC.into()),
                (Some(http), _) => (http, chosen.filter(|name| name != GRPC).unwrap_or_else(|| HTTP.into())),
                (None, grpc) => (grpc?, GRPC.into()),
            },
        };
        let address = reached_at(address);
        let mut set = vec![(ENDPOINT, format!("http://{address}")), (PROTOCOL, protocol)];
        if PROXIES.into_iter().any(|name| get(name).is_some()) {
            let listed = get("no_proxy").or_else(|| get("NO_PROXY"));
            let ip = address.ip();
            let list = listed.map_or_else(|| ip.to_string(), |listed| format!("{listed},{ip}"));
            set.extend([("no_proxy", list.clone()), ("NO_PROXY", list)]);
        }
        let prefixes = Signal::ALL.into_iter().map(|signal| format!("{}_", signal.name.to_ascii_uppercase()));
        let removed = prefixes.chain([String::new()]).flat_map(|prefix| {
            REMOVED.into_iter().map(move |name| format!("OTEL_EXPORTER_OTLP_{prefix}{name}"))
        });
        // The protocol of a single signal would not fit a port of one protocol.
        let own_protocols = Signal::ALL
            .map(|signal| format!("OTEL_EXPORTER_OTLP_{}_PROTOCOL", signal.name.to_ascii_uppercase()));
        let own_protocols = own_protocols.into_iter().filter(|_| of("grpc+http").is_none());
        Some(Self { removed: removed.chain(own_protocols).collect(), set })
    }

    /// Applies the changes.
    pub(super) fn apply(&self, command: &mut Command) {
        for name in &self.removed {
            command.env_remove(name);
        }
        command.envs(self.set.iter().map(|(name, value)| (name, value)));
    }
}

/// Returns the address at which a program of this machine reaches a listener.
fn reached_at(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        // A listener of all IPv6 addresses takes IPv4, too, unless it is for IPv6 alone.
        let ip =
            if address.is_ipv4() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { IpAddr::V6(Ipv6Addr::LOCALHOST) };
        address.set_ip(ip);
    }
    address
}

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const HTTP: &str = "http/protobuf";
const GRPC: &str = "grpc";
/// Endings of variables that the command does not get: they describe the destination outside, to which they would lead the
/// telemetry past the gateway, or hold its secrets.
const REMOVED: [&str; 6] =
    ["ENDPOINT", "HEADERS", "CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY", "INSECURE"];
const PROXIES: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

#[cfg(test)]
mod tests;
