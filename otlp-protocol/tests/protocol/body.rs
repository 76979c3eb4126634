//! Sound bodies: what makes one, and that nothing else does.

use crate::by_hand::{field, sound};
use crate::random::{Random, message};
use otlp_protocol::encode::{LogRecords, Metrics, Profiles, RequestWriter, Spans};
use otlp_protocol::json::{JsonErrorKind, JsonLimits, from_protobuf};
use otlp_protocol::view::{AnyValue, RequestView};
use otlp_protocol::{
    AttributeValue, Batch, Body, Charge, Count, DecodeErrorKind, Merge, Origin, Signal, ValidateLimits,
    validate,
};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Instant;

/// What a body says of itself is what the check says of its bytes.
fn judge(body: &Body) -> Result<(), TestCaseError> {
    let bytes = body.plain().to_contiguous();
    let checked = validate(body.signal(), &bytes, &ValidateLimits::default());
    let checked = checked.map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!((checked.count, checked.mergeable), (body.count(), body.is_mergeable()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_body_is_what_the_check_says(signal in prop::sample::select(Signal::ALL.to_vec()), seed: u64) {
        let body = sound(signal, message(&mut Random::new(seed), signal.request, 7));
        judge(&body)?;
        // What JSON knows of it, read back, is sound without another check.
        let mut text = Vec::new();
        from_protobuf(signal.request, &body.plain().to_contiguous(), usize::MAX, &mut text).unwrap();
        let read = Body::from_json(signal, &text, &JsonLimits::default()).unwrap();
        judge(&read)?;
        prop_assert_eq!(read.count(), body.count());
    }
}

#[test]
fn bytes_that_are_not_sound_are_no_body() {
    let error = Body::check(Signal::LOGS, b"\x0a\x01".to_vec(), &ValidateLimits::default()).unwrap_err();
    assert!(matches!(error.kind, DecodeErrorKind::Wire(_)), "{error}");
    let limits = ValidateLimits { max_depth: 2, ..ValidateLimits::default() };
    let body = field(1, &field(2, &field(2, b"")));
    let error = Batch::checked(Signal::LOGS, body, &limits, Charge::none()).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooDeep { limit: 2 });
}

#[test]
fn json_with_an_id_of_another_length_is_no_body() {
    let text = |id: &str| {
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"name":"a"}},{{"traceId":"{id}"}}]}}]}}]}}"#
        )
    };
    let read =
        |id| Batch::from_json(Signal::TRACES, text(id).as_bytes(), &JsonLimits::default(), Charge::none());
    for id in ["", "00112233445566778899aabbccddeeff"] {
        let batch = read(id).unwrap();
        assert_eq!((batch.signal(), batch.items()), (Signal::TRACES, 2));
        judge(batch.body()).unwrap();
    }
    let error = read("0011").unwrap_err();
    assert_eq!(error.kind, JsonErrorKind::IdLength { found: 2, expected: 16 });
    assert_eq!(
        error.to_string(),
        "resourceSpans[0].scopeSpans[0].spans[1].traceId: wrong length of an id: 2 bytes instead of 16 (at byte 68)"
    );
}

#[test]
fn what_writers_make_is_a_body() {
    fn count(body: &Body) -> (Signal, Count, bool) {
        judge(body).unwrap();
        (body.signal(), body.count(), body.is_mergeable())
    }
    let spans = Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.span(|_| {}).span(|_| {});
            });
        });
    });
    assert_eq!(count(&spans), (Signal::TRACES, Count { items: 2, entries: 2 }, true));
    let nothing = Body::write::<LogRecords>(|_| {});
    assert_eq!(count(&nothing), (Signal::LOGS, Count::default(), true));
    let points = |request: &mut RequestWriter<'_, Metrics>| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.metric(|metric| {
                    metric.gauge(|gauge| {
                        gauge.point(|_| {}).point(|_| {});
                    })
                });
            });
        });
    };
    assert_eq!(count(&Body::write(points)), (Signal::METRICS, Count { items: 2, entries: 1 }, true));
    let dictionary = Body::write::<Profiles>(|request| {
        request.dictionary(|_| {});
    });
    assert_eq!(count(&dictionary), (Signal::PROFILES, Count::default(), false));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "any time does")]
fn a_part_of_a_batch_has_its_sender_and_not_its_body() {
    let mut batch = Batch::new(sound(Signal::LOGS, field(1, b"")), Charge::none());
    batch.origin = Some(Arc::new(Origin { tenant: Some("a".into()), ..Origin::default() }));
    batch.deadline = Some(Instant::now());
    let body = sound(Signal::METRICS, field(1, &field(2, &field(2, b""))));
    let (origin, deadline) = (batch.origin.clone(), batch.deadline);
    for other in [batch.part(body.clone(), Charge::none()), batch.with_body(body, Charge::none())] {
        assert_eq!((other.signal(), other.count().entries), (Signal::METRICS, 1));
        assert_eq!((other.origin, other.deadline), (origin.clone(), deadline));
    }
}

