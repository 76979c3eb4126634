//! Every key of docs/configuration.md is taken, and every example of the documentation loads.

use super::reference::{Key, TABLES, all_mirrors, keys};
use super::*;
use crate::config::telemetry::TELEMETRY_RULES;
use otlp_service::{ComponentType, RuleKind};

#[test]
fn every_key_of_the_page_is_taken() {
    let mirrors = all_mirrors();
    let (mut count, mut wrong) = (0, String::new());
    for (heading, name) in TABLES {
        let (section, component) = place(heading);
        for key in keys(&mirrors, name) {
            let settings = nested(component, &key.path, "", value(component, &key));
            let text = around_component(section, component, &settings);
            wrong += &Fake::default().file("c.yaml", text).load(&["c.yaml"], &[]).err().unwrap_or_default();
            count += 1;
        }
    }
    assert_eq!(wrong, "");
    assert!(count > 200, "{count} keys");
}

#[test]
fn the_schema_refuses_every_misspelt_key() {
    let mirrors = all_mirrors();
    let mut taken = Vec::new();
    for (heading, name) in TABLES {
        let (section, component) = place(heading);
        for mut key in keys(&mirrors, name) {
            let Some((last, _)) = key.path.last_mut() else { continue };
            let misspelt = format!("{last}x");
            *last = &misspelt;
            let settings = nested(component, &key.path, "", "a".into());
            let text = around_component(section, component, &settings);
            if schema::refusals(&text).is_empty() {
                taken.push(text);
            }
        }
    }
    assert!(taken.is_empty(), "{}", taken.join("\n"));
}

#[test]
fn every_key_that_is_noted_is_taken_with_a_note() {
    let plugins = shipped();
    let of_components = plugins
        .types()
        .iter()
        .flat_map(|known| known.rules.iter().copied().flatten().map(move |rule| (Some(known), rule)));
    for (component, rule) in of_components.chain(TELEMETRY_RULES.iter().map(|rule| (None, rule))) {
        let ComponentTypeAt { section, name } = component.map_or(TELEMETRY, ComponentTypeAt::of);
        if !matches!(rule.kind, RuleKind::Ignored | RuleKind::IgnoredUnless(_)) {
            continue;
        }
        let path = rule.path.replace('*', if name == "load_balancing" { "otlp" } else { "http" });
        let lists = ["readers"];
        let steps: Vec<_> = path.split('.').map(|key| (key, lists.contains(&key))).collect();
        let settings = if path.is_empty() { "{}".into() } else { nested(name, &steps, "", "x".into()) };
        let text = around_component(section, name, &settings);
        let notes = plan(&text).notes;
        assert!(notes.iter().any(|note| note.text.contains(" is ignored: ")), "{text}");
    }
}

/// A component's place in a file.
struct ComponentTypeAt {
    section: &'static str,
    name: &'static str,
}

const TELEMETRY: ComponentTypeAt = ComponentTypeAt { section: "service", name: "telemetry" };

impl ComponentTypeAt {
    fn of(component: &ComponentType) -> Self {
        Self { section: component.kind().section(), name: component.name }
    }
}

/// The section and the name in a table's heading.
fn place(heading: &'static str) -> (&'static str, &'static str) {
    let (section, name) = heading.split_once(": ").expect("section and component");
    (section, name.split(' ').next().unwrap_or(name))
}

fn around_component(section: &str, component: &str, settings: &str) -> String {
    let telemetry = if section == "service" { format!(", telemetry: {settings}") } else { String::new() };
    let mut sections = [("receivers", "otlp/base: {protocols: {grpc: }}"), ("exporters", "nop/base: ")]
        .map(|(name, base)| (name, base.to_owned()))
        .to_vec();
    if section != "service" {
        let tested = format!("{component}: {settings}");
        match sections.iter_mut().find(|(name, _)| *name == section) {
            Some((_, components)) => *components = format!("{components}, {tested}"),
            None => sections.push((section, tested)),
        }
    }
    let sections: String =
        sections.iter().map(|(name, components)| format!("{name}: {{{components}}}\n")).collect();
    format!(
        "{sections}service: {{pipelines: {{traces: {{receivers: [otlp/base], exporters: [nop/base]}}}}{telemetry}}}\n"
    )
}

/// A value below a path, with what its component requires beside it.
fn nested(component: &str, path: &[(&str, bool)], at: &str, value: String) -> String {
    let [(key, is_list), rest @ ..] = path else { return value };
    let leaf = path.last().map_or("", |(key, _)| *key);
    let here = if at.is_empty() { (*key).to_owned() } else { format!("{at}.{key}") };
    let below = nested(component, rest, &here, value);
    let below = if *is_list { format!("[{below}]") } else { below };
    let beside: String = required(component, at, leaf)
        .iter()
        .filter(|(required, _)| required != key)
        .map(|(required, value)| format!(", {required}: {value}"))
        .collect();
    format!("{{{key}: {below}{beside}}}")
}

