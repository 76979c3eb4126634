//! Items grouped anew, by attributes and by equal resources; prost is the judge of random requests.

use crate::by_hand::{field, sound};
use crate::oracle;
use crate::random::{Random, message};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint, SummaryDataPoint,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use otlp_protocol::{Body, EditError, Regrouped, Signal, ValidateLimits, json, regroup, validate};
use proptest::prelude::*;
use prost::Message;

const MAX: usize = 64 << 20;

fn read(signal: Signal, text: &str) -> Body {
    json::from_str(signal, text).unwrap()
}

/// Groups a request in JSON, and returns the result in JSON.
#[track_caller]
fn check(signal: Signal, keys: &[&str], request: &str, expected: &str) -> Regrouped {
    let regrouped = regroup(&read(signal, request), keys, MAX).unwrap();
    let body = regrouped.body.to_bytes();
    let checked = validate(signal, &body, &ValidateLimits::default()).unwrap();
    assert_eq!(checked.count, regrouped.body.count());
    assert_eq!(
        json::to_string(&regrouped.body).unwrap(),
        json::to_string(&read(signal, expected)).unwrap(),
        "{request}"
    );
    regrouped
}

fn attributes(pairs: &str) -> String {
    let pairs = pairs.split_whitespace().map(|pair| pair.split_once('=').unwrap());
    let pairs = pairs.map(|(key, value)| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#));
    format!(r#""attributes":[{}]"#, pairs.collect::<Vec<_>>().join(","))
}

/// A resource with what is in it.
fn resource(pairs: &str, scopes: &[String]) -> String {
    format!(r#"{{"resource":{{{}}},"scopeX":[{}]}}"#, attributes(pairs), scopes.join(","))
}

/// A scope of a name with entries.
fn scope(name: &str, entries: &[String]) -> String {
    format!(r#"{{"scope":{{"name":"{name}"}},"entries":[{}]}}"#, entries.join(","))
}

fn request(signal: Signal, resources: &[String]) -> String {
    let (resource, scope, entries) = match signal {
        _ if signal == Signal::TRACES => ("resourceSpans", "scopeSpans", "spans"),
        _ if signal == Signal::METRICS => ("resourceMetrics", "scopeMetrics", "metrics"),
        _ => ("resourceLogs", "scopeLogs", "logRecords"),
    };
    let resources = resources.join(",").replace("scopeX", scope).replace("entries", entries);
    format!(r#"{{"{resource}":[{resources}]}}"#)
}

/// A log record or span with attributes. Its number is in a field of its own.
fn item(number: u64, pairs: &str) -> String {
    format!(r#"{{"flags":{number},{}}}"#, attributes(pairs))
}

fn metric(name: &str, kind: &str, points: &[&str]) -> String {
    let points: Vec<_> = points.iter().map(|pairs| format!("{{{}}}", attributes(pairs))).collect();
    format!(r#"{{"name":"{name}",{kind}"dataPoints":[{}]}}}}"#, points.join(","))
}

#[test]
fn items_move_to_a_resource_with_their_attributes() {
    for signal in [Signal::TRACES, Signal::LOGS] {
        let given = request(
            signal,
            &[
                resource(
                    "host=local source=x",
                    &[
                        scope("s", &[item(1, "host=a id=1"), item(2, "id=2"), item(3, "zone=z host=b")]),
                        scope("t", &[item(4, "id=4 host=a")]),
                        scope("s", &[item(5, "host=a")]),
                    ],
                ),
                resource("source=x host=a", &[scope("s", &[item(6, "")])]),
            ],
        );
        let expected = request(
            signal,
            &[
                resource(
                    "host=a source=x",
                    &[
                        scope("s", &[item(1, "id=1"), item(5, ""), item(6, "")]),
                        scope("t", &[item(4, "id=4")]),
                    ],
                ),
                resource("host=local source=x", &[scope("s", &[item(2, "id=2")])]),
                resource("host=b source=x zone=z", &[scope("s", &[item(3, "")])]),
            ],
        );
        let regrouped = check(signal, &["zone", "host"], &given, &expected);
        assert_eq!((regrouped.moved, regrouped.resources, regrouped.changed), (4, 3, true));
    }
}

/// The example of the Collector's page.
#[test]
fn data_points_move_and_metrics_of_a_name_and_type_merge() {
    let (gauge, sum) = (r#""gauge":{"#, r#""sum":{"aggregationTemporality":2,"isMonotonic":true,"#);
    let hosts = ["host=A id=1", "host=A id=2", "host=B id=3"];
    let given = request(
        Signal::METRICS,
        &[resource(
            "host=local source=prom",
            &[scope(
                "s",
                &[
                    metric("gauge-1", gauge, &hosts),
                    metric("gauge-1", gauge, &hosts),
                    metric("mixed", gauge, &hosts),
                    metric("mixed", sum, &hosts[..2]),
                    metric("dont-move", gauge, &["id=4"]),
                ],
            )],
        )],
    );
    let expected = request(
        Signal::METRICS,
        &[
            resource(
                "host=A source=prom",
                &[scope(
                    "s",
                    &[
                        metric("gauge-1", gauge, &["id=1", "id=2", "id=1", "id=2"]),
                        metric("mixed", gauge, &["id=1", "id=2"]),
                        metric("mixed", sum, &["id=1", "id=2"]),
                    ],
                )],
            ),
            resource(
                "host=B source=prom",
                &[scope(
                    "s",
                    &[metric("gauge-1", gauge, &["id=3", "id=3"]), metric("mixed", gauge, &["id=3"])],
                )],
            ),
            resource("host=local source=prom", &[scope("s", &[metric("dont-move", gauge, &["id=4"])])]),
        ],
    );
    let regrouped = check(Signal::METRICS, &["host"], &given, &expected);
    assert_eq!((regrouped.moved, regrouped.resources), (11, 3));
    assert_eq!((regrouped.body.count().items, regrouped.body.count().entries), (12, 6));
}

#[test]
fn metrics_that_differ_beside_their_points_stay_apart() {
    let kinds = [
        r#""sum":{"aggregationTemporality":1,"#,
        r#""sum":{"aggregationTemporality":2,"#,
        r#""unit":"s","gauge":{"#,
        r#""unit":"ms","gauge":{"#,
        r#""histogram":{"#,
        r#""exponentialHistogram":{"#,
        r#""summary":{"#,
    ];
    let metrics: Vec<_> = kinds.iter().map(|kind| metric("m", kind, &["host=a"])).collect();
    let given = request(Signal::METRICS, &[resource("", &[scope("s", &metrics)])]);
    let metrics: Vec<_> = kinds.iter().map(|kind| metric("m", kind, &[""])).collect();
    let expected = request(Signal::METRICS, &[resource("host=a", &[scope("s", &metrics)])]);
    check(Signal::METRICS, &["host"], &given, &expected);
}

#[test]
fn nothing_without_items_is_lost() {
    let given = request(
        Signal::METRICS,
        &[
            resource("empty=1", &[]),
            resource("empty=2", &[scope("s", &[])]),
            resource(
                "a=1",
                &[scope("s", &[r#"{"name":"no type"}"#.into(), metric("m", r#""gauge":{"#, &[])])],
            ),
        ],
    );
    let regrouped = regroup(&read(Signal::METRICS, &given), &["a"], MAX).unwrap();
    assert!(!regrouped.changed);
    // Equal ones merge.
    let rest = given.trim_start_matches(r#"{"resourceMetrics":["#);
    let twice = format!("{},{rest}", given.strip_suffix("]}").unwrap());
    let regrouped = regroup(&read(Signal::METRICS, &twice), &["a"], MAX).unwrap();
    assert_eq!((regrouped.changed, regrouped.resources), (true, 3));
}

#[test]
fn what_the_schemas_and_unknown_fields_tell_apart_stays_apart() {
    let log = |head: Vec<u8>, scope_head: Vec<u8>, tail: Vec<u8>| {
        let record = field(2, &field(6, &[field(1, b"host"), field(2, &field(1, b"a"))].concat()));
        field(1, &[head, field(2, &[scope_head, record].concat()), tail].concat())
    };
    let unknown = field(900, b"from the future");
    let given = [
        log(vec![], vec![], vec![]),
        log(vec![], vec![], field(3, b"schema/1")),
        log(vec![], field(3, b"schema/1"), vec![]),
        log(field(1, &unknown), vec![], vec![]),
        log(unknown.clone(), field(1, &unknown), field(3, b"schema/1")),
        // The same as the second but for the order of the fields.
        log(field(3, b"schema/1"), vec![], vec![]),
    ]
    .concat();
    let regrouped = regroup(&sound(Signal::LOGS, given), &["host"], MAX).unwrap();
    assert_eq!((regrouped.moved, regrouped.resources), (6, 4));
    let bytes = regrouped.body.to_bytes();
    let schemas = bytes.windows(8).filter(|part| part == b"schema/1").count();
    let futures = bytes.windows(15).filter(|part| part == b"from the future").count();
    assert_eq!((schemas, futures, regrouped.body.count().items), (3, 3, 6));
    // Fields of the request beside its resources stay.
    let given = [field(2, b""), unknown, field(1, b"\x12\x00"), field(1, b"\x12\x00")].concat();
    let regrouped = regroup(&sound(Signal::PROFILES, given), &["host"], MAX).unwrap();
    assert!(regrouped.body.to_bytes().starts_with(&[0x12, 0x00]) && regrouped.resources == 1);
}

#[test]
fn resources_are_equal_whatever_the_order_of_their_attributes() {
    let map = |keys: [&str; 2]| {
        let value = |key: &str| format!(r#"{{"key":"{key}","value":{{"intValue":"7"}}}}"#);
        let list = r#"{"arrayValue":{"values":[{"boolValue":true},{"doubleValue":1.5}]}}"#;
        let map = format!(r#"{{"kvlistValue":{{"values":[{},{}]}}}}"#, value(keys[0]), value(keys[1]));
        let of = |key: &str| {
            let value = if key == "x" { list } else { &map };
            format!(r#"{{"key":"{key}","value":{value}}}"#)
        };
        format!(
            r#"{{"resource":{{"attributes":[{},{}]}},"scopeX":[{}]}}"#,
            of(keys[0]),
            of(keys[1]),
            scope("s", &[item(1, "")])
        )
    };
    let given = request(Signal::LOGS, &[map(["x", "y"]), map(["y", "x"])]);
    let regrouped = regroup(&read(Signal::LOGS, &given), &[""; 0], MAX).unwrap();
    assert_eq!((regrouped.resources, regrouped.body.count().items, regrouped.moved), (1, 2, 0));
    let other = given.replacen(r#""7""#, r#""8""#, 1);
    assert_eq!(regroup(&read(Signal::LOGS, &other), &[""; 0], MAX).unwrap().resources, 2);
}

#[test]
fn a_request_stays_within_its_limit() {
    let items: Vec<_> = (0..50).map(|number| item(number, &format!("host=h{number}"))).collect();
    let pairs = format!("long={}", "x".repeat(1000));
    let given = request(Signal::LOGS, &[resource(&pairs, &[scope("s", &items)])]);
    let body = read(Signal::LOGS, &given);
    let whole = regroup(&body, &["host"], MAX).unwrap().body.len();
    assert!(whole > 50 * 1000);
    assert_eq!(regroup(&body, &["host"], whole - 1).map(drop), Err(EditError::TooLarge { limit: whole - 1 }));
    assert!(regroup(&body, &["host"], 4 * whole).is_ok());
}

/// The lines of items, sorted: those of envelopes without items merge with others.
fn items(signal: Signal, body: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut lines = oracle::decode(signal, body).unwrap().lines;
    let depth = if signal == Signal::METRICS { 6 } else { 5 };
    lines.retain(|line| line.len() >= depth);
    lines.sort();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merging_keeps_all_items_where_they_belong(
        signal in prop::sample::select(Signal::ALL.to_vec()),
        seed: u64,
    ) {
        let body = message(&mut Random::new(seed), signal.request, 7);
        let twice = sound(signal, [body.as_slice(), &body].concat());
        let regrouped = regroup(&twice, &[""; 0], MAX).unwrap();
        let bytes = regrouped.body.to_bytes();
        prop_assert_eq!(validate(signal, &bytes, &ValidateLimits::default()).unwrap().count, regrouped.body.count());
        prop_assert_eq!(regrouped.body.count().items, twice.count().items);
        prop_assert_eq!(regrouped.moved, 0);
        prop_assert_eq!(items(signal, &bytes), items(signal, &twice.to_bytes()));
        // The second half goes into the envelopes of the first.
        let once = regroup(&sound(signal, body), &[""; 0], MAX).unwrap();
        prop_assert_eq!(regrouped.resources, once.resources);
        prop_assert!(!regroup(&regrouped.body, &[""; 0], MAX).unwrap().changed);
    }

    #[test]
    fn moving_is_what_it_is_in_decoded_requests(
        signal in prop::sample::select(vec![Signal::TRACES, Signal::METRICS, Signal::LOGS]),
        seed: u64,
    ) {
        let mut random = Random::new(seed);
        let body = reencoded(signal, &message(&mut random, signal.request, 7));
        let mut lines = items(signal, &body);
        let mut known: Vec<String> = lines.iter().flat_map(|line| keys(signal, line)).collect();
        known.sort();
        known.dedup();
        let chosen: Vec<String> = (0..random.below(3)).filter_map(|_| {
            let index = random.below(known.len());
            (index < known.len()).then(|| known.remove(index))
        }).collect();
        let mut moved = 0;
        lines.iter_mut().for_each(|line| moved += u64::from(move_attributes(signal, line, &chosen)));
        lines.sort();
        let regrouped = regroup(&sound(signal, body), &chosen, MAX).unwrap();
        prop_assert_eq!(regrouped.moved, moved);
        prop_assert_eq!(items(signal, &regrouped.body.to_bytes()), lines);
    }
}

/// The request as prost encodes it: every field once.
fn reencoded(signal: Signal, body: &[u8]) -> Vec<u8> {
    match signal {
        _ if signal == Signal::TRACES => ExportTraceServiceRequest::decode(body).unwrap().encode_to_vec(),
        _ if signal == Signal::METRICS => ExportMetricsServiceRequest::decode(body).unwrap().encode_to_vec(),
        _ => ExportLogsServiceRequest::decode(body).unwrap().encode_to_vec(),
    }
}

/// Changes the attributes of a line's item.
fn with_attributes<R>(signal: Signal, line: &mut [Vec<u8>], with: impl FnOnce(&mut Vec<KeyValue>) -> R) -> R {
    fn of<M: Message + Default, R>(
        bytes: &mut Vec<u8>,
        attributes: impl FnOnce(&mut M) -> &mut Vec<KeyValue>,
        with: impl FnOnce(&mut Vec<KeyValue>) -> R,
    ) -> R {
        let mut message = M::decode(bytes.as_slice()).unwrap();
        let result = with(attributes(&mut message));
        *bytes = message.encode_to_vec();
        result
    }
    let metric = Metric::decode(line[4].as_slice()).ok().filter(|_| signal == Signal::METRICS);
    let item = line.last_mut().unwrap();
    match metric.and_then(|metric| metric.data) {
        Some(Data::Gauge(_) | Data::Sum(_)) => {
            of::<NumberDataPoint, R>(item, |item| &mut item.attributes, with)
        }
        Some(Data::Histogram(_)) => of::<HistogramDataPoint, R>(item, |item| &mut item.attributes, with),
        Some(Data::ExponentialHistogram(_)) => {
            of::<ExponentialHistogramDataPoint, R>(item, |item| &mut item.attributes, with)
        }
        Some(Data::Summary(_)) => of::<SummaryDataPoint, R>(item, |item| &mut item.attributes, with),
        None if signal == Signal::TRACES => of::<Span, R>(item, |item| &mut item.attributes, with),
        None => of::<LogRecord, R>(item, |item| &mut item.attributes, with),
    }
}

fn keys(signal: Signal, line: &[Vec<u8>]) -> Vec<String> {
    with_attributes(signal, &mut line.to_vec(), |list| list.iter().map(|known| known.key.clone()).collect())
}

/// Moves attributes from a line's item to its resource. True if the item had any of the keys.
fn move_attributes(signal: Signal, line: &mut [Vec<u8>], keys: &[String]) -> bool {
    let moved: Vec<KeyValue> = with_attributes(signal, line, |list| {
        let found = keys.iter().filter_map(|key| list.iter().find(|known| known.key == *key).cloned());
        let moved = found.collect();
        list.retain(|known| !keys.contains(&known.key));
        moved
    });
    if moved.is_empty() {
        return false;
    }
    let mut resource = Resource::decode(line[0].as_slice()).unwrap();
    for attribute in &moved {
        let attribute = KeyValue {
            key: attribute.key.clone(),
            value: Some(attribute.value.clone().unwrap_or_default()),
            ..KeyValue::default()
        };
        let mut first = Some(attribute.clone());
        resource.attributes.retain_mut(|known| {
            if known.key == attribute.key
                && let Some(first) = first.take()
            {
                *known = first;
                return true;
            }
            known.key != attribute.key
        });
        resource.attributes.extend(first);
    }
    line[0] = resource.encode_to_vec();
    true
}
