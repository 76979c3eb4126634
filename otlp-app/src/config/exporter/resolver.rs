//! `resolver` of `load_balancing`, which finds the endpoints.

use super::target::target;
use crate::config::decode::decode;
use crate::config::files::FilePath;
use crate::config::parse::parse;
use crate::config::problem::Problems;
use crate::config::source::Sources;
use crate::protocol::Protocol;
use otlp_service::{GoDuration, Target};
use otlp_transport::{
    ConfigError, DnsConfig, DnsResolver, FileConfig, FileResolver, FixedResolver, ResolvedEndpoint, Resolver,
    TransportContext,
};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::fmt;
use std::sync::Arc;

/// Settings of `resolver`: one of the three.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Resolvers {
    /// A fixed list.
    r#static: Option<Static>,
    /// Every address of a name.
    dns: Option<Dns>,
    /// A list in a file.
    file: Option<File>,
}

/// Endpoints that never change.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Static {
    /// `host`, `host:port`, or `{endpoint, weight, connect_to}`, which is not the Collector's; weights are 1 to 1000,
    /// `connect_to` is an address in place of the endpoint's. Required.
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

/// A list in a file, which is read again and again. Not a key of the Collector.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    /// File with a list, in YAML or JSON, of the same elements as `static.hostnames`. While its content cannot be used, the last
    /// list stays in use. Required.
    path: Option<FilePath>,
    /// Time between two reads of the file. Default 5 s.
    interval: Option<GoDuration>,
}

