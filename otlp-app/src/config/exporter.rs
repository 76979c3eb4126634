//! The exporters: `otlp_grpc` and `otlp_http` here, the others below.

mod backlog;
mod balance;
mod compression;
mod dead_letter;
mod delivery;
mod local;
mod logging;
#[cfg(feature = "prometheus")]
mod prometheus;
mod queue_batch;
mod queue_classes;
mod resolver;
mod target;

pub(crate) use balance::{BALANCE_RULES, load_balancing};
pub(crate) use delivery::QUEUE_RULES;
pub(crate) use local::{DEBUG_RULES, debug, local, nop};
pub(crate) use logging::{LOGGING_RULES, logging};
#[cfg(feature = "prometheus")]
pub(crate) use prometheus::{PROMETHEUS_RULES, prometheus};

use super::auth::Auth;
use super::component::refused;
use super::headers::Headers;
use super::number::AtLeastZero;
use super::tls::Tls;
use crate::protocol::Protocol;
use compression::{AdaptiveCompression, ContentEncoding};
use dead_letter::DeadLetter;
use delivery::{Retry, SendingQueue};
use otlp_protocol::Signal;
use otlp_service::{BuildContext, ExporterPart, ExporterSpec, GoDuration, KeyRule, SettingsError};
use otlp_transport::{Client, ClientConfig, ConfigError, Encoding, TransportContext};
use serde::Deserialize;
use std::time::Duration;

/// Settings of the exporter `otlp_grpc`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OtlpGrpc {
    /// `host:port`, or a URL whose scheme decides on TLS; gRPC's targets `dns:///host:port`, `passthrough:///host:port`,
    /// `ipv4:address:port`, `ipv6:[address]:port`, `unix:///path`. A user and password in a URL are sent as Basic
    /// authentication. Required.
    endpoint: String,
    /// round_robin: every address of the endpoint's name, in turns; pick_first: one of them. Default round_robin for an
    /// endpoint that starts with `dns:///`, otherwise pick_first.
    balancer_name: Option<balance::BalancerName>,
    /// Value of `:authority` in requests, in place of the endpoint's host. TLS expects this name in the certificate, unless
    /// `tls.server_name_override` is set.
    authority: String,
    /// Pings of idle connections.
    keepalive: Keepalive,
    /// Time limit of one attempt; 0 is no limit. Default 5 s.
    timeout: Option<GoDuration>,
    /// Content encoding: gzip, zstd, snappy, br, zlib, deflate, x-snappy-framed, lz4, none; Collectors take the first
    /// three over gRPC. adaptive chooses for each request. Default gzip.
    compression: ContentEncoding,
    adaptive_compression: AdaptiveCompression,
    /// Sent with each request. `Host` replaces the endpoint's host in requests.
    headers: Headers,
    /// Replaces the whole `user-agent`.
    user_agent: Option<String>,
    /// Extension whose credentials are sent with each request. Default none.
    auth: Option<Auth>,
    tls: Tls,
    sending_queue: SendingQueue,
    retry_on_failure: Retry,
    dead_letter: Option<DeadLetter>,
}

/// Settings of the exporter `otlp_http`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OtlpHttp {
    /// Base URL, to whose path `/v1/<signal>` is appended; a query stays at its end. A user and password in it are sent as
    /// Basic authentication. Required, unless each signal in use has its own.
    endpoint: String,
    /// Full URL of traces.
    traces_endpoint: String,
    /// Full URL of metrics.
    metrics_endpoint: String,
    /// Full URL of logs.
    logs_endpoint: String,
    /// Full URL of profiles.
    profiles_endpoint: String,
    /// Proxy to connect through: `http(s)://[user:password@]host:port`. Default: HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the
    /// environment.
    proxy_url: String,
    /// Largest number of connections to the destination; 0 and less are the default. Default 100.
    max_conns_per_host: AtLeastZero,
    /// Time after which an idle connection is closed; 0 is the default. Default 90 s.
    idle_conn_timeout: GoDuration,
    /// Closes each connection after one request. Default false.
    disable_keep_alives: bool,
    /// Newer place of `idle_conn_timeout` and, by `enabled: false`, of `disable_keep_alives` in the Collector.
    keepalive: HttpKeepalive,
    /// Encoding of request bodies: proto, json. Default proto.
    encoding: BodyEncoding,
    /// Time limit of one attempt; 0 is no limit. Default 30 s.
    timeout: Option<GoDuration>,
    /// Content encoding: gzip, zstd, snappy, br, zlib, deflate, x-snappy-framed, lz4, none. adaptive chooses for each
    /// request. Default gzip.
    compression: ContentEncoding,
    adaptive_compression: AdaptiveCompression,
    /// Sent with each request. `Host` replaces the endpoint's host in requests.
    headers: Headers,
    /// Extension whose credentials are sent with each request. Default none.
    auth: Option<Auth>,
    tls: Tls,
    sending_queue: SendingQueue,
    retry_on_failure: Retry,
    dead_letter: Option<DeadLetter>,
}