/// Settings that a component requires below a path, if the key `leaf` is given.
fn required(component: &str, at: &str, leaf: &str) -> &'static [(&'static str, &'static str)] {
    match (component, at, leaf) {
        ("otlp_grpc", "", "ratio_weight" | "speed_weight" | "decompress_weight") => {
            &[("endpoint", "'c:1'"), ("compression", "adaptive")]
        }
        ("otlp_http", "", "ratio_weight" | "speed_weight" | "decompress_weight") => {
            &[("endpoint", "'http://c:1'"), ("compression", "adaptive")]
        }
        ("otlp_grpc" | "prometheus", "", _) => &[("endpoint", "'c:1'")],
        ("otlp_http", "", _) => &[("endpoint", "'http://c:1'")],
        ("load_balancing", "", "routing_attributes") => {
            &[("routing_key", "attributes"), ("resolver", "{dns: {hostname: a}}")]
        }
        ("load_balancing", "", "metadata_key") => {
            &[("routing_key", "metadata"), ("resolver", "{dns: {hostname: a}}")]
        }
        (_, "dead_letter", _) => &[("directory", "/d")],
        (
            _,
            "sending_queue",
            "order" | "max_bytes_per_second" | "max_share" | "max_age" | "name" | "conditions",
        ) => &[("storage", "a")],
        (_, "sending_queue.classes", _) => &[("name", "b"), ("conditions", "['span.name == nil']")],
        ("load_balancing", "", _) => &[("resolver", "{dns: {hostname: a}}")],
        ("load_balancing", "resolver.dns", _) => &[("hostname", "a")],
        ("load_balancing", "resolver.file", _) => &[("path", "/a")],
        ("memory_limiter", "", _) => &[("limit_mib", "64")],
        ("redaction", "", "hash_salt") => &[("hash_function", "md5")],
        ("redaction", "", "hmac_key") => &[("hash_function", "hmac-sha256")],
        ("span", "", _) => &[("status", "{code: Ok}")],
        ("attributes", "", _) => &[("actions", "[{key: a, action: delete}]")],
        ("attributes", "actions", _) | ("resource", "attributes", _) => match leaf {
            "from_attribute" | "from_context" => &[("key", "a"), ("action", "insert")],
            "default_value" => &[("key", "a"), ("action", "insert"), ("from_context", "client.address")],
            "pattern" => &[("key", "a"), ("action", "extract")],
            "converted_type" => &[("key", "a"), ("action", "convert")],
            _ => &[("key", "a"), ("action", "insert"), ("value", "1")],
        },
        ("attributes" | "span", "include" | "exclude", "resources") => &[("match_type", "strict")],
        ("attributes" | "span", "include" | "exclude", _) => &[("match_type", "strict"), ("services", "[a]")],
        ("attributes" | "span", "include.log_severity_number" | "exclude.log_severity_number", _) => {
            &[("min", "9")]
        }
        ("attributes" | "span", _, "value") => &[("key", "a")],
        ("attributes" | "span", _, "version") => &[("name", "a")],
        ("span", "status", "description") => &[("code", "Error")],
        ("filter", "spans.include" | "spans.exclude", _) => &[("match_type", "strict"), ("services", "[a]")],
        ("filter", "metrics.include" | "metrics.exclude", _) => {
            &[("match_type", "strict"), ("metric_names", "[a]")]
        }
        ("filter", "logs.include" | "logs.exclude", _) => &[("match_type", "strict"), ("bodies", "[a]")],
        ("filter", at, _) if at.ends_with("attributes") || at.ends_with("resources") => &[("key", "a")],
        ("filter", at, _) if at.ends_with("libraries") => &[("name", "a")],
        ("routing", "", _) => &[("table", "[{condition: 'span.name == nil', pipelines: [traces/a]}]")],
        ("routing", "table", "statement") => &[("pipelines", "[traces/a]")],
        ("routing", "table", _) => &[("condition", "'span.name == nil'"), ("pipelines", "[traces/a]")],
        ("api_key", "", _) => &[("keys", "[{name: a, key: b}]")],
        ("api_key", "keys", _) => &[("name", "a"), ("key", "b")],
        ("basicauth", "client_auth", _) => &[("username", "a"), ("password", "b")],
        ("bearertokenauth", "", "tokens" | "filename") => &[],
        ("bearertokenauth", "", _) => &[("token", "a")],
        ("health_check" | "healthcheckv2", "checks.stores", _) => &[("directory", "/d")],
        ("headers_setter", "", _) => &[("headers", "[{key: a, value: b}]")],
        ("headers_setter", "headers", "value_file" | "from_context" | "from_attribute") => &[("key", "a")],
        ("headers_setter", "headers", "default_value") => &[("key", "a"), ("from_context", "b")],
        ("headers_setter", "headers", _) => &[("key", "a"), ("value", "b")],
        (
            "telemetry",
            "metrics.readers.periodic" | "logs.processors.batch" | "traces.processors.batch",
            _,
        ) => &[("exporter", "{console: {}}")],
        _ => &[],
    }
}

