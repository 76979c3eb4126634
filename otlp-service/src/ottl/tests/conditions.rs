//! Conditions on telemetry, by context.

use super::*;
use otlp_protocol::{AttributeValue, SeverityNumber, SpanKind, StatusCode};

/// A condition with its result; `None`: an error of evaluation.
type Case = (&'static str, Option<bool>);

fn check(context: Context, env: &Environment<'_>, cases: &[Case]) {
    for (text, expected) in cases {
        let found = holds(context, text, env);
        assert_eq!(found.clone().ok(), *expected, "{text}: {found:?}");
    }
}

#[test]
fn comparisons_never_fail_and_know_types() {
    let body = log(|record| {
        record.attribute("i", 3).attribute("d", 1.0).attribute("s", "4").attribute("t", true);
        record.attribute("b", &[1u8, 2][..]).attribute("l", AttributeValue::array([1]));
        record.attribute("m", AttributeValue::map([("x", 1)])).attribute("e", AttributeValue::empty());
    });
    let cases = [
        (r#"attributes["i"] == 3.0"#, Some(true)),
        (r#"attributes["i"] == "3""#, Some(false)),
        (r#"attributes["i"] >= 3"#, Some(true)),
        (r#"attributes["s"] < 5"#, Some(false)),
        (r#"attributes["s"] != 5"#, Some(true)),
        (r#"attributes["s"] < "5""#, Some(true)),
        (r#"attributes["t"] > false"#, Some(true)),
        (r#"attributes["no"] < 5"#, Some(false)),
        (r#"attributes["no"] != "x""#, Some(true)),
        (r#"attributes["no"] <= nil"#, Some(true)),
        (r#"attributes["e"] == nil"#, Some(true)),
        (r#"attributes["b"] == 0x0102"#, Some(true)),
        (r#"attributes["b"] == "\x01\x02""#, Some(false)),
        (r#"attributes["b"] < 0x02"#, Some(true)),
        (r#"attributes["l"] == [1]"#, Some(true)),
        (r#"attributes["l"] == [1.0]"#, Some(false)),
        (r#"attributes["l"] != [1, 2]"#, Some(true)),
        (r#"attributes["m"] == {"x": 1}"#, Some(true)),
        (r#"attributes["m"] < {"x": 2}"#, Some(false)),
        (r#"attributes["m"] != nil"#, Some(true)),
        (r#"nil == nil"#, Some(true)),
        (r#"attributes["d"] == 1"#, Some(true)),
        (r#"not attributes["i"] == 3"#, Some(false)),
        (r#"not (attributes["i"] == 4 and attributes["t"] == true)"#, Some(true)),
    ];
    check(Context::Log, &env(Signal::LOGS, &body, None), &cases);
}

#[test]
fn keys_into_lists_and_maps() {
    let body = log(|record| {
        record.attribute("a", "y").attribute("b", "s").attribute("c", "a,b").attribute("b2", "");
        record.attribute("l", AttributeValue::array(["p", "q"]));
        record.attribute("m", AttributeValue::map([("k", AttributeValue::map([("n", 7)]))]));
        record.body_map(|body| {
            body.attribute("m", "warn").attribute("msg", "hi");
        });
    });
    let cases = [
        (r#"attributes["a"] == "x" or attributes["b"]["c"] == 1"#, None),
        (r#"attributes["a"] == "y" or attributes["b"]["c"] == 1"#, Some(true)),
        (r#"attributes["p"]["q"]["r"] == nil"#, Some(true)),
        (r#"attributes["m"]["k"]["n"] == 7"#, Some(true)),
        (r#"attributes["l"][1] == "q""#, Some(true)),
        (r#"attributes["l"][2] == "q""#, None),
        (r#"attributes["l"]["x"] == "q""#, None),
        (r#"attributes["m"][0] == "q""#, None),
        (r#"body["msg"] == "hi""#, Some(true)),
        (r#"body["no"] == nil"#, Some(true)),
        (r#"body[0] == nil"#, None),
        (r#"body.string == "{\"m\":\"warn\",\"msg\":\"hi\"}""#, Some(true)),
        (r#"IsMap(body) and body["msg"] != nil"#, Some(true)),
        (r#"IsMatch(body, "(?i)WARN")"#, Some(true)),
        (r#"Split(attributes["c"], ",")[0] == "a""#, Some(true)),
        (r#"Split(attributes["c"], ",")[5] == "a""#, None),
        (r#"Split(attributes["no"], ",")[0] == "a""#, None),
        (r#"attributes[Concat(["a", "b"], "")] == nil"#, Some(true)),
        (r#"attributes[attributes["a"]] == nil"#, Some(true)),
        (r#"attributes["l"][3 - 2] == "q""#, Some(true)),
        (r#"ParseJSON("{\"a\":1}")["b"] == 1"#, None),
        (r#"Coalesce([attributes["no"], attributes["b2"], "d"]) == """#, Some(true)),
        (r#"log.attributes["a"] == "y""#, Some(true)),
        (r#"resource.attributes["service.name"] == "cart""#, Some(true)),
        (r#"resource.schema_url == "https://example.com/r""#, Some(true)),
        (r#"scope.name == "lib" and scope.version == "1.2""#, Some(true)),
        (r#"instrumentation_scope.attributes["k"] == "v""#, Some(true)),
        (r#"scope.schema_url == "https://example.com/s""#, Some(true)),
        (r#"cache["x"] == nil and log.cache["x"] == nil"#, Some(true)),
    ];
    check(Context::Log, &env(Signal::LOGS, &body, None), &cases);
}

#[test]
fn converters_and_arithmetic() {
    let body = log(|record| {
        record.attribute("n", 404).attribute("s", "4").attribute("z", 0).attribute("short", "abc");
        record.body("WARNING x").severity_number(SeverityNumber::Warn);
        record.time_unix_nano(1_000_000_000).observed_time_unix_nano(3_500_000_000);
    });
    let cases = [
        (r#"IsMatch(body, "(?i)warn")"#, Some(true)),
        (r#"IsMatch(attributes["n"], "^4\\d\\d$")"#, Some(true)),
        (r#"not IsMatch(attributes["no"], "x")"#, Some(true)),
        (r#"Concat([attributes["no"], "n", 5, 1.5, true], "/") == "<nil>/n/5/1.5/true""#, Some(true)),
        (r#"Substring("abcdef", 1, 3) == "bcd""#, Some(true)),
        (r#"Substring(attributes["short"], 1, 3) == "bcd""#, None),
        (r#"Int("12") == 12 and Int(2.9) == 2 and Int(true) == 1"#, Some(true)),
        (r#"Int(Concat(["1", ".5"], attributes["no2"])) == 1"#, None),
        (r#"Int(attributes["no"]) == nil"#, Some(true)),
        (r#"String(1.0) == "1" and String({"a": [1]}) == "{\"a\":[1]}""#, Some(true)),
        (r#"Len("é") == 2"#, Some(true)),
        (r#"Len(attributes["no"]) == 2"#, None),
        (r#"1 + 2 * 3 - 4 / 2 == 5"#, Some(true)),
        (r#"7 / 2 == 3 and 7.0 / 2 == 3.5 and -7 / 2 == -3 and 1 + 1.5 == 2.5"#, Some(true)),
        (r#"(1 + 2) * 3 == 9"#, Some(true)),
        (r#"-(1 + 2) == -3"#, Some(true)),
        (r#"1 / attributes["z"] == 0"#, None),
        (r#"1.0 / attributes["z"] == 0"#, None),
        (r#"1 / 0 == 0"#, None),
        (r#"attributes["s"] + 1 == 5"#, None),
        (r#"attributes["no"] + 1 == 5"#, None),
        (r#"attributes["n"] + 1 == 405"#, Some(true)),
        (r#"9223372036854775807 + attributes["n"] < 0"#, Some(true)),
        (r#"Milliseconds(observed_time - time) == 2500"#, Some(true)),
        (r#"time + Duration("2.5s") == observed_time"#, Some(true)),
        (r#"time * 2 == time"#, None),
        (r#"HasPrefix(attributes["no"], "x")"#, None),
        (r#"attributes["n"] == 404 or HasPrefix(attributes["no"], "x")"#, Some(true)),
        (r#"Concat(["a"], "") == "a" and severity_number >= SEVERITY_NUMBER_WARN"#, Some(true)),
        (r#"severity_number == SEVERITY_NUMBER_ERROR"#, Some(false)),
        ("body ==\n  \"WARNING x\"", Some(true)),
        (r#"5. == 5 and .5 == 0.5 and 1.5e1 == 15"#, Some(true)),
        (r#"{"a": 1,} == {"a": 1}"#, Some(true)),
        ("\"a\nb\" == \"a\\nb\"", Some(true)),
        (r#"Len([1, 2]) == 2 and true"#, Some(true)),
        (r#"false or Len("a") == 1"#, Some(true)),
        (r#"Split("a,b", delimiter=",")[1] == "b""#, Some(true)),
        (r#"Substring(target="abc", start=0, length=1) == "a""#, Some(true)),
        (r#"Substring("aéc", 0, 2, utf8Safe=true) == "a""#, Some(true)),
        (r#"attributes["n"] == 404 or 1 / 0 == 0"#, Some(true)),
    ];
    check(Context::Log, &env(Signal::LOGS, &body, None), &cases);
}

#[test]
fn fields_of_spans() {
    let body = span(|span| {
        span.trace_id(&[1; 16]).span_id(&[2; 8]).trace_state("v=1, w=2").name("GET /items/42/x");
        span.kind(SpanKind::Server).start_time_unix_nano(1_000_000_000).end_time_unix_nano(1_250_000_000);
        span.attribute("code", 404).dropped_events_count(3).flags(1);
        span.status(|status| {
            status.code(StatusCode::Error).message("no");
        });
        span.event(|event| {
            event.name("x");
        });
    });
    let cases = [
        (r#"trace_id == TraceID(0x01010101010101010101010101010101)"#, Some(true)),
        (r#"trace_id.string == "01010101010101010101010101010101""#, Some(true)),
        (r#"trace_id == 0x01010101010101010101010101010101"#, Some(false)),
        (r#"span_id == SpanID(0x0202020202020202) and span_id.string == "0202020202020202""#, Some(true)),
        (r#"parent_span_id.string == "0000000000000000""#, Some(true)),
        (r#"trace_state == "v=1, w=2" and trace_state["w"] == "2""#, Some(true)),
        (r#"trace_state["no"] == """#, Some(true)),
        (r#"kind == SPAN_KIND_SERVER and kind.string == "Server""#, Some(true)),
        (r#"kind.deprecated_string == "SPAN_KIND_SERVER""#, Some(true)),
        (r#"status.code == STATUS_CODE_ERROR and status.message == "no""#, Some(true)),
        (r#"Milliseconds(end_time - start_time) == 250"#, Some(true)),
        (r#"end_time_unix_nano - start_time_unix_nano == 250000000"#, Some(true)),
        (r#"IsRootSpan()"#, Some(true)),
        (r#"not IsRootSpan() or attributes["code"] == 404"#, Some(true)),
        (r#"dropped_events_count == 3 and flags == 1 and dropped_links_count == 0"#, Some(true)),
        (r#"Len(events) == 1 and Len(links) == 0"#, Some(true)),
        (r#"name == "GET /items/42/x""#, Some(true)),
    ];
    check(Context::Span, &env(Signal::TRACES, &body, None), &cases);
}

#[test]
fn fields_of_metrics_and_data_points() {
    let body = gauge(|gauge| {
        gauge.point(|point| {
            point.int(7).attribute("k", "v").time_unix_nano(5);
        });
    });
    let cases = [
        (r#"value_double == 0.0"#, Some(true)),
        (r#"value_int == 7"#, Some(true)),
        (r#"attributes["k"] == "v" and time_unix_nano == 5"#, Some(true)),
        (r#"count == nil and sum == nil and positive.offset == nil"#, Some(true)),
        (r#"flags == FLAG_NONE"#, Some(true)),
        (r#"metric.type == METRIC_DATA_TYPE_GAUGE and metric.name == "m""#, Some(true)),
        (r#"metric.aggregation_temporality == nil and metric.is_monotonic == nil"#, Some(true)),
        (r#"Len(metric.data_points) == 1"#, Some(true)),
    ];
    check(Context::DataPoint, &point_env(&body), &cases);
}

#[test]
fn properties_of_the_request() {
    let body = log(|record| {
        record.body("x");
    });
    let origin = Origin {
        headers: vec![("x-user".into(), "bob".into()), ("x-user".into(), "eve".into())],
        peer: Some([127, 0, 0, 1].into()),
        ..Origin::default()
    };
    let cases = [
        (r#"otelcol.client.metadata["X-User"] == ["bob", "eve"]"#, Some(true)),
        (r#"otelcol.client.metadata["x-user"][0] == "bob""#, Some(true)),
        (r#"otelcol.client.metadata["x-user"][2] == "bob""#, None),
        (r#"otelcol.client.metadata["no"] == nil"#, Some(true)),
        (r#"otelcol.client.addr == "127.0.0.1""#, Some(true)),
        (r#"otelcol.client.auth.attributes["subject"] == nil"#, Some(true)),
    ];
    check(Context::Log, &env(Signal::LOGS, &body, Some(&origin)), &cases);
    let needs = group(Context::Log, cases[0].0).unwrap().needs;
    assert_eq!(needs.headers, ["x-user".into()]);
}

#[test]
fn constant_parts_are_evaluated_once() {
    let constant = |text| group(Context::Log, text).unwrap().conditions[0].test.constant();
    assert_eq!(constant("true or body == 1"), Some(true));
    assert_eq!(constant("body == 1 and not true"), Some(false));
    assert_eq!(constant(r#"Concat(["a", "b"], "-") == "a-b""#), Some(true));
    assert_eq!(constant("Split(\"a,b\", \",\")[1] == \"b\""), Some(true));
    assert_eq!(constant("1 / 0 == 1"), None);
    assert_eq!(constant("Now() == Now()"), None);
}
