//! The variables of the SDK and of the OTLP exporter: OpenTelemetry Environment Variable Specification, OTLP exporter §Configuration
//! Options.

use super::variables::Variables;
use super::{BatchSettings, Destination, ExporterKind, MetricSettings, OtlpConfig, Protocol, SignalSettings};
use crate::client::resource::of_variables;
use crate::client::{
    HistogramAggregation, LogLimits, Propagators, Sampler, SpanLimits, TemporalityPreference,
};
use otlp_protocol::Signal;
use otlp_protocol::encode::{Entries as _, LogRecords, Metrics, Spans};
use otlp_transport::{Compression, ProxyConfig};

/// Reads all variables.
pub(super) fn read(lookup: &dyn Fn(&str) -> Option<String>) -> OtlpConfig {
    let mut variables = Variables::new(lookup);
    let vars = &mut variables;
    if let Some(path) = vars.text(CONFIG_FILE) {
        let problem = "declarative configuration files are not supported yet: the file is not read, and the other variables are \
                       used";
        vars.warn(CONFIG_FILE, Some(&path), problem);
    }
    let (resource, warnings) = of_variables(lookup);
    vars.warnings.extend(warnings);
    let config = OtlpConfig {
        disabled: vars.flag("OTEL_SDK_DISABLED").unwrap_or_default(),
        destination: destination(vars, EXPORTER),
        traces: signal(vars, Spans::SIGNAL),
        metrics: signal(vars, Metrics::SIGNAL),
        logs: signal(vars, LogRecords::SIGNAL),
        proxies: ProxyConfig::from_env(lookup),
        span_batches: batches(vars, "OTEL_BSP", BatchSettings::spans()),
        log_batches: batches(vars, "OTEL_BLRP", BatchSettings::log_records()),
        metric_settings: metric_settings(vars),
        sampler: sampler(vars),
        propagators: propagators(vars),
        span_limits: span_limits(vars),
        log_limits: log_limits(vars),
        resources: vec![resource],
        ..OtlpConfig::default()
    };
    OtlpConfig { warnings: variables.warnings, ..config }
}

/// Reads the variables of a destination, which start with a prefix.
fn destination(vars: &mut Variables<'_>, prefix: &str) -> Destination {
    let name = |option: &str| format!("{prefix}_{option}");
    Destination {
        endpoint: vars.text(&name("ENDPOINT")),
        protocol: vars.choice(&name("PROTOCOL"), &PROTOCOLS),
        insecure: vars.flag(&name("INSECURE")),
        headers: vars.headers(&name("HEADERS")),
        compression: vars.choice(&name("COMPRESSION"), &COMPRESSIONS),
        timeout: vars.millis(&name("TIMEOUT"), 0),
        certificate: vars.pem(&name("CERTIFICATE")),
        client_certificate: vars.pem(&name("CLIENT_CERTIFICATE")),
        client_key: vars.pem(&name("CLIENT_KEY")),
    }
}

fn signal(vars: &mut Variables<'_>, signal: Signal) -> SignalSettings {
    let exporter = vars.choice(&exporter_variable(signal), &EXPORTERS).unwrap_or_default();
    SignalSettings { exporter, destination: destination(vars, &signal_prefix(signal)) }
}

fn batches(vars: &mut Variables<'_>, prefix: &str, default: BatchSettings) -> BatchSettings {
    let name = |option: &str| format!("{prefix}_{option}");
    let mut size =
        |option| vars.number(&name(option), 1).map(|size| usize::try_from(size).unwrap_or(usize::MAX));
    let (queue, batch) = (size("MAX_QUEUE_SIZE"), size("MAX_EXPORT_BATCH_SIZE"));
    let mut max_export_batch_size = batch.unwrap_or(default.max_export_batch_size);
    if let Some(queue) = queue.filter(|queue| max_export_batch_size > *queue) {
        if let Some(batch) = batch {
            let problem = format!("more than {}; {queue} is used", name("MAX_QUEUE_SIZE"));
            vars.warn(&name("MAX_EXPORT_BATCH_SIZE"), Some(&batch.to_string()), problem);
        }
        max_export_batch_size = queue;
    }
    BatchSettings {
        schedule_delay: vars.millis(&name("SCHEDULE_DELAY"), 0).unwrap_or(default.schedule_delay),
        export_timeout: vars.millis(&name("EXPORT_TIMEOUT"), 0).unwrap_or(default.export_timeout),
        max_queue_size: queue,
        max_export_batch_size,
    }
}