/// Settings that all exporters of OTLP have in common.
struct Sending {
    protocol: Protocol,
    config: ClientConfig,
    queue: SendingQueue,
    retry: Retry,
    dead_letter: Option<DeadLetter>,
    auth: Option<Auth>,
    at: Places,
}

/// Paths of an exporter's settings below its component: each empty, or with a dot at its end.
#[derive(Clone, Copy, Default)]
struct Places {
    client: &'static str,
    queue: &'static str,
    retry: &'static str,
    dead_letter: &'static str,
}

/// gRPC's client keepalive.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keepalive {
    /// Time without data from the destination after which a ping is sent, if a request was tried meanwhile; 0 is never.
    /// Default never.
    time: GoDuration,
    /// Time limit for the answer to a ping, after which the connection is closed; 0 is the default. Default 20 s.
    timeout: GoDuration,
}

/// Connections that are kept for further requests.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HttpKeepalive {
    /// Keeps connections for further requests. Default true.
    enabled: Option<bool>,
    /// Overrides `idle_conn_timeout` beside `keepalive`.
    idle_conn_timeout: GoDuration,
}

/// Encoding of request bodies.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BodyEncoding {
    /// Protobuf.
    #[default]
    Proto,
    /// OTLP/JSON.
    Json,
}

/// Keys of the Collector's `otlp_grpc` that have no effect here.
pub(crate) const GRPC_RULES: &[KeyRule] = &[
    KeyRule::optional("auth"),
    KeyRule::optional("keepalive"),
    KeyRule::only("middlewares", "", "middlewares are not supported"),
    KeyRule::ignored("wait_for_ready", "a request waits for its connection anyway"),
    KeyRule::ignored("read_buffer_size", "buffers are sized by what arrives"),
    KeyRule::ignored("write_buffer_size", "buffers are sized by what is sent"),
    KeyRule::ignored("keepalive.permit_without_stream", "pings are sent if a request was tried"),
];

/// Keys of the Collector's `otlp_http` that have no effect here.
pub(crate) const HTTP_RULES: &[KeyRule] = &[
    KeyRule::optional("auth"),
    KeyRule::refused("cookies", "cookies of responses are not sent back"),
    KeyRule::only("middlewares", "", "middlewares are not supported"),
    KeyRule::ignored("keepalive.max_idle_conns", "idle_conn_timeout bounds them"),
    KeyRule::ignored("keepalive.max_idle_conns_per_host", "idle_conn_timeout bounds them"),
    KeyRule::ignored("compression_params", "the compression level is fixed, chosen for speed"),
    KeyRule::ignored("max_idle_conns", "idle_conn_timeout bounds them"),
    KeyRule::ignored("max_idle_conns_per_host", "idle_conn_timeout bounds them"),
    KeyRule::ignored("force_attempt_http2", "the endpoint's scheme and TLS decide"),
    KeyRule::ignored("http2_read_idle_timeout", "connections that fail are replaced"),
    KeyRule::ignored("http2_ping_timeout", "connections that fail are replaced"),
    KeyRule::ignored("read_buffer_size", "buffers are sized by what arrives"),
    KeyRule::ignored("write_buffer_size", "buffers are sized by what is sent"),
];

/// Makes `otlp_grpc`.
pub(crate) fn otlp_grpc(otlp: OtlpGrpc, context: &BuildContext<'_>) -> Result<ExporterPart, SettingsError> {
    if otlp.endpoint.is_empty() {
        return Err(SettingsError::at("endpoint", REQUIRED).help("such as `endpoint: collector:4317`"));
    }
    let balancer = otlp.balancer_name;
    let sending = otlp.sending();
    match balance::of_name(&sending.config, balancer) {
        Some(make) => sending.part(context, make),
        None => sending.part(context, one(Protocol::Grpc)),
    }
}

