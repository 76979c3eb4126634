//! A new signal is data: what OTLP's signals can do, an invented one can.

use crate::random::{Random, message};
use crate::wishes::{GIFTS, WISHES};
use otlp_protocol::json::{JsonLimits, from_protobuf, to_protobuf};
use otlp_protocol::view::{Entry, RequestView};
use otlp_protocol::{
    AttributeEdits, Batch, Body, Charge, Count, Decision, Editor, Item, Merge, Signal, SplitLimits,
    ValidateLimits, count, edit, split, validate,
};

const TEXT: &str = r#"{"resourceWishes":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"santa"}}]},"scopeWishes":[{"scope":{"name":"letters"},"wishes":[{"wisher":"Ada","traceId":"0102030405060708090a0b0c0d0e0f10","urgency":1,"gifts":{"gifts":[{"name":"sled","cost":"120"},{"name":"hat"}]},"years":[2024,2025]},{"wisher":"Bo","attributes":[{"key":"good","value":{"boolValue":true}}],"gifts":{"gifts":[{"cost":"0"}]},"after":{"wisher":"Ada"}}]}]}]}"#;

fn body() -> Vec<u8> {
    let mut body = Vec::new();
    let read = to_protobuf(WISHES.request, TEXT.as_bytes(), &JsonLimits::default(), &mut body).unwrap();
    assert_eq!(read.unknown_keys, 0);
    body
}

fn items(signal: Signal, body: &[u8]) -> u64 {
    let checked = validate(signal, body, &ValidateLimits::default()).unwrap();
    assert_eq!(count(signal, body).unwrap(), checked.count);
    checked.count.items
}

#[test]
fn it_is_written_as_json_and_read_back() {
    let mut text = Vec::new();
    from_protobuf(WISHES.request, &body(), usize::MAX, &mut text).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), TEXT);
}

#[test]
fn it_is_checked_and_counted() {
    assert_eq!(items(WISHES, &body()), 2);
    assert_eq!(items(GIFTS, &body()), 3);
    assert!(validate(WISHES, &body(), &ValidateLimits::default()).unwrap().mergeable);
    assert_eq!(Count { items: 3, entries: 2 }.rejectable(GIFTS), 3);
    // A wisher that is not UTF-8.
    let error =
        validate(WISHES, b"\x0a\x07\x12\x05\x12\x03\x0a\x01\xff", &ValidateLimits::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "resource_wishes[0].scope_wishes[0].wishes[0].wisher: string is not UTF-8 (at byte 8)"
    );
    for seed in 0..300 {
        let body = message(&mut Random::new(seed), WISHES.request, 7);
        items(WISHES, &body);
        items(GIFTS, &body);
    }
}

#[test]
fn it_is_split_and_merged() {
    for (signal, expected) in [(WISHES, 2), (GIFTS, 3)] {
        let limits = SplitLimits { max_items: Some(1), max_bytes: None };
        let parts = split(&Body::from_json(signal, TEXT.as_bytes(), &JsonLimits::default()).unwrap(), limits);
        assert_eq!(parts.len(), expected);
        let mut parts = parts.into_iter().map(|part| {
            assert_eq!(items(signal, &part.plain().to_contiguous()), 1);
            Batch::new(part, Charge::none())
        });
        let mut merge = Merge::new(parts.next().unwrap());
        parts.for_each(|part| merge.push(part).unwrap());
        let merged = merge.finish();
        assert_eq!(merged.items(), expected as u64);
        assert_eq!(items(signal, &merged.body().plain().to_contiguous()), expected as u64);
    }
}

struct Grant;

impl Editor for Grant {
    fn resource(&mut self, _resource: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        attributes.upsert("service.name", "elves");
        Decision::Keep
    }

    fn item(&mut self, _item: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        attributes.upsert("granted", true);
        Decision::Keep
    }
}

#[test]
fn it_is_edited_and_viewed() {
    let wishes = Body::check(WISHES, body(), &ValidateLimits::default()).unwrap();
    let edited = edit(&wishes, &mut Grant, 1 << 20).unwrap().body.plain().to_contiguous();
    assert_eq!(items(WISHES, &edited), 2);
    let request = RequestView::new(WISHES, &edited);
    assert_eq!(request.entries().count(), 2);
    for wish in request.entries() {
        assert_eq!(wish.resource().attributes().get("service.name"), Some("elves".into()));
        assert_eq!(wish.scope().name(), "letters");
        assert!(matches!(*wish, Entry::Other(_)));
    }
    let mut text = Vec::new();
    from_protobuf(WISHES.request, &edited, usize::MAX, &mut text).unwrap();
    let granted = r#"{"key":"granted","value":{"boolValue":true}}"#;
    assert_eq!(String::from_utf8(text).unwrap().matches(granted).count(), 2);
}
