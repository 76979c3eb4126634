//! Trace contexts and baggage in headers: formats, their choice, hostile headers.

use http::{HeaderMap, HeaderName, HeaderValue};
use otlp_service::client::{Baggage, BaggageError, Carrier, Propagator, Propagators, TraceContext};
use proptest::prelude::*;
use std::collections::HashMap;

const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID: &str = "b7ad6b7169203331";
const FORMATS: [Propagator; 4] =
    [Propagator::TraceContext, Propagator::B3, Propagator::B3Multi, Propagator::Jaeger];

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    pairs.iter().map(pair).fold(HeaderMap::new(), |mut map, (name, value)| {
        map.append(name, value);
        map
    })
}

fn extract(format: Propagator, pairs: &[(&str, &str)]) -> Option<TraceContext> {
    Propagators::new([format]).extract(&headers(pairs))
}

fn injected(format: Propagator, context: &TraceContext) -> Vec<(String, String)> {
    let mut headers = HashMap::new();
    Propagators::new([format]).inject(context, &mut headers);
    let mut headers: Vec<_> = headers.into_iter().collect();
    headers.sort();
    headers
}

fn sampled() -> TraceContext {
    TraceContext::from_traceparent(format!("00-{TRACE_ID}-{SPAN_ID}-01").as_bytes()).unwrap()
}

/// The sender's choice, as B3 writes it.
fn choice(context: TraceContext) -> &'static str {
    match (context.flags, context.is_debug) {
        (0, false) => "0",
        (1, false) => "1",
        (1, true) => "d",
        _ => "?",
    }
}

#[test]
fn w3c_headers_are_written_and_read() {
    let mut map = headers(&[("traceparent", "stale"), ("traceparent", "stale"), ("tracestate", "stale=1")]);
    let propagators = Propagators::default();
    propagators.inject(&sampled(), &mut map);
    assert_eq!(map.len(), 1, "{map:?}");
    assert_eq!(propagators.extract(&map), Some(sampled()));
    let context = sampled().with_tracestate(["ot=th:8,a=b".as_bytes()]);
    propagators.inject(&context, &mut map);
    assert_eq!(map["tracestate"], "ot=th:8,a=b");
    assert_eq!(propagators.extract(&map), Some(context));
}

#[test]
fn w3c_headers_that_are_invalid_or_there_twice_are_no_context() {
    let valid = format!("00-{TRACE_ID}-{SPAN_ID}-01");
    let twice = [("traceparent", &*valid), ("traceparent", &*valid)];
    assert_eq!(extract(Propagator::TraceContext, &twice), None);
    assert_eq!(extract(Propagator::TraceContext, &[("tracestate", "a=b")]), None);
    let states = [("TraceParent", &*valid), ("tracestate", "a=1"), ("tracestate", "b=2")];
    let context = extract(Propagator::TraceContext, &states).unwrap();
    assert_eq!(context.state.as_deref(), Some("a=1,b=2"));
    let invalid = [("traceparent", &*valid), ("tracestate", "a=1"), ("tracestate", "\u{e9}=2")];
    assert_eq!(extract(Propagator::TraceContext, &invalid), Some(sampled()));
}

#[test]
fn b3_is_written_in_one_header_or_in_several() {
    let ids = format!("{TRACE_ID}-{SPAN_ID}");
    let mut context = sampled();
    for (flags, is_debug, state) in [(0, true, "0"), (1, false, "1"), (3, false, "1"), (1, true, "d")] {
        (context.flags, context.is_debug) = (flags, is_debug);
        assert_eq!(injected(Propagator::B3, &context), [("b3".into(), format!("{ids}-{state}"))]);
    }
    let multi = |context: &TraceContext, name: &str, value: &str| {
        let ids = [("x-b3-spanid", SPAN_ID), ("x-b3-traceid", TRACE_ID)];
        let expect = [(name, value), ids[0], ids[1]].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(injected(Propagator::B3Multi, context), expect);
    };
    multi(&context, "x-b3-flags", "1");
    context.flags = 0;
    multi(&context, "x-b3-sampled", "0");
    let mut map = headers(&[("x-b3-flags", "1"), ("x-b3-parentspanid", SPAN_ID)]);
    Propagators::new([Propagator::B3Multi]).inject(&context, &mut map);
    assert_eq!((map.len(), &map["X-B3-Sampled"]), (3, &HeaderValue::from_static("0")));
}

