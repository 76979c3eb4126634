//! Any body goes to JSON and back and is what prost makes of it; any JSON, in whatever order and with whatever unknown
//! keys, is read as the same body.

use super::{oracle, random};
use otlp_protocol::json::{JsonLimits, from_protobuf, to_protobuf};
use otlp_protocol::{DecodeError, DecodeErrorKind, Signal, ValidateLimits, validate};
use proptest::prelude::*;
use random::Random;
use serde_json::{Map, Value, json};

fn any_signal() -> impl Strategy<Value = Signal> {
    prop::sample::select(Signal::ALL.to_vec())
}

fn write(signal: Signal, body: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    from_protobuf(signal.request, body, usize::MAX, &mut text).unwrap();
    text
}

fn read(signal: Signal, text: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    to_protobuf(signal.request, text, &JsonLimits::default(), &mut body).unwrap();
    body
}

/// Adds keys that no message has, here and there.
fn inject(random: &mut Random, value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| inject(random, value)),
        Value::Object(members) => {
            members.values_mut().for_each(|value| inject(random, value));
            for key in ["", "a", "zz", "trace_id", "k\"ey\\\u{1f980}"] {
                if random.one_in(4) {
                    members.insert(key.to_owned(), unknown(random, 3));
                }
            }
        }
        _ => {}
    }
}

fn unknown(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => true.into(),
        2 => (-1.5e300).into(),
        3 => random.next().into(),
        4 => "\"\\\u{0}é🦀".into(),
        5 => (0..random.below(3)).map(|_| unknown(random, depth - 1)).collect::<Vec<_>>().into(),
        _ => {
            let members = (0..random.below(3)).map(|index| (index.to_string(), unknown(random, depth - 1)));
            Value::Object(members.collect::<Map<_, _>>())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_body_goes_to_json_and_back(signal in any_signal(), seed: u64) {
        let body = random::message(&mut Random::new(seed), signal.request, 8);
        let text = write(signal, &body);
        let _: Value = serde_json::from_slice(&text).unwrap();
        let back = read(signal, &text);
        let (expected, len) = oracle::describe(signal, &body).unwrap();
        let (found, found_len) = oracle::describe(signal, &back).unwrap();
        prop_assert_eq!(found, expected);
        // Nothing is written that an encoder would not write; but -0.0 is, which prost takes for a default.
        if !text.windows(4).any(|window| window == b"-0.0") {
            prop_assert_eq!((back.len(), found_len), (len, len));
        }
        let checked = validate(signal, &back, &ValidateLimits::default()).unwrap();
        prop_assert_eq!(checked.count, validate(signal, &body, &ValidateLimits::default()).unwrap().count);
        prop_assert_eq!(write(signal, &back), text);
    }

    #[test]
    fn order_space_and_unknown_keys_change_nothing(signal in any_signal(), seed: u64) {
        let mut random = Random::new(seed);
        let body = random::message(&mut random, signal.request, 8);
        let text = write(signal, &body);
        // Keys are sorted by their letters here.
        let mut value: Value = serde_json::from_slice(&text).unwrap();
        let plain = write(signal, &read(signal, value.to_string().as_bytes()));
        inject(&mut random, &mut value);
        let spaced = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert_eq!(write(signal, &read(signal, &spaced)), plain);
    }

    #[test]
    fn what_is_sound_can_be_written_and_nothing_else(signal in any_signal(), seed: u64) {
        let mut random = Random::new(seed);
        let mut body = random::message(&mut random, signal.request, 8);
        for _ in 0..1 + random.below(3) {
            let at = random.below(body.len());
            if let Some(byte) = body.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        let mut text = b"before".to_vec();
        let written = from_protobuf(signal.request, &body, usize::MAX, &mut text);
        let checked = validate(signal, &body, &ValidateLimits::default());
        // What a oneof's last arm or a scalar's last value replaces is not looked into.
        if checked.is_ok() {
            prop_assert!(written.is_ok(), "{:?}", written);
        }
        match written {
            Ok(_) => {
                let back = read(signal, &text[6..]);
                // JSON has no rule for the length of an id.
                match validate(signal, &back, &ValidateLimits::default()) {
                    Err(DecodeError { kind: DecodeErrorKind::IdLength { .. }, .. }) => {
                        prop_assert!(checked.is_err());
                    }
                    again => prop_assert!(again.is_ok(), "{:?}", again),
                }
            }
            Err(error) => {
                prop_assert_eq!(&text, b"before");
                prop_assert!(error.offset <= body.len());
            }
        }
    }
}

#[test]
fn an_injected_key_is_seen() {
    let mut value = json!({"resourceLogs": [{}]});
    let mut random = Random::new(7);
    inject(&mut random, &mut value);
    let mut body = Vec::new();
    let read =
        to_protobuf(Signal::LOGS.request, value.to_string().as_bytes(), &JsonLimits::default(), &mut body);
    assert!(read.unwrap().unknown_keys > 0);
}
