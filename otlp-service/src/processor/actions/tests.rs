use super::*;
use crate::component::{Out, Processor};
use crate::processor::{AttributesProcessor, MatchConfig, ResourceProcessor};
use otlp_protocol::view::RequestView;
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{Batch, ByteBudget, Charge, Count, Origin, Signal};
use std::slice::from_ref;
use std::sync::Arc;

type Attributes<'a> = &'a [(&'a str, AttributeValue)];

/// Where the attributes are: a signal and the fields that lead from an entry to them, or the resource.
const LEVELS: [(Signal, &[u32]); 4] =
    [(Signal::TRACES, &[9]), (Signal::LOGS, &[6]), (Signal::METRICS, &[5, 1, 7]), (Signal::LOGS, &[])];

fn within(number: u32, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_len_delimited(&mut out, number, message);
    out
}

fn attribute(number: u32, (key, value): &(&str, AttributeValue)) -> Vec<u8> {
    within(number, &[within(1, key.as_bytes()), within(2, value.as_bytes())].concat())
}

fn batch(signal: Signal, path: &[u32], attributes: Attributes<'_>) -> Batch {
    let list = |number| attributes.iter().flat_map(|pair| attribute(number, pair)).collect::<Vec<_>>();
    let (resource, entry) = match path {
        [] => (list(1), Vec::new()),
        [above @ .., number] => {
            (Vec::new(), above.iter().rev().fold(list(*number), |inner, number| within(*number, &inner)))
        }
    };
    let body = within(1, &[within(1, &resource), within(2, &within(2, &entry))].concat());
    Batch::unchecked(signal, body, Count { items: 1, entries: 1 }, true, Charge::none())
}

fn shown(path: &[u32], batch: &Batch) -> String {
    let body = batch.body().plain().to_contiguous();
    let request = RequestView::new(batch.signal(), &body);
    if path.is_empty() {
        return format!("{:?}", request.resources().next().unwrap().resource().attributes());
    }
    let spans = request.spans().map(|span| span.attributes());
    let records = request.log_records().map(|record| record.attributes());
    let points = request.metrics().flat_map(|metric| metric.points()).map(|point| point.attributes());
    format!("{:?}", spans.chain(records).chain(points).next().unwrap())
}

fn process(processor: &dyn Processor, batch: Batch) -> Batch {
    let mut out = Out::new();
    processor.process(batch, &mut out).unwrap();
    let mut batches = out.into_batches();
    assert_eq!(batches.len(), 1);
    batches.remove(0)
}

fn run(
    level: (Signal, &[u32]),
    attributes: Attributes<'_>,
    actions: &[ActionConfig],
    origin: Origin,
) -> String {
    let (signal, path) = level;
    let mut batch = batch(signal, path, attributes);
    batch.origin = Some(Arc::new(origin));
    let done = if path.is_empty() {
        process(&ResourceProcessor::new(actions).unwrap(), batch)
    } else {
        process(&AttributesProcessor::new(actions, MatchConfig::default()).unwrap(), batch)
    };
    assert!(done.origin.is_some() && done.count() == Count { items: 1, entries: 1 });
    shown(path, &done)
}

fn check(attributes: Attributes<'_>, actions: &[ActionConfig], expect: &str) {
    for level in LEVELS {
        assert_eq!(run(level, attributes, actions, Origin::default()), expect, "{actions:?} on {level:?}");
    }
}

fn action(action: ActionKind, key: &str) -> ActionConfig {
    ActionConfig { action, key: key.into(), ..ActionConfig::default() }
}

fn with_value(kind: ActionKind, key: &str, value: AttributeValue) -> ActionConfig {
    ActionConfig { value: Some(value), ..action(kind, key) }
}

fn from(kind: ActionKind, key: &str, from: &str) -> ActionConfig {
    ActionConfig { from_attribute: Some(from.into()), ..action(kind, key) }
}

fn with_pattern(kind: ActionKind, key: &str, pattern: &str) -> ActionConfig {
    ActionConfig { pattern: Some(pattern.into()), ..action(kind, key) }
}

fn convert(key: &str, to: ConvertTo) -> ActionConfig {
    ActionConfig { converted_type: Some(to), ..action(ActionKind::Convert, key) }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::string(text)
}

#[test]
fn values_are_put_where_the_action_says() {
    use ActionKind::{Insert, Update, Upsert};
    let a = [("a", AttributeValue::int(1))];
    for (kind, there, absent) in [
        (Insert, r#"{"a": 1}"#, r#"{"a": 1, "b": "x"}"#),
        (Update, r#"{"a": "x"}"#, r#"{"a": 1}"#),
        (Upsert, r#"{"a": "x"}"#, r#"{"a": 1, "b": "x"}"#),
    ] {
        check(&a, &[with_value(kind, "a", text("x"))], there);
        check(&a, &[with_value(kind, "b", text("x"))], absent);
        // Without a value nothing happens, unless there is a default.
        check(&a, &[from(kind, "a", "gone")], r#"{"a": 1}"#);
        let mut defaulted = from(kind, "b", "gone");
        defaulted.default_value = Some(text("x"));
        check(&a, &[defaulted.clone()], absent);
        defaulted.from_attribute = None;
        check(&a, &[defaulted], absent);
    }
    let mut defaulted = from(Upsert, "b", "a");
    defaulted.default_value = Some(text("x"));
    check(&a, &[defaulted], r#"{"a": 1, "b": 1}"#);
    check(&a, &[from(Upsert, "a", "a")], r#"{"a": 1}"#);
    let list =
        AttributeValue::array([text("x"), AttributeValue::empty(), AttributeValue::map([("k", text("v"))])]);
    check(&[], &[with_value(Insert, "l", list)], r#"{"l": ["x", Empty, {"k": "v"}]}"#);
    let other_types = [
        with_value(Insert, "b", AttributeValue::bool(false)),
        with_value(Insert, "d", AttributeValue::double(0.5)),
        with_value(Insert, "i", AttributeValue::int(-1)),
    ];
    check(&[], &other_types, r#"{"b": false, "d": 0.5, "i": -1}"#);
}

#[test]
fn actions_run_in_order() {
    use ActionKind::{Delete, Insert, Upsert};
    // The Collector's example `attributes/complex`.
    let actions = [
        with_value(Insert, "operation", text("default")),
        from(Upsert, "svc.operation", "operation"),
        action(Delete, "operation"),
    ];
    for (input, expect) in [
        (vec![("svc.operation", text("a")), ("operation", text("a"))], r#"{"svc.operation": "a"}"#),
        (vec![("operation", text("s")), ("n", AttributeValue::int(1))], r#"{"n": 1, "svc.operation": "s"}"#),
        (vec![("n", AttributeValue::int(1))], r#"{"n": 1, "svc.operation": "default"}"#),
        (vec![("svc.operation", text("d"))], r#"{"svc.operation": "default"}"#),
    ] {
        check(&input, &actions, expect);
    }
}

#[test]
fn deletes_and_hashes_by_key_and_pattern() {
    use ActionKind::{Delete, Hash};
    let given = [
        ("a.1", text("x")),
        ("b", text("y")),
        ("a.2", AttributeValue::int(1)),
        ("c", AttributeValue::array([""; 0])),
    ];
    check(&given, &[with_pattern(Delete, "", r"^a\.")], r#"{"b": "y", "c": []}"#);
    check(&given, &[with_pattern(Delete, "c", r"^a\.\d$")], r#"{"b": "y"}"#);
    check(&given, &[action(Delete, "gone"), with_pattern(Delete, "", ".")], "{}");
    let (x, one) = (
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8",
    );
    let expect = format!(r#"{{"a.1": "{x}", "b": "y", "a.2": "{one}", "c": ""}}"#);
    check(&given, &[with_pattern(Hash, "c", r"^a\.")], &expect);
    check(&given[1..2], &[action(Hash, "gone")], r#"{"b": "y"}"#);
    // By key and by pattern, it is hashed twice.
    let twice = [with_pattern(Hash, "b", "^b$")];
    check(
        &given[1..2],
        &twice,
        &run(LEVELS[0], &given[1..2], &[action(Hash, "b"), action(Hash, "b")], Origin::default()),
    );
}

#[test]
fn extracts_named_groups() {
    let url = with_pattern(
        ActionKind::Extract,
        "url",
        r"^(?P<protocol>.*):\/\/(?P<domain>.*)\/(?P<path>.*)(?P<mark>\?|\&)(?P<query>.*)?",
    );
    let given = [("url", text("http://example.com/path?q=1")), ("path", AttributeValue::int(1))];
    let expect = r#"{"url": "http://example.com/path?q=1", "path": "path", "protocol": "http", "domain": "example.com", "mark": "?", "query": "q=1"}"#;
    check(&given, from_ref(&url), expect);
    check(&[("url", text("nothing"))], from_ref(&url), r#"{"url": "nothing"}"#);
    check(&[("url", AttributeValue::int(1))], &[url], r#"{"url": 1}"#);
    // A group outside of the match is empty; a group of the key's own name comes last.
    let either = with_pattern(ActionKind::Extract, "k", "(?P<a>x)|(?P<k>y)");
    check(&[("k", text("y"))], &[either], r#"{"k": "y", "a": ""}"#);
}

#[test]
fn converts_types() {
    use ConvertTo::{Double, Int, String};
    let table = [
        (Int, text("12"), "12"),
        (Int, text("+5"), "5"),
        (Int, text(" 12"), "\" 12\""),
        (Int, text("1.5"), "\"1.5\""),
        (Int, text("9223372036854775808"), "\"9223372036854775808\""),
        (Int, AttributeValue::double(-1.9), "-1"),
        (Int, AttributeValue::bool(true), "1"),
        (Int, AttributeValue::int(7), "7"),
        (Int, AttributeValue::array([""; 0]), "[]"),
        (Double, text("1e3"), "1000.0"),
        (Double, text("Inf"), "inf"),
        (Double, text("1e999"), "\"1e999\""),
        (Double, text("x"), "\"x\""),
        (Double, text("1_0.5_0e1_0"), "105000000000.0"),
        (Double, text("_1"), "\"_1\""),
        (Double, text("1__0"), "\"1__0\""),
        (Double, text("1_e5"), "\"1_e5\""),
        (Double, text("nan"), "NaN"),
        (Double, text("-nan"), "\"-nan\""),
        (Double, AttributeValue::int(3), "3.0"),
        (Double, AttributeValue::bool(false), "0.0"),
        (String, AttributeValue::int(3), "\"3\""),
        (String, AttributeValue::double(1e21), "\"1e+21\""),
        (String, AttributeValue::bool(true), "\"true\""),
        (String, AttributeValue::array([text("x")]), r#""[\"x\"]""#),
        (String, AttributeValue::empty(), "\"\""),
    ];
    for (to, value, expect) in table {
        check(&[("k", value)], &[convert("k", to), convert("gone", to)], &format!("{{\"k\": {expect}}}"));
    }
}

#[test]
fn takes_values_from_the_request() {
    let origin = || Origin {
        headers: vec![
            ("x-a".into(), "1".into()),
            ("x-a".into(), "2".into()),
            ("y".into(), vec![0xff].into()),
        ],
        identity: Some("me".into()),
        peer: Some([127, 0, 0, 1].into()),
        ..Origin::default()
    };
    for (from_context, expect) in [
        ("metadata.X-A", r#"{"k": "1,2"}"#),
        ("x-a", r#"{"k": "1,2"}"#),
        ("metadata.y", "{\"k\": \"\u{fffd}\"}"),
        ("metadata.z", "{}"),
        ("auth.subject", r#"{"k": "me"}"#),
        ("client.address", r#"{"k": "127.0.0.1"}"#),
    ] {
        let config =
            ActionConfig { from_context: Some(from_context.into()), ..action(ActionKind::Upsert, "k") };
        for level in LEVELS {
            assert_eq!(run(level, &[], from_ref(&config), origin()), expect, "{from_context}");
            assert_eq!(run(level, &[], from_ref(&config), Origin::default()), "{}", "{from_context}");
        }
        let needs = ResourceProcessor::new(&[config.clone(), config]).unwrap().needs();
        let header = match from_context {
            "metadata.X-A" | "x-a" => Some("x-a"),
            _ => from_context.strip_prefix("metadata."),
        };
        assert_eq!(needs.headers.iter().map(|name| &**name).collect::<Vec<_>>(), Vec::from_iter(header));
        assert_eq!(
            (needs.identity, needs.peer),
            (from_context.starts_with("auth"), from_context.starts_with("client"))
        );
    }
}

#[test]
fn actions_that_make_no_sense_are_refused() {
    use ActionKind::{Convert, Delete, Extract, Hash, Insert, Update, Upsert};
    let one = || text("1");
    let mut two = with_value(Insert, "k", one());
    two.from_attribute = Some("x".into());
    let mut patterned = with_value(Update, "k", one());
    patterned.pattern = Some("x".into());
    let mut typed = with_value(Upsert, "k", one());
    typed.converted_type = Some(ConvertTo::Int);
    let mut extracting = with_pattern(Extract, "k", "(?P<a>x)");
    extracting.value = Some(one());
    let mut converting = convert("k", ConvertTo::Int);
    converting.from_attribute = Some("x".into());
    let raw = ActionConfig { from_context: Some("auth.raw".into()), ..action(Insert, "k") };
    for (config, field, problem) in [
        (with_value(Insert, "", one()), "key", "required"),
        (action(Delete, ""), "key", "`key` or `pattern`"),
        (action(Insert, "k"), "value", "default_value is required"),
        (two, "from_attribute", "more than one source"),
        (patterned, "pattern", "`update` does not use this field"),
        (typed, "converted_type", "`upsert` does not use this field"),
        (with_value(Delete, "k", one()), "value", "`delete` does not use this field"),
        (from(Hash, "k", "x"), "from_attribute", "`hash` does not use this field"),
        (with_pattern(Delete, "", "("), "pattern", "unclosed group"),
        (action(Extract, "k"), "pattern", "`extract` requires it"),
        (with_pattern(Extract, "k", "x"), "pattern", "no named group"),
        (with_pattern(Extract, "k", "(?P<a>x)(y)"), "pattern", "without a name"),
        (extracting, "value", "`extract` does not use this field"),
        (action(Convert, "k"), "converted_type", "`convert` requires it"),
        (converting, "from_attribute", "`convert` does not use this field"),
        (raw, "from_context", "not kept"),
    ] {
        let error = ResourceProcessor::new(&[action(Delete, "x"), config]).unwrap_err();
        assert_eq!((error.index, error.field), (1, field), "{error}");
        assert!(error.problem.contains(problem), "{error}");
    }
}

#[test]
fn what_grows_is_charged_before_it_is_made() {
    let value = text(&"x".repeat(10_000));
    let grown = |budget: &ByteBudget, growing: ActionConfig| {
        let (body, _) = batch(Signal::LOGS, &[6], &[("k", value.clone())]).into_parts();
        let charge = budget.try_charge(body.plain().len() as u64).unwrap();
        let mut out = Out::new();
        let processor = AttributesProcessor::new(&[growing], MatchConfig::default()).unwrap();
        let result = processor.process(Batch::new(body, charge), &mut out);
        result.map(|()| out.into_batches().remove(0))
    };
    let budget = ByteBudget::new(100_000);
    // The settings do not say how long the value is: the second try has room.
    for growing in [from(ActionKind::Insert, "l", "k"), with_value(ActionKind::Insert, "l", value.clone())] {
        let batch = grown(&budget, growing).unwrap();
        assert!(batch.len() > 20_000);
        assert!(
            (batch.len() as u64..batch.len() as u64 + 10_100).contains(&budget.used()),
            "{}",
            budget.used()
        );
        drop(batch);
        assert_eq!(budget.used(), 0);
    }
    let unchanged = grown(&budget, action(ActionKind::Delete, "gone")).unwrap();
    assert_eq!(budget.used(), unchanged.len() as u64);
    drop(unchanged);
    let other = budget.try_charge(85_000).unwrap();
    let refused = grown(&budget, from(ActionKind::Insert, "l", "k")).unwrap_err();
    assert!(refused.retry().is_retryable(), "{refused}");
    assert_eq!(budget.used(), other.bytes());
    // Old body, new body and notes are more than the whole budget: trying again is of no use.
    let small = ByteBudget::new(15_000);
    let refused = grown(&small, from(ActionKind::Insert, "l", "k")).unwrap_err();
    assert_eq!(
        (refused.kind(), refused.retry()),
        (otlp_protocol::ErrorKind::TooLarge, otlp_protocol::Retry::Never)
    );
    assert_eq!(small.used(), 0);
}
