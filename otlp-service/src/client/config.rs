//! Configuration of a client: plain fields with the specification's defaults, read from environment variables if the program asks
//! for that.

mod batch;
mod check;
mod console;
mod destination;
mod exporters;
mod from_vars;
mod measure;
mod plan;
mod problem;
mod target;
mod variables;

pub use batch::BatchSettings;
pub use destination::{Destination, Pem, Protocol};
pub use measure::MetricSettings;
pub(crate) use plan::Plan;
pub use problem::{ConfigProblem, ConfigWarning};

use super::engine::{ClientProblem, ErrorHook};
use super::resource::{Detector, Resource};
use super::{LogLimits, MetricProblem, Propagators, Sampler, SpanLimits};
use otlp_protocol::ToValue;
use otlp_transport::{BoxExport, Compression, ProxyConfig};
use std::time::Duration;

/// Settings of a client.
///
/// [`default`](Self::default) has the specification's defaults and reads nothing; [`from_env`](Self::from_env) reads the
/// environment variables of OpenTelemetry. Fields are public; the `with_…` methods set the usual ones in a row, and take precedence
/// over variables.
///
/// ```
/// use otlp_service::client::{OtlpConfig, Protocol};
///
/// let config = OtlpConfig::from_env()
///     .with_endpoint("http://localhost:4318")
///     .with_protocol(Protocol::HttpProtobuf)
///     .with_service_name("cart")
///     .with_resource_attribute("deployment.environment.name", "staging")
///     .with_header("x-tenant", "team-a");
/// for warning in &config.warnings {
///     eprintln!("{warning}"); // variables with values that were ignored
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OtlpConfig {
    /// Makes a client that records and sends nothing. Contexts are still propagated. Default false; `OTEL_SDK_DISABLED`.
    pub disabled: bool,
    /// The destination of all signals, as far as a signal has no settings of its own. `OTEL_EXPORTER_OTLP_…`.
    pub destination: Destination,
    /// Exporter of traces, and settings of a destination of their own. `OTEL_TRACES_EXPORTER`, `OTEL_EXPORTER_OTLP_TRACES_…`.
    pub traces: SignalSettings,
    /// Exporter of metrics, and settings of a destination of their own. `OTEL_METRICS_EXPORTER`, `OTEL_EXPORTER_OTLP_METRICS_…`.
    pub metrics: SignalSettings,
    /// Exporter of logs, and settings of a destination of their own. `OTEL_LOGS_EXPORTER`, `OTEL_EXPORTER_OTLP_LOGS_…`.
    pub logs: SignalSettings,
    /// Proxies of the connections. Default none; [`from_env`](Self::from_env) reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.
    pub proxies: ProxyConfig,
    /// Batches of spans. `OTEL_BSP_…`.
    pub span_batches: BatchSettings,
    /// Batches of log records. `OTEL_BLRP_…`.
    pub log_batches: BatchSettings,
    /// Collection of metrics. `OTEL_METRIC_EXPORT_…`.
    pub metric_settings: MetricSettings,
    /// Chooses the spans that are recorded. Default as the parent, and all root spans. `OTEL_TRACES_SAMPLER`,
    /// `OTEL_TRACES_SAMPLER_ARG`.
    pub sampler: Sampler,
    /// Formats of contexts in headers. Default W3C Trace Context and Baggage. `OTEL_PROPAGATORS`.
    pub propagators: Propagators,
    /// Limits of spans. `OTEL_SPAN_…`, `OTEL_EVENT_…`, `OTEL_LINK_…`, `OTEL_ATTRIBUTE_…`.
    pub span_limits: SpanLimits,
    /// Limits of log records. `OTEL_LOGRECORD_…`, `OTEL_ATTRIBUTE_…`.
    pub log_limits: LogLimits,
    /// Detectors of resource attributes that run when the client is made. Default [`Detector::Sdk`] and [`Detector::Service`],
    /// which read no files.
    pub detectors: Vec<Detector>,
    /// Resources that update the detected one, in this order. [`from_env`](Self::from_env) puts those of
    /// `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` here.
    pub resources: Vec<Resource>,
    /// Memory of finished spans and log records that wait to be sent, in bytes; beyond, the newest are lost and counted. Default
    /// 8 MiB.
    pub max_finished_bytes: usize,
    /// Spans that are open at a time; beyond, the newest are lost and counted. Default 16,384.
    pub max_open_spans: u32,
    /// Longest time that the drop of the last handle of a client waits until everything is sent. Default 5 s.
    pub shutdown_timeout: Duration,
    /// Values of variables that were ignored.
    pub warnings: Vec<ConfigWarning>,
    pub(crate) on_error: ErrorHook,
}

/// Settings of one signal.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SignalSettings {
    /// Kind of exporter. Default [`Otlp`](ExporterKind::Otlp).
    pub exporter: ExporterKind,
    /// Settings of the destination that replace those of all signals.
    pub destination: Destination,
}

