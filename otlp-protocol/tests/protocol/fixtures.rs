//! The vectors of `tests/fixtures`: every protobuf case of the manifest.

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use otlp_protocol::{Count, DecodeErrorKind, Repairs, Signal, ValidateLimits, count, repair, validate};
use serde_json::Value;
use std::io::Read as _;

pub(crate) fn fixture(file: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

pub(crate) fn manifest() -> Value {
    serde_json::from_slice(&fixture("manifest.json")).unwrap()
}

pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap()
}

pub(crate) fn signal(case: &Value) -> Signal {
    Signal::by_name(case["signal"].as_str().unwrap()).unwrap()
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// What is left of a body without items that have bad ids.
fn check(signal: Signal, body: &[u8]) -> Result<Count, String> {
    let repairs = Repairs { utf8: false, ids: true };
    let body = Bytes::copy_from_slice(body);
    let repaired = repair(signal, &body, &ValidateLimits::default(), repairs, MAX_BYTES);
    let repaired = repaired.map_err(|error| error.to_string())?;
    assert_eq!(count(signal, &repaired.body.plain().to_contiguous()).unwrap(), repaired.body.count());
    Ok(repaired.body.count())
}

const MAX_BYTES: usize = 64 << 20;

#[test]
fn valid_bodies_are_counted() {
    for case in list(&manifest(), "valid") {
        let found = check(signal(case), &fixture(case["protobuf"]["file"].as_str().unwrap())).unwrap();
        let counts = &case["counts"];
        let expect = |keys: [&str; 4]| keys.into_iter().find_map(|key| counts[key].as_u64()).unwrap();
        let items = expect(["spans", "data_points", "log_records", "samples"]);
        let entries = expect(["spans", "metrics", "log_records", "profiles"]);
        assert_eq!(found, Count { items, entries }, "{}", case["name"]);
    }
}

#[test]
fn truncated_bodies_are_refused() {
    for case in list(&manifest(), "truncations").iter().filter(|case| case["encoding"] == "protobuf") {
        let body = fixture(case["source"].as_str().unwrap());
        let sound: Vec<u64> =
            list(case, "prefix_lengths_that_decode").iter().map(|len| len.as_u64().unwrap()).collect();
        for len in 0..body.len() {
            let accepted = check(signal(case), &body[..len]).is_ok();
            assert_eq!(accepted, sound.contains(&(len as u64)), "{} cut to {len}", case["source"]);
        }
    }
}

#[test]
fn unusual_and_malformed_bodies_get_their_verdict() {
    let mut seen = 0;
    for case in list(&manifest(), "cases").iter().filter(|case| case["encoding"] == "protobuf") {
        let bytes = match case["hex"].as_str() {
            Some(text) => hex(text),
            None => fixture(case["file"].as_str().unwrap()),
        };
        let mut body = Vec::new();
        match case["content_encoding"].as_str() {
            None => body = bytes,
            // What is too large, or not one stream, is for the layer that inflates.
            Some("gzip") if case["outcome"] != "too_large" => {
                if MultiGzDecoder::new(bytes.as_slice()).take(4 << 20).read_to_end(&mut body).is_err() {
                    continue;
                }
            }
            Some(_) => continue,
        }
        seen += 1;
        let name = case["name"].as_str().unwrap();
        let verdict = check(signal(case), &body);
        match case["outcome"].as_str().unwrap() {
            outcome if outcome.starts_with("accept") => assert!(verdict.is_ok(), "{name}: {verdict:?}"),
            _ => assert!(verdict.is_err(), "{name} was accepted: {verdict:?}"),
        }
    }
    assert!(seen >= 80, "only {seen} cases");
}

#[test]
fn strings_that_are_not_utf8_are_refused_or_repaired() {
    let mut seen = 0;
    for case in list(&manifest(), "cases").iter().filter(|case| case["encoding"] == "protobuf") {
        let name = case["name"].as_str().unwrap();
        if !name.starts_with("utf8_") {
            continue;
        }
        seen += 1;
        let (signal, body) = (signal(case), Bytes::from(hex(case["hex"].as_str().unwrap())));
        let error = validate(signal, &body, &ValidateLimits::default()).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::Utf8, "{name}");
        let repaired =
            repair(signal, &body, &ValidateLimits::default(), Repairs::default(), 1 << 20).unwrap();
        assert_eq!(repaired.strings, 1, "{name}");
        assert_eq!(
            crate::oracle::decode(signal, &repaired.body.plain().to_contiguous()).unwrap().count,
            repaired.body.count(),
            "{name}"
        );
    }
    assert!(seen >= 11, "only {seen} cases");
}

#[test]
fn a_wrong_wire_type_is_refused() {
    let file: Value = serde_json::from_slice(&fixture("wrong_wire_type.json")).unwrap();
    for case in list(&file, "cases") {
        let body = hex(case["hex"].as_str().unwrap());
        let error = validate(signal(case), &body, &ValidateLimits::default()).unwrap_err();
        let wrong = matches!(error.kind, DecodeErrorKind::WrongWireType { .. });
        let field = case["field"].as_str().unwrap();
        // A scalar sent as bytes may be a packed run to a repeated field: then it is the run that is wrong.
        assert!(wrong || matches!(error.kind, DecodeErrorKind::Packed), "{case}: {error}");
        assert!(error.path.rsplit('.').next().unwrap().starts_with(field), "{case}: {error}");
    }
}
