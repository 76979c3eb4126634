//! The exporters: `otlp_grpc` and `otlp_http`, `debug`, `nop`.

mod delivery;

pub(crate) use delivery::QUEUE_RULES;

use super::auth::Auth;
use super::component::Component;
use super::decode::decode;
use super::duration::GoDuration;
use super::headers::Headers;
use super::plan::{ExporterPlan, Outlet};
use super::problem::Problems;
use super::rules::{KeyRule, ignored, only, refused};
use super::tls::Tls;
use crate::protocol::Protocol;
use delivery::{Retry, SendingQueue};
use otlp_service::{DebugExporter, NopExporter, QueueConfig, RetryConfig, Verbosity};
use otlp_transport::{BoxExport, ClientConfig, Compression, Encoding};
use serde::Deserialize;
use std::time::Duration;

/// Settings of the exporter `otlp_grpc`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OtlpGrpc {
    /// `host:port`, or a URL whose scheme decides on TLS. Required.
    endpoint: String,
    /// Pings of idle connections.
    keepalive: Keepalive,
    /// One attempt; 0 is no limit. Default 5 s.
    timeout: Option<GoDuration>,
    /// Content encoding: gzip, zstd, br, none. Default gzip.
    compression: ContentEncoding,
    /// Sent with each request.
    headers: Headers,
    /// Replaces the whole `user-agent`.
    user_agent: Option<String>,
    /// How requests prove who we are.
    auth: Option<Auth>,
    tls: Tls,
    sending_queue: SendingQueue,
    retry_on_failure: Retry,
}

/// Settings of the exporter `otlp_http`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OtlpHttp {
    /// Base URL, to which `/v1/<signal>` is appended. Required, unless each signal in use has its own.
    endpoint: String,
    /// Full URL of traces.
    traces_endpoint: String,
    /// Full URL of metrics.
    metrics_endpoint: String,
    /// Full URL of logs.
    logs_endpoint: String,
    /// Full URL of profiles.
    profiles_endpoint: String,
    /// Connections to the destination, at most; 0 is the default. Default 100.
    max_conns_per_host: u64,
    /// Idle connections are closed after this; 0 is the default. Default 90 s.
    idle_conn_timeout: GoDuration,
    /// How requests are written: proto, json. Default proto.
    encoding: BodyEncoding,
    /// One attempt; 0 is no limit. Default 30 s.
    timeout: Option<GoDuration>,
    /// Content encoding: gzip, zstd, br, none. Default gzip.
    compression: ContentEncoding,
    /// Sent with each request.
    headers: Headers,
    /// How requests prove who we are.
    auth: Option<Auth>,
    tls: Tls,
    sending_queue: SendingQueue,
    retry_on_failure: Retry,
}

/// gRPC's client keepalive.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keepalive {
    /// Silence after which the destination is pinged while requests are in flight; 0 is never. Default never.
    time: GoDuration,
    /// Silence after a ping after which the connection is dropped; 0 is the default. Default 20 s.
    timeout: GoDuration,
}

/// How requests are written.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BodyEncoding {
    /// Protobuf.
    #[default]
    Proto,
    /// OTLP/JSON.
    Json,
}

/// Content encodings of requests.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ContentEncoding {
    /// gzip.
    #[default]
    Gzip,
    /// Zstandard.
    Zstd,
    /// Brotli, which the Collector does not take.
    #[serde(rename = "br", alias = "brotli")]
    Brotli,
    /// As they are.
    #[serde(alias = "")]
    None,
}

/// Settings of the exporter `debug`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Debug {
    /// basic, normal, detailed. Default basic.
    verbosity: DebugVerbosity,
}

/// How much the exporter `debug` tells.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DebugVerbosity {
    /// Signal and items.
    #[default]
    Basic,
    /// Also entries and bytes.
    Normal,
    /// All there is to know of a batch.
    Detailed,
}

/// The exporter `nop` has no settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Nop {}

