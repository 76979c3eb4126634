//! `load_balancing`, and `balancer_name` of `otlp_grpc`: several endpoints, each request to one of them.

use super::delivery::{Retry, SendingQueue};
use super::{GRPC_RULES, HTTP_RULES, OtlpGrpc, OtlpHttp, QUEUE_RULES};
use crate::config::component::Component;
use crate::config::decode::decode;
use crate::config::duration::GoDuration;
use crate::config::plan::ExporterPlan;
use crate::config::problem::Problems;
use crate::config::rules::{KeyRule, like, refused};
use crate::config::tls::TLS_RULES;
use crate::protocol::Protocol;
use otlp_service::ContextNeeds;
use otlp_transport::{
    BalanceConfig, BalancePolicy, BalancedClient, Client, ClientConfig, ConfigError, DnsConfig, DnsResolver,
    FixedResolver, ResolvedEndpoint, Resolver, RoutingKey, TransportContext,
};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::fmt;
use std::time::Duration;

/// Settings of the exporter `load_balancing`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LoadBalancing {
    protocol: Protocols,
    resolver: Resolvers,
    /// What equal requests have equal: traceID, service, resource, metadata. Requests are cut by it, and what is equal
    /// goes to one endpoint. Default traceID, for metrics service.
    routing_key: Option<Routed>,
    /// The request header that `routing_key: metadata` is of; the receiver must keep it. Not a key of the Collector.
    metadata_key: String,
    /// consistent_hash, round_robin, weighted_round_robin, least_requests. Default consistent_hash. Not a key of the
    /// Collector.
    policy: Option<Policy>,
    ejection: Ejection,
    sending_queue: Option<SendingQueue>,
    retry_on_failure: Option<Retry>,
}

/// How the endpoints are spoken to: one of the two.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Protocols {
    /// The keys of `otlp_grpc` but `endpoint`. The default.
    otlp: Option<Box<OtlpGrpc>>,
    /// The keys of `otlp_http` but the endpoints. Not a key of the Collector.
    otlp_http: Option<Box<OtlpHttp>>,
}

/// How endpoints are found: one of the two.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Resolvers {
    /// A list that stays as it is.
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
    /// From one answer to the next question. Default 5 s.
    interval: Option<GoDuration>,
    /// How long an answer may take. Default 1 s.
    timeout: Option<GoDuration>,
}

/// When endpoints that fail are left out. Not a key of the Collector.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Ejection {
    /// Failures in a row that leave an endpoint out; 0: only half of at least 20 requests in 10 s do. Default 5.
    consecutive_failures: Option<u32>,
    /// How long at first; doubled each time. Default 5 s.
    base_time: Option<GoDuration>,
    /// How long at most. Default 60 s.
    max_time: Option<GoDuration>,
    /// Share of the endpoints that may be left out at a time, in percent. Default 50.
    max_percent: Option<u32>,
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

/// What the consistent hash is of.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Routed {
    /// The trace.
    #[serde(rename = "traceID")]
    TraceId,
    /// `service.name`.
    Service,
    /// The whole resource.
    Resource,
    /// A request header.
    Metadata,
}

/// Who gets a request.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Policy {
    ConsistentHash,
    RoundRobin,
    WeightedRoundRobin,
    LeastRequests,
}

/// `balancer_name` of `otlp_grpc`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum BalancerName {
    /// Every address of the endpoint's name, in turns.
    RoundRobin,
    /// The first address that can be connected to.
    PickFirst,
}

/// Keys of `load_balancing` that mean nothing here, or nothing yet.
pub(crate) const BALANCE_RULES: &[KeyRule] = &[
    like("protocol.otlp", &[GRPC_RULES, QUEUE_RULES, TLS_RULES], "those of otlp_grpc"),
    like("protocol.otlp_http", &[HTTP_RULES, QUEUE_RULES, TLS_RULES], "those of otlp_http"),
    refused("resolver.k8s", "endpoints would not be found; a headless service can be found by `dns`"),
    refused("resolver.aws_cloud_map", "endpoints would not be found"),
    refused(
        "routing_attributes",
        "requests would go elsewhere; there are traceID, service, resource, metadata",
    ),
];

