//! `resolver` of `load_balancing`, which finds the endpoints.

use super::target::target;
use crate::protocol::Protocol;
use otlp_service::{GoDuration, Target};
use otlp_transport::{DnsConfig, DnsResolver, FixedResolver, ResolvedEndpoint, Resolver, TransportContext};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::fmt;

/// Settings of `resolver`: one of the two.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Resolvers {
    /// A fixed list.
    r#static: Option<Static>,
    /// Every address of a name.
    dns: Option<Dns>,
}

/// Endpoints that never change.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Static {
    /// `host`, `host:port`, or `{endpoint, weight}`, which is not the Collector's; weights are 1 to 1000. Required.
    hostnames: Vec<Hostname>,
}

/// Every address of a name.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Dns {
    /// The name. Required.
    hostname: String,
    /// The port of every endpoint. Default 4317, for otlp_http 4318.
    port: Option<u16>,
    /// Time between a lookup's answer and the next lookup. Default 5 s.
    interval: Option<GoDuration>,
    /// Time limit of a lookup. Default 1 s.
    timeout: Option<GoDuration>,
}

/// An endpoint: a text, or a map with its weight.
struct Hostname {
    endpoint: String,
    weight: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Weighted {
    endpoint: String,
    weight: u32,
}

/// Settings of a resolver, which is made once there is a network.
pub(super) enum Finder {
    Fixed(Vec<ResolvedEndpoint>),
    Dns(DnsConfig),
}

// === impl Resolvers ===

impl Resolvers {
    /// Returns the path of the first wrong setting, and the error.
    pub(super) fn wrong(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self { r#static: Some(_), dns: Some(_) } => {
                Some(("resolver", "`static` and `dns` exclude each other: remove one"))
            }
            Self { r#static: None, dns: None } => Some(("resolver", "it is required: static or dns")),
            Self { r#static: Some(fixed), .. } if fixed.hostnames.is_empty() => {
                Some((HOSTNAMES, "it is required"))
            }
            Self { r#static: Some(fixed), .. }
                if fixed.hostnames.iter().any(|host| host.endpoint.contains('@')) =>
            {
                Some((HOSTNAMES, "no user or password here: use `headers` or `auth` below `protocol`"))
            }
            Self { dns: Some(dns), .. } if dns.hostname.is_empty() => Some((HOSTNAME, "it is required")),
            Self { dns: Some(dns), .. } if dns.hostname.contains(['/', ':', ' ', '@']) => Some((
                HOSTNAME,
                "a host name without scheme and port is expected; the port is `resolver.dns.port`",
            )),
            _ => None,
        }
    }

    /// Returns the path of the setting that has the endpoints.
    pub(super) fn place(&self) -> &'static str {
        if self.dns.is_some() { HOSTNAME } else { HOSTNAMES }
    }
}

// === impl Finder ===

impl Finder {
    pub(super) fn new(resolvers: Resolvers, protocol: Protocol, insecure: bool) -> Self {
        let scheme = match (protocol, insecure) {
            (Protocol::Grpc, _) => "",
            (Protocol::Http, true) => "http://",
            (Protocol::Http, false) => "https://",
        };
        let default_port = match protocol {
            Protocol::Grpc => 4317,
            Protocol::Http => 4318,
        };
        if let Some(Dns { hostname, port, interval, timeout }) = resolvers.dns {
            let mut dns = DnsConfig::new(hostname);
            dns.port = port.unwrap_or(default_port);
            dns.scheme = scheme.to_owned();
            dns.interval = interval.map_or(dns.interval, |GoDuration(interval)| interval);
            dns.timeout = timeout.map_or(dns.timeout, |GoDuration(timeout)| timeout);
            return Self::Dns(dns);
        }
        let endpoint = |Hostname { endpoint, weight }| {
            let full = if endpoint.contains("://") {
                endpoint
            } else if has_port(&endpoint) {
                format!("{scheme}{endpoint}")
            } else {
                format!("{scheme}{endpoint}:{default_port}")
            };
            let mut resolved = ResolvedEndpoint::new(full);
            resolved.weight = weight;
            resolved
        };
        let hostnames = resolvers.r#static.map(|fixed| fixed.hostnames).unwrap_or_default();
        Self::Fixed(hostnames.into_iter().map(endpoint).collect())
    }

    /// Returns the endpoints that the file names, to be compared with the gateway's own receivers.
    pub(super) fn targets(&self, protocol: Protocol) -> Vec<Target> {
        match self {
            Self::Fixed(endpoints) => {
                let of = |(index, resolved): (usize, &ResolvedEndpoint)| {
                    target(protocol, None, &resolved.endpoint, format!("{HOSTNAMES}.{index}"))
                };
                endpoints.iter().enumerate().map(of).collect()
            }
            Self::Dns(DnsConfig { hostname, port, .. }) => {
                vec![target(protocol, None, &format!("{hostname}:{port}"), HOSTNAME.to_owned())]
            }
        }
    }

    pub(super) fn resolver(self, context: &TransportContext) -> Box<dyn Resolver> {
        match self {
            Self::Fixed(endpoints) => Box::new(FixedResolver::new(endpoints)),
            Self::Dns(config) => Box::new(DnsResolver::new(context, config)),
        }
    }
}

/// Returns true if a host is followed by a port; the colons of an IPv6 address are in brackets.
fn has_port(endpoint: &str) -> bool {
    endpoint.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'))
}

// === impl Hostname ===

impl<'de> Deserialize<'de> for Hostname {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HostnameVisitor)
    }
}

struct HostnameVisitor;

impl<'de> Visitor<'de> for HostnameVisitor {
    type Value = Hostname;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("host:port, or a map of endpoint and weight")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Hostname, E> {
        Ok(Hostname { endpoint: text.to_owned(), weight: 1 })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Hostname, A::Error> {
        let Weighted { endpoint, weight } = Weighted::deserialize(MapAccessDeserializer::new(map))?;
        if weight == 0 || weight > MAX_WEIGHT {
            return Err(A::Error::custom(format!("weight: it must be 1 to {MAX_WEIGHT}")));
        }
        Ok(Hostname { endpoint, weight })
    }
}

/// Beginning of the paths of endpoints.
pub(super) const RESOLVER: &str = "resolver.";

const MAX_WEIGHT: u32 = 1000;
const HOSTNAME: &str = "resolver.dns.hostname";
const HOSTNAMES: &str = "resolver.static.hostnames";
