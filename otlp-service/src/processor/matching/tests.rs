use super::*;
use crate::component::{Out, Processor};
use crate::processor::{ActionConfig, AttributesProcessor};
use otlp_protocol::view::RequestView;
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{Batch, Charge, Count, Signal};

fn within(number: u32, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_len_delimited(&mut out, number, message);
    out
}

fn attribute(number: u32, key: &str, value: &AttributeValue) -> Vec<u8> {
    within(number, &[within(1, key.as_bytes()), within(2, value.as_bytes())].concat())
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::string(text)
}

/// One resource with one scope.
fn group(service: Option<&str>, scope: &[u8], entries: &[Vec<u8>]) -> Vec<u8> {
    let mut resource = attribute(1, "host", &text("h1"));
    resource.extend(service.map(|name| attribute(1, "service.name", &text(name))).unwrap_or_default());
    let entries: Vec<u8> = entries.iter().flat_map(|entry| within(2, entry)).collect();
    within(1, &[within(1, &resource), within(2, &[within(1, scope), entries].concat())].concat())
}

fn span(name: &str, kind: u8, number: i64) -> Vec<u8> {
    [within(5, name.as_bytes()), vec![0x30, kind], attribute(9, "n", &AttributeValue::int(number))].concat()
}

fn record(body: &AttributeValue, severity: u8, severity_text: &str) -> Vec<u8> {
    [vec![0x10, severity], within(3, severity_text.as_bytes()), within(5, body.as_bytes())].concat()
}

/// A gauge with two points.
fn metric(name: &str) -> Vec<u8> {
    let points = [within(1, &attribute(7, "n", &AttributeValue::int(1))), within(1, &[])].concat();
    [within(5, &points), within(1, name.as_bytes())].concat()
}

/// The first names of scopes and the items' order tell which were acted on.
fn spans() -> Vec<u8> {
    let (mongo, other) = ([within(1, b"mongo"), within(2, b"3.8")].concat(), within(1, b"other"));
    [
        group(Some("auth1"), &mongo, &[span("login", 2, 0), span("get", 3, 1)]),
        group(Some("shop"), &other, &[span("login", 3, 2)]),
        group(None, &[], &[span("put", 1, 3)]),
    ]
    .concat()
}

fn logs() -> Vec<u8> {
    let list = AttributeValue::array([text("AUTH")]);
    let records = [
        record(&text("AUTH ok"), 9, "INFO"),
        record(&text("other"), 17, "ERROR"),
        record(&list, 0, ""),
        record(&AttributeValue::int(7), 5, "debug2"),
    ];
    group(Some("shop"), &[], &records)
}

fn metrics() -> Vec<u8> {
    group(Some("shop"), &[], &[metric("cpu.time"), metric("mem")])
}

/// Marks what matches; says which of the items it was, in order.
fn marked(signal: Signal, body: Vec<u8>, matching: MatchConfig) -> Vec<usize> {
    let mut mark = ActionConfig::default();
    (mark.key, mark.value) = ("marked".into(), Some(AttributeValue::bool(true)));
    let processor = AttributesProcessor::new(&[mark], matching).unwrap();
    let mut out = Out::new();
    let batch = Batch::unchecked(signal, body, Count { items: 9, entries: 9 }, true, Charge::none());
    processor.process(batch, &mut out).unwrap();
    let body = out.into_batches().remove(0).body().plain().to_contiguous();
    let request = RequestView::new(signal, &body);
    let spans = request.spans().map(|span| span.attributes());
    let records = request.log_records().map(|record| record.attributes());
    let points = request.metrics().flat_map(|metric| metric.points()).map(|point| point.attributes());
    let all = spans.chain(records).chain(points).enumerate();
    all.filter(|(_, attributes)| attributes.get("marked").is_some()).map(|(index, _)| index).collect()
}

type Fill = fn(&mut MatchProperties);

fn properties(fill: Fill) -> MatchProperties {
    let mut properties = MatchProperties::default();
    fill(&mut properties);
    properties
}