/// Makes `otlp_http`.
pub(crate) fn otlp_http(otlp: OtlpHttp, context: &BuildContext<'_>) -> Result<ExporterPart, SettingsError> {
    let takes = otlp.own_endpoints().map(|(signal, _)| signal).collect();
    let takes = otlp.endpoint.is_empty().then_some(takes);
    if takes.as_ref().is_some_and(Vec::is_empty) {
        return Err(SettingsError::at("endpoint", REQUIRED).help("such as `endpoint: http://collector:4318`"));
    }
    let mut part = otlp.sending().part(context, http_client)?;
    part.takes = takes;
    Ok(part)
}

/// Makes the exporter `id` of a client, with the statistics of the client's connections.
pub(crate) fn of_client(id: String, client: Client) -> ExporterSpec {
    let stats = client.stats().clone();
    let mut spec = ExporterSpec::new(id, client.into_attempt());
    spec.stats = Some(stats);
    spec
}

/// Returns a function that makes a client of the one endpoint.
fn one(
    protocol: Protocol,
) -> impl FnOnce(&TransportContext, ClientConfig) -> Result<Client, ConfigError> + Send + 'static {
    move |context, config| protocol.strategy().client(context, config)
}

/// Makes the client of `otlp_http`. An error in the URL of a single signal has the key of that URL.
fn http_client(context: &TransportContext, config: ClientConfig) -> Result<Client, ConfigError> {
    let made = one(Protocol::Http)(context, config.clone());
    made.map_err(|error| {
        let of_own = OWN_URLS.iter().find_map(|(signal, key)| {
            let own = config.signal_endpoints.iter().find(|(name, _)| name == signal)?;
            let mut alone = config.clone();
            (alone.endpoint, alone.signal_endpoints) = (String::new(), vec![own.clone()]);
            let refused = one(Protocol::Http)(context, alone).err()?;
            (refused.key == "signal_endpoints").then(|| refused.with_key(key))
        });
        of_own.unwrap_or(error)
    })
}

/// Returns host and port that each signal is sent to; empty if the endpoints come from a resolver.
pub(crate) fn endpoints(config: &ClientConfig) -> Vec<(Signal, String)> {
    let endpoint = |signal: Signal| {
        let own = config.signal_endpoints.iter().rev().find(|(name, _)| name == signal.name);
        let url = own.map_or(&config.endpoint, |(_, url)| url);
        if url.starts_with("unix:") {
            return url.clone();
        }
        let place = url.split_once("://").map_or(url.as_str(), |(_, place)| place);
        let authority = place.split('/').find(|part| !part.is_empty()).unwrap_or_default();
        // Credentials do not belong in the log.
        authority.rsplit('@').next().unwrap_or_default().to_owned()
    };
    let all = Signal::ALL.map(|signal| (signal, endpoint(signal)));
    if all.iter().all(|(_, endpoint)| endpoint.is_empty()) { Vec::new() } else { all.into() }
}

// === impl OtlpGrpc ===

impl OtlpGrpc {
    fn sending(self) -> Sending {
        let mut config = ClientConfig::new(self.endpoint);
        config.compression = self.compression.into();
        config.adaptive_compression = self.adaptive_compression.config();
        (config.authority, config.headers) = self.headers.without_host();
        config.timeout = Some(self.timeout.map_or(Duration::from_secs(5), |GoDuration(timeout)| timeout));
        config.tls = self.tls.config();
        if !self.authority.is_empty() {
            let name = self.authority.rsplit_once(':').map_or(&*self.authority, |(host, _)| host);
            config.tls.server_name_override.get_or_insert_with(|| name.to_owned());
            config.authority = self.authority;
        }
        config.user_agent = self.user_agent.unwrap_or(config.user_agent);
        config.limits.keepalive_interval = self.keepalive.time.given();
        config.limits.keepalive_timeout =
            self.keepalive.timeout.given().unwrap_or(config.limits.keepalive_timeout);
        let (queue, retry) = (self.sending_queue, self.retry_on_failure);
        Sending::new(Protocol::Grpc, config, queue, retry, self.dead_letter, self.auth)
    }
}

// === impl OtlpHttp ===

