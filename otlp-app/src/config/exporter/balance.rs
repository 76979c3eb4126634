//! `load_balancing`, and `balancer_name` of `otlp_grpc`: several endpoints, each request to one of them.

use super::dead_letter::DeadLetter;
use super::delivery::{Retry, SendingQueue};
use super::resolver::{Finder, Resolvers};
use super::{GRPC_RULES, HTTP_RULES, OtlpGrpc, OtlpHttp, Places, QUEUE_RULES};
use crate::config::tls::TLS_RULES;
use crate::protocol::Protocol;
use otlp_service::{BuildContext, ExporterPart, GoDuration, KeyRule, SettingsError};
use otlp_transport::{
    BalanceConfig, BalancePolicy, BalancedClient, Client, ClientConfig, ConfigError, DnsConfig, DnsResolver,
    Resolver, RoutingKey, TransportContext,
};
use serde::Deserialize;

/// Settings of the exporter `load_balancing`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LoadBalancing {
    protocol: Protocols,
    resolver: Resolvers,
    /// Key by which the endpoint is chosen: traceID, service, resource, attributes, metadata. Requests are split by the key,
    /// and equal values go to one endpoint. Default traceID, for metrics service.
    routing_key: Option<Routed>,
    /// Attributes of `routing_key: attributes`, each looked up in the resource, then in the scope, then in the span or log
    /// record; `span.name` and `span.kind` are the name and the kind of the span.
    routing_attributes: Vec<String>,
    /// Request header of `routing_key: metadata`; the receivers need `include_metadata`. Not a key of the Collector.
    metadata_key: String,
    /// consistent_hash, round_robin, weighted_round_robin, least_requests. Default consistent_hash. Not a key of the
    /// Collector.
    policy: Option<Policy>,
    ejection: Ejection,
    /// Time limit of one attempt at one endpoint, in place of `timeout` below `protocol`; 0 leaves that setting in effect.
    timeout: GoDuration,
    sending_queue: Option<SendingQueue>,
    retry_on_failure: Option<Retry>,
    dead_letter: Option<DeadLetter>,
}

/// Protocol of the endpoints: one of the two.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Protocols {
    /// Settings of `otlp_grpc` without `endpoint`. The default.
    otlp: Option<Box<OtlpGrpc>>,
    /// Settings of `otlp_http` without the endpoints. Not a key of the Collector.
    otlp_http: Option<Box<OtlpHttp>>,
}

/// Ejection of endpoints that fail: for some time they get no requests. Not a key of the Collector.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Ejection {
    /// Failures in a row after which an endpoint is ejected. With 0 an endpoint is ejected only when half of at least
    /// 20 requests in 10 s fail. Default 5.
    consecutive_failures: Option<u32>,
    /// Time of the first ejection; doubled each time. Default 5 s.
    base_time: Option<GoDuration>,
    /// Longest time of an ejection. Default 60 s.
    max_time: Option<GoDuration>,
    /// Largest share of the endpoints that may be ejected at a time, in percent. Default 50.
    max_percent: Option<u32>,
}

/// Values of `routing_key`.
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
    /// Attributes.
    Attributes,
    /// A request header.
    Metadata,
}

/// Values of `policy`.
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

/// Keys of the Collector's `loadbalancing` that have no effect here.
pub(crate) const BALANCE_RULES: &[KeyRule] = &[
    KeyRule::like("protocol.otlp", &[GRPC_RULES, QUEUE_RULES, TLS_RULES], "those of otlp_grpc"),
    KeyRule::like("protocol.otlp_http", &[HTTP_RULES, QUEUE_RULES, TLS_RULES], "those of otlp_http"),
    KeyRule::ignored("protocol.*.endpoint", "endpoints come from `resolver`"),
    KeyRule::ignored("protocol.otlp.balancer_name", "`policy` chooses among the endpoints"),
    KeyRule::refused(
        "resolver.k8s",
        "endpoints would not be found; a headless service can be found by `dns`",
    ),
    KeyRule::refused("resolver.aws_cloud_map", "endpoints would not be found"),
];

