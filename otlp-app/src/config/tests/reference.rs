//! docs/configuration.md lists every key that is taken, noted or refused: its tables are made of the structs and rules.

use super::shipped;
use crate::config::telemetry::TELEMETRY_RULES;
use otlp_service::{ComponentType, KeyRule, RuleKind};
use std::fmt::Write;

/// A struct that mirrors a part of the file.
pub(super) struct Mirror<'a> {
    source: usize,
    name: &'a str,
    fields: Vec<Field<'a>>,
}

struct Field<'a> {
    key: &'a str,
    type_name: &'a str,
    is_list: bool,
    doc: String,
}

/// A key with a value of its own: its path, each part with whether it is a list of maps, and its type.
#[derive(Clone)]
pub(super) struct Key<'a> {
    pub(super) path: Vec<(&'a str, bool)>,
    pub(super) type_name: &'a str,
    doc: &'a str,
}

/// Files that have the structs.
const SOURCES: &[&str] = &[
    include_str!("../receiver.rs"),
    include_str!("../receiver/grpc.rs"),
    include_str!("../receiver/http.rs"),
    include_str!("../processor.rs"),
    include_str!("../processor/actions.rs"),
    include_str!("../processor/group_by_attrs.rs"),
    include_str!("../processor/filter.rs"),
    include_str!("../processor/filter/properties.rs"),
    include_str!("../processor/matching.rs"),
    include_str!("../processor/probabilistic_sampler.rs"),
    include_str!("../processor/resource_detection.rs"),
    include_str!("../processor/span.rs"),
    include_str!("../processor/redaction.rs"),
    include_str!("../processor/transform.rs"),
    include_str!("../connector/routing.rs"),
    include_str!("../exporter.rs"),
    include_str!("../exporter/backlog.rs"),
    include_str!("../exporter/balance.rs"),
    include_str!("../exporter/compression.rs"),
    include_str!("../exporter/dead_letter.rs"),
    include_str!("../exporter/delivery.rs"),
    include_str!("../exporter/local.rs"),
    include_str!("../exporter/prometheus.rs"),
    include_str!("../exporter/queue_batch.rs"),
    include_str!("../exporter/queue_classes.rs"),
    include_str!("../exporter/resolver.rs"),
    include_str!("../tls.rs"),
    include_str!("../extension/health.rs"),
    include_str!("../extension/health_checks.rs"),
    include_str!("../extension/health_v2.rs"),
    include_str!("../extension/api_key.rs"),
    include_str!("../extension/basic.rs"),
    include_str!("../extension/bearer.rs"),
    include_str!("../extension/headers_setter.rs"),
    include_str!("../extension/file_storage.rs"),
    include_str!("../auth.rs"),
    include_str!("../listen.rs"),
    include_str!("../telemetry.rs"),
    include_str!("../telemetry/exporter.rs"),
    include_str!("../telemetry/lines.rs"),
    include_str!("../telemetry/metrics.rs"),
    include_str!("../telemetry/requests.rs"),
];

/// Heading and struct of each table.
pub(super) const TABLES: &[(&str, &str)] = &[
    ("receivers: otlp", "Otlp"),
    ("processors: attributes", "Attributes"),
    ("processors: batch", "Batch"),
    ("processors: groupbyattrs", "GroupByAttrs"),
    ("processors: filter", "Filter"),
    ("processors: memory_limiter", "MemoryLimiter"),
    ("processors: probabilistic_sampler", "Sampler"),
    ("processors: redaction", "Redaction"),
    ("processors: resource", "Resource"),
    ("processors: resource_detection (also: resourcedetection)", "ResourceDetection"),
    ("processors: span", "Span"),
    ("processors: transform", "Transform"),
    ("exporters: otlp_grpc (also: otlp)", "OtlpGrpc"),
    ("exporters: otlp_http (also: otlphttp)", "OtlpHttp"),
    ("exporters: load_balancing (also: loadbalancing)", "LoadBalancing"),
    ("exporters: debug", "Debug"),
    ("exporters: prometheus", "Prometheus"),
    ("connectors: routing", "Routing"),
    ("extensions: health_check", "HealthCheck"),
    ("extensions: healthcheckv2", "HealthCheckV2"),
    ("extensions: api_key", "ApiKeySettings"),
    ("extensions: basicauth (also: basic_auth)", "BasicAuthSettings"),
    ("extensions: bearertokenauth (also: bearer_token_auth)", "BearerTokenAuth"),
    ("extensions: headers_setter", "HeadersSetterSettings"),
    ("extensions: file_storage", "FileStorage"),
    ("service: telemetry", "Telemetry"),
];

#[test]
fn the_page_lists_every_key() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("the mark before the tables");
    let (_, after) = rest.split_once(END).expect("the mark after the tables");
    up_to_date(path, &page, &format!("{before}{BEGIN}\n{}{END}{after}", tables()));
}

#[test]
fn the_schema_describes_every_key() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/commands/config/schema/descriptions.txt");
    let written = std::fs::read_to_string(path).expect("the descriptions");
    up_to_date(path, &written, &descriptions());
}

fn up_to_date(path: &str, written: &str, made: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, made).expect("write the file");
    } else if written != made {
        panic!("{path} is not up to date; UPDATE_DOCS=1 cargo test -p otlp-app --lib reference updates it");
    }
}