#[test]
fn b3_is_read_from_one_header_before_several() {
    let single = |value: String| extract(Propagator::B3Multi, &[("b3", &value)]).map(choice);
    let ids = format!("{TRACE_ID}-{SPAN_ID}");
    let states = ["", "-0", "-1", "-d", "-1-00f067aa0ba902b7"];
    assert_eq!(states.map(|state| single(format!("{ids}{state}"))), ["0", "0", "1", "d", "1"].map(Some));
    for wrong in
        ["0", "", "-", &ids[1..], &format!("{ids}-x"), &format!("{ids}-1-1"), &format!("{ids}-1-{SPAN_ID}-")]
    {
        assert_eq!(single(wrong.to_owned()), None, "{wrong}");
    }
    assert_eq!(single(format!("{}-{SPAN_ID}-1", &TRACE_ID[16..])), Some("1"));
    let zeros = "0".repeat(16);
    assert_eq!(
        (single(format!("{zeros}-{SPAN_ID}-1")), single(format!("{TRACE_ID}-{zeros}-1"))),
        (None, None)
    );

    let (trace, span) = (("X-B3-TraceId", &TRACE_ID[16..]), ("X-B3-SpanId", SPAN_ID));
    let multi = |name, value| extract(Propagator::B3, &[trace, span, (name, value)]).map(choice);
    let named = [
        ("X-B3-Sampled", "1"),
        ("X-B3-Sampled", "True"),
        ("X-B3-Sampled", "0"),
        ("X-B3-Flags", "1"),
        ("x", ""),
    ];
    assert_eq!(named.map(|(name, value)| multi(name, value)), ["1", "1", "0", "d", "0"].map(Some));
    assert_eq!(multi("X-B3-Sampled", "maybe"), None);
    let context = extract(Propagator::B3, &[trace, span, ("b3", &format!("{ids}-1"))]).unwrap();
    assert_eq!(context, sampled(), "one header wins");
    let context = extract(Propagator::B3, &[trace, span, ("b3", "0")]).unwrap();
    assert_eq!(context.trace_id[..8], [0; 8], "an invalid one does not");
}

#[test]
fn jaeger_is_written_and_read() {
    let value = format!("{TRACE_ID}:{SPAN_ID}:0:1");
    assert_eq!(injected(Propagator::Jaeger, &sampled()), [("uber-trace-id".into(), value)]);
    let flags = |value: &str| extract(Propagator::Jaeger, &[("uber-trace-id", value)]).map(choice);
    let ids = format!("{TRACE_ID}:{SPAN_ID}");
    assert_eq!(flags(&format!("{TRACE_ID}%3A{SPAN_ID}%3a0%3A3")), Some("d"));
    for (rest, expect) in
        [(":0:1", "1"), ("::0", "0"), (":0:2", "d"), (":00f067aa0ba902b7:01", "1"), (":0:fc", "0")]
    {
        assert_eq!(flags(&format!("{ids}{rest}")), Some(expect), "{rest}");
    }
    for wrong in ["", ":1", ":0:1:1", ":0:", ":0:+1", ":0:100", ":x:1", &format!(":{}:1", "0".repeat(99))] {
        assert_eq!(flags(&format!("{ids}{wrong}")), None, "{wrong}");
    }
    let short = extract(Propagator::Jaeger, &[("uber-trace-id", "ABC:1:0:1")]).unwrap();
    assert_eq!((short.trace_id[14..].to_vec(), short.span_id[7]), (vec![0x0a, 0xbc], 1));
    assert_eq!((flags("0:1:0:1"), flags("1:0:0:1"), flags(":1:0:1")), (None, None, None));
}

#[test]
fn of_several_formats_all_are_written_and_the_last_valid_one_is_read() {
    let propagators = Propagators::new([Propagator::TraceContext, Propagator::B3]);
    let mut map = HeaderMap::new();
    propagators.inject(&sampled(), &mut map);
    assert_eq!(map.len(), 2);
    let other = headers(&[("b3", &format!("{}-{SPAN_ID}-0", "1".repeat(32)))]);
    map.extend(other);
    assert_eq!(propagators.extract(&map).map(|context| context.trace_id), Some([0x11; 16]));
    map.insert("b3", HeaderValue::from_static("0"));
    assert_eq!(propagators.extract(&map), Some(sampled()));
}

