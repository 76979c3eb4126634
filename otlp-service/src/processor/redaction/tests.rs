use super::url::UrlSanitizer;
use super::*;
use crate::telemetry::Registry;
use otlp_protocol::json::{from_str, to_string};
use otlp_protocol::{Body, Charge, Signal, ValidateLimits};

fn config(change: impl FnOnce(&mut RedactionConfig)) -> RedactionConfig {
    let mut config = RedactionConfig { allow_all_keys: true, ..RedactionConfig::default() };
    change(&mut config);
    config
}

fn run(processor: &dyn Processor, body: Body) -> Body {
    let mut out = Out::new();
    processor.process(Batch::new(body, Charge::none()), &mut out).unwrap();
    let batches = out.into_batches();
    let body = batches[0].body().clone();
    Body::check(body.signal(), body.to_bytes(), &ValidateLimits::default()).unwrap();
    body
}

#[track_caller]
fn check(config: &RedactionConfig, signal: Signal, from: &str, to: &str) {
    let redacted = run(&RedactionProcessor::new(config).unwrap(), from_str(signal, from).unwrap());
    assert_eq!(to_string(&redacted).unwrap(), to_string(&from_str(signal, to).unwrap()).unwrap());
}

/// A request with a span of these fields.
fn span(fields: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"name":"x",{fields}}}]}}]}}]}}"#)
}

/// A request with a log record of these fields.
fn record(fields: &str) -> String {
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{fields}}}]}}]}}]}}"#)
}

fn text(key: &str, value: &str) -> String {
    format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#)
}

fn count(key: &str, value: i64) -> String {
    format!(r#"{{"key":"{key}","value":{{"intValue":"{value}"}}}}"#)
}

#[test]
fn attributes_of_all_levels_are_redacted_and_their_summaries_count() {
    let config = config(|config| {
        config.blocked_values = vec!["[0-9]{4}".into()];
        config.blocked_key_patterns = vec!["^pass".into()];
        config.summary = RedactionSummary::Debug;
    });
    let request = |attributes: &str, links: &str| {
        format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{attributes}]}},"scopeSpans":[{{"scope":{{"attributes":[{attributes}]}},
            "spans":[{{"name":"1234","attributes":[{attributes}],"events":[{{"name":"e","attributes":[{attributes}]}},{{"name":"f"}}],
            "links":[{{"traceId":"","attributes":[{links}]}}]}}]}}]}}]}}"#
        )
    };
    let from = [text("card", "no 12345"), text("pass", "a\\nb"), text("kept", "x")].join(",");
    let to = [
        text("card", "no ****5"),
        text("pass", "****\\n****"),
        text("kept", "x"),
        text("redaction.masked.keys", "card,pass"),
        count("redaction.masked.count", 2),
    ]
    .join(",");
    check(&config, Signal::TRACES, &request(&from, &from), &request(&to, &from));
    let config = RedactionConfig { links_and_exemplars: true, ..config };
    check(&config, Signal::TRACES, &request(&from, &from), &request(&to, &to));
}

#[test]
fn data_points_and_exemplars_are_redacted() {
    let request = |point: &str, exemplar: &str| {
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"m","gauge":{{"dataPoints":[{{"asInt":"1","attributes":[{point}],
            "exemplars":[{{"asInt":"1","filteredAttributes":[{exemplar}]}}]}}]}}}}]}}]}}]}}"#
        )
    };
    let (old, new) = (text("a", "secret"), text("a", "****"));
    let mut config = config(|config| config.blocked_values = vec!["secret".into()]);
    check(&config, Signal::METRICS, &request(&old, &old), &request(&new, &old));
    config.links_and_exemplars = true;
    check(&config, Signal::METRICS, &request(&old, &old), &request(&new, &new));
}