/// Kind of a signal's exporter.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum ExporterKind {
    /// Readable text on the standard output, for development.
    Console,
    /// An exporter of the program's own. An export ends at the deadline of its batch.
    Custom(BoxExport),
    /// No exporter: the signal is not recorded.
    None,
    /// OTLP.
    #[default]
    Otlp,
}

// === impl OtlpConfig ===

impl OtlpConfig {
    /// The specification's defaults; the environment is not read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the environment variables of OpenTelemetry. An empty variable counts as not set. A value that cannot be used is
    /// ignored, and listed in [`warnings`](Self::warnings).
    pub fn from_env() -> Self {
        Self::from_vars(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads the variables that `lookup` returns, as [`from_env`](Self::from_env) does.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Self {
        from_vars::read(&lookup)
    }

    /// Sets the endpoint of all signals: for HTTP the base URL, to which `/v1/traces` and so on is appended.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.destination.endpoint = Some(endpoint.into());
        self.own_destinations().for_each(|own| own.endpoint = None);
        self
    }

    /// Sets the protocol of all signals.
    #[must_use]
    pub fn with_protocol(mut self, protocol: Protocol) -> Self {
        self.destination.protocol = Some(protocol);
        self.own_destinations().for_each(|own| own.protocol = None);
        self
    }

    /// Sets the compression of all signals.
    #[must_use]
    pub fn with_compression(mut self, compression: Compression) -> Self {
        self.destination.compression = Some(compression);
        self.own_destinations().for_each(|own| own.compression = None);
        self
    }

    /// Sets the time limit of an export, with its retries, for all signals. Zero is no limit.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.destination.timeout = Some(timeout);
        self.own_destinations().for_each(|own| own.timeout = None);
        self
    }

    /// Adds a header to all requests, in place of headers of the same name.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        let is_other = |(known, _): &(String, String)| !known.eq_ignore_ascii_case(&name);
        self.own_destinations().for_each(|own| own.headers.retain(is_other));
        self.destination.headers.retain(is_other);
        self.destination.headers.push((name, value.into()));
        self
    }

    /// Sets the resource attribute `service.name`.
    #[must_use]
    pub fn with_service_name(self, name: &str) -> Self {
        self.with_resource_attribute("service.name", name)
    }

    /// Sets a resource attribute.
    #[must_use]
    pub fn with_resource_attribute(self, key: &str, value: impl ToValue) -> Self {
        self.with_resource(Resource::new().with_attribute(key, value))
    }

    /// Updates the resource with attributes.
    #[must_use]
    pub fn with_resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// Sets the sampler.
    #[must_use]
    pub fn with_sampler(self, sampler: Sampler) -> Self {
        Self { sampler, ..self }
    }

    /// Sets the detectors of resource attributes, such as [`Detector::ALL`].
    #[must_use]
    pub fn with_detectors(mut self, detectors: &[Detector]) -> Self {
        self.detectors = detectors.to_vec();
        self
    }

    /// Calls a function for each loss, on the client's own thread, in place of a line on stderr each 30 s.
    #[must_use]
    pub fn with_error_hook(mut self, hook: impl Fn(&ClientProblem) + Send + Sync + 'static) -> Self {
        self.on_error.set_call(hook);
        self
    }

    /// Calls a function for each problem with an instrument, such as two of one name, on the thread that meets the problem, in place of
    /// a line on stderr each 30 s.
    #[must_use]
    pub fn with_metric_hook(mut self, hook: impl Fn(&MetricProblem) + Send + Sync + 'static) -> Self {
        self.on_error.set_metric_call(hook);
        self
    }

    /// Hands the batches of all signals to an exporter of the program's own, in place of a destination.
    #[must_use]
    pub fn with_exporter(mut self, exporter: BoxExport) -> Self {
        for signal in [&mut self.traces, &mut self.metrics, &mut self.logs] {
            signal.exporter = ExporterKind::Custom(exporter.clone());
        }
        self
    }

    fn own_destinations(&mut self) -> impl Iterator<Item = &mut Destination> {
        [&mut self.traces, &mut self.metrics, &mut self.logs]
            .into_iter()
            .map(|signal| &mut signal.destination)
    }
}

impl Default for OtlpConfig {
    fn default() -> Self {
        Self {
            disabled: false,
            destination: Destination::default(),
            traces: SignalSettings::default(),
            metrics: SignalSettings::default(),
            logs: SignalSettings::default(),
            proxies: ProxyConfig::default(),
            span_batches: BatchSettings::spans(),
            log_batches: BatchSettings::log_records(),
            metric_settings: MetricSettings::default(),
            sampler: Sampler::default(),
            propagators: Propagators::default(),
            span_limits: SpanLimits::default(),
            log_limits: LogLimits::default(),
            detectors: vec![Detector::Sdk, Detector::Service],
            resources: Vec::new(),
            max_finished_bytes: 8 << 20,
            max_open_spans: 16_384,
            shutdown_timeout: Duration::from_secs(5),
            warnings: Vec::new(),
            on_error: ErrorHook::default(),
        }
    }
}

#[cfg(test)]
mod tests;