/// Makes `load_balancing`.
pub(crate) fn load_balancing(
    settings: LoadBalancing,
    context: &BuildContext<'_>,
) -> Result<ExporterPart, SettingsError> {
    if let Some((path, problem)) = settings.wrong() {
        return Err(SettingsError::at(path, problem));
    }
    let balance = settings.balance();
    let LoadBalancing { protocol, resolver, timeout, sending_queue, retry_on_failure, dead_letter, .. } =
        settings;
    let (protocol, at, mut sending) = match protocol.otlp_http {
        Some(http) => (Protocol::Http, "protocol.otlp_http.", http.sending()),
        None => (Protocol::Grpc, "protocol.otlp.", protocol.otlp.unwrap_or_default().sending()),
    };
    sending.at = Places {
        client: at,
        queue: if sending_queue.is_some() { "" } else { at },
        retry: if retry_on_failure.is_some() { "" } else { at },
        dead_letter: if dead_letter.is_some() { "" } else { at },
    };
    sending.config.timeout = timeout.given().or(sending.config.timeout);
    sending.queue = sending_queue.unwrap_or(sending.queue);
    sending.retry = retry_on_failure.unwrap_or(sending.retry);
    sending.dead_letter = dead_letter.or(sending.dead_letter);
    let place = resolver.place();
    let finder = Finder::new(resolver, protocol, sending.config.tls.insecure);
    let targets = finder.targets(protocol);
    let routed_by = match &balance.routing {
        RoutingKey::Metadata(header) => Some(header.to_ascii_lowercase().into()),
        _ => None,
    };
    let mut part = sending.part(context, move |context, template| {
        let resolver = finder.resolver(context)?;
        let client = balanced(context, protocol, template, balance, resolver);
        client.map_err(|error| match error.key {
            "endpoint" => error.with_key(place),
            _ => error,
        })
    })?;
    // Endpoints come from the resolver.
    (part.endpoints, part.targets) = (Vec::new(), targets);
    part.needs.headers.extend(routed_by);
    Ok(part)
}

/// Returns a function that makes a client of all addresses of the endpoint's name, used in turns. `None` if the endpoint has
/// no name, or neither `balancer_name` nor the endpoint asks for several addresses: a client of one endpoint does then.
pub(super) fn of_name(
    config: &ClientConfig,
    balancer: Option<BalancerName>,
) -> Option<impl FnOnce(&TransportContext, ClientConfig) -> Result<Client, ConfigError> + Send + use<>> {
    // With a user, the text before the port is not a name.
    if config.endpoint.contains('@') || FIXED_TARGETS.iter().any(|scheme| config.endpoint.starts_with(scheme))
    {
        return None;
    }
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

// === impl LoadBalancing ===

impl LoadBalancing {
    /// Returns the path of the first wrong setting, and the error.
    fn wrong(&self) -> Option<(&'static str, &'static str)> {
        match &self.protocol {
            Protocols { otlp: Some(_), otlp_http: Some(_) } => {
                Some(("protocol", "`otlp` and `otlp_http` exclude each other: remove one"))
            }
            Protocols { otlp_http: Some(http), .. } if http.own_endpoints().next().is_some() => Some((
                "protocol.otlp_http",
                "endpoints come from `resolver`: remove the endpoints of signals",
            )),
            _ if self.routing_key == Some(Routed::Metadata) && self.metadata_key.is_empty() => {
                Some(("metadata_key", "it is required with `routing_key: metadata`"))
            }
            _ if self.routing_key == Some(Routed::Attributes) && self.routing_attributes.is_empty() => {
                Some(("routing_attributes", "it is required with `routing_key: attributes`"))
            }
            _ if self.ejection.max_percent.is_some_and(|percent| percent > 100) => {
                Some(("ejection.max_percent", "it must be 0 to 100"))
            }
            _ => self.resolver.wrong(),
        }
    }

    fn balance(&self) -> BalanceConfig {
        let mut config = BalanceConfig::default();
        config.policy = match self.policy {
            None | Some(Policy::ConsistentHash) => BalancePolicy::ConsistentHash,
            Some(Policy::RoundRobin) => BalancePolicy::RoundRobin,
            Some(Policy::WeightedRoundRobin) => BalancePolicy::WeightedRoundRobin,
            Some(Policy::LeastRequests) => BalancePolicy::LeastConnections,
        };
        config.routing = match self.routing_key {
            None | Some(Routed::TraceId) => RoutingKey::TraceId,
            Some(Routed::Service) => RoutingKey::Service,
            Some(Routed::Resource) => RoutingKey::Resource,
            Some(Routed::Attributes) => RoutingKey::Attributes(self.routing_attributes.clone()),
            Some(Routed::Metadata) => RoutingKey::Metadata(self.metadata_key.clone()),
        };
        let Ejection { consecutive_failures, base_time, max_time, max_percent } = self.ejection;
        let ejection = &mut config.ejection;
        ejection.consecutive_failures = consecutive_failures.unwrap_or(ejection.consecutive_failures);
        ejection.base_time = base_time.map_or(ejection.base_time, |GoDuration(time)| time);
        ejection.max_time = max_time.map_or(ejection.max_time, |GoDuration(time)| time);
        ejection.max_percent = max_percent.unwrap_or(ejection.max_percent);
        config
    }
}

/// Schemes of gRPC targets that name one address.
const FIXED_TARGETS: [&str; 3] = ["passthrough:", "ipv4:", "ipv6:"];