fn metric_settings(vars: &mut Variables<'_>) -> MetricSettings {
    let default = MetricSettings::default();
    let temporalities = [
        ("cumulative", TemporalityPreference::Cumulative),
        ("delta", TemporalityPreference::Delta),
        ("lowmemory", TemporalityPreference::LowMemory),
    ];
    let histograms = [
        ("explicit_bucket_histogram", HistogramAggregation::ExplicitBuckets),
        ("base2_exponential_bucket_histogram", HistogramAggregation::Base2Exponential),
    ];
    let name = |option: &str| format!("{}_{option}", signal_prefix(Metrics::SIGNAL));
    let mut meters = default.meters;
    meters.temporality = vars.choice(&name("TEMPORALITY_PREFERENCE"), &temporalities).unwrap_or_default();
    let histogram = vars.choice(&name("DEFAULT_HISTOGRAM_AGGREGATION"), &histograms);
    meters.histogram_aggregation = histogram.unwrap_or_default();
    if let Some(filter) = vars.text(EXEMPLARS).filter(|filter| !filter.eq_ignore_ascii_case("always_off")) {
        vars.warn(EXEMPLARS, Some(&filter), "exemplars are not recorded yet; the variable is ignored");
    }
    MetricSettings {
        interval: vars.millis("OTEL_METRIC_EXPORT_INTERVAL", 1).unwrap_or(default.interval),
        export_timeout: vars.millis("OTEL_METRIC_EXPORT_TIMEOUT", 0).unwrap_or(default.export_timeout),
        meters,
    }
}

fn sampler(vars: &mut Variables<'_>) -> Sampler {
    let (name, argument) = (vars.text("OTEL_TRACES_SAMPLER"), vars.text("OTEL_TRACES_SAMPLER_ARG"));
    let (sampler, problems) = Sampler::from_variables(name.as_deref(), argument.as_deref());
    vars.adopt(problems);
    sampler
}

fn propagators(vars: &mut Variables<'_>) -> Propagators {
    let (propagators, problems) = Propagators::from_variable(vars.text("OTEL_PROPAGATORS").as_deref());
    vars.adopt(problems);
    propagators
}

fn span_limits(vars: &mut Variables<'_>) -> SpanLimits {
    let default = SpanLimits::default();
    let mut count = |names: &[&str], default| limit(vars, names).map_or(default, saturating);
    SpanLimits {
        attributes: count(&["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", ATTRIBUTE_COUNT], default.attributes),
        events: count(&["OTEL_SPAN_EVENT_COUNT_LIMIT"], default.events),
        links: count(&["OTEL_SPAN_LINK_COUNT_LIMIT"], default.links),
        attributes_per_event: count(&["OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"], default.attributes_per_event),
        attributes_per_link: count(&["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"], default.attributes_per_link),
        attribute_value_length: value_length(vars, "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
    }
}

fn log_limits(vars: &mut Variables<'_>) -> LogLimits {
    let attributes = limit(vars, &["OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", ATTRIBUTE_COUNT]);
    LogLimits {
        attributes: attributes.map_or(LogLimits::default().attributes, saturating),
        attribute_value_length: value_length(vars, "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
    }
}

fn value_length(vars: &mut Variables<'_>, specific: &str) -> Option<usize> {
    let length = limit(vars, &[specific, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"])?;
    Some(usize::try_from(length).unwrap_or(usize::MAX))
}

/// Reads the first of several variables that has a value that can be used.
fn limit(vars: &mut Variables<'_>, names: &[&str]) -> Option<u64> {
    names.iter().find_map(|name| vars.number(name, 0))
}

fn saturating(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Returns the variable that names a signal's exporter.
pub(super) fn exporter_variable(signal: Signal) -> String {
    format!("OTEL_{}_EXPORTER", signal.name.to_ascii_uppercase())
}

/// Returns the start of the names of a signal's own variables.
pub(super) fn signal_prefix(signal: Signal) -> String {
    format!("{EXPORTER}_{}", signal.name.to_ascii_uppercase())
}

/// Start of the names of the exporter's variables for all signals.
pub(super) const EXPORTER: &str = "OTEL_EXPORTER_OTLP";
const CONFIG_FILE: &str = "OTEL_CONFIG_FILE";
const EXEMPLARS: &str = "OTEL_METRICS_EXEMPLAR_FILTER";
const ATTRIBUTE_COUNT: &str = "OTEL_ATTRIBUTE_COUNT_LIMIT";

const PROTOCOLS: [(&str, Protocol); 3] =
    [("grpc", Protocol::Grpc), ("http/protobuf", Protocol::HttpProtobuf), ("http/json", Protocol::HttpJson)];
const COMPRESSIONS: [(&str, Compression); 4] = [
    ("none", Compression::None),
    ("gzip", Compression::Gzip),
    ("zstd", Compression::Zstd),
    ("br", Compression::Brotli),
];
const EXPORTERS: [(&str, ExporterKind); 3] =
    [("otlp", ExporterKind::Otlp), ("console", ExporterKind::Console), ("none", ExporterKind::None)];