fn is(texts: &[&str]) -> Vec<TextMatch> {
    texts.iter().map(|text| TextMatch::Is((*text).into())).collect()
}

fn matches(text: &str) -> TextMatch {
    TextMatch::Matches(Pattern::new(text).unwrap())
}

fn has(key: &str, value: Option<ValueMatch>) -> AttributeMatch {
    AttributeMatch { key: key.into(), value }
}

fn library(name: &str, version: Option<&str>) -> LibraryMatch {
    let text = |text: &str| TextMatch::Is(text.into());
    LibraryMatch { name: text(name), version: version.map(text) }
}

#[test]
fn includes_what_has_all_that_is_asked() {
    let (traces, others): (Vec<usize>, Vec<usize>) = (vec![0, 1, 2, 3], Vec::new());
    let table: &[(Fill, &[usize])] = &[
        (|_| {}, &traces),
        (|p| p.services = is(&["auth1", "auth2"]), &[0, 1]),
        (|p| p.services = vec![matches("^auth")], &[0, 1]),
        (|p| p.services = is(&["<nil-service-name>"]), &[3]),
        (|p| p.span_names = is(&["login", "put"]), &[0, 2, 3]),
        (|p| p.span_names = vec![matches("g")], &[0, 1, 2]),
        (|p| p.span_kinds = is(&["SPAN_KIND_CLIENT"]), &[1, 2]),
        (|p| p.span_kinds = vec![matches("SERVER|INTERNAL")], &[0, 3]),
        (
            |p| {
                p.span_names = is(&["login"]);
                p.span_kinds = is(&["SPAN_KIND_CLIENT"]);
            },
            &[2],
        ),
        (|p| p.attributes = vec![has("n", None)], &traces),
        (|p| p.attributes = vec![has("n", Some(ValueMatch::Is(AttributeValue::int(3))))], &[3]),
        (|p| p.attributes = vec![has("n", Some(ValueMatch::Is(text("3"))))], &others),
        (
            |p| {
                let two_or_three = Pattern::new("^[23]$").unwrap();
                p.attributes = vec![has("n", Some(ValueMatch::Matches(two_or_three)))];
            },
            &[2, 3],
        ),
        (|p| p.attributes = vec![has("n", None), has("gone", None)], &others),
        (|p| p.resources = vec![has("host", Some(ValueMatch::Is(text("h1"))))], &traces),
        (|p| p.resources = vec![has("host", None), has("service.name", None)], &[0, 1, 2]),
        (|p| p.libraries = vec![library("mongo", None)], &[0, 1]),
        (|p| p.libraries = vec![library("mongo", Some("3.9")), library("other", Some(""))], &[2]),
        (|p| p.libraries = vec![library("mongo", Some(""))], &others),
        (|p| p.log_bodies = is(&["x"]), &others),
        (|p| p.metric_names = is(&["x"]), &others),
    ];
    for (index, (fill, expect)) in table.iter().enumerate() {
        let include = MatchConfig { include: Some(properties(*fill)), exclude: None };
        assert_eq!(marked(Signal::TRACES, spans(), include), *expect, "include {index}");
        let exclude = MatchConfig { include: None, exclude: Some(properties(*fill)) };
        let rest: Vec<_> = (0..4).filter(|item| !expect.contains(item)).collect();
        assert_eq!(marked(Signal::TRACES, spans(), exclude), rest, "exclude {index}");
    }
}

