//! The exporter `prometheus`.

use crate::config::listen::Transport;
use crate::config::tls::ServerTls;
use otlp_service::{
    BuildContext, ExporterPart, ExporterSpec, GoDuration, KeyRule, PrometheusConfig, PrometheusExporter,
    ResourceLabels, SettingsError, TranslationStrategy,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Settings of the exporter `prometheus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Prometheus {
    /// `host:port`, or the path of a Unix socket; metrics are on the path `/metrics`. Required.
    endpoint: String,
    /// Kind of the endpoint: tcp; tcp4 or tcp6 for IPv4 or IPv6 only; unix. Default tcp.
    transport: Transport,
    /// TLS of the server. Default none.
    tls: Option<ServerTls>,
    /// Begins the name of each metric, with a `_` after it. Default none.
    namespace: String,
    /// Labels that each series has, by name. Default none.
    const_labels: BTreeMap<String, String>,
    /// Shows the time of each point. Default false.
    send_timestamps: bool,
    /// Time after which a series without a new point is no longer shown; 0: never. Default 5 min.
    metric_expiration: Option<GoDuration>,
    /// Attributes of resources that are labels of each series, beside those of `target_info`. The old name of
    /// `resource_constant_labels`.
    resource_to_telemetry_conversion: Conversion,
    /// Attributes of resources that are labels of each series, beside those of `target_info`.
    resource_constant_labels: Chosen,
    /// Answers in OpenMetrics, with exemplars, if the scraper asks for that. Default false.
    enable_open_metrics: bool,
    /// Leaves out the labels `otel_scope_…`. Default false.
    without_scope_info: bool,
    /// Names of metrics and labels: UnderscoreEscapingWithSuffixes, UnderscoreEscapingWithoutSuffixes,
    /// NoUTF8EscapingWithSuffixes, NoTranslation. Default UnderscoreEscapingWithSuffixes.
    translation_strategy: Option<Strategy>,
    /// The largest number of series; points of others are rejected and counted. Default 1,000,000. Not a key of the Collector.
    max_series: Option<u64>,
}

/// Attributes of resources as labels.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Conversion {
    /// All attributes. Default false.
    enabled: bool,
    /// But for `service.name`, `service.namespace` and `service.instance.id`. Default false.
    exclude_service_attributes: bool,
    /// Patterns of keys, with `*` and `?`.
    included: Vec<String>,
    /// Patterns of keys that are left out.
    excluded: Vec<String>,
}

/// Chosen attributes of resources.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Chosen {
    /// Patterns of keys, with `*` and `?`. Default: all that are not excluded, if `excluded` is set.
    included: Vec<String>,
    /// Patterns of keys that are left out.
    excluded: Vec<String>,
}

/// Values of `translation_strategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Strategy {
    UnderscoreEscapingWithSuffixes,
    UnderscoreEscapingWithoutSuffixes,
    #[serde(rename = "NoUTF8EscapingWithSuffixes")]
    NoUtf8EscapingWithSuffixes,
    NoTranslation,
}

/// Keys of the Collector's `prometheus` that have no effect here.
pub(crate) const PROMETHEUS_RULES: &[KeyRule] = &[
    KeyRule::refused(
        "auth",
        "pages are answered without authentication: let TLS ask for client certificates",
    ),
    KeyRule::only("middlewares", "", "middlewares are not supported"),
    KeyRule::ignored_unless(
        "add_metric_suffixes",
        "true",
        "without effect since Collector v0.132: use `translation_strategy: UnderscoreEscapingWithoutSuffixes`",
    ),
    KeyRule::ignored("sending_queue", "the exporter answers at once and needs no queue"),
    KeyRule::ignored("response_headers", "answers carry no headers of their own"),
    KeyRule::ignored("cors", "scrapes are not sent by pages of browsers"),
    KeyRule::ignored("compression_algorithms", "a scrape has no body"),
    KeyRule::ignored("max_request_body_size", "a scrape has no body"),
    KeyRule::ignored("include_metadata", "scrapes are not passed on"),
    KeyRule::ignored("dialer", "the exporter opens no connections"),
    KeyRule::ignored("read_timeout", ONE_SCRAPE),
    KeyRule::ignored("read_header_timeout", ONE_SCRAPE),
    KeyRule::ignored("write_timeout", ONE_SCRAPE),
    KeyRule::ignored("idle_timeout", ONE_SCRAPE),
    KeyRule::ignored("keepalive", ONE_SCRAPE),
    KeyRule::ignored("keep_alives_enabled", ONE_SCRAPE),
];

/// Makes `prometheus`.
pub(crate) fn prometheus(given: Prometheus, _: &BuildContext<'_>) -> Result<ExporterPart, SettingsError> {
    if given.endpoint.is_empty() {
        let error = SettingsError::at("endpoint", "it is missing");
        return Err(error.help("add the address that Prometheus scrapes: `endpoint: 0.0.0.0:8889`"));
    }
    let endpoint = given.transport.address(&given.endpoint);
    let endpoint = endpoint.map_err(|problem| SettingsError::at("endpoint", problem))?;
    let mut config = PrometheusConfig::new(&endpoint);
    config.pages.tls = given.tls.map(ServerTls::config);
    config.resource_labels =
        resource_labels(given.resource_to_telemetry_conversion, given.resource_constant_labels)?;
    config.namespace = given.namespace;
    config.const_labels = given.const_labels.into_iter().collect();
    config.has_timestamps = given.send_timestamps;
    config.has_open_metrics = given.enable_open_metrics;
    config.has_scope_labels = !given.without_scope_info;
    config.translation = given.translation_strategy.map_or(config.translation, Into::into);
    if let Some(GoDuration(expiration)) = given.metric_expiration {
        config.expiration = expiration;
    }
    if let Some(max_series) = given.max_series {
        config.max_series = usize::try_from(max_series).unwrap_or(usize::MAX);
    }
    let connect =
        |id, context: &_, _| Ok(ExporterSpec::managed(id, PrometheusExporter::new(config, context)));
    let mut part = ExporterPart::new(connect).direct();
    part.takes = Some(vec!["metrics"]);
    Ok(part)
}

fn resource_labels(old: Conversion, chosen: Chosen) -> Result<ResourceLabels, SettingsError> {
    let is_old_empty = old.included.is_empty() && old.excluded.is_empty();
    let is_all = old.enabled || old.exclude_service_attributes;
    let is_chosen = !chosen.included.is_empty() || !chosen.excluded.is_empty();
    if is_all && !is_old_empty {
        let error = SettingsError::at(
            "resource_to_telemetry_conversion",
            "`enabled` and `exclude_service_attributes` are for all attributes, `included` and `excluded` choose some",
        );
        return Err(error.help("use `resource_constant_labels` with `included` and `excluded` alone"));
    }
    if is_chosen && (is_all || !is_old_empty) {
        let error = SettingsError::at(
            "resource_to_telemetry_conversion",
            "it is the old name of `resource_constant_labels`, which is set, too",
        );
        return Err(error.help("remove `resource_to_telemetry_conversion`"));
    }
    if old.enabled {
        return Ok(match old.exclude_service_attributes {
            true => ResourceLabels::without_service(),
            false => ResourceLabels::all(),
        });
    }
    let mut labels = ResourceLabels::default();
    labels.included = if is_chosen { chosen.included } else { old.included };
    labels.excluded = if is_chosen { chosen.excluded } else { old.excluded };
    Ok(labels)
}

impl From<Strategy> for TranslationStrategy {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::UnderscoreEscapingWithSuffixes => Self::UnderscoreEscapingWithSuffixes,
            Strategy::UnderscoreEscapingWithoutSuffixes => Self::UnderscoreEscapingWithoutSuffixes,
            Strategy::NoUtf8EscapingWithSuffixes => Self::NoUtf8EscapingWithSuffixes,
            Strategy::NoTranslation => Self::NoTranslation,
        }
    }
}

const ONE_SCRAPE: &str = "a connection answers one scrape, within 10 s";
