//! Strings that are not UTF-8, repaired.

use crate::by_hand::field;
use crate::random::{Random, message};
use bytes::Bytes;
use otlp_protocol::schema::{Kind, Message};
use otlp_protocol::wire::{Cursor, WireType, put_tag, put_varint};
use otlp_protocol::{DecodeErrorKind, Repairs, Signal, ValidateLimits, repair, validate};
use proptest::prelude::*;

const MAX: usize = 64 << 20;

/// The same with `String::from_utf8_lossy`, by recursion; and how many strings changed. Where nothing does, the encoding
/// stays as it was.
fn lossy(schema: &Message, body: &[u8]) -> (Vec<u8>, u64) {
    let mut out = Vec::new();
    let mut strings = 0;
    let mut cursor = Cursor::new(body);
    while !cursor.is_at_end() {
        let start = cursor.position();
        let (number, wire_type) = cursor.tag().unwrap();
        let after_tag = cursor.position();
        let mut value = cursor.clone();
        cursor.skip_value(number, wire_type).unwrap();
        let is_message = schema.field(number).is_some_and(|field| field.message().is_some());
        let replaced = match schema.field(number) {
            Some(field) if wire_type == WireType::Len => {
                let value = value.len_delimited().unwrap();
                match (field.message(), field.kind) {
                    (Some(child), _) => lossy(child, value),
                    (None, Kind::String) => {
                        let text = String::from_utf8_lossy(value);
                        let changed = text.as_bytes() != value;
                        (text.into_owned().into_bytes(), u64::from(changed))
                    }
                    _ => (Vec::new(), 0),
                }
            }
            _ => (Vec::new(), 0),
        };
        if replaced.1 == 0 {
            out.extend_from_slice(&body[start..cursor.position()]);
        } else {
            strings += replaced.1;
            // A length that is still right stays, padded or not.
            let old = cursor.position() - start;
            let prefix = value_start(body, after_tag);
            if is_message && old - (prefix - start) == replaced.0.len() {
                out.extend_from_slice(&body[start..prefix]);
            } else {
                out.extend_from_slice(&body[start..after_tag]);
                put_varint(&mut out, replaced.0.len() as u64);
            }
            out.extend_from_slice(&replaced.0);
        }
    }
    (out, strings)
}

fn value_start(body: &[u8], after_tag: usize) -> usize {
    let mut cursor = Cursor::new(&body[after_tag..]);
    cursor.varint().unwrap();
    after_tag + cursor.position()
}

/// Spoils some bytes of strings: printable ones, as keys, names and texts have them.
fn spoil(body: &mut [u8], random: &mut Random) {
    for _ in 0..random.below(8) {
        let at = random.below(body.len());
        if let Some(byte) = body.get_mut(at).filter(|byte| (b' '..0x7f).contains(byte)) {
            *byte = [0xff, 0x80, 0xc3, 0xed, 0xf0][random.below(5)];
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bad_strings_are_replaced_and_nothing_else(signal in prop::sample::select(Signal::ALL.to_vec()), seed: u64) {
        let mut random = Random::new(seed);
        let mut body = message(&mut random, signal.request, 7);
        spoil(&mut body, &mut random);
        let body = Bytes::from(body);
        let limits = ValidateLimits::default();
        let verdict = validate(signal, &body, &limits);
        // What is spoilt may be the length of an id: see `ids`.
        let repairs = Repairs { ids: false, ..Repairs::default() };
        match (repair(signal, &body, &limits, repairs, MAX), verdict) {
            (Ok(repaired), verdict) => {
                let (expect, strings) = lossy(signal.request, &body);
                let bytes = repaired.body.plain().to_contiguous();
                prop_assert!(bytes == expect, "{} bytes, not {}", bytes.len(), expect.len());
                prop_assert_eq!(repaired.strings, strings);
                let checked = validate(signal, &bytes, &limits).unwrap();
                prop_assert_eq!(checked.count, repaired.body.count());
                prop_assert_eq!(checked.mergeable, repaired.body.is_mergeable());
                prop_assert_eq!(verdict.is_ok(), strings == 0);
                prop_assert!(strings > 0 || bytes.as_ptr() == body.as_ptr());
            }
            (Err(error), Err(verdict)) => {
                prop_assert!(error.kind != DecodeErrorKind::Utf8);
                prop_assert!(verdict.kind == DecodeErrorKind::Utf8 || verdict == error);
            }
            (Err(error), Ok(_)) => prop_assert!(false, "{error}"),
        }
    }
}

/// A log record whose body is a list in a list, so deep, around a value.
fn nested(depth: usize, value: &[u8]) -> Bytes {
    let value = (0..depth).fold(value.to_vec(), |value, _| field(5, &field(1, &value)));
    field(1, &field(2, &field(2, &field(5, &value)))).into()
}

#[test]
fn the_deepest_string_is_repaired_and_lengths_may_take_more_bytes() {
    let limits = ValidateLimits::default();
    // Request, resource, scope, record and value around 48 lists of two levels each.
    let repaired =
        repair(Signal::LOGS, nested(48, &field(1, &[0xff; 126])), &limits, Repairs::default(), MAX).unwrap();
    assert_eq!(
        repaired.body.plain().to_contiguous(),
        nested(48, &field(1, "\u{fffd}".repeat(126).as_bytes()))
    );
    assert_eq!(repaired.strings, 1);
    let error =
        repair(Signal::LOGS, nested(49, &field(1, b"\xff")), &limits, Repairs::default(), MAX).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooDeep { limit: 100 });
}

#[test]
fn other_faults_are_named_as_the_check_names_them() {
    let bad_string = field(3, b"\xff");
    let mut wrong = Vec::new();
    put_tag(&mut wrong, 3, WireType::Varint);
    wrong.push(1);
    let body = Bytes::from([field(1, &bad_string), field(1, &wrong)].concat());
    let error =
        repair(Signal::TRACES, &body, &ValidateLimits::default(), Repairs::default(), MAX).unwrap_err();
    assert_eq!(
        error.to_string(),
        "resource_spans[1].schema_url: wrong wire type Varint for this field (at byte 7)"
    );
}

#[test]
fn unknown_fields_and_bytes_are_left_alone() {
    let body = Bytes::from(field(
        1,
        &[field(99, b"\xff"), field(2, &field(2, &field(5, &field(7, b"\xff"))))].concat(),
    ));
    let repaired = repair(Signal::LOGS, &body, &ValidateLimits::default(), Repairs::default(), MAX).unwrap();
    assert_eq!((repaired.body.plain().to_contiguous().as_ptr(), repaired.strings), (body.as_ptr(), 0));
}

#[test]
fn a_body_may_not_grow_beyond_its_limit() {
    let body = Bytes::from(field(1, &field(3, &[0xff; 1000])));
    let limits = ValidateLimits::default();
    let limit = 3 * 1000 + 7;
    let repaired = repair(Signal::LOGS, &body, &limits, Repairs::default(), limit + 100).unwrap();
    assert_eq!(repaired.body.len(), limit - 1);
    for max_bytes in [0, body.len(), limit - 2] {
        let error = repair(Signal::LOGS, &body, &limits, Repairs::default(), max_bytes).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::TooLarge { limit: max_bytes });
    }
}