/// Keys of `otlp_grpc` that mean nothing here, or nothing yet.
pub(crate) const GRPC_RULES: &[KeyRule] = &[
    refused("authority", "requests would carry the endpoint's host instead"),
    only("middlewares", "", "there are none to put in"),
    ignored("balancer_name", "requests go to one endpoint, over as many connections as they need"),
    ignored("wait_for_ready", "a request waits for its connection anyway"),
    ignored("read_buffer_size", "buffers are sized by what arrives"),
    ignored("write_buffer_size", "buffers are sized by what is sent"),
    ignored("keepalive.permit_without_stream", "pings are sent while requests are in flight"),
];

/// Keys of `otlp_http` that mean nothing here, or nothing yet.
pub(crate) const HTTP_RULES: &[KeyRule] = &[
    refused("proxy_url", "requests would go straight to the endpoint"),
    refused("cookies", "answers' cookies would not be sent back"),
    only("middlewares", "", "there are none to put in"),
    only("disable_keep_alives", "false", "connections are kept"),
    ignored("compression_params", "the level is chosen for speed"),
    ignored("max_idle_conns", "idle_conn_timeout bounds them"),
    ignored("max_idle_conns_per_host", "idle_conn_timeout bounds them"),
    ignored("force_attempt_http2", "the endpoint's scheme and TLS decide"),
    ignored("http2_read_idle_timeout", "connections that fail are replaced"),
    ignored("http2_ping_timeout", "connections that fail are replaced"),
    ignored("read_buffer_size", "buffers are sized by what arrives"),
    ignored("write_buffer_size", "buffers are sized by what is sent"),
];

/// Keys of `debug` that mean nothing here.
pub(crate) const DEBUG_RULES: &[KeyRule] = &[
    ignored("sampling_initial", "every batch is shown"),
    ignored("sampling_thereafter", "every batch is shown"),
    ignored("use_internal_logger", "lines go to stderr"),
    only("output_paths", "stderr", "lines go to stderr"),
    only("sending_queue.enabled", "false", "there is nothing to queue for"),
];

/// The plan of `otlp_grpc`.
pub(crate) fn otlp_grpc(component: &mut Component, problems: &mut Problems) -> Option<ExporterPlan> {
    let otlp: OtlpGrpc = decode(&component.settings, problems)?;
    if otlp.endpoint.is_empty() {
        problems.push(component.problem("endpoint", REQUIRED).help("such as `endpoint: collector:4317`"));
        return None;
    }
    let mut config = ClientConfig::new(otlp.endpoint);
    config.compression = otlp.compression.into();
    config.headers = otlp.headers.0;
    config.timeout = otlp.timeout.map_or(Some(Duration::from_secs(5)), |GoDuration(timeout)| Some(timeout));
    config.tls = otlp.tls.config();
    config.user_agent = otlp.user_agent.unwrap_or(config.user_agent);
    config.limits.keepalive_interval = given(otlp.keepalive.time);
    config.limits.keepalive_timeout =
        given(otlp.keepalive.timeout).unwrap_or(config.limits.keepalive_timeout);
    let plan =
        client(component, problems, Protocol::Grpc, config, otlp.sending_queue, otlp.retry_on_failure)?;
    let auth = otlp.auth.and_then(|auth| auth.named(component, "auth", problems));
    Some(ExporterPlan { auth, ..plan })
}

