//! Statements with functions, in the context `log` unless a test says otherwise.

use super::*;
use otlp_protocol::view::{MetricData, Number};

/// Checks the attributes that statements leave of a map of attributes, both written in OTTL.
#[track_caller]
fn check(before: &str, statements: &[&str], after: &str) {
    assert_eq!(attributes(before, statements), after, "{statements:?}");
}

/// Checks the attributes of a record with this body, which had none.
#[track_caller]
fn check_body(body: &str, statements: &[&str], after: &str) {
    assert_eq!(shown(&log(body), "{}", statements), after, "{body} {statements:?}");
}

#[test]
fn keys_are_deleted_and_kept() {
    check(r#"{"a": 1}"#, &[r#"delete_key(attributes, "no")"#], r#"{"a": 1}"#);
    check(r#"{"a": 1}"#, &[r#"delete_key(attributes["no"], "a")"#], r#"{"a": 1}"#);
    check(r#"{"a": {"b": 1, "c": 2}}"#, &[r#"delete_key(attributes["a"], "b")"#], r#"{"a": {"c": 2}}"#);
    check(r#"{"a": 1, "b": 2, "c": 3}"#, &[r#"keep_keys(attributes, ["c", "a"])"#], r#"{"a": 1, "c": 3}"#);
    check(
        r#"{"http.a": 1, "xhttp.b": 2}"#,
        &[r#"keep_matching_keys(attributes, "^http\\.")"#],
        r#"{"http.a": 1}"#,
    );
    check(r#"{"xtmpy": 1, "b": 2}"#, &[r#"delete_matching_keys(attributes, "tmp")"#], r#"{"b": 2}"#);
    check(r#"{"a": 1, "b": 2, "z": 3}"#, &[r#"limit(attributes, 2, ["z"])"#], r#"{"a": 1, "z": 3}"#);
    let cache = [
        r#"set(cache["a"], 1)"#,
        r#"delete_key(cache, "a")"#,
        r#"set(attributes["a"], 1) where cache["a"] == nil"#,
    ];
    check("{}", &cache, r#"{"a": 1}"#);
}

#[test]
fn texts_are_replaced() {
    let digits = r#"replace_pattern(attributes["p"], "(\\d{4})-(\\d{4})", "****-$2")"#;
    check(r#"{"p": "1111-2222"}"#, &[digits], r#"{"p": "****-2222"}"#);
    check(r#"{"p": 11}"#, &[digits], r#"{"p": 11}"#);
    let keys = r#"replace_all_patterns(attributes, "key", "^k8s\\.", "kube.")"#;
    check(r#"{"k8s.pod": "p"}"#, &[keys], r#"{"kube.pod": "p"}"#);
    check(r#"{"ua": "Mozilla/5"}"#, &[r#"replace_match(attributes["ua"], "Moz*", "b")"#], r#"{"ua": "b"}"#);
    check(
        r#"{"ua": "Mozilla/5"}"#,
        &[r#"replace_match(attributes["ua"], "Moz", "b")"#],
        r#"{"ua": "Mozilla/5"}"#,
    );
    check(r#"{"s": "abcéd", "n": 123456}"#, &["truncate_all(attributes, 4)"], r#"{"s": "abc", "n": 123456}"#);
    check(r#"{"s": "abcdefgh"}"#, &[r#"truncate_all(attributes, 5, true, "..")"#], r#"{"s": "abc.."}"#);
    let hashed = r#"replace_pattern(body, "user=(\\w+)", "$1", SHA256, "user=%s")"#;
    let body = transform(&processor([group(Signal::LOGS, "log", [hashed])]), log("x user=bob y"));
    let text = show_log(&body, |record| record.body().as_str().unwrap_or_default().to_owned());
    assert!(text.starts_with("x user=81b637d8") && text.ends_with("58ce9 y"), "{text}");
}

#[test]
fn maps_are_merged_and_flattened() {
    let merge = |how: &str| {
        let statement =
            format!(r#"merge_maps(attributes, ParseJSON(body), "{how}") where IsMatch(body, "^\\{{")"#);
        shown(&log(r#"{"a":1,"b":{"c":[true,null]}}"#), r#"{"a": "o", "k": "v"}"#, &[&statement])
    };
    assert_eq!(merge("upsert"), r#"{"a": 1.0, "k": "v", "b": {"c": [true, Empty]}}"#);
    assert_eq!(merge("insert"), r#"{"a": "o", "k": "v", "b": {"c": [true, Empty]}}"#);
    assert_eq!(merge("update"), r#"{"a": 1.0, "k": "v"}"#);
    check(
        r#"{"a": {"b": 1, "c": [2, 3]}, "d": "e"}"#,
        &["flatten(attributes)"],
        r#"{"a.b": 1, "a.c.0": 2, "a.c.1": 3, "d": "e"}"#,
    );
    check(r#"{"a": {"b": {"q": 1}}}"#, &["flatten(attributes, depth=1)"], r#"{"a.b": {"q": 1}}"#);
    let parts = [
        r#"merge_maps(cache, ExtractPatterns(body, "^/(?P<svc>[^/]+)/v\\d+"), "upsert")"#,
        r#"set(attributes["svc"], cache["svc"]) where cache["svc"] != nil"#,
    ];
    check_body("/shop/v2", &parts, r#"{"svc": "shop"}"#);
    check_body("shop", &parts, "{}");
    check_body(
        "a=1 b='x y'",
        &["merge_maps(attributes, ParseKeyValue(body), \"upsert\")"],
        r#"{"a": "1", "b": "x y"}"#,
    );
    let json = r#"set(attributes["x"], ParseJSON(body)["n"])"#;
    check_body(r#"{"n": 9007199254740993}"#, &[json], r#"{"x": 9007199254740992.0}"#);
}

#[test]
fn a_statement_with_an_error_changes_nothing_and_the_next_statement_runs() {
    let set = |value: &str| format!(r#"set(attributes["r"], {value})"#);
    let unguarded = r#"set(body, body["msg"]) where body["msg"] != nil"#;
    for (before, body, statement) in [
        ("{}", "abc", r#"delete_key(attributes["no"], "a")"#),
        ("{}", "abc", "set(severity_text, nil)"),
        ("{}", "abc", "set(severity_text, 5)"),
        ("{}", "abc", "set(severity_number, 9.0)"),
        ("{}", "not json", &set("ParseJSON(body)")),
        ("{}", "5", &set("ParseJSON(body)")),
        (r#"{"c": "a,b"}"#, "abc", &set(r#"Split(attributes["c"], ",")[5]"#)),
        ("{}", "abc", &set(r#"Split(attributes["c"], ",")[0]"#)),
        ("{}", "abc", &set("Substring(body, 1, 3)")),
        ("{}", "1.5", &set("Int(body)")),
        ("{}", " 12", &set("Int(body)")),
        ("{}", "0x1f", &set("Int(body)")),
        ("{}", "abc", &set(r#"Len(attributes["no"])"#)),
        (
            r#"{"a": "y", "b": "s"}"#,
            "abc",
            &format!("{} {}", set("1"), r#"where attributes["a"] == "x" or attributes["b"]["c"] == 1"#),
        ),
        (r#"{"a": "s"}"#, "abc", r#"set(attributes["a"]["b"]["c"], 1)"#),
        (r#"{"z": 0}"#, "abc", &set(r#"1 / attributes["z"]"#)),
        (r#"{"z": 0}"#, "abc", &set(r#"1.0 / attributes["z"]"#)),
        (r#"{"s": "4"}"#, "abc", &set(r#"attributes["s"] + 1"#)),
        ("{}", "abc", unguarded),
    ] {
        let first = format!("set(attributes, {before})");
        let next = r#"set(attributes["next"], true)"#;
        let shown = |statements: &[&str]| {
            let all = [first.as_str()].into_iter().chain(statements.iter().copied()).chain([next]);
            let after = transform(&processor([group(Signal::LOGS, "log", all)]), log(body));
            show_log(&after, |record| format!("{record:?}"))
        };
        assert_eq!(shown(&[statement]), shown(&[]), "{statement}");
        let mut strict = group(Signal::LOGS, "log", [first.as_str(), statement]);
        strict.error_mode = ErrorMode::Propagate;
        let result = processor([strict]).process(Batch::new(log(body), Charge::none()), &mut Out::new());
        assert!(result.is_err(), "{statement}");
    }
}

#[test]
fn values_are_computed() {
    let set = |expression: &str| format!(r#"set(attributes["r"], {expression})"#);
    for (before, expression, after) in [
        ("{}", r#"Concat([attributes["no"], "n", 5, 1.5, true], "/")"#, r#""<nil>/n/5/1.5/true""#),
        (r#"{"c": "a,b"}"#, r#"Split(attributes["c"], ",")[0]"#, r#""a""#),
        ("{}", r#"Substring("abcdef", 1, 3)"#, r#""bcd""#),
        ("{}", "Int(2.9)", "2"),
        (r#"{"a": {"a": [1]}}"#, r#"String(attributes["a"])"#, r#""{\"a\":[1]}""#),
        ("{}", r#"Len("é")"#, "2"),
        (r#"{"b": ""}"#, r#"Coalesce([attributes["a"], attributes["b"], "d"])"#, r#""""#),
        ("{}", "1 + 2 * 3 - 4 / 2", "5"),
        ("{}", r#"{"k": [body, attributes["no"]]}"#, r#"{"k": ["text", Empty]}"#),
    ] {
        let found = attributes(before, &[&set(expression)]);
        assert!(found.ends_with(&format!(r#""r": {after}}}"#)), "{expression}: {found}");
    }
    check("{}", &[r#"append(attributes["t"], "x")"#], r#"{"t": ["x"]}"#);
    check(r#"{"t": 5}"#, &[r#"append(attributes["t"], "x")"#], r#"{"t": [5, "x"]}"#);
    let time = [
        r#"set(body, {"ts": "2024-03-01T10:20:30Z"})"#,
        r#"set(time, Time(body["ts"], "%Y-%m-%dT%H:%M:%SZ"))"#,
        r#"set(attributes["day"], FormatTime(time, "%d/%m/%Y"))"#,
    ];
    check("{}", &time, r#"{"day": "01/03/2024"}"#);
    let warn = r#"set(severity_number, SEVERITY_NUMBER_WARN) where IsMatch(body, "(?i)warn")"#;
    let number = |text: &str, statements: &[&str]| {
        let body = transform(&processor([group(Signal::LOGS, "log", statements.iter().copied())]), log(text));
        show_log(&body, |record| i32::from(record.severity_number()).to_string())
    };
    assert_eq!(number("WARNING x", &[warn]), "13");
    assert_eq!(number("x", &[r#"set(body, {"m": "warn"})"#, warn]), "13");
    assert_eq!(number("x", &[warn]), "0");
}

/// Two points of a gauge, 5 and 7, and the same as doubles.
fn gauges() -> Body {
    Body::write::<Metrics>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.metric(|metric| {
                    metric.name("ints").gauge(|gauge| {
                        for value in [5, 7] {
                            gauge.point(|point| {
                                point.int(value).attribute("n", value);
                            });
                        }
                    })
                });
                scope.metric(|metric| {
                    metric.name("doubles").gauge(|gauge| {
                        gauge.point(|point| {
                            point.double(1.0);
                        });
                    })
                });
            });
        });
    })
}

/// Shows names, units, kinds and values of metrics after statements in the context `metric`.
fn metrics(statements: &[&str]) -> (Vec<String>, u64) {
    let processor = processor([group(Signal::METRICS, "metric", statements.iter().copied())]);
    let mut out = Out::new();
    processor.process(Batch::new(gauges(), Charge::none()), &mut out).unwrap();
    let removed = out.removed(Reason::Filtered);
    let batch = out.into_batches().remove(0);
    let bytes = batch.body().to_bytes();
    let shown = RequestView::new(Signal::METRICS, &bytes).metrics().map(|metric| {
        let (kind, points) = match metric.data() {
            MetricData::Gauge(gauge) => ("gauge", gauge.data_points()),
            MetricData::Sum(sum) => ("sum", sum.data_points()),
            other => panic!("{other:?}"),
        };
        let value = |number: Number| match number {
            Number::Int(value) => value.to_string(),
            Number::Double(value) => format!("{value:?}"),
            other => format!("{other:?}"),
        };
        let values: Vec<_> = points.map(|point| value(point.value())).collect();
        format!("{} {}{kind} {}", metric.name(), metric.unit(), values.join(","))
    });
    let shown = shown.collect();
    assert_eq!(batch.items() + removed, 3 + batch.items().saturating_sub(3));
    (shown, removed)
}

#[test]
fn metrics_are_scaled_converted_aggregated_and_copied() {
    assert_eq!(metrics(&[r#"scale_metric(2.5, "ms")"#]).0, ["ints msgauge 12,17", "doubles msgauge 2.5"]);
    let sum = [r#"convert_gauge_to_sum("cumulative", true) where name == "ints""#];
    assert_eq!(metrics(&sum).0, ["ints sum 5,7", "doubles gauge 1.0"]);
    let aggregated = metrics(&[r#"aggregate_on_attributes("sum", []) where name == "ints""#]);
    assert_eq!(aggregated, (vec!["ints gauge 12".to_owned(), "doubles gauge 1.0".to_owned()], 1));
    let copied = [r#"copy_metric("copy") where name == "ints""#, r#"set(unit, "s") where name == "copy""#];
    assert_eq!(metrics(&copied).0, ["ints gauge 5,7", "doubles gauge 1.0", "copy sgauge 5,7"]);
}

#[test]
fn copies_without_end_fail_the_request() {
    let processor = processor([group(Signal::METRICS, "metric", ["copy_metric()"])]);
    let mut out = Out::new();
    let small = Body::write::<Metrics>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.metric(|metric| metric.name(&"x".repeat(1 << 20)).gauge(|_| {}));
            });
        });
    });
    let error = processor.process(Batch::new(small, Charge::none()), &mut out).unwrap_err();
    assert!(error.to_string().contains("larger than"), "{error}");
}