/// A value that a key takes.
fn value(component: &str, Key { path, type_name, .. }: &Key<'_>) -> String {
    let (leaf, _) = path.last().copied().unwrap_or_default();
    let by_name = match (component, leaf) {
        (_, "endpoint") => "'http://c:1'",
        (_, "level") => "normal",
        ("telemetry", "address") => "'a:1'",
        ("telemetry", "headers_list") => "'a=b'",
        ("telemetry", "interval") => "1000",
        (_, "action") => "insert",
        (_, "from_attribute") if component == "headers_setter" => "subject",
        (_, "from_context") if component != "headers_setter" => "client.address",
        (_, "pattern") => "'(?P<a>x)'",
        (_, "converted_type") => "int",
        (_, "match_type") => "strict",
        (_, "span_kinds") => "SPAN_KIND_SERVER",
        ("span", "code") => "Ok",
        ("resource_detection", "detectors") => "env",
        ("resource_detection", "hostname_sources") => "os",
        ("resource_detection", "resource_attributes") => "{}",
        (_, "path") => "/p",
        (_, "compression_algorithms") => "gzip",
        (_, "max_size") => "10000",
        (_, "overflow") => "refuse",
        _ => "",
    };
    let by_name = match (component, leaf) {
        ("filter", "min") => "INFO2",
        ("probabilistic_sampler", "attribute_source") => "record",
        ("probabilistic_sampler", "mode") => "equalizing",
        ("probabilistic_sampler", "sampling_percentage") => "10",
        ("redaction", "hash_function") => "md5",
        ("redaction", "hmac_key") => "0123456789abcdef0123456789abcdef",
        ("redaction", "summary") => "debug",
        ("filter" | "routing" | "transform", "error_mode") => "silent",
        ("transform", leaf) if leaf.ends_with("_statements") => "'set(resource.attributes[\"a\"], 1)'",
        ("routing", "context") => "span",
        ("routing", "condition") => "'span.name == nil'",
        ("routing", "statement") => "'route()'",
        ("routing", "action") => "copy",
        ("filter", leaf) if leaf.ends_with("_conditions") => "'resource.attributes[\"a\"] == 1'",
        ("filter", "resource" | "span" | "spanevent" | "metric" | "datapoint" | "log_record" | "profile") => {
            "'1 == 1'"
        }
        ("otlp" | "health_check" | "healthcheckv2" | "prometheus", "endpoint") => "'localhost:1'",
        (_, "conditions") if path.iter().any(|(key, _)| *key == "classes") => "'span.name == nil'",
        ("prometheus", "const_labels") => "{a: b}",
        ("prometheus", "translation_strategy") => "NoTranslation",
        (_, "directory") => "/d",
        (_, "max_bytes") => "1048576",
        ("telemetry", "level") if path.first().is_some_and(|(key, _)| *key == "logs") => "warn",
        _ => by_name,
    };
    let by_type = match *type_name {
        "bool" => "true",
        "u8" | "u16" | "u32" | "u64" | "AtLeastZero" | "i64" => "7",
        "f64" => "0.5",
        "GoDuration" => "3s",
        "Transport" => "tcp4",
        "Utf8" | "Ids" => "refuse",
        "Version" => "1.3",
        "ContentEncoding" => "gzip",
        "Unit" | "BatchUnit" => "items",
        "BodyEncoding" | "LogEncoding" => "json",
        "balance::BalancerName" | "Policy" => "round_robin",
        "Routed" => "service",
        "DebugVerbosity" => "normal",
        "Affected" => "readiness",
        "WhenEmpty" => "refuse",
        "Order" => "newest_first",
        "Stored" => "zstd",
        "Headers" | "Fields" | "OwnAttributes" => "{a: b}",
        "OwnProtocol" => "http/json",
        "OwnCompression" => "gzip",
        "OwnTemporality" => "delta",
        "Present" | "Box<OwnParentBased" => "{}",
        "Box<OtlpGrpc" | "Box<OtlpHttp" => "{}",
        _ => "a",
    };
    (if by_name.is_empty() { by_type } else { by_name }).to_owned()
}