/// The plan of `otlp_http`.
pub(crate) fn otlp_http(component: &mut Component, problems: &mut Problems) -> Option<ExporterPlan> {
    let otlp: OtlpHttp = decode(&component.settings, problems)?;
    let own = [
        ("traces", otlp.traces_endpoint),
        ("metrics", otlp.metrics_endpoint),
        ("logs", otlp.logs_endpoint),
        ("profiles", otlp.profiles_endpoint),
    ];
    let own: Vec<_> = own.into_iter().filter(|(_, url)| !url.is_empty()).collect();
    let takes = own.iter().map(|(signal, _)| *signal).collect();
    let takes = otlp.endpoint.is_empty().then_some(takes);
    if takes.as_ref().is_some_and(Vec::is_empty) {
        problems
            .push(component.problem("endpoint", REQUIRED).help("such as `endpoint: http://collector:4318`"));
        return None;
    }
    let mut config = ClientConfig::new(otlp.endpoint);
    config.signal_endpoints = own.into_iter().map(|(signal, url)| (signal.to_owned(), url)).collect();
    config.encoding = otlp.encoding.into();
    config.compression = otlp.compression.into();
    config.headers = otlp.headers.0;
    config.timeout = otlp.timeout.map_or(Some(Duration::from_secs(30)), |GoDuration(timeout)| Some(timeout));
    config.tls = otlp.tls.config();
    config.limits.max_connections =
        usize::try_from(otlp.max_conns_per_host).ok().filter(|&connections| connections > 0);
    config.limits.idle_timeout = given(otlp.idle_conn_timeout).unwrap_or(config.limits.idle_timeout);
    let plan =
        client(component, problems, Protocol::Http, config, otlp.sending_queue, otlp.retry_on_failure)?;
    let auth = otlp.auth.and_then(|auth| auth.named(component, "auth", problems));
    Some(ExporterPlan { takes, auth, ..plan })
}

/// The plan of `debug`.
pub(crate) fn debug(component: &mut Component, problems: &mut Problems) -> Option<ExporterPlan> {
    let verbosity = decode::<Debug>(&component.settings, problems)?.verbosity.into();
    Some(local(move || BoxExport::new(DebugExporter::new(verbosity, std::io::stderr()))))
}

/// The plan of `nop`.
pub(crate) fn nop(component: &mut Component, problems: &mut Problems) -> Option<ExporterPlan> {
    decode::<Nop>(&component.settings, problems)?;
    Some(local(|| BoxExport::new(NopExporter)))
}

/// An exporter that answers at once: nothing to queue for, nothing to retry.
pub(crate) fn local(make: impl FnOnce() -> BoxExport + Send + 'static) -> ExporterPlan {
    let (mut queue, mut retry) = (QueueConfig::default(), RetryConfig::default());
    (queue.enabled, retry.enabled) = (false, false);
    ExporterPlan {
        connect: Box::new(|_, _| Ok(Outlet { export: make(), stats: None })),
        queue,
        retry,
        takes: None,
        auth: None,
    }
}

fn client(
    component: &Component,
    problems: &mut Problems,
    protocol: Protocol,
    mut config: ClientConfig,
    queue: SendingQueue,
    retry: Retry,
) -> Option<ExporterPlan> {
    let queue = queue.config(component, problems)?;
    let retry = retry.config(component, problems)?;
    let component = component.clone();
    let connect = Box::new(move |context: &_, credentials| {
        config.credentials = credentials;
        let client = protocol.strategy().client(context, config);
        client.map(Outlet::from).map_err(|error| component.problem(error.key, &error.problem))
    });
    Some(ExporterPlan { connect, queue, retry, takes: None, auth: None })
}

fn given(GoDuration(duration): GoDuration) -> Option<Duration> {
    (!duration.is_zero()).then_some(duration)
}

impl From<BodyEncoding> for Encoding {
    fn from(encoding: BodyEncoding) -> Self {
        match encoding {
            BodyEncoding::Proto => Self::Protobuf,
            BodyEncoding::Json => Self::Json,
        }
    }
}

impl From<ContentEncoding> for Compression {
    fn from(encoding: ContentEncoding) -> Self {
        match encoding {
            ContentEncoding::Gzip => Self::Gzip,
            ContentEncoding::Zstd => Self::Zstd,
            ContentEncoding::Brotli => Self::Brotli,
            ContentEncoding::None => Self::None,
        }
    }
}

impl From<DebugVerbosity> for Verbosity {
    fn from(verbosity: DebugVerbosity) -> Self {
        match verbosity {
            DebugVerbosity::Basic => Self::Basic,
            DebugVerbosity::Normal => Self::Normal,
            DebugVerbosity::Detailed => Self::Detailed,
        }
    }
}

const REQUIRED: &str = "it is required";