/// The plan of `load_balancing`.
pub(crate) fn load_balancing(component: &mut Component, problems: &mut Problems) -> Option<ExporterPlan> {
    let settings: LoadBalancing = decode(&component.settings, problems)?;
    let LoadBalancing { protocol, resolver, ejection, .. } = &settings;
    let problem = match (protocol, resolver) {
        (Protocols { otlp: Some(_), otlp_http: Some(_) }, _) => {
            Some(("protocol", "it is one of otlp, otlp_http"))
        }
        (_, Resolvers { r#static: Some(_), dns: Some(_) }) => Some(("resolver", "it is one of static, dns")),
        (_, Resolvers { r#static: None, dns: None }) => Some(("resolver", "it is required: static or dns")),
        (_, Resolvers { r#static: Some(fixed), .. }) if fixed.hostnames.is_empty() => {
            Some(("resolver.static.hostnames", "it is required"))
        }
        (_, Resolvers { dns: Some(dns), .. }) if dns.hostname.is_empty() => {
            Some(("resolver.dns.hostname", "it is required"))
        }
        (Protocols { otlp_http: Some(http), .. }, _) if http.own_endpoints().next().is_some() => {
            Some(("protocol.otlp_http", "its endpoints come from `resolver`"))
        }
        _ if settings.routing_key == Some(Routed::Metadata) && settings.metadata_key.is_empty() => {
            Some(("metadata_key", "it is required with `routing_key: metadata`"))
        }
        _ if ejection.max_percent.is_some_and(|percent| percent > 100) => {
            Some(("ejection.max_percent", "it must be 0 to 100"))
        }
        _ => None,
    };
    if let Some((path, problem)) = problem {
        problems.push(component.problem(path, problem));
        return None;
    }
    let balance = balance(&settings);
    let LoadBalancing { protocol, resolver, sending_queue, retry_on_failure, .. } = settings;
    let (protocol, auth, mut sending) = match protocol.otlp_http {
        Some(http) => (Protocol::Http, "protocol.otlp_http.auth", http.sending()),
        None => (Protocol::Grpc, "protocol.otlp.auth", protocol.otlp.unwrap_or_default().sending()),
    };
    sending.queue = sending_queue.unwrap_or(sending.queue);
    sending.retry = retry_on_failure.unwrap_or(sending.retry);
    let place = if resolver.dns.is_some() { "resolver.dns.hostname" } else { "resolver.static.hostnames" };
    let finder = Finder::new(resolver, protocol, sending.config.tls.insecure);
    let mut needs = ContextNeeds::default();
    if let RoutingKey::Metadata(header) = &balance.routing {
        needs.headers.push(header.to_ascii_lowercase().into());
    }
    let plan = sending.plan(component, problems, auth, move |context, template| {
        let client = balanced(context, protocol, template, balance, finder.resolver(context));
        client.map_err(|error| match error.key {
            "endpoint" => ConfigError { key: place, ..error },
            _ => error,
        })
    })?;
    Some(ExporterPlan { needs, ..plan })
}

/// A client of every address of `config.endpoint`'s name, in turns; `None` if one client of the endpoint is as good: it
/// has no name, or nobody asked for more.
pub(super) fn of_name(
    config: &ClientConfig,
    balancer: Option<BalancerName>,
) -> Option<impl FnOnce(&TransportContext, ClientConfig) -> Result<Client, ConfigError> + Send + use<>> {
    let target = config.endpoint.strip_prefix("dns:///");
    let wanted = match balancer {
        Some(balancer) => balancer == BalancerName::RoundRobin,
        None => target.is_some(),
    };
    let target = target.unwrap_or(&config.endpoint);
    let (scheme, rest) = match target.find("://") {
        Some(at) => target.split_at(at + 3),
        None => ("", target),
    };
    let (hostname, port) = rest.trim_end_matches('/').rsplit_once(':')?;
    if hostname.contains('/') {
        return None;
    }
    let mut dns = DnsConfig::new(hostname);
    dns.port = port.parse().ok()?;
    dns.scheme = scheme.to_owned();
    wanted.then_some(move |context: &TransportContext, config| {
        let resolver = Box::new(DnsResolver::new(context, dns));
        balanced(context, Protocol::Grpc, config, BalanceConfig::default(), resolver)
    })
}

fn balanced(
    context: &TransportContext,
    protocol: Protocol,
    template: ClientConfig,
    balance: BalanceConfig,
    resolver: Box<dyn Resolver>,
) -> Result<Client, ConfigError> {
    BalancedClient::new(context, protocol.strategy(), template, balance, resolver)
        .map(BalancedClient::into_client)
}

fn balance(settings: &LoadBalancing) -> BalanceConfig {
    let mut config = BalanceConfig::default();
    config.policy = match settings.policy {
        None | Some(Policy::ConsistentHash) => BalancePolicy::ConsistentHash,
        Some(Policy::RoundRobin) => BalancePolicy::RoundRobin,
        Some(Policy::WeightedRoundRobin) => BalancePolicy::WeightedRoundRobin,
        Some(Policy::LeastRequests) => BalancePolicy::LeastRequests,
    };
    config.routing = match settings.routing_key {
        None | Some(Routed::TraceId) => RoutingKey::TraceId,
        Some(Routed::Service) => RoutingKey::Service,
        Some(Routed::Resource) => RoutingKey::Resource,
        Some(Routed::Metadata) => RoutingKey::Metadata(settings.metadata_key.clone()),
    };
    let Ejection { consecutive_failures, base_time, max_time, max_percent } = settings.ejection;
    let duration =
        |given: Option<GoDuration>, default: Duration| given.map_or(default, |GoDuration(given)| given);
    let ejection = &mut config.ejection;
    ejection.consecutive_failures = consecutive_failures.unwrap_or(ejection.consecutive_failures);
    ejection.base_time = duration(base_time, ejection.base_time);
    ejection.max_time = duration(max_time, ejection.max_time);
    ejection.max_percent = max_percent.unwrap_or(ejection.max_percent);
    config
}

/// Makes the resolver, once there is a network.
enum Finder {
    Fixed(Vec<ResolvedEndpoint>),
    Dns(DnsConfig),
}

// === impl Finder ===

impl Finder {
    fn new(resolvers: Resolvers, protocol: Protocol, insecure: bool) -> Self {
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

    fn resolver(self, context: &TransportContext) -> Box<dyn Resolver> {
        match self {
            Self::Fixed(endpoints) => Box::new(FixedResolver::new(endpoints)),
            Self::Dns(config) => Box::new(DnsResolver::new(context, config)),
        }
    }
}

/// Whether a host is followed by a port; the colons of a bare IPv6 address are in brackets.
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

const MAX_WEIGHT: u32 = 1000;