impl OtlpHttp {
    /// The URLs of signals that have their own.
    fn own_endpoints(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let own = [
            ("traces", &self.traces_endpoint),
            ("metrics", &self.metrics_endpoint),
            ("logs", &self.logs_endpoint),
            ("profiles", &self.profiles_endpoint),
        ];
        own.into_iter().filter(|(_, url)| !url.is_empty()).map(|(signal, url)| (signal, url.as_str()))
    }

    fn sending(self) -> Sending {
        let own = self.own_endpoints().map(|(signal, url)| (signal.to_owned(), url.to_owned())).collect();
        let mut config = ClientConfig::new(self.endpoint);
        config.signal_endpoints = own;
        config.proxy_url = self.proxy_url;
        config.encoding = self.encoding.into();
        config.compression = self.compression.into();
        config.adaptive_compression = self.adaptive_compression.config();
        (config.authority, config.headers) = self.headers.without_host();
        config.timeout = Some(self.timeout.map_or(Duration::from_secs(30), |GoDuration(timeout)| timeout));
        config.tls = self.tls.config();
        config.limits.max_connections =
            usize::try_from(self.max_conns_per_host.0).ok().filter(|&connections| connections > 0);
        let idle_timeout = self.keepalive.idle_conn_timeout.given().or(self.idle_conn_timeout.given());
        config.limits.idle_timeout = idle_timeout.unwrap_or(config.limits.idle_timeout);
        if self.disable_keep_alives || self.keepalive.enabled == Some(false) {
            config.limits.max_connection_age = Some(Duration::ZERO);
        }
        let (queue, retry) = (self.sending_queue, self.retry_on_failure);
        Sending::new(Protocol::Http, config, queue, retry, self.dead_letter, self.auth)
    }
}

// === impl Sending ===

impl Sending {
    /// Settings that stand directly below their component.
    fn new(
        protocol: Protocol,
        config: ClientConfig,
        queue: SendingQueue,
        retry: Retry,
        dead_letter: Option<DeadLetter>,
        auth: Option<Auth>,
    ) -> Self {
        Self { protocol, config, queue, retry, dead_letter, auth, at: Places::default() }
    }

    /// Makes an exporter whose client is made by `make`.
    fn part(
        self,
        context: &BuildContext<'_>,
        make: impl FnOnce(&TransportContext, ClientConfig) -> Result<Client, ConfigError> + Send + 'static,
    ) -> Result<ExporterPart, SettingsError> {
        let Self { protocol, mut config, queue, retry, dead_letter, auth, at } = self;
        compression::check_used(&config, at.client)?;
        let storage = queue.storage(at.queue);
        let queue = queue.config(at.queue, context)?;
        let retry = retry.config(at.retry, queue.storage.is_some())?;
        let dead_letter = dead_letter.map(|dead| dead.config(at.dead_letter, &queue, context)).transpose()?;
        let auth = auth.map(|auth| auth.named(&format!("{}auth", at.client))).transpose()?;
        let endpoints = endpoints(&config);
        let targets = target::of_client(protocol, &config);
        let mut part = ExporterPart::new(move |id, context, credentials| {
            config.credentials = credentials;
            let made = make(context, config).map(|client| of_client(id, client));
            made.map_err(|error| refused(at.before(error.key), &error))
        });
        (part.endpoints, part.targets, part.auth) = (endpoints, targets, auth);
        (part.queue, part.retry, part.storage) = (queue, retry, storage);
        part.dead_letter = dead_letter.flatten();
        Ok(part)
    }
}

// === impl Places ===

impl Places {
    /// Returns the path before the key of a client setting. Endpoints of a resolver have their whole path already.
    fn before(self, key: &str) -> &'static str {
        if key.starts_with(resolver::RESOLVER) { "" } else { self.client }
    }
}

impl From<BodyEncoding> for Encoding {
    fn from(encoding: BodyEncoding) -> Self {
        match encoding {
            BodyEncoding::Proto => Self::Protobuf,
            BodyEncoding::Json => Self::Json,
        }
    }
}

const REQUIRED: &str = "it is required";
/// The URLs that signals may have of their own, and their keys.
const OWN_URLS: [(&str, &str); 4] = [
    ("traces", "traces_endpoint"),
    ("metrics", "metrics_endpoint"),
    ("logs", "logs_endpoint"),
    ("profiles", "profiles_endpoint"),
];