#[test]
fn the_variable_names_formats_and_errors_are_warnings() {
    let read = |value| {
        let (propagators, warnings) = Propagators::from_variable(Some(value));
        (propagators.formats().to_vec(), warnings.join("\n"))
    };
    use Propagator::{B3, B3Multi, Jaeger};
    let default = vec![Propagator::TraceContext, Propagator::Baggage];
    assert_eq!(Propagators::from_variable(None).0.formats(), default);
    for (value, expect) in [
        ("", default.clone()),
        (" , ", default.clone()),
        ("none", vec![]),
        ("b3, JAEGER,b3multi,b3", vec![B3, Jaeger, B3Multi]),
        ("baggage", vec![Propagator::Baggage]),
    ] {
        assert_eq!(read(value), (expect, String::new()), "{value}");
    }
    for (value, expect) in [("xray,b3", vec![B3]), ("xray", default), ("none,b3", vec![B3])] {
        let (formats, warning) = read(value);
        assert_eq!(formats, expect);
        assert!(warning.contains("OTEL_PROPAGATORS") && warning.contains(value), "{warning}");
    }
    let mut map = headers(&[("traceparent", "as it was")]);
    let none = read("none").0;
    Propagators::new(none.clone()).inject(&sampled(), &mut map);
    Propagators::new(none).inject_baggage(&Baggage::new(), &mut map);
    assert_eq!(map["traceparent"], "as it was");
}

#[test]
fn baggage_is_escaped_and_its_metadata_kept() {
    let propagators = Propagators::default();
    let mut baggage = Baggage::new();
    baggage.insert("user", "J\u{fc}rgen, \"x\"; 50% \\ =").unwrap();
    baggage.insert_with_metadata("plan", "gold", "ttl=60;secret").unwrap();
    baggage.insert("user", "J\u{fc}rgen, \"x\"; 50% \\").unwrap();
    let mut map = HeaderMap::new();
    propagators.inject_baggage(&baggage, &mut map);
    assert_eq!(map["baggage"], "user=J%C3%BCrgen%2C%20%22x%22%3B%2050%25%20%5C,plan=gold;ttl=60;secret");
    assert_eq!(propagators.extract_baggage(&map), baggage);
    assert!(baggage.remove("plan") && !baggage.remove("plan"));
    assert_eq!(baggage.iter().collect::<Vec<_>>(), [("user", "J\u{fc}rgen, \"x\"; 50% \\")]);
    propagators.inject_baggage(&Baggage::new(), &mut map);
    assert!(map.is_empty());
    let without = Propagators::new([Propagator::TraceContext]);
    without.inject_baggage(&baggage, &mut map);
    assert!(map.is_empty() && without.extract_baggage(&headers(&[("baggage", "a=b")])).is_empty());
}

#[test]
fn baggage_of_several_headers_is_read_and_invalid_members_are_counted() {
    let map = headers(&[
        ("baggage", "a = 1 ; p = q ;r ,, b=%41%ff%4,a=2"),
        ("baggage", "=x,novalue,na me=1,n\u{e9}=1,v=\u{e9},c=d=e,empty="),
    ]);
    let baggage = Propagators::default().extract_baggage(&map);
    let expect = [("a", "2"), ("b", "A\u{fffd}%4"), ("c", "d=e"), ("empty", "")];
    assert_eq!(baggage.iter().collect::<Vec<_>>(), expect);
    assert_eq!((baggage.dropped(), baggage.metadata("a")), (5, Some("")));
    let baggage = Baggage::from_headers(["a = 1 ; p = q ;r".as_bytes()]);
    assert_eq!(
        (baggage.get("a"), baggage.metadata("a"), baggage.get("p")),
        (Some("1"), Some("p = q ;r"), None)
    );
}

#[test]
fn baggage_has_limits() {
    let mut baggage = Baggage::new();
    (0..64).for_each(|index| baggage.insert(&format!("k{index}"), "v").unwrap());
    assert_eq!(baggage.insert("k64", "v"), Err(BaggageError::Full));
    assert_eq!(baggage.insert("k0", "other"), Ok(()));
    let mut baggage = Baggage::new();
    assert_eq!(baggage.insert("k", &"v".repeat(8190)), Ok(()));
    assert_eq!(baggage.to_string().len(), 8192);
    assert_eq!(baggage.insert("k", &"v".repeat(8191)), Err(BaggageError::Full));
    assert_eq!(baggage.insert("k", &"\u{fc}".repeat(1400)), Err(BaggageError::Full), "six bytes each");
    for wrong in ["", "a b", "a=b", "\u{fc}"] {
        assert_eq!(baggage.insert(wrong, ""), Err(BaggageError::Name(wrong.into())));
    }
    let wrong = baggage.insert_with_metadata("m", "", "a,b");
    assert_eq!(wrong, Err(BaggageError::Metadata("a,b".into())));

    let many = (0..100).map(|index| format!("k{index}=v")).collect::<Vec<_>>().join(",");
    let received = Baggage::from_headers([many.as_bytes()]);
    assert_eq!((received.len(), received.dropped()), (64, 36));
    let long = format!("a=1,long={},b=2", "v".repeat(9000));
    let received = Baggage::from_headers([long.as_bytes()]);
    assert_eq!((received.len(), received.dropped()), (2, 1));
}

