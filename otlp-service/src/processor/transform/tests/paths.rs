//! Statements that set paths.

use super::*;
use otlp_protocol::view::{Metric, MetricData};

#[test]
fn attributes_are_set_and_emptied() {
    let unless = r#"set(attributes["z"], "b") where attributes["z"] == nil"#;
    assert_eq!(attributes(r#"{"z": ""}"#, &[unless]), r#"{"z": ""}"#);
    assert_eq!(attributes("{}", &[unless]), r#"{"z": "b"}"#);
    assert_eq!(attributes("{}", &[r#"set(attributes["c"], attributes["no"])"#]), r#"{"c": Empty}"#);
    assert_eq!(attributes(r#"{"a": 1}"#, &["set(attributes, nil)"]), "{}");
    let copy = [r#"set(attributes["b"], attributes["a"])"#, r#"set(attributes["a"], 2.5)"#];
    assert_eq!(attributes(r#"{"a": [1, {"k": true}]}"#, &copy), r#"{"a": 2.5, "b": [1, {"k": true}]}"#);
    // An empty body has no keys, a missing attribute is nil with any keys.
    let keys = [
        r#"set(body, nil)"#,
        r#"set(attributes["b"], body["k"])"#,
        r#"set(attributes["a"], attributes["n"]["k"])"#,
    ];
    assert_eq!(attributes("{}", &keys), r#"{"a": Empty}"#);
    let bytes = [
        r#"set(attributes["t"], 0x0102)"#,
        r#"append(attributes["t"], 1)"#,
        r#"set(attributes["n"], Len(attributes["t"]))"#,
    ];
    assert!(attributes("{}", &bytes).ends_with(r#""n": 2}"#));
    // An id of zeros is no id.
    let ids = [
        r#"set(span_id.string, "0102030405060708")"#,
        "clear(span_id)",
        r#"set(trace_id, TraceID("00000000000000000000000000000000"))"#,
    ];
    let show = |statements: &[&str]| {
        let body = transform(&processor([group(Signal::LOGS, "log", statements.iter().copied())]), log("x"));
        show_log(&body, |record| format!("{} {}", record.span_id().is_some(), record.as_bytes().len() > 9))
    };
    assert_eq!(show(&ids[..1]), "true true");
    assert_eq!(show(&ids), "false false");
    // A time is no value of an attribute; the key is not left behind.
    for value in ["time", "trace_id", "span_id", r#"Duration("1s")"#, "[time]", r#"{"k": trace_id}"#] {
        assert_eq!(attributes("{}", &[&format!(r#"set(attributes["k"], {value})"#)]), "{}", "{value}");
    }
}

#[test]
fn nested_sets_make_maps_and_lists() {
    let nested = r#"set(attributes["a"]["b"]["c"], 1)"#;
    assert_eq!(attributes("{}", &[nested]), r#"{"a": {"b": {"c": 1}}}"#);
    assert_eq!(attributes(r#"{"a": "s"}"#, &[nested]), r#"{"a": "s"}"#);
    assert_eq!(
        attributes(r#"{"a": {"x": 1, "b": {"c": 2, "y": 3}}}"#, &[nested]),
        r#"{"a": {"x": 1, "b": {"c": 1, "y": 3}}}"#
    );
    assert_eq!(attributes("{}", &[r#"set(attributes["l"][2], "z")"#]), r#"{"l": [Empty, Empty, "z"]}"#);
    let at =
        |index: &str| attributes(r#"{"l": [1, 2]}"#, &[&format!(r#"set(attributes["l"][{index}], "z")"#)]);
    assert_eq!((at("1").as_str(), at("2").as_str()), (r#"{"l": [1, "z"]}"#, r#"{"l": [1, 2]}"#));
    assert_eq!(attributes("{}", &[r#"set(attributes["l"][1000000], 1)"#]), "{}");
    let computed = [r#"set(cache["k"], "x")"#, r#"set(attributes[cache["k"]][cache["k"]], 1)"#];
    assert_eq!(attributes("{}", &computed), r#"{"x": {"x": 1}}"#);
}

#[test]
fn the_scratch_map_is_read_and_set_and_limited() {
    let statements = [
        r#"set(cache["a"]["b"], [1, "x"])"#,
        r#"set(attributes["x"], cache["a"]["b"][1])"#,
        "set(cache, {})",
        r#"set(attributes["y"], "left") where cache["a"] != nil"#,
        r#"set(cache["t"], time)"#,
        r#"set(attributes["z"], "left") where cache["t"] != nil"#,
    ];
    assert_eq!(attributes("{}", &statements), r#"{"x": "x"}"#);
    let kib = format!(r#"set(cache["a"], "{}")"#, "x".repeat(1024));
    let mut doubles = vec![kib];
    doubles.extend((0..12).map(|_| r#"set(cache["a"], Concat([cache["a"], cache["a"]], ""))"#.to_owned()));
    doubles.push(r#"set(attributes["len"], Len(cache["a"]))"#.to_owned());
    let doubles = group(Signal::LOGS, "log", doubles);
    let body = transform(&processor([doubles]), log("x"));
    let len = show_log(&body, |record| show_attributes(record.attributes()));
    assert_eq!(len, r#"{"len": 524288}"#, "twice as much is more than fits, with the key");
}

/// Shows all fields of a record after statements.
fn record(text: &str, statements: &[&str]) -> String {
    let body = transform(&processor([group(Signal::LOGS, "log", statements.iter().copied())]), log(text));
    show_log(&body, |record| format!("{record:?}"))
}

#[test]
fn fields_of_log_records_take_their_types_only() {
    let before = record("x", &[]);
    for refused in [
        "set(severity_text, nil)",
        "set(severity_text, 5)",
        "set(severity_number, 9.0)",
        r#"set(time, 5)"#,
        "set(time_unix_nano, time)",
        r#"set(trace_id, "0102")"#,
        r#"set(trace_id.string, "0102")"#,
        r#"set(trace_id.string, "0102030405060708")"#,
        r#"set(body["k"], 1)"#,
        "set(body, time)",
    ] {
        assert_eq!(record("x", &[refused]), before, "{refused}");
    }
    let set = record(
        "x",
        &[
            r#"set(body, {"ts": 1})"#,
            r#"set(body["k"][0], true)"#,
            r#"set(severity_text, "WARN")"#,
            "set(severity_number, SEVERITY_NUMBER_WARN)",
            "set(time_unix_nano, 5)",
            "set(observed_time, time)",
            r#"set(trace_id.string, "0102030405060708090a0b0c0d0e0f10")"#,
            r#"set(span_id.string, "0102030405060708")"#,
            "set(flags, 1)",
            r#"set(event_name, "e")"#,
            "set(dropped_attributes_count, 3)",
        ],
    );
    for part in [
        r#"body: {"ts": 1, "k": [true]}"#,
        r#"severity_text: "WARN""#,
        "severity_number: Warn",
        " time_unix_nano: 5",
        "observed_time_unix_nano: 5",
        "flags: 1",
        r#"event_name: "e""#,
        "dropped_attributes_count: 3",
        "trace_id: Some([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])",
        "span_id: Some([1, 2, 3, 4, 5, 6, 7, 8])",
    ] {
        assert!(set.contains(part), "{part} in {set}");
    }
    assert!(record("x", &["set(body, nil)"]).contains("body: Empty"));
    assert!(record("x", &[r#"set(body.string, "y")"#]).contains(r#"body: "y""#));
    let msg = r#"set(body, body["msg"]) where IsMap(body) and body["msg"] != nil"#;
    assert!(record("x", &[r#"set(body, {"msg": "hi"})"#, msg]).contains(r#"body: "hi""#));
    assert!(record("x", &[msg]).contains(r#"body: "x""#));
}

fn span() -> Body {
    Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.span(|span| {
                    span.name("GET").trace_state("a=1,b=2").attribute("code", 404);
                    span.event(|event| {
                        event.name("x");
                    });
                    span.event(|event| {
                        event.name("y");
                    });
                });
            });
        });
    })
}

/// Shows the first span after statements in a context.
fn span_after(context: &str, statements: &[&str]) -> String {
    let body = transform(&processor([group(Signal::TRACES, context, statements.iter().copied())]), span());
    let bytes = body.to_bytes();
    let span = RequestView::new(Signal::TRACES, &bytes).spans().next();
    span.map(|span| format!("{:?} {:?} {:?}", span.resource(), span.scope(), *span)).unwrap_or_default()
}

#[test]
fn fields_of_spans_and_events_are_set() {
    let code = r#"set(status.code, STATUS_CODE_OK) where attributes["code"] == 404"#;
    let id = r#"replace_pattern(name, "G(E)T", "$1 /items/{id}")"#;
    assert!(span_after("span", &[id]).contains(r#"name: "E /items/{id}""#));
    assert!(span_after("span", &[code]).contains("code: Ok"));
    assert!(span_after("span", &[&code.replace("404", "\"404\"")]).contains("code: Unset"));
    let set = span_after(
        "span",
        &[
            "set(kind, SPAN_KIND_SERVER)",
            r#"set(status.message, "m")"#,
            r#"set(trace_state["b"], "3")"#,
            r#"set(trace_state["c"], "4")"#,
            r#"set(attributes["was"], trace_state["no"])"#,
            "set(end_time_unix_nano, 9)",
            r#"set(resource.attributes["r"], name)"#,
            r#"set(resource.schema_url, "u")"#,
            r#"set(scope.name, "s")"#,
        ],
    );
    for part in [
        "kind: Server",
        r#"message: "m""#,
        r#"trace_state: "c=4,b=3,a=1""#,
        r#""was": """#,
        "end_time_unix_nano: 9",
        r#"Resource { attributes: {"r": "GET"}"#,
        r#"Scope { name: "s""#,
    ] {
        assert!(set.contains(part), "{part} in {set}");
    }
    assert!(span_after("span", &[r#"set(kind.string, "Client")"#]).contains("kind: Client"));
    let deprecated = r#"set(kind.deprecated_string, "SPAN_KIND_PRODUCER")"#;
    assert!(span_after("span", &[deprecated]).contains("kind: Producer"));
    assert_eq!(span_after("span", &[r#"set(trace_state["x,"], "1")"#]), span_after("span", &[]));
    let events = span_after(
        "spanevent",
        &[r#"set(attributes["n"], name)"#, r#"set(name, "z") where name == "y""#, r#"set(span.name, name)"#],
    );
    assert!(events.contains(r#"name: "z", attributes: {"n": "y"}"#), "{events}");
    assert!(events.contains(r#"name: "x", attributes: {"n": "x"}"#), "{events}");
    assert!(events.contains(r#"name: "z", kind"#), "{events}");
    let index = span_after("spanevent", &[r#"set(attributes["i"], event_index) where event_index > 0"#]);
    assert!(index.contains(r#"name: "x", attributes: {}"#), "{index}");
    assert!(index.contains(r#"name: "y", attributes: {"i": 1}"#), "{index}");
}

fn metrics() -> Body {
    Body::write::<Metrics>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.metric(|metric| {
                    metric.name("sum").sum(|sum| {
                        sum.is_monotonic(true).point(|point| {
                            point.int(5).exemplar(|exemplar| {
                                exemplar.int(1);
                            });
                        });
                    })
                });
                scope.metric(|metric| {
                    metric.name("histogram").histogram(|histogram| {
                        histogram.point(|point| {
                            point.count(3).bucket_counts([1, 2]).explicit_bounds([0.5]);
                        });
                    })
                });
                scope.metric(|metric| {
                    metric.name("exponential").exponential_histogram(|histogram| {
                        histogram.point(|point| {
                            point.scale(2);
                        });
                    })
                });
                scope.metric(|metric| {
                    metric.name("summary").summary(|summary| {
                        summary.point(|point| {
                            point.sum(1.5);
                        });
                    })
                });
            });
        });
    })
}

/// Shows a metric after statements in a context.
fn metric_after(name: &str, context: &str, statements: &[&str]) -> String {
    let body =
        transform(&processor([group(Signal::METRICS, context, statements.iter().copied())]), metrics());
    let bytes = body.to_bytes();
    let mut metrics = RequestView::new(Signal::METRICS, &bytes).metrics();
    let show = |metric: Metric<'_>| match metric.data() {
        MetricData::Summary(data) => format!("{:?}", data.data_points()),
        _ => format!("{metric:?}"),
    };
    metrics.find(|metric| metric.name() == name).map(|metric| show(*metric)).unwrap_or_default()
}

#[test]
fn fields_of_metrics_and_data_points_are_set_where_they_are() {
    let metric = [
        r#"set(description, "d")"#,
        r#"set(metadata["m"], 1)"#,
        "set(aggregation_temporality, AGGREGATION_TEMPORALITY_DELTA)",
        "set(is_monotonic, false)",
        "set(type, METRIC_DATA_TYPE_GAUGE)",
    ];
    let sum = metric_after("sum", "metric", &metric);
    for part in
        [r#"description: "d""#, r#"{"m": 1}"#, "aggregation_temporality: Delta", "is_monotonic: false"]
    {
        assert!(sum.contains(part), "{part} in {sum}");
    }
    assert!(metric_after("summary", "metric", &metric).contains("sum: 1.5"));
    let point = [
        r#"set(attributes["k"], "v")"#,
        "set(flags, 1)",
        "set(value_double, 2.5)",
        "set(count, 7)",
        "set(sum, 9.5)",
        "set(bucket_counts, [3, 4])",
        "set(explicit_bounds, [1.5])",
        "set(scale, 3)",
        "set(zero_count, 4)",
        "set(positive.offset, 5)",
        "set(negative.bucket_counts, [6])",
        "set(time_unix_nano, 8)",
    ];
    let expect = [
        ("sum", &["value: Double(2.5)", r#"{"k": "v"}"#, "flags: 1", " time_unix_nano: 8"][..]),
        ("histogram", &["count: 7", "sum: Some(9.5)", "[3, 4]", "[1.5]", r#"{"k": "v"}"#, "flags: 1"]),
        (
            "exponential",
            &["count: 7", "scale: 3", "zero_count: 4", "offset: 5", "bucket_counts: [6]", "flags: 1"],
        ),
        ("summary", &["count: 7", "sum: 9.5", r#"{"k": "v"}"#, "flags: 1"]),
    ];
    for (name, parts) in expect {
        let shown = metric_after(name, "datapoint", &point);
        for part in parts {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }
    let exemplar = metric_after(
        "sum",
        "exemplar",
        &[
            "set(double_value, 1.5)",
            r#"set(filtered_attributes["k"], 1)"#,
            r#"set(datapoint.attributes["e"], true)"#,
            r#"set(metric.unit, "s")"#,
        ],
    );
    for part in ["value: Double(1.5)", r#"filtered_attributes: {"k": 1}"#, r#"{"e": true}"#, r#"unit: "s""#] {
        assert!(exemplar.contains(part), "{part} in {exemplar}");
    }
}

#[test]
fn an_old_rule_leaves_targets_of_nil_unchanged() {
    let statements =
        [r#"set(attributes["a"], attributes["no"])"#, "set(body, nil)", "set(severity_text, nil)"];
    let mut config = TransformConfig { ignores_nil: true, ..TransformConfig::default() };
    config
        .groups
        .push(TransformGroup { error_mode: ErrorMode::Propagate, ..group(Signal::LOGS, "log", statements) });
    let processor = TransformProcessor::new(config).unwrap();
    assert_eq!(transform(&processor, log("x")).to_bytes(), log("x").to_bytes());
}

#[test]
fn what_cannot_be_set_is_refused_when_it_is_loaded() {
    for (context, statement) in [
        ("span", "set(events, nil)"),
        ("span", "set(status, 1)"),
        ("span", r#"set(otelcol.client.addr, "x")"#),
        ("metric", "set(data_points, nil)"),
        ("datapoint", "set(quantile_values, nil)"),
    ] {
        let signal = if context == "span" { Signal::TRACES } else { Signal::METRICS };
        let config = TransformConfig {
            groups: vec![group(signal, context, [statement])],
            ..TransformConfig::default()
        };
        let errors = TransformProcessor::new(config).unwrap_err();
        assert!(errors[0].to_string().contains("cannot be changed"), "{}", errors[0]);
    }
}