#[test]
fn maps_are_equal_in_any_order() {
    let int = AttributeValue::int;
    let map = |entries: &[(&str, AttributeValue)]| {
        AttributeValue::map(entries.iter().map(|(key, value)| (*key, value.clone())))
    };
    let inner = |order: &[(&str, AttributeValue)]| AttributeValue::array([int(1), map(order)]);
    let double = AttributeValue::double;
    for (expected, value, is_equal) in [
        (map(&[("a", int(1)), ("b", int(2))]), map(&[("b", int(2)), ("a", int(1))]), true),
        (map(&[("a", int(1))]), map(&[("a", int(1)), ("b", int(2))]), false),
        (map(&[("a", int(1)), ("b", int(2))]), map(&[("a", int(1)), ("b", int(3))]), false),
        (map(&[("a", int(1)), ("b", int(2))]), map(&[("a", int(1)), ("c", int(2))]), false),
        (map(&[]), map(&[]), true),
        (map(&[]), AttributeValue::array([""; 0]), false),
        (inner(&[("a", int(1)), ("b", text("x"))]), inner(&[("b", text("x")), ("a", int(1))]), true),
        (AttributeValue::array([int(1), int(2)]), AttributeValue::array([int(2), int(1)]), false),
        (AttributeValue::array([int(1)]), AttributeValue::array([int(1), int(2)]), false),
        (double(0.0), double(-0.0), true),
        (double(f64::NAN), double(f64::NAN), false),
        (AttributeValue::array([double(f64::NAN)]), AttributeValue::array([double(f64::NAN)]), true),
        (AttributeValue::array([double(0.0)]), AttributeValue::array([double(-0.0)]), false),
    ] {
        assert_eq!(
            ValueMatch::Is(expected.clone()).matches(value.view()),
            is_equal,
            "{expected:?} {value:?}"
        );
    }
}

#[test]
fn excludes_from_what_is_included() {
    let include = properties(|p| p.services = is(&["auth1", "shop"]));
    for (fill, expect) in [
        ((|p| p.span_names = is(&["login"])) as Fill, &[1][..]),
        (|p| p.services = is(&["auth1"]), &[2]),
        (|p| p.attributes = vec![has("n", Some(ValueMatch::Is(AttributeValue::int(1))))], &[0, 2]),
    ] {
        let both = MatchConfig { include: Some(include.clone()), exclude: Some(properties(fill)) };
        assert_eq!(marked(Signal::TRACES, spans(), both), expect);
    }
    assert_eq!(marked(Signal::TRACES, spans(), MatchConfig::default()), [0, 1, 2, 3]);
}

#[test]
fn log_records_are_told_apart_by_body_and_severity() {
    let table: &[(Fill, &[usize])] = &[
        (|p| p.log_bodies = is(&["AUTH ok"]), &[0]),
        (|p| p.log_bodies = vec![matches("AUTH")], &[0, 2]),
        (|p| p.log_bodies = is(&["7"]), &[3]),
        (|p| p.log_severity_texts = is(&["ERROR", "debug"]), &[1]),
        (|p| p.log_severity_texts = vec![matches("debug.*")], &[3]),
        (|p| p.log_severity_number = Some(SeverityMatch { min: 9, match_undefined: false }), &[0, 1]),
        (|p| p.log_severity_number = Some(SeverityMatch { min: 10, match_undefined: true }), &[1, 2]),
        (|p| p.span_names = is(&[""]), &[]),
        (|p| p.metric_names = is(&[""]), &[]),
        (|p| p.resources = vec![has("host", None)], &[0, 1, 2, 3]),
    ];
    for (fill, expect) in table {
        let include = MatchConfig { include: Some(properties(*fill)), exclude: None };
        assert_eq!(marked(Signal::LOGS, logs(), include), *expect);
    }
}

#[test]
fn points_are_told_apart_by_their_metrics() {
    let table: &[(Fill, &[usize])] = &[
        (|p| p.metric_names = is(&["mem"]), &[2, 3]),
        (|p| p.metric_names = vec![matches(r"^cpu\.")], &[0, 1]),
        (|p| p.resources = vec![has("host", Some(ValueMatch::Is(text("h2"))))], &[]),
        (|p| p.attributes = vec![has("n", None)], &[0, 2]),
        (|p| p.span_kinds = vec![matches("")], &[]),
    ];
    for (fill, expect) in table {
        let include = MatchConfig { include: Some(properties(*fill)), exclude: None };
        assert_eq!(marked(Signal::METRICS, metrics(), include), *expect);
    }
}