/// A heading for each component, and a line for each key: path, tab, description.
fn descriptions() -> String {
    let mirrors = all_mirrors();
    let mut out = String::new();
    for (heading, name) in TABLES {
        let heading = heading.split(" (").next().unwrap_or(heading);
        let _ = writeln!(out, "# {heading}");
        for Key { path, doc, .. } in keys(&mirrors, name) {
            let path: Vec<_> = path.iter().map(|(key, _)| *key).collect();
            let _ = writeln!(out, "{}\t{}", path.join("."), doc);
        }
    }
    out
}

fn tables() -> String {
    let mirrors = all_mirrors();
    let mut out = String::new();
    for (heading, name) in TABLES {
        let _ = write!(out, "### {heading}\n\n| key | meaning, unit, default |\n|---|---|\n");
        for Key { path, doc, .. } in keys(&mirrors, name) {
            let path: Vec<_> = path.iter().map(|(key, _)| *key).collect();
            let path = path.join(".");
            assert!(!doc.is_empty(), "{path} has no doc");
            let _ = writeln!(out, "| `{path}` | {doc} |");
        }
        out.push('\n');
    }
    out.push_str("### Known but not used\n\n| component | key | |\n|---|---|---|\n");
    for ComponentType { name, rules, .. } in shipped().types() {
        rules.iter().copied().flatten().for_each(|rule| rule_row(name, rule, &mut out));
    }
    TELEMETRY_RULES.iter().for_each(|rule| rule_row("service.telemetry", rule, &mut out));
    out.push('\n');
    out
}

pub(super) fn all_mirrors() -> Vec<Mirror<'static>> {
    SOURCES.iter().enumerate().flat_map(|(index, source)| mirrors(index, source)).collect()
}

/// All keys of the table of that struct.
pub(super) fn keys<'a>(mirrors: &'a [Mirror<'a>], name: &str) -> Vec<Key<'a>> {
    let mirror = mirrors.iter().find(|mirror| mirror.name == name).expect("the struct of a table");
    let mut found = Vec::new();
    below(mirrors, mirror, &[], &mut found);
    found
}

fn below<'a>(
    mirrors: &'a [Mirror<'a>],
    mirror: &'a Mirror<'a>,
    path: &[(&'a str, bool)],
    found: &mut Vec<Key<'a>>,
) {
    for Field { key, type_name, is_list, doc } in &mirror.fields {
        let own = mirrors.iter().find(|other| other.name == *type_name && other.source == mirror.source);
        // What the same file says that the type is goes before another file's struct of that name.
        let is_word = SOURCES[mirror.source].contains(&format!("enum {type_name} {{"));
        let other = || mirrors.iter().find(|other| other.name == *type_name && !is_word);
        let path = [path, &[(*key, *is_list)]].concat();
        match own.or_else(other) {
            Some(mirror) => below(mirrors, mirror, &path, found),
            None => found.push(Key { path, type_name, doc }),
        }
    }
}

fn rule_row(component: &str, KeyRule { path, kind, reason }: &KeyRule, out: &mut String) {
    let kind = match kind {
        RuleKind::Ignored => "noted".to_owned(),
        RuleKind::IgnoredUnless(value) => format!("noted unless `{value}`"),
        RuleKind::Optional => "taken".to_owned(),
        RuleKind::OldName => {
            let _ = writeln!(
                out,
                "| {component} | all | noted: it is called `{reason}` now, which has the same keys |"
            );
            return;
        }
        RuleKind::Only("") => "only empty".to_owned(),
        RuleKind::Only(only) => format!("only `{only}`"),
        RuleKind::Refused => "refused".to_owned(),
        RuleKind::Like(_) => "the same keys".to_owned(),
        // Keys of the tables above.
        _ => return,
    };
    let path = match (kind.as_str(), *path) {
        (_, "") => "all".to_owned(),
        ("taken", path) => format!("`{path}.enabled`"),
        (_, path) => format!("`{path}`"),
    };
    let _ = writeln!(out, "| {component} | {path} | {kind}: {reason} |");
}

/// The structs of a source that mirror the file: those that refuse unknown fields.
fn mirrors(source: usize, text: &str) -> Vec<Mirror<'_>> {
    let mut mirrors = Vec::new();
    for (_, from) in text.match_indices("deny_unknown_fields)]\n").map(|(at, _)| text.split_at(at)) {
        let (head, body) = from.split_once(" {").expect("a struct");
        let name = head.rsplit(' ').next().expect("a name");
        let body = body.split_once("}\n").map_or("", |(body, _)| body);
        let mut fields = Vec::new();
        let mut doc = String::new();
        for line in body.lines().map(str::trim) {
            if let Some(text) = line.strip_prefix("///") {
                doc = doc.trim().to_owned() + text;
            } else if let Some((key, type_name)) = line.trim_end_matches(',').split_once(": ") {
                let type_name =
                    type_name.trim_start_matches("Option<").trim_start_matches("Vec<").trim_end_matches('>');
                let is_list = line.contains(": Vec<");
                let key = key.rsplit(' ').next().unwrap_or(key).trim_start_matches("r#");
                let doc = std::mem::take(&mut doc).trim().to_owned();
                fields.push(Field { key, type_name, is_list, doc });
            }
        }
        mirrors.push(Mirror { source, name, fields });
    }
    mirrors
}

const BEGIN: &str = "<!-- made by a test of otlp-app: begin -->";
const END: &str = "<!-- made by a test of otlp-app: end -->";
