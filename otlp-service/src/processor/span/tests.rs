use super::*;
use crate::processor::{AttributeMatch, MatchProperties, TextMatch};
use otlp_protocol::view::RequestView;
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{Body, Charge, Signal, ValidateLimits, json};

/// A request with a span of a name and attributes: texts, or JSON values in `<>`.
fn request(name: &str, attributes: &str) -> Body {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap();
        let value = match value.strip_prefix('<').and_then(|value| value.strip_suffix('>')) {
            Some(value) => format!("{{{value}}}"),
            None => format!(r#"{{"stringValue":"{value}"}}"#),
        };
        format!(r#"{{"key":"{key}","value":{value}}}"#)
    };
    let attributes: Vec<_> = attributes.split_whitespace().map(pair).collect();
    let span = format!(r#"{{"name":"{name}","attributes":[{}]}}"#, attributes.join(","));
    let scope = format!(r#"{{"scope":{{"name":"lib"}},"spans":[{span}]}}"#);
    let resource = r#"{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]}"#;
    let text = format!(r#"{{"resourceSpans":[{{"resource":{resource},"scopeSpans":[{scope}]}}]}}"#);
    json::from_str(Signal::TRACES, &text).unwrap()
}

fn batch(body: &Body) -> Batch {
    Batch::unchecked(body.signal(), body.to_bytes(), body.count(), body.is_mergeable(), Charge::none())
}

/// Name, attributes and status of the span after the processor.
fn processed(config: &SpanConfig, body: &Body) -> String {
    let mut out = Out::new();
    SpanProcessor::new(config.clone()).process(batch(body), &mut out).unwrap();
    let bytes = out.into_batches().remove(0).body().to_bytes();
    let span = RequestView::new(body.signal(), &bytes).spans().next().unwrap();
    let status = span.status();
    format!("{} {:?} {:?} {:?}", span.name(), span.attributes(), status.code(), status.message())
}

#[track_caller]
fn check(config: &SpanConfig, name: &str, attributes: &str, expected: &str) {
    assert_eq!(processed(config, &request(name, attributes)), format!("{expected} Unset \"\""), "{name}");
}

fn rules(rules: &[&str]) -> SpanConfig {
    let rules = rules.iter().map(|rule| Pattern::new(rule).unwrap()).collect();
    let to_attributes = Some(NameRules { rules, ..NameRules::default() });
    SpanConfig { to_attributes, ..SpanConfig::default() }
}

#[test]
fn names_are_made_of_attributes() {
    let config = SpanConfig {
        from_attributes: vec!["db.svc".into(), "operation".into(), "id".into()],
        separator: "::".into(),
        ..SpanConfig::default()
    };
    check(
        &config,
        "old",
        "id=<\"intValue\":\"-7\"> operation=get db.svc=mongo",
        r#"mongo::get::-7 {"id": -7, "operation": "get", "db.svc": "mongo"}"#,
    );
    for (value, text) in [
        ("\"boolValue\":true", "true"),
        ("\"doubleValue\":1e21", "1000000000000000000000"),
        ("\"doubleValue\":0.5", "0.5"),
        ("\"doubleValue\":\"-Infinity\"", "-Inf"),
        ("\"bytesValue\":\"\"", "<unknown-attribute-type>"),
        ("", "<unknown-attribute-type>"),
    ] {
        let named = processed(&config, &request("old", &format!("db.svc=a operation=b id=<{value}>")));
        assert!(named.starts_with(&format!("a::b::{text} ")), "{named}");
    }
    check(&config, "old", "db.svc=mongo operation=get", r#"old {"db.svc": "mongo", "operation": "get"}"#);
    check(&config, "old", "", "old {}");
}

#[test]
fn names_become_attributes() {
    let document = rules(&[r"^/api/v1/document/(?P<documentId>.*)/update$"]);
    check(
        &document,
        "/api/v1/document/321/update",
        "documentId=old a=b",
        r#"/api/v1/document/{documentId}/update {"documentId": "321", "a": "b"}"#,
    );
    check(&document, "/api/v2/document/321/update", "", "/api/v2/document/321/update {}");
    check(&document, "", "", " {}");
    // The second rule is for the name that the first has made.
    let both = rules(&[r"(?P<first>\d+)$", r"^(?P<second>[a-z]+)/"]);
    check(&both, "x/7", "", r#"{second}/{first} {"first": "7", "second": "x"}"#);
    let mut first = both.clone();
    let mut kept = both;
    if let (Some(first), Some(kept)) = (&mut first.to_attributes, &mut kept.to_attributes) {
        (first.break_after_match, kept.keep_original_name) = (true, true);
    }
    check(&first, "x/7", "", r#"x/{first} {"first": "7"}"#);
    check(&kept, "x/7", "", r#"x/7 {"first": "7", "second": "x"}"#);
    // A group without a name, a group within a group, and a group that took no part.
    check(&rules(&["(a)b"]), "cab!", "", r#"c{}b! {"": "a"}"#);
    check(&rules(&["(?P<o>a(?P<i>b)c)(?P<n>x)?"]), "_abc_", "", r#"_{o}_ {"o": "abc", "i": "b", "n": ""}"#);
    // Names are made of attributes first.
    let mut config = document;
    config.from_attributes = vec!["path".into()];
    check(
        &config,
        "old",
        "path=/api/v1/document/9/update",
        r#"/api/v1/document/{documentId}/update {"path": "/api/v1/document/9/update", "documentId": "9"}"#,
    );
}

#[test]
fn the_status_is_replaced_as_a_whole() {
    let status = |code, description: &str| SpanConfig {
        status: Some(SpanStatus { code, description: description.into() }),
        ..SpanConfig::default()
    };
    let failed = SpanProcessor::new(status(StatusCode::Error, "broken"));
    let mut out = Out::new();
    failed.process(batch(&request("n", "")), &mut out).unwrap();
    let failed = out.into_batches().remove(0);
    let failed = Body::check(Signal::TRACES, failed.body().to_bytes(), &ValidateLimits::default()).unwrap();
    for (config, expected) in [
        (SpanConfig::default(), "n {} Error \"broken\""),
        (status(StatusCode::Error, "other"), "n {} Error \"other\""),
        (status(StatusCode::Ok, ""), "n {} Ok \"\""),
        (status(StatusCode::Unset, ""), "n {} Unset \"\""),
    ] {
        assert_eq!(processed(&config, &failed), expected);
    }
}

#[test]
fn spans_are_selected_by_their_resource_scope_and_attributes() {
    let name = |name: &str| {
        Some(MatchProperties { span_names: vec![TextMatch::Is(name.into())], ..MatchProperties::default() })
    };
    let service = |name: &str| MatchProperties {
        services: vec![TextMatch::Is(name.into())],
        ..MatchProperties::default()
    };
    let attribute = AttributeMatch { key: "a".into(), value: None };
    let with = |include: Option<MatchProperties>, exclude: Option<MatchProperties>| {
        let mut config = rules(&["(?P<x>n)"]);
        (config.matching.include, config.matching.exclude) = (include, exclude);
        !processed(&config, &request("n", "a=b")).starts_with("n ")
    };
    assert!(with(None, None) && with(name("n"), None) && with(Some(service("shop")), name("m")));
    assert!(!with(name("m"), None) && !with(None, name("n")) && !with(Some(service("other")), None));
    let by_attribute = MatchProperties { attributes: vec![attribute], ..service("shop") };
    assert!(with(Some(by_attribute.clone()), None) && !with(None, Some(by_attribute)));
}

#[test]
fn unknown_fields_and_other_signals_stay() {
    let field = |number: u32, value: &[u8]| {
        let mut out = Vec::new();
        put_len_delimited(&mut out, number, value);
        out
    };
    let span = [field(5, b"n"), field(99, b"of the span"), field(15, &field(98, b"of the status"))].concat();
    let bytes = field(1, &field(2, &field(2, &span)));
    let body = Body::check(Signal::TRACES, bytes, &ValidateLimits::default()).unwrap();
    let mut config = rules(&["(?P<x>n)"]);
    config.status = Some(SpanStatus { code: StatusCode::Ok, description: String::new() });
    let mut out = Out::new();
    SpanProcessor::new(config.clone()).process(batch(&body), &mut out).unwrap();
    let bytes = out.into_batches().remove(0).body().to_bytes();
    let has = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    assert!(has(b"of the span") && has(b"of the status") && has(b"{x}"));
    for (signal, text) in [
        (Signal::LOGS, r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityText":"n"}]}]}]}"#),
        (
            Signal::METRICS,
            r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"n","gauge":{"dataPoints":[{}]}}]}]}]}"#,
        ),
        (Signal::PROFILES, r#"{"resourceProfiles":[{"scopeProfiles":[{"profiles":[{"samples":[{}]}]}]}]}"#),
    ] {
        let body = json::from_str(signal, text).unwrap();
        let mut out = Out::new();
        SpanProcessor::new(config.clone()).process(batch(&body), &mut out).unwrap();
        assert_eq!(out.into_batches()[0].body().to_bytes(), body.to_bytes());
    }
}