/// An endpoint: a text, or a map with its weight.
struct Hostname {
    endpoint: String,
    weight: u32,
    connect_to: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Weighted {
    endpoint: String,
    #[serde(default = "one")]
    weight: u32,
    connect_to: Option<String>,
}

/// Settings of a resolver, which is made once there is a network.
pub(super) enum Finder {
    Fixed(Vec<ResolvedEndpoint>),
    Dns(DnsConfig),
    File(FileConfig),
}

/// Completes endpoints that are given without scheme or port.
#[derive(Clone, Copy)]
struct Completion {
    scheme: &'static str,
    port: u16,
}

// === impl Resolvers ===

impl Resolvers {
    /// Returns the path of the first wrong setting, and the error.
    pub(super) fn wrong(&self) -> Option<(&'static str, &'static str)> {
        let Self { r#static, dns, file } = self;
        let given = [r#static.is_some(), dns.is_some(), file.is_some()];
        match self {
            _ if given == [true, true, false] => {
                Some(("resolver", "`static` and `dns` exclude each other: remove one"))
            }
            _ if given.iter().filter(|given| **given).count() > 1 => {
                Some(("resolver", "`static`, `dns` and `file` exclude each other: keep one of them"))
            }
            _ if !given.contains(&true) => Some(("resolver", "it is required: static, dns or file")),
            Self { file: Some(file), .. } if FilePath::path(file.path.clone()).is_none() => {
                Some((PATH, "it is required"))
            }
            Self { r#static: Some(fixed), .. } if fixed.hostnames.is_empty() => {
                Some((HOSTNAMES, "it is required"))
            }
            Self { r#static: Some(fixed), .. } if fixed.hostnames.iter().any(Hostname::has_user) => {
                Some((HOSTNAMES, NO_USER))
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
        match self {
            Self { dns: Some(_), .. } => HOSTNAME,
            Self { file: Some(_), .. } => PATH,
            _ => HOSTNAMES,
        }
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
        let port = match protocol {
            Protocol::Grpc => 4317,
            Protocol::Http => 4318,
        };
        let completion = Completion { scheme, port };
        if let Some(Dns { hostname, port: own_port, interval, timeout }) = resolvers.dns {
            let mut dns = DnsConfig::new(hostname);
            dns.port = own_port.unwrap_or(port);
            dns.scheme = scheme.to_owned();
            dns.interval = interval.map_or(dns.interval, |GoDuration(interval)| interval);
            dns.timeout = timeout.map_or(dns.timeout, |GoDuration(timeout)| timeout);
            return Self::Dns(dns);
        }
        if let Some(File { path, interval }) = resolvers.file {
            let mut file = FileConfig::new(FilePath::path(path).unwrap_or_default());
            file.interval = interval.map_or(file.interval, |GoDuration(interval)| interval);
            file.decode = Arc::new(move |content: &[u8]| completion.list(content));
            return Self::File(file);
        }
        let hostnames = resolvers.r#static.map(|fixed| fixed.hostnames).unwrap_or_default();
        Self::Fixed(hostnames.into_iter().map(|hostname| completion.endpoint(hostname)).collect())
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
            // The file may change.
            Self::File(_) => Vec::new(),
            Self::Dns(DnsConfig { hostname, port, .. }) => {
                vec![target(protocol, None, &format!("{hostname}:{port}"), HOSTNAME.to_owned())]
            }
        }
    }

    /// Makes the resolver, which reads the file if there is one.
    pub(super) fn resolver(self, context: &TransportContext) -> Result<Box<dyn Resolver>, ConfigError> {
        Ok(match self {
            Self::Fixed(endpoints) => Box::new(FixedResolver::new(endpoints)),
            Self::Dns(config) => Box::new(DnsResolver::new(context, config)),
            Self::File(config) => {
                Box::new(FileResolver::new(context, config).map_err(|error| error.with_key(PATH))?)
            }
        })
    }
}

// === impl Completion ===

impl Completion {
    fn endpoint(self, Hostname { endpoint, weight, connect_to }: Hostname) -> ResolvedEndpoint {
        let Self { scheme, port } = self;
        let with_port = |host: String| if has_port(&host) { host } else { format!("{host}:{port}") };
        let full =
            if endpoint.contains("://") { endpoint } else { format!("{scheme}{}", with_port(endpoint)) };
        let mut resolved = ResolvedEndpoint::new(full);
        resolved.weight = weight;
        resolved.connect_to = connect_to.map(with_port);
        resolved
    }

    /// Reads the content of a file: a list in YAML, of which JSON is a part.
    fn list(self, content: &[u8]) -> Result<Vec<ResolvedEndpoint>, String> {
        let text = str::from_utf8(content).map_err(|error| error.to_string())?;
        let (mut sources, mut problems) = (Sources::default(), Problems::default());
        let id = sources.add("list", text);
        let hostnames: Option<Vec<Hostname>> = match parse(text, id) {
            Ok(node) => decode(&node, &mut problems),
            Err(problem) => {
                problems.push(problem);
                None
            }
        };
        match hostnames {
            Some(hostnames) if hostnames.iter().any(Hostname::has_user) => Err(NO_USER.to_owned()),
            Some(hostnames) => Ok(hostnames.into_iter().map(|hostname| self.endpoint(hostname)).collect()),
            None => Err(problems.first_line(&sources).unwrap_or_default()),
        }
    }
}

/// Returns true if a host is followed by a port; the colons of an IPv6 address are in brackets.
fn has_port(endpoint: &str) -> bool {
    endpoint.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'))
}

// === impl Hostname ===

impl Hostname {
    /// Returns true if an address has a user.
    fn has_user(&self) -> bool {
        self.endpoint.contains('@') || self.connect_to.as_ref().is_some_and(|address| address.contains('@'))
    }
}

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
        Ok(Hostname { endpoint: text.to_owned(), weight: 1, connect_to: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Hostname, A::Error> {
        let Weighted { endpoint, weight, connect_to } =
            Weighted::deserialize(MapAccessDeserializer::new(map))?;
        if weight == 0 || weight > MAX_WEIGHT {
            return Err(A::Error::custom(format!("weight: it must be 1 to {MAX_WEIGHT}")));
        }
        Ok(Hostname { endpoint, weight, connect_to })
    }
}

/// Beginning of the paths of endpoints.
pub(super) const RESOLVER: &str = "resolver.";

const MAX_WEIGHT: u32 = 1000;
const fn one() -> u32 {
    1
}

const NO_USER: &str = "no user or password here: use `headers` or `auth` below `protocol`";
const PATH: &str = "resolver.file.path";
const HOSTNAME: &str = "resolver.dns.hostname";
const HOSTNAMES: &str = "resolver.static.hostnames";