/// The batch comes back, as it was.
#[test]
fn what_does_not_belong_together_is_not_merged() {
    let of = |signal| Batch::new(sound(signal, field(1, &field(2, &field(2, b"")))), Charge::none());
    let tenant = |tenant: &str| {
        let mut batch = of(Signal::LOGS);
        batch.origin = Some(Arc::new(Origin { tenant: Some(tenant.into()), ..Origin::default() }));
        batch
    };
    let alone = || Batch::new(sound(Signal::LOGS, field(9, b"")), Charge::none());
    let mut merge = Merge::new(of(Signal::LOGS));
    for other in [of(Signal::TRACES), of(Signal::METRICS), tenant("a"), alone()] {
        assert!(!merge.takes(&other));
        let (signal, len) = (other.signal(), other.len());
        let back = merge.push(other).unwrap_err();
        assert_eq!((back.signal(), back.len()), (signal, len));
    }
    merge.push(of(Signal::LOGS)).unwrap();
    let merged = merge.finish();
    assert_eq!((merged.signal(), merged.items(), merged.origin.is_none()), (Signal::LOGS, 2, true));

    let mut merge = Merge::new(tenant("a"));
    assert!(merge.push(of(Signal::LOGS)).is_err() && merge.push(tenant("b")).is_err());
    merge.push(tenant("a")).unwrap();
    assert_eq!(merge.finish().origin, tenant("a").origin);

    let mut merge = Merge::new(alone());
    assert!(merge.push(of(Signal::LOGS)).is_err() && merge.push(alone()).is_err());
    assert!(!merge.finish().is_mergeable());
}

/// Any bytes can be viewed; what is not sound does not get into a body that way.
#[test]
fn what_is_copied_into_a_body_is_checked() {
    let mut refused = Vec::new();
    let body = Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                // A name that is not UTF-8, an id of three bytes, an unknown group.
                for entry in [field(5, b"\xff"), field(1, b"abc"), b"\x9b\x06\x9c\x06".to_vec()] {
                    refused.push(scope.encoded(&entry).map(drop).unwrap_err().to_string());
                }
                scope.encoded(&field(5, b"sound")).unwrap();
                let (good, bad) = (field(1, &field(1, b"good")), field(1, &field(1, b"\xff")));
                let (list, map) = ([good.clone(), bad].concat(), field(1, &field(2, &field(5, b"\x0a"))));
                scope.span(|span| {
                    span.attribute("list", AnyValue::new(&field(5, &list)));
                    span.attribute("map", AnyValue::new(&field(6, &map)));
                });
                scope.span(|span| {
                    span.attribute("list", AnyValue::new(&field(5, &good)));
                });
            });
        });
    });
    judge(&body).unwrap();
    assert_eq!(body.count().items, 3);
    let expect =
        ["name: string is not UTF-8", "trace_id: wrong length of an id: 3 bytes instead of 16", "StartGroup"];
    for (error, expect) in refused.iter().zip(expect) {
        assert!(error.contains(expect), "{error}");
    }
    let bytes = body.plain().to_contiguous();
    let spans: Vec<_> = RequestView::new(Signal::TRACES, &bytes).spans().collect();
    for span in &spans[1..] {
        let Some(AnyValue::Array(list)) = span.attributes().get("list") else { panic!("{span:?}") };
        assert!(list.iter().eq([AnyValue::String("good")]));
    }
    let Some(AnyValue::Map(map)) = spans[1].attributes().get("map") else { panic!("{:?}", spans[1]) };
    assert!(map.is_empty());
}

#[test]
fn a_value_of_an_attribute_is_what_it_was_made_of() {
    let value = AttributeValue::map([
        ("list", AttributeValue::array([AttributeValue::int(-1), AttributeValue::empty()])),
        ("text", AttributeValue::string("a")),
    ]);
    let AnyValue::Map(map) = value.view() else { panic!("{value:?}") };
    assert_eq!(map.get("text"), Some(AnyValue::String("a")));
    let Some(AnyValue::Array(list)) = map.get("list") else { panic!("{value:?}") };
    assert!(list.iter().eq([AnyValue::Int(-1), AnyValue::Empty]));
    for (value, expect) in [
        (AttributeValue::bool(false), AnyValue::Bool(false)),
        (AttributeValue::double(0.0), AnyValue::Double(0.0)),
        (AttributeValue::int(0), AnyValue::Int(0)),
        (AttributeValue::string(""), AnyValue::String("")),
    ] {
        assert_eq!(value.view(), expect);
    }
    let mut value = AttributeValue::string("a");
    value.set(7);
    assert_eq!(value, AttributeValue::int(7));
}
