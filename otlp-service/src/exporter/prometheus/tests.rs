//! Pages against those of the Collector's exporter, which `interop/prometheus` writes.

use super::format::Format;
use super::page::Parts;
use super::protobuf::{Example, MetricFamily};
use super::*;
use otlp_protocol::json::{self, JsonLimits};
use otlp_protocol::{Charge, Signal, ValidateLimits};
use prost::Message;
use std::path::PathBuf;

/// Settings of a page, by its name.
fn variants() -> Vec<(&'static str, &'static str, PrometheusConfig)> {
    let config = |change: fn(&mut PrometheusConfig)| {
        let mut config = PrometheusConfig::new("127.0.0.1:0");
        change(&mut config);
        config
    };
    let plain = || config(|_| {});
    let chosen = |included: &[&str], excluded: &[&str]| {
        let of = |keys: &[&str]| keys.iter().copied().map(String::from).collect();
        let resource_labels = ResourceLabels { included: of(included), excluded: of(excluded) };
        PrometheusConfig { resource_labels, ..plain() }
    };
    let text = "text/plain";
    let open = "application/openmetrics-text";
    let protobuf =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    let strategy = |translation| PrometheusConfig { translation, ..plain() };
    use TranslationStrategy::*;
    vec![
        ("text", text, plain()),
        ("no-accept", "", plain()),
        ("open-metrics-not-enabled", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5", plain()),
        (
            "open-metrics",
            "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5",
            config(|config| config.has_open_metrics = true),
        ),
        (
            "open-metrics-with-times",
            open,
            config(|config| (config.has_open_metrics, config.has_timestamps) = (true, true)),
        ),
        ("times", "*/*", config(|config| config.has_timestamps = true)),
        (
            "namespace-and-labels",
            text,
            config(|config| {
                config.namespace = "shop".into();
                let labels = [("site", "north"), ("another label", "x\"y")];
                config.const_labels = labels.map(|(name, value)| (name.into(), value.into())).into();
            }),
        ),
        ("resource-labels", text, PrometheusConfig { resource_labels: ResourceLabels::all(), ..plain() }),
        (
            "resource-labels-without-service",
            text,
            PrometheusConfig { resource_labels: ResourceLabels::without_service(), ..plain() },
        ),
        ("chosen-resource-labels", text, chosen(&["host.*", "k?s"], &["*.id"])),
        ("all-but-excluded-resource-labels", text, chosen(&[], &["host.name"])),
        ("without-scope", text, config(|config| config.has_scope_labels = false)),
        ("without-suffixes", text, plain()),
        (
            "underscores-without-suffixes",
            text,
            PrometheusConfig { namespace: "my shop".into(), ..strategy(UnderscoreEscapingWithoutSuffixes) },
        ),
        (
            "utf8-with-suffixes",
            "text/plain;version=0.0.4;escaping=allow-utf-8",
            PrometheusConfig { namespace: "shop".into(), ..strategy(NoUtf8EscapingWithSuffixes) },
        ),
        ("utf8-with-suffixes-underscores", "text/plain;version=0.0.4", strategy(NoUtf8EscapingWithSuffixes)),
        ("utf8-dots", "text/plain;version=0.0.4;escaping=dots", strategy(NoTranslation)),
        ("utf8-values", "text/plain;escaping=values", strategy(NoTranslation)),
        (
            "utf8-open-metrics",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
            PrometheusConfig { has_open_metrics: true, ..strategy(NoTranslation) },
        ),
        ("protobuf", protobuf, plain()),
        (
            "protobuf-with-times",
            protobuf,
            config(|config| {
                config.has_timestamps = true;
                config.namespace = "shop".into();
            }),
        ),
    ]
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/prometheus")
}

/// The requests in their order.
fn requests() -> Vec<Batch> {
    let files = std::fs::read_dir(fixtures().join("requests")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| batch(&std::fs::read(file).unwrap())).collect()
}

fn batch(text: &[u8]) -> Batch {
    let mut body = Vec::new();
    json::to_protobuf(Signal::METRICS.request, text, &JsonLimits::default(), &mut body).unwrap();
    Batch::checked(Signal::METRICS, body, &ValidateLimits::default(), Charge::none()).unwrap()
}

fn exporter(config: PrometheusConfig) -> PrometheusExporter {
    PrometheusExporter::new(config, &TransportContext::tcp(64 << 20))
}

/// The content type and the page for a header `accept`.
fn page(exporter: &PrometheusExporter, accept: &str) -> (String, Vec<u8>) {
    let format = Format::negotiate(accept, exporter.shared.has_open_metrics);
    let mut parts = Parts::new(Arc::clone(&exporter.shared), format);
    let page = std::iter::from_fn(|| parts.next()).flatten().collect();
    (format.content_type(), page)
}

/// Lines in an order of their own; the labels of exemplars, which are in any order, sorted.
fn lines(page: &[u8]) -> Vec<String> {
    let line = |line: &str| match line.split_once(" # {") {
        Some((sample, exemplar)) if !line.starts_with('#') => {
            let (labels, value) = exemplar.split_once('}').unwrap();
            let mut labels: Vec<_> = labels.split(',').collect();
            labels.sort_unstable();
            format!("{sample} # {{{}}}{value}", labels.join(","))
        }
        _ => line.to_owned(),
    };
    let mut lines: Vec<_> = str::from_utf8(page).unwrap().lines().map(line).collect();
    lines.sort_unstable();
    lines
}

/// Messages in an order of their own.
fn messages(mut page: &[u8]) -> Vec<String> {
    let mut families = Vec::new();
    while !page.is_empty() {
        let mut family = MetricFamily::decode_length_delimited(&mut page).unwrap();
        for metric in &mut family.metrics {
            metric.labels.sort_by(|one, other| one.name.cmp(&other.name));
            let buckets = metric.histogram.iter_mut().flat_map(|histogram| {
                histogram
                    .buckets
                    .iter_mut()
                    .flat_map(|bucket| &mut bucket.exemplar)
                    .chain(&mut histogram.exemplars)
            });
            let counter = metric.counter.iter_mut().flat_map(|counter| &mut counter.exemplar);
            let sort = |example: &mut Example| {
                example.labels.sort_by(|one, other| one.name.cmp(&other.name));
            };
            buckets.for_each(sort);
            counter.for_each(sort);
        }
        let MetricFamily { name, help, kind, metrics } = family;
        families.push(format!("{name} {kind:?} {help}"));
        families.extend(metrics.iter().map(|metric| format!("{name} {metric:?}")));
    }
    families.sort_unstable();
    families
}

#[tokio::test]
async fn pages_are_those_of_the_collector() {
    let mut wrong = Vec::new();
    let requests = requests();
    for (name, accept, config) in variants() {
        let expected = std::fs::read(fixtures().join("pages").join(name)).unwrap();
        let end = expected.iter().position(|byte| *byte == b'\n').unwrap();
        let (expected_type, expected) = (str::from_utf8(&expected[..end]).unwrap(), &expected[end + 1..]);
        let exporter = exporter(config);
        for request in &requests {
            exporter.attempt(request).await.unwrap();
        }
        let (content_type, page) = page(&exporter, accept);
        assert_eq!(content_type, expected_type, "{name}");
        let comparable = if name.starts_with("protobuf") { messages } else { lines };
        let (ours, theirs) = (comparable(&page), comparable(expected));
        wrong
            .extend(ours.iter().filter(|line| !theirs.contains(line)).map(|line| format!("{name} + {line}")));
        wrong
            .extend(theirs.iter().filter(|line| !ours.contains(line)).map(|line| format!("{name} - {line}")));
    }
    wrong.retain(|line| !DIFFERENCES.iter().any(|part| line.contains(part)));
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}

/// Parts of the lines that differ on purpose: docs/differences.md.
const DIFFERENCES: &[&str] = &[
    // The metadata `prometheus.type` of a gauge.
    "untyped", // Text forms of a histogram whose scale is below -4.
    "coarse=", // A key that begins with two underscores.
    "reserved",
];

/// Guarantee: what cannot be shown is rejected, with its reason.
#[tokio::test]
async fn points_that_cannot_be_shown_are_rejected() {
    let exporter = exporter(PrometheusConfig { max_series: 2, ..PrometheusConfig::new("127.0.0.1:0") });
    let metric = |name: &str, data: &str| format!(r#"{{"name": "{name}", {data}}}"#);
    let gauge = r#""gauge": {"dataPoints": [{"asInt": "1"}]}"#;
    let sum =
        |rest: &str| format!(r#""sum": {{{rest}, "dataPoints": [{{"asInt": "1"}}, {{"asInt": "2"}}]}}"#);
    let metrics = [
        metric("a", gauge),
        metric("a", &sum(r#""aggregationTemporality": 2, "isMonotonic": true"#)),
        metric("falls", &sum(r#""aggregationTemporality": 1"#)),
        metric("unknown", &sum(r#""isMonotonic": true"#)),
        metric("?", gauge),
        metric("b", gauge),
    ]
    .join(",");
    let request = format!(r#"{{"resourceMetrics": [{{"scopeMetrics": [{{"metrics": [{metrics}]}}]}}]}}"#);
    let Accepted { rejected, message } = exporter.attempt(&batch(request.as_bytes())).await.unwrap();
    let expected = "metric `falls`: a sum that can fall has deltas, and Prometheus has none; \
                    metric `unknown`: its temporality is not given; \
                    metric `?`: nothing is left of the name in Prometheus; \
                    there are 2 series, which is the limit `max_series`";
    assert_eq!((rejected, &*message), (6, expected));
}

/// Guarantee: a page that is larger than a part has each series once.
#[tokio::test]
async fn large_pages_have_each_series_once() {
    let mut config = PrometheusConfig::new("127.0.0.1:0");
    config.has_open_metrics = true;
    let exporter = exporter(config);
    let points: Vec<_> = (0..2000)
        .map(|at| {
            format!(
                r#"{{"asInt": "{at}", "attributes": [{{"key": "at", "value": {{"intValue": "{at}"}}}}]}}"#
            )
        })
        .collect();
    let metrics = ["x", "y"]
        .map(|name| format!(r#"{{"name": "{name}", "gauge": {{"dataPoints": [{}]}}}}"#, points.join(",")));
    let request =
        format!(r#"{{"resourceMetrics": [{{"scopeMetrics": [{{"metrics": [{}]}}]}}]}}"#, metrics.join(","));
    exporter.attempt(&batch(request.as_bytes())).await.unwrap();
    let (_, page) = page(&exporter, "application/openmetrics-text");
    let lines = lines(&page);
    let samples: std::collections::BTreeSet<_> = lines.iter().filter(|line| !line.starts_with('#')).collect();
    assert_eq!((lines.len(), samples.len()), (4000 + 5, 4000));
    let protobuf =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    let (_, page) = self::page(&exporter, protobuf);
    assert_eq!(messages(&page).iter().filter(|message| message.contains("Metric {")).count(), 4000);
}

#[test]
fn patterns_of_keys_match_as_a_whole() {
    let cases = [
        ("*", "", true),
        ("host.*", "host.name", true),
        ("host.*", "host", false),
        ("k?s", "k8s", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-b", false),
        ("", "a", false),
        ("*.id", "x.id.y", false),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(is_match(pattern, text), expected, "{pattern} {text}");
    }
}

/// Scenario: two exporters of one address, as in a reload. Guarantee: the newer answers until it stops, then the older.
#[tokio::test]
async fn exporters_of_one_address_share_the_server() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = format!("unix:///tmp/otlp-prometheus-{}.sock", std::process::id());
    let context = TransportContext::tcp(64 << 20);
    let make = |namespace: &str| {
        let config = PrometheusConfig { namespace: namespace.into(), ..PrometheusConfig::new(&address) };
        PrometheusExporter::new(config, &context)
    };
    let (old, new) = (make("old"), make("new"));
    let metric = r#"{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": [{"asInt": "1"}]}}]}]}]}"#;
    let scrape = async |path: &str, headers: &str| {
        let mut connection = context.net.connect(&address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    for exporter in [&old, &new] {
        exporter.start().await.unwrap();
        exporter.attempt(&batch(metric.as_bytes())).await.unwrap();
    }
    assert!(scrape("/metrics", "").await.contains("\nnew_m{"));
    assert!(scrape("/", "").await.starts_with("HTTP/1.1 404"));
    let compressed = scrape("/metrics", "accept-encoding: gzip\r\n").await;
    assert!(compressed.contains("content-encoding: gzip") && !compressed.contains("new_m"), "{compressed}");
    new.stop().await;
    assert!(scrape("/metrics", "").await.contains("\nold_m{"));
    old.stop().await;
    assert!(context.net.connect(&address).await.is_err());
}