#[test]
fn the_first_rule_that_applies_decides() {
    let config = RedactionConfig {
        allowed_keys: ["a", "b", "c", "d"].map(String::from).to_vec(),
        ignored_keys: vec!["ignored".into()],
        ignored_key_patterns: vec!["^x-".into()],
        allowed_values: vec!["^ok".into()],
        blocked_values: vec!["1".into(), r"\*{4}2".into()],
        blocked_key_patterns: vec!["c".into()],
        summary: RedactionSummary::Info,
        ..RedactionConfig::default()
    };
    let from = [
        text("ignored", "1"),
        text("x-1", "1"),
        text("gone", "1"),
        text("a", "ok 1"),
        text("b", "12"),
        text("c", "x"),
        r#"{"key":"d","value":{"intValue":"1"}}"#.to_owned(),
    ];
    let to = [
        text("ignored", "1"),
        text("x-1", "1"),
        text("a", "ok 1"),
        text("b", "****"),
        text("c", "****"),
        r#"{"key":"d","value":{"intValue":"1"}}"#.to_owned(),
        count("redaction.redacted.count", 1),
        count("redaction.masked.count", 2),
        count("redaction.allowed.count", 1),
        count("redaction.ignored.count", 2),
    ];
    let with = |attributes: &[String]| span(&format!(r#""attributes":[{}]"#, attributes.join(",")));
    check(&config, Signal::TRACES, &with(&from), &with(&to));
    let all_types = RedactionConfig { redact_all_types: true, summary: RedactionSummary::Silent, ..config };
    let to = [&to[..5], &[text("d", "****")]].concat();
    check(&all_types, Signal::TRACES, &with(&from), &with(&to));
}

#[test]
fn log_bodies_are_redacted_at_any_depth() {
    let config = RedactionConfig {
        allowed_keys: ["user", "mail", "list"].map(String::from).to_vec(),
        blocked_values: vec!["[a-z]+@[a-z.]+".into(), "4{4}".into()],
        summary: RedactionSummary::Debug,
        ..RedactionConfig::default()
    };
    let map = |entries: &str| format!(r#"{{"kvlistValue":{{"values":[{entries}]}}}}"#);
    let list = |values: &str| format!(r#"{{"arrayValue":{{"values":[{values}]}}}}"#);
    let body = |mail: &str, number: &str, gone: &str| {
        let inner = map(&format!(r#"{}{gone}"#, text("mail", mail)));
        let list = list(&format!(r#"{number},{{"stringValue":"{mail}"}},{{"boolValue":true}}"#));
        map(&format!(r#"{{"key":"user","value":{inner}}},{{"key":"list","value":{list}}}"#))
    };
    let from = body("a@b.example", r#"{"intValue":"44445"}"#, &format!(",{}", text("name", "x")));
    let to = body("****", r#"{"stringValue":"****5"}"#, "");
    let summary = [
        text("redaction.body.redacted.keys", "user.name"),
        count("redaction.body.redacted.count", 1),
        text("redaction.body.masked.keys", "list.[0],list.[1],user.mail"),
        count("redaction.body.masked.count", 3),
    ]
    .join(",");
    let wanted = record(&format!(r#""body":{to},"attributes":[{summary}]"#));
    check(&config, Signal::LOGS, &record(&format!(r#""body":{from}"#)), &wanted);
    let masked = format!(
        r#""body":{{"stringValue":"to ****"}},"attributes":[{},{}]"#,
        text("redaction.body.masked.keys", "body"),
        count("redaction.body.masked.count", 1)
    );
    check(&config, Signal::LOGS, &record(r#""body":{"stringValue":"to a@b.example"}"#), &record(&masked));
    let number = record(r#""body":{"intValue":"7"}"#);
    check(&config, Signal::LOGS, &number, &number);
}

#[cfg(feature = "hash")]
#[test]
fn hashes_are_those_of_their_specifications() {
    let masked = |hash: RedactionHash, salt: &str| {
        let mut config = config(|config| config.blocked_values = vec!["abc".into()]);
        (config.hash, config.hash_salt) = (hash, salt.into());
        let body = from_str(Signal::LOGS, &record(r#""body":{"stringValue":"abc"}"#)).unwrap();
        let body = run(&RedactionProcessor::new(&config).unwrap(), body);
        let text = to_string(&body).unwrap();
        text.split("stringValue\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    // RFC 1321, FIPS 180-4, FIPS 202.
    assert_eq!(masked(RedactionHash::Md5, ""), "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(masked(RedactionHash::Sha1, ""), "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_eq!(
        masked(RedactionHash::Sha3, ""),
        "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"
    );
    // The hash of "saltabc".
    assert_eq!(masked(RedactionHash::Md5, "ab"), masked_whole("ababc"));
    let long = masked(RedactionHash::HmacSha512(vec![b'k'; 64]), "");
    assert_eq!((long.len(), masked(RedactionHash::HmacSha256(vec![b'k'; 32]), "").len()), (128, 64));
}

#[cfg(feature = "hash")]
fn masked_whole(text: &str) -> String {
    let mut config = config(|config| config.blocked_values = vec!["^.*$".into()]);
    config.hash = RedactionHash::Md5;
    let body = from_str(Signal::LOGS, &record(&format!(r#""body":{{"stringValue":"{text}"}}"#))).unwrap();
    let json = to_string(&run(&RedactionProcessor::new(&config).unwrap(), body)).unwrap();
    json.split("stringValue\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[test]
fn identifiers_in_urls_are_replaced() {
    let url = UrlSanitizer::new(&UrlSanitizerConfig::default());
    let known = [
        ("/users/12345/orders", "/users/*/orders"),
        ("/users/jdfklsjdfk/x", "/users/*/x"),
        ("/v1/products/8f14e45fceea167a", "/v1/products/*"),
        ("https://shop.example/cart/42?token=abc#top", "*//shop.example/cart/*"),
        ("/a/b/c/d/e/f/g/h/i/j/k/l/m", "/a/b/c/d/e/f/g/h/i"),
        ("GET /users/42", "GET /users/*"),
        ("/attach?session=1", "/attach"),
        ("?x", ""),
        ("", ""),
    ];
    for (from, to) in known {
        assert_eq!(url.sanitize(from), to, "{from}");
    }
}

#[test]
fn values_in_statements_of_databases_are_replaced() {
    let mut config = config(|config| config.summary = RedactionSummary::Info);
    let database = DatabaseConfig { enabled: true, attributes: vec!["statement".into()] };
    config.db_sanitizer.redis = database.clone();
    config.db_sanitizer.mongo = database;
    let with = |system: &str, statement: &str, rest: &str| {
        let attributes =
            [text("db.system", system), text("statement", statement), text("other", "SET k v")].join(",");
        span(&format!(r#""kind":3,"attributes":[{attributes}{rest}]"#))
    };
    let masked = format!(",{}", count("redaction.masked.count", 1));
    check(
        &config,
        Signal::TRACES,
        &with("Redis", "SET k v\\nGET k", ""),
        &with("Redis", "SET k ?\\nGET k", &masked),
    );
    let query = |value: &str| format!(r#"{{\"find\":\"{value}\"}}"#);
    check(&config, Signal::TRACES, &with("mongodb", &query("x"), ""), &with("mongodb", &query("?"), &masked));
    check(&config, Signal::TRACES, &with("mysql", "SET k v", ""), &with("mysql", "SET k v", ""));
    let name = |name: &str| {
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"name":"{name}","kind":3,"attributes":[{}]}}]}}]}}]}}"#,
            text("db.system.name", "redis")
        )
    };
    check(&config, Signal::TRACES, &name("SET k v"), &name("SET k ?"));
    config.db_sanitizer.sanitize_span_name = Some(false);
    check(&config, Signal::TRACES, &name("SET k v"), &name("SET k v"));
}

#[test]
fn values_in_sql_are_replaced_by_the_rules_of_the_system() {
    let mut config = config(|_| {});
    config.db_sanitizer.sql = DatabaseConfig { enabled: true, attributes: vec!["statement".into()] };
    let with = |name: &str, system: &str, statement: &str| {
        let attributes = [text("db.system.name", system), text("statement", statement)].join(",");
        let span = format!(r#"{{"name":"{name}","kind":3,"attributes":[{attributes}]}}"#);
        format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#)
    };
    let statement = r#"SELECT 'a', \"b1\" FROM c WHERE d = 5"#;
    for (system, sanitized) in [
        ("PostgreSQL", r#"SELECT ?, \"b?\" FROM c WHERE d = ?"#),
        ("sqlite", r#"SELECT ?, \"b?\" FROM c WHERE d = ?"#),
        ("other_sql", r#"SELECT ?, \"b?\" FROM c WHERE d = ?"#),
        ("mysql", "SELECT ?, ? FROM c WHERE d = ?"),
        ("mariadb", "SELECT ?, ? FROM c WHERE d = ?"),
        ("oracle", statement),
        ("", statement),
    ] {
        let from = with(statement, system, statement);
        check(&config, Signal::TRACES, &from, &with(sanitized, system, sanitized));
    }
    let log = |body: &str, statement: &str| {
        record(&format!(
            r#""body":{{"stringValue":"{body}"}},"attributes":[{}]"#,
            text("statement", statement)
        ))
    };
    check(&config, Signal::LOGS, &log("LIMIT 5", "LIMIT 5"), &log("LIMIT ?", "LIMIT ?"));
    let log = |body: &str, system: &str| {
        record(&format!(r#""body":{{"stringValue":"{body}"}},"attributes":[{}]"#, text("db.system", system)))
    };
    let (from, to) = (r#"a = \"b\""#, "a = ?");
    check(&config, Signal::LOGS, &log(from, "mysql"), &log(to, "mysql"));
    check(&config, Signal::LOGS, &log(from, "sqlite"), &log(from, "sqlite"));
}

#[test]
fn what_no_reader_sees_is_removed() {
    let field = |number: u8, value: &[u8]| [&[number << 3 | 2, value.len() as u8][..], value].concat();
    // A span with the attribute `a` of two types, of which the last counts, and an unknown field.
    let value = [field(1, b"secret"), vec![0x18, 1]].concat();
    let attribute = field(9, &[field(1, b"a"), field(2, &value)].concat());
    let span = [field(5, b"x"), attribute, vec![0xfa, 1, 6], b"secret".to_vec()].concat();
    let bytes = field(1, &field(2, &field(2, &span)));
    let body = Body::check(Signal::TRACES, bytes, &ValidateLimits::default()).unwrap();
    let has = |body: &Body| body.to_bytes().windows(6).filter(|window| window == b"secret").count();
    assert_eq!(has(&body), 2);
    let processor = RedactionProcessor::new(&config(|_| {})).unwrap();
    assert_eq!(has(&run(&processor, body)), 0);
}

#[test]
fn a_dry_run_counts_by_rule_and_changes_nothing() {
    let config = RedactionConfig {
        allowed_keys: vec!["a".into(), "b".into()],
        blocked_values: vec!["1".into(), "2".into()],
        blocked_key_patterns: vec!["b".into()],
        summary: RedactionSummary::Debug,
        dry_run: true,
        ..RedactionConfig::default()
    };
    let registry = Registry::new();
    let metrics = ProcessorMetrics::new(&registry, "redaction", "traces", Signal::TRACES);
    let processor = RedactionProcessor::new(&config).unwrap().with_metrics(&metrics).unwrap();
    let attributes = [text("a", "12"), text("a", "2"), text("b", "x"), text("c", "1")].join(",");
    let body = from_str(Signal::TRACES, &span(&format!(r#""attributes":[{attributes}]"#))).unwrap();
    assert_eq!(run(&*processor, body.clone()).to_bytes(), body.to_bytes());
    let counted = |rule| registry.snapshot().get("otlp_processor_redaction_changes", &[("rule", rule)]);
    assert_eq!(counted("allowed_keys"), Some(1.0));
    assert_eq!((counted("blocked_values.0"), counted("blocked_values.1")), (Some(1.0), Some(2.0)));
    assert_eq!((counted("blocked_key_patterns.0"), counted("url_sanitizer")), (Some(1.0), None));
}

#[test]
fn the_search_for_entries_that_may_change_changes_no_result() {
    let attributes =
        |value: &str| format!(r#""attributes":[{},{}]"#, text("a", value), count("b", 4111111111111));
    let spans = ["x", "4111111111111", "y"].map(|value| {
        format!(r#"{{"name":"n",{},"events":[{{"name":"e",{}}}]}}"#, attributes("z"), attributes(value))
    });
    let traces = format!(
        r#"{{"resourceSpans":[{{"resource":{{{}}},"scopeSpans":[{{"spans":[{}]}}]}}]}}"#,
        attributes("4111111111111"),
        spans.join(",")
    );
    let logs = |body: &str| record(&format!(r#""body":{{{body}}},{}"#, attributes("x")));
    let bodies = [
        r#""stringValue":"4111111111111""#,
        r#""intValue":"4111111111111""#,
        r#""arrayValue":{"values":[{"intValue":"4111111111111"}]}"#,
        r#""stringValue":"x""#,
    ];
    let requests: Vec<(Signal, String)> =
        [(Signal::TRACES, traces), (Signal::TRACES, span(&attributes("x")))]
            .into_iter()
            .chain(bodies.map(|body| (Signal::LOGS, logs(body))))
            .collect();
    let value = || vec!["^4[0-9]{12}$".to_owned()];
    for (config, has_search) in [
        (config(|config| config.blocked_values = value()), true),
        (config(|config| config.blocked_key_patterns = vec!["^b$".into()]), true),
        (config(|config| (config.blocked_values, config.redact_all_types) = (value(), true)), false),
        (
            config(|config| {
                (config.ignored_keys, config.summary) = (vec!["a".into()], RedactionSummary::Info);
                config.blocked_values = value();
            }),
            false,
        ),
        (
            config(|config| {
                config.allow_all_keys = false;
                config.blocked_values = value();
            }),
            false,
        ),
        (
            config(|config| {
                config.url_sanitizer.enabled = true;
                config.blocked_values = value();
            }),
            false,
        ),
        (
            config(|config| {
                config.db_sanitizer.redis.enabled = true;
                config.blocked_values = value();
            }),
            false,
        ),
    ] {
        let searching = RedactionProcessor::new(&config).unwrap();
        assert_eq!(searching.rules.has_search(), has_search, "{config:?}");
        let thorough = RedactionProcessor {
            rules: Arc::new(Rules::new(&config).unwrap().without_search()),
            ..searching.clone()
        };
        for (signal, request) in &requests {
            let body = from_str(*signal, request).unwrap();
            let (quick, all) = (run(&searching, body.clone()), run(&thorough, body));
            assert_eq!(to_string(&quick).unwrap(), to_string(&all).unwrap(), "{config:?} {request}");
        }
    }
}

#[test]
fn invalid_settings_are_named() {
    let path = |change: &dyn Fn(&mut RedactionConfig)| {
        RedactionProcessor::new(&config(|config| change(config))).map(drop).map_err(|error| error.path)
    };
    let wrong = || vec!["a".to_owned(), "(".to_owned()];
    assert_eq!(path(&|config| config.blocked_values = wrong()), Err("blocked_values.1".into()));
    assert_eq!(path(&|config| config.ignored_key_patterns = wrong()), Err("ignored_key_patterns.1".into()));
    #[cfg(feature = "hash")]
    assert_eq!(path(&|config| config.hash = RedactionHash::HmacSha512(vec![0; 63])), Err("hmac_key".into()));
}
