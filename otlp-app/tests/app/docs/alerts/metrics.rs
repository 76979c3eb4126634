//! The metrics that a gateway has, and those that docs/operations.md lists.

use crate::docs::examples::placed;
use crate::docs::read;
use crate::process::{Otlp, Socket, command, http};
use otlp_protocol::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

/// Metrics by name.
#[derive(Default)]
pub(super) struct Known {
    pub(super) labels: BTreeMap<String, BTreeSet<String>>,
    values: BTreeSet<(String, String, String)>,
    histograms: BTreeSet<String>,
}

/// Labels whose values are the same in every gateway.
const FIXED: [&str; 4] = ["reason", "state", "stream", "success"];
const SUFFIXES: [&str; 3] = ["_bucket", "_count", "_sum"];

// === impl Known ===

impl Known {
    /// Those of a gateway that uses every component.
    pub(super) fn of_a_gateway() -> Self {
        let pipelines = Signal::ALL.map(|signal| {
            let rest = "{receivers: [otlp], processors: [memory_limiter, resource, resource_detection, groupbyattrs, filter, transform, batch], exporters: [otlp, \
                        load_balancing]}";
            format!("{}: {rest}", signal.name)
        });
        let sampled = ["traces/sampled", "logs/sampled"].map(|id| {
            format!("{id}: {{receivers: [otlp], processors: [probabilistic_sampler, redaction], exporters: [otlp]}}")
        });
        let routed = [
            "logs/in: {receivers: [otlp], exporters: [routing]}",
            "logs/routed: {receivers: [routing], exporters: [otlp]}",
        ];
        let routed = routed.map(str::to_owned);
        // Two gateways at a time cannot have one queue open.
        static QUEUES: AtomicU32 = AtomicU32::new(0);
        let number = QUEUES.fetch_add(1, Ordering::Relaxed);
        let queue = format!("{}/queue_of_metrics_{number}", env!("CARGO_TARGET_TMPDIR"));
        let dead = concat!(env!("CARGO_TARGET_TMPDIR"), "/dead_letter_of_metrics");
        let config = placed(&format!(
            "receivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0, tls: {{cert_file: /etc/otlp/tls.crt, \
             key_file: /etc/otlp/tls.key}}}}}}}}}}\n\
             processors: {{batch: {{adaptive: {{}}}}, memory_limiter: {{limit_mib: 64}}, probabilistic_sampler: \
             {{sampling_percentage: 10}}, redaction: {{}}, resource: {{attributes: [{{key: a, value: b, action: insert}}]}}, \
             groupbyattrs: , resource_detection: , filter: {{trace_conditions: ['span.name == \"a\"'], metric_conditions: \
             ['metric.name == \"a\"'], log_conditions: ['log.body == \"a\"'], profile_conditions: ['resource.attributes[\"a\"] == 1']}}, \
             transform: {{log_statements: ['set(log.body, 1)']}}}}\n\
             connectors: {{routing: {{table: [{{context: log, condition: 'body == \"a\"', pipelines: [logs/routed]}}]}}}}\n\
             extensions: {{file_storage: {{directory: '{queue}', create_directory: true}}}}\n\
             exporters:\n  otlp: {{endpoint: 127.0.0.1:1, sending_queue: {{storage: file_storage, batch: , classes: [{{name: a, conditions: ['log.body == \"a\"']}}]}}, compression: adaptive, \
             tls: {{insecure: true}}, dead_letter: {{directory: '{dead}'}}}}\n  load_balancing: {{protocol: \
             {{otlp: {{tls: {{insecure: true}}}}}}, resolver: {{static: {{hostnames: [127.0.0.1:1]}}}}}}\n\
             service: {{extensions: [file_storage], telemetry: {{metrics: {{level: detailed, readers: [{{pull: {{exporter: {{prometheus: {{host: \
             127.0.0.1, port: 0}}}}}}}}, {{periodic: {{exporter: {{otlp: {{protocol: grpc, endpoint: 'http://127.0.0.1:1'}}}}}}}}]}}, \
             logs: {{processors: [{{batch: {{exporter: {{console: }}}}}}]}}, traces: {{processors: [{{simple: {{exporter: \
             {{console: }}}}}}]}}}}, pipelines: {{{}}}}}\n",
            pipelines.into_iter().chain(sampled).chain(routed).collect::<Vec<_>>().join(", ")
        ));
        let admin = Socket::new();
        let otlp = Otlp::start(command(&["--config", &config, "--admin", &admin.0]), &["metrics"]);
        let (status, answer) = http(otlp.address("metrics"), "GET", "/metrics", &[]);
        assert_eq!(status, 200, "{answer}");
        Self::of_page(answer.split_once("\r\n\r\n").map_or("", |(_, page)| page))
    }

    /// Those of a page of metrics.
    pub(super) fn of_page(page: &str) -> Self {
        let mut known = Self::default();
        let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" histogram"));
        known.histograms = types.map(str::to_owned).collect();
        for line in page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (series, _) = line.rsplit_once(' ').unwrap_or((line, ""));
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let name = known.histogram_of(name).unwrap_or(name);
            let of_metric = known.labels.entry(name.to_owned()).or_default();
            for label in labels.trim_end_matches('}').split("\",").filter(|label| !label.is_empty()) {
                let (label, value) = label.split_once("=\"").unwrap_or((label, ""));
                if label != "le" {
                    of_metric.insert(label.to_owned());
                }
                known.values.insert((
                    name.to_owned(),
                    label.to_owned(),
                    value.trim_end_matches('"').to_owned(),
                ));
            }
        }
        known
    }

    /// Those in the table of docs/operations.md.
    pub(super) fn of_the_page() -> Self {
        let mut known = Self::default();
        for line in read("docs/operations.md").lines() {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, name, "counter" | "gauge" | "histogram", labels, ..] = cells.as_slice() else { continue };
            let labels = without_parentheses(labels);
            let labels: BTreeSet<String> = labels
                .split(',')
                .map(str::trim)
                .filter(|label| !label.is_empty())
                .map(str::to_owned)
                .collect();
            for signal in Signal::ALL {
                let noun = signal.items_noun.split('_').next().unwrap_or_default().trim_end_matches('s');
                let name =
                    name.trim_matches('`').replace("<items>", signal.items_noun).replace("<noun>", noun);
                known.labels.insert(name, labels.clone());
            }
        }
        known
    }

    /// The labels of a series, `le` of buckets aside; `None` if there is no such series.
    pub(super) fn of_series(&self, name: &str) -> Option<impl Iterator<Item = &str>> {
        let name = match self.histograms.contains(name) {
            true => return None,
            false => self.histogram_of(name).unwrap_or(name),
        };
        self.labels.get(name).map(|labels| labels.iter().map(String::as_str))
    }

    /// The histogram that a series belongs to.
    fn histogram_of<'a>(&self, name: &'a str) -> Option<&'a str> {
        let family = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
        family.filter(|family| self.histograms.contains(*family))
    }

    /// Whether some series of a metric has that label, and that value if values are the same in every gateway.
    pub(super) fn has_value(&self, metric: &str, label: &str, value: &str) -> bool {
        let has_label = self.labels.get(metric).is_some_and(|labels| labels.contains(label));
        let key = (metric.to_owned(), label.to_owned(), value.to_owned());
        has_label && (!FIXED.contains(&label) || self.values.contains(&key))
    }
}

/// Labels without the values that are named behind them: `side (client, server)`.
fn without_parentheses(text: &str) -> String {
    text.split('(').map(|part| part.rsplit(')').next().unwrap_or_default()).collect()
}
