//! Components and keys of the Collector that do not exist here, and their replacements.

use otlp_service::Kind;

/// Returns the replacement of a component type that does not exist; `None` if the type is not in the list.
pub(crate) fn instead_of(kind: Kind, name: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(of, known, _)| *of == kind && *known == name).map(|(.., instead)| *instead)
}

/// Returns the present place of a key of older Collectors, in a map that has the keys `known`; `None` if the key is not in
/// the list.
pub(crate) fn moved_to(key: &str, known: &[&str]) -> Option<String> {
    let mut moved = MOVED.iter().filter(|(old, parent, _)| *old == key && known.contains(parent));
    moved.next().map(|(_, parent, now)| format!("the key is now `{now}` below `{parent}`"))
}

const INSTEAD: &[(Kind, &str, &str)] = &[
    (Kind::Receiver, "opencensus", SEND_OTLP),
    (Kind::Receiver, "sapm", SEND_OTLP),
    (Kind::Receiver, "jaeger", SEND_OTLP),
    (Kind::Processor, "queued_retry", "use `sending_queue` and `retry_on_failure` of the exporters"),
    (
        Kind::Exporter,
        "dynatrace",
        "Dynatrace takes OTLP: use `otlp_http` with `endpoint: https://ENVIRONMENT.live.dynatrace.com/api/v2/otlp`",
    ),
    (
        Kind::Exporter,
        "honeycomb",
        "Honeycomb takes OTLP: use `otlp_grpc` with `endpoint: api.honeycomb.io:443`",
    ),
    (Kind::Exporter, "jaeger", JAEGER),
    (Kind::Exporter, "jaeger_thrift", JAEGER),
    (Kind::Exporter, "loki", "Loki takes OTLP: use `otlp_http` with `endpoint: http://HOST:3100/otlp`"),
    (
        Kind::Exporter,
        "newrelic",
        "New Relic takes OTLP: use `otlp_http` with `endpoint: https://otlp.nr-data.net`",
    ),
    #[cfg(not(feature = "prometheus"))]
    (Kind::Exporter, "prometheus", "it is not compiled in: build with the feature `prometheus`"),
    (Kind::Exporter, "opencensus", "OTLP replaces OpenCensus: use `otlp_grpc` with `endpoint: HOST:4317`"),
    (
        Kind::Exporter,
        "sapm",
        "Splunk takes OTLP: use `otlp_http` with `traces_endpoint: https://ingest.REALM.signalfx.com/v2/trace/otlp`",
    ),
];

/// Old key, key of the map that has the setting now, and name of the setting in that map.
const MOVED: &[(&str, &str, &str)] = &[
    ("ca_file", "tls", "ca_file"),
    ("cert_file", "tls", "cert_file"),
    ("cors_allowed_headers", "cors", "allowed_headers"),
    ("cors_allowed_origins", "cors", "allowed_origins"),
    ("insecure", "tls", "insecure"),
    ("insecure_skip_verify", "tls", "insecure_skip_verify"),
    ("key_file", "tls", "key_file"),
    ("server_name_override", "tls", "server_name_override"),
];

const JAEGER: &str = "Jaeger takes OTLP: use `otlp_grpc` with `endpoint: HOST:4317`";
const SEND_OTLP: &str =
    "let the senders speak OTLP: use the receiver `otlp`, which listens on 4317 (gRPC) and 4318 (HTTP)";