#[test]
fn a_header_that_cannot_be_written_is_removed() {
    let mut context = sampled();
    context.state = Some("a=\n".into());
    let mut map = headers(&[("tracestate", "stale=1")]);
    Propagators::default().inject(&context, &mut map);
    assert_eq!((map.contains_key("tracestate"), map.contains_key("traceparent")), (false, true));
    let mut map = HashMap::from([("TraceState".to_owned(), "stale=1".to_owned())]);
    Propagators::default().inject(&context, &mut map);
    assert_eq!(map.into_keys().collect::<Vec<_>>(), ["traceparent"]);
}

fn contexts() -> impl Strategy<Value = TraceContext> {
    let state = prop::option::of("[a-c]{1,3}=[ -+\\--<>-~]{0,9}[a-z]");
    (1_u128.., 1_u64.., 0_u8..4, state).prop_map(|(trace_id, span_id, flags, state)| {
        let context = TraceContext::new(trace_id.to_be_bytes(), span_id.to_be_bytes(), flags);
        let mut context = context.with_tracestate(state.iter().map(String::as_bytes));
        context.is_remote = true;
        context
    })
}

/// Values of headers: nearly valid, long, and any bytes.
fn values() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "(00|cc|ff)-(0{32}|[0-9a-f]{31,33})-[0-9a-f]{16}-[0-9a-f]{2}(|-.{0,9})".prop_map(String::into_bytes),
        "[0-9a-f]{15,33}[-:][0-9a-f]{16}[-:](|0|1|d|[0-9a-f]{16})(|[-:][0-9a-f]{0,17})"
            .prop_map(String::into_bytes),
        "([a-z0-9@ ]{0,9}[=;:]?[ -~%]{0,20},?){0,80}".prop_map(String::into_bytes),
        "[a-z]=[%0-9A-F]{0,9000}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..300),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn contexts_come_back_in_every_format(context in contexts()) {
        for format in FORMATS {
            let mut map = HeaderMap::new();
            Propagators::new([format]).inject(&context, &mut map);
            let mut expect = context.clone();
            if format != Propagator::TraceContext {
                (expect.flags, expect.state) = (context.flags & 1, None);
            }
            prop_assert_eq!(Propagators::new([format]).extract(&map), Some(expect), "{:?}", format);
        }
    }

    #[test]
    fn baggage_comes_back(
        members in prop::collection::vec(("[a-z!#$%&'*+.^_`|~-]{1,9}", "\\PC{0,30}", "(|[ -+\\--~]{0,9}[a-z])"), 0..70),
    ) {
        let mut baggage = Baggage::new();
        for (name, value, metadata) in &members {
            let is_full = baggage.insert_with_metadata(name, value, metadata) == Err(BaggageError::Full);
            prop_assert_eq!(is_full, baggage.get(name) != Some(value), "{}", name);
        }
        let header = baggage.to_string();
        prop_assert!(header.len() <= 8192 && baggage.len() <= 64);
        prop_assert_eq!(Baggage::from_headers([header.as_bytes()]), baggage);
    }

    #[test]
    fn hostile_headers_are_read_within_the_limits(values in prop::collection::vec(values(), 0..4)) {
        let names =
            ["traceparent", "tracestate", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "uber-trace-id", "baggage"];
        let mut map = HeaderMap::new();
        for (name, value) in names.iter().flat_map(|name| values.iter().map(move |value| (*name, value))) {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                map.append(name, value);
            }
        }
        for format in FORMATS {
            if let Some(context) = Propagators::new([format]).extract(&map) {
                prop_assert!(context.trace_id != [0; 16] && context.span_id != [0; 8] && context.is_remote);
                prop_assert!(context.state.is_none_or(|state| state.len() <= 512));
            }
        }
        let baggage = Propagators::default().extract_baggage(&map);
        prop_assert!(baggage.len() <= 64 && baggage.to_string().len() <= 8192);
        let again = Baggage::from_headers([baggage.to_string().as_bytes()]);
        prop_assert_eq!(again.iter().collect::<Vec<_>>(), baggage.iter().collect::<Vec<_>>());
        let members = map.header_values("baggage").flat_map(|value| value.split(|byte| *byte == b','));
        let members = members.filter(|member| !member.trim_ascii().is_empty()).count();
        prop_assert!(baggage.len() + baggage.dropped() as usize <= members);
    }
}
