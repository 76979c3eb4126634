//! The fixtures' tables, responses, statuses and frames, row by row, with prost as the second opinion.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use otlp_protocol::{
    Accepted, Batch, Charge, Code, Count, FieldViolation, FrameError, FrameHeader, FrameReader, Payload,
    Retry, RpcStatus, Signal, classify_grpc, classify_http, parse_retry_after,
};
use proptest::prelude::*;
use prost::Message as _;
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use tonic_types::pb;

// === Retry tables ===

#[test]
fn grpc_codes_are_retried_as_the_table_says() {
    for row in rows("grpc_retryable") {
        let code = Code::from_number(row["code"].as_u64().unwrap() as u32).unwrap();
        let plainly = row["retryable"].as_bool().unwrap();
        let with_retry_info = row["retryable_with_retry_info"].as_bool().unwrap_or(plainly);
        let second = Duration::from_secs(1);
        let cases = [
            (None, plainly, Retry::Backoff),
            (Some(Duration::ZERO), with_retry_info, Retry::Backoff),
            (Some(second), with_retry_info, Retry::After(second)),
        ];
        for (delay, retryable, how) in cases {
            let expected = if retryable { how } else { Retry::Never };
            assert_eq!(classify_grpc(code, delay).1, expected, "{row}, {delay:?}");
        }
    }
}

#[test]
fn http_statuses_are_retried_as_the_table_says() {
    let table = rows("http_retryable");
    for status in 0..=u16::MAX {
        // OTLP §Failures-1: what the table does not name must not be retried.
        let row = table.iter().find(|row| row["status"] == status);
        let retryable = row.is_some_and(|row| row["retryable"].as_bool().unwrap());
        let second = Duration::from_secs(1);
        for (delay, how) in [(None, Retry::Backoff), (Some(second), Retry::After(second))] {
            let expected = if retryable { how } else { Retry::Never };
            assert_eq!(classify_http(status, delay).1, expected, "{status}, {delay:?}");
        }
    }
}

#[test]
fn retry_after_reads_as_the_table_says() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    for row in rows("retry_after") {
        let expected = row["seconds"].as_u64().map(Duration::from_secs);
        assert_eq!(parse_retry_after(row["value"].as_str().unwrap(), now), expected, "{row}");
    }
}

#[test]
fn retry_after_edges() {
    // Half a minute before the example date of RFC 9110 §5.6.7.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 30);
    let cases = [
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30)),
        ("Sun Nov  6 08:49:37 1994", Some(30)),
        ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
        ("Sun, 06 Nov 1994 08:49:37", None),
        (" ", None),
        ("007", Some(7)),
        ("+5", None),
        ("5s", None),
        ("5 5", None),
        ("1e3", None),
        ("\u{ff15}", None),
        ("315576000000", Some(315_576_000_000)),
        ("315576000001", None),
        ("18446744073709551615", None),
        ("18446744073709551616", None),
    ];
    for (value, seconds) in cases {
        assert_eq!(parse_retry_after(value, now), seconds.map(Duration::from_secs), "{value:?}");
    }
}

// === Responses ===

#[test]
fn responses_decode_and_encode() {
    let mut seen = 0;
    for signal in Signal::ALL {
        for case in ["success", "partial", "partial_empty", "warning"] {
            let name = format!("{}_{case}", signal.name);
            let (bytes, json) = (response(&name, "pb"), response_json(&name));
            let partial = &json["partialSuccess"];
            let rejected = partial[signal.rejected_name].as_str().map_or(0, |count| count.parse().unwrap());
            let message = partial["errorMessage"].as_str().unwrap_or_default().to_owned();

            let accepted = Accepted::decode(&bytes).unwrap();
            assert_eq!(accepted, Accepted { rejected, message }, "{name}");
            // A `partial_success` without content says nothing and is left out.
            let canonical = if case == "partial_empty" { &[][..] } else { &bytes };
            assert_eq!(accepted.encode(), canonical, "{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, 16);
}

#[test]
fn joined_messages_are_bounded() {
    let mut answer = Accepted::FULL;
    for message in ["a", "", "b", "a", &"ä".repeat(5000), "c"] {
        answer.add_message(message);
    }
    let joined = answer.message;
    assert!(joined.starts_with("a; b; ää") && joined.ends_with('ä'), "{joined}");
    assert!(joined.len() <= 4096 && joined.len() > 4090);
}

#[test]
fn responses_of_odd_peers_are_read_leniently() {
    let cases: [(&str, &[u8], Option<Accepted>); 8] = [
        (
            "negative count",
            &[0x0a, 11, 8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
            Some(Accepted::FULL),
        ),
        ("message not UTF-8", &[0x0a, 3, 0x12, 1, 0xff], Some(accepted(0, "\u{fffd}"))),
        (
            "two partial_success, which merge",
            &[0x0a, 2, 8, 3, 0x0a, 3, 0x12, 1, b'a'],
            Some(accepted(3, "a")),
        ),
        ("unknown fields", &[0x10, 1, 0x0a, 4, 0x18, 1, 8, 2, 0x1d, 0, 0, 0, 0], Some(accepted(2, ""))),
        ("an unknown group", &[0x13, 0x08, 1, 0x14], Some(Accepted::FULL)),
        ("a length past the end", &[0x0a, 200], None),
        ("a cut-off tag", &[0x80], None),
        ("an end of no group", &[0x0c], None),
    ];
    for (what, bytes, expected) in cases {
        assert_eq!(Accepted::decode(bytes).ok(), expected, "{what}");
    }
}

#[test]
fn joined_texts_are_bounded() {
    let mut joined = Accepted::FULL;
    ["a", "", "b", "a", &"ä".repeat(5000), "c"].iter().for_each(|text| joined.add_message(text));
    assert!(joined.message.starts_with("a; b; ää") && joined.message.ends_with('ä'), "{}", joined.message);
    assert!(joined.message.len() <= 4096 && joined.message.len() > 4090);
}

#[test]
fn a_count_over_int64_stays_positive() {
    let encoded = accepted(u64::MAX, "").encode();
    assert_eq!(Accepted::decode(&encoded).unwrap().rejected, i64::MAX as u64);
}

#[test]
fn rejected_items_are_never_more_than_there_are() {
    let count = |items, entries| Count { items, entries };
    let cases = [
        (Signal::TRACES, count(10, 10), 3, 3),
        (Signal::TRACES, count(10, 10), 11, 10),
        (Signal::METRICS, count(10, 2), 7, 7),
        (Signal::LOGS, count(0, 0), u64::MAX, 0),
        (Signal::PROFILES, count(100, 10), 3, 30),
        (Signal::PROFILES, count(100, 10), 10, 100),
        (Signal::PROFILES, count(100, 10), 11, 100),
        (Signal::PROFILES, count(2, 3), 1, 0),
        (Signal::PROFILES, count(0, 3), 2, 0),
        (Signal::PROFILES, count(0, 0), 2, 0),
        (Signal::PROFILES, count(u64::MAX, u64::MAX), u64::MAX, u64::MAX),
    ];
    for (signal, count, rejected, expected) in cases {
        let batch = Batch::unchecked(signal, Payload::new(), count, true, Charge::none());
        assert_eq!(batch.rejected_items(rejected), expected, "{signal}, {count:?}, {rejected}");
    }
}

// === google.rpc.Status ===

const STATUSES: [&str; 4] =
    ["status_unavailable_retryinfo", "status_exhausted_retryinfo", "status_exhausted", "status_badrequest"];

#[test]
fn statuses_decode_and_encode() {
    for name in STATUSES {
        let (bytes, json) = (response(name, "pb"), response_json(name));
        let status = RpcStatus::decode(&bytes).unwrap();
        assert_eq!(u64::from(status.code), json["code"].as_u64().unwrap(), "{name}");
        assert_eq!(status.message, json["message"].as_str().unwrap(), "{name}");

        let details = json["details"].as_array().cloned().unwrap_or_default();
        let delay = details.iter().find_map(|detail| detail["retryDelay"].as_str());
        let delay =
            delay.map(|text| text.trim_end_matches('s').parse().map(Duration::from_secs_f64).unwrap());
        assert_eq!(status.retry_delay, delay, "{name}");

        let violations = details.iter().filter_map(|detail| detail["fieldViolations"].as_array()).flatten();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let violations: Vec<_> = violations
            .map(|json| FieldViolation {
                field: text(&json["field"]),
                description: text(&json["description"]),
            })
            .collect();
        assert_eq!(status.violations, violations, "{name}");

        assert_eq!(status.encode(), bytes, "{name}");
        assert_eq!(oracle(&status).encode_to_vec(), bytes, "{name}");
    }
}

#[test]
fn status_details_bin_decodes_as_the_table_says() {
    let mut seen = Vec::new();
    for row in rows("grpc_status_details_bin") {
        let name = row["of"].as_str().unwrap();
        let bytes = STANDARD_NO_PAD.decode(row["base64_unpadded"].as_str().unwrap()).unwrap();
        if STATUSES.contains(&name) {
            assert_eq!(bytes, response(name, "pb"), "{row}");
            seen.push(name.to_owned());
        } else {
            RpcStatus::decode(&bytes).expect_err(name);
        }
    }
    assert_eq!(seen, STATUSES);
}

#[test]
fn a_cut_off_status_is_refused_where_prost_refuses_it() {
    for name in STATUSES {
        let bytes = response(name, "pb");
        for end in 0..bytes.len() {
            let prefix = &bytes[..end];
            assert_eq!(
                RpcStatus::decode(prefix).is_ok(),
                pb::Status::decode(prefix).is_ok(),
                "{name}[..{end}]"
            );
        }
    }
}

#[test]
fn odd_delays_are_tamed() {
    let cases = [
        ((5, 500_000_000), Duration::from_millis(5_500)),
        ((0, 0), Duration::ZERO),
        ((-1, 0), Duration::ZERO),
        ((-1, 500_000_000), Duration::ZERO),
        ((5, -1), Duration::ZERO),
        ((i64::MIN, i32::MIN), Duration::ZERO),
        ((0, 1_000_000_000), Duration::from_nanos(999_999_999)),
        ((i64::MAX, i32::MAX), Duration::new(315_576_000_000, 999_999_999)),
    ];
    for ((seconds, nanos), expected) in cases {
        let mut status = oracle(&RpcStatus { retry_delay: Some(Duration::ZERO), ..RpcStatus::default() });
        let mut info = pb::RetryInfo { retry_delay: Some(Default::default()) };
        let delay = info.retry_delay.as_mut().unwrap();
        (delay.seconds, delay.nanos) = (seconds, nanos);
        status.details[0].value = info.encode_to_vec();
        let decoded = RpcStatus::decode(&status.encode_to_vec()).unwrap();
        assert_eq!(decoded.retry_delay, Some(expected), "{seconds} s, {nanos} ns");
    }
    // A RetryInfo that names no delay still says that a retry makes sense.
    let mut status = oracle(&RpcStatus { retry_delay: Some(Duration::ZERO), ..RpcStatus::default() });
    status.details[0].value.clear();
    assert_eq!(RpcStatus::decode(&status.encode_to_vec()).unwrap().retry_delay, Some(Duration::ZERO));
}

#[test]
fn details_are_bounded_and_foreign_ones_ignored() {
    let violation = FieldViolation { field: "f".into(), description: "d".into() };
    let many = RpcStatus { violations: vec![violation; 40], ..RpcStatus::new(Code::InvalidArgument, "m") };
    assert_eq!(RpcStatus::decode(&many.encode()).unwrap().violations.len(), 16);

    let mut status = oracle(&RpcStatus { retry_delay: Some(Duration::from_secs(1)), ..many });
    status.details[0].type_url = "example.com/types/google.rpc.RetryInfo".into();
    status.details[1].type_url = "type.googleapis.com/google.rpc.DebugInfo".into();
    let decoded = RpcStatus::decode(&status.encode_to_vec()).unwrap();
    let expected =
        RpcStatus { retry_delay: Some(Duration::from_secs(1)), ..RpcStatus::new(Code::InvalidArgument, "m") };
    assert_eq!(decoded, expected);
}

proptest! {
    #[test]
    fn statuses_are_encoded_as_prost_encodes_them(status in any_status()) {
        let bytes = status.encode();
        prop_assert_eq!(&bytes, &oracle(&status).encode_to_vec());
        prop_assert_eq!(RpcStatus::decode(&bytes).unwrap(), status);
    }

    #[test]
    fn responses_round_trip(rejected in 0..=i64::MAX as u64, message in ".{0,40}") {
        let accepted = Accepted { rejected, message };
        prop_assert_eq!(Accepted::decode(&accepted.encode()).unwrap(), accepted);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(prop_oneof![0u8..0x30, any::<u8>()], 0..64)) {
        let _ = RpcStatus::decode(&bytes);
        let _ = Accepted::decode(&bytes);
    }

    #[test]
    fn no_text_makes_retry_after_panic(text in any::<String>(), offset in 0u64..4_000_000_000) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(offset);
        if let Some(delay) = parse_retry_after(&text, now) {
            prop_assert!(delay <= Duration::from_secs(315_576_000_000));
        }
    }
}

// === Frames ===

#[test]
fn frames_read_as_the_table_says_however_they_are_cut() {
    let accepted = |compressed, len| Ok(FrameHeader::new(compressed, len));
    let expected = [
        ("ok", accepted(false, 2)),
        ("empty_message", accepted(false, 0)),
        ("flag_2", Err(FrameError::Flag(2))),
        ("compressed_without_grpc_encoding", accepted(true, 0)),
        ("length_4GiB", Err(FrameError::TooLong { len: u32::MAX, limit: 64 << 20 })),
        ("short_header", Err(FrameError::Truncated)),
        ("short_body", Err(FrameError::Truncated)),
        ("two_messages_on_unary", Err(FrameError::TrailingBytes)),
    ];
    let table = rows("grpc_frames");
    assert_eq!(table.len(), expected.len());
    for (row, (name, expected)) in table.iter().zip(expected) {
        assert_eq!(row["name"], name);
        let bytes = from_hex(row["hex"].as_str().unwrap());
        for cut in 0..=bytes.len() {
            let (first, second) = bytes.split_at(cut);
            let mut reader = FrameReader::new(64 << 20);
            let pushed = reader.push(first).and_then(|()| reader.push(second));
            assert_eq!(pushed.and_then(|()| reader.finish()), expected, "{name}, cut at {cut}");
        }
        if let Ok(header) = expected {
            assert_eq!(Some(&header.encode()), bytes.first_chunk(), "{name}");
        }
    }
}

// === What the tests read ===

fn rows(table: &str) -> Vec<Value> {
    let tables: Value = serde_json::from_str(include_str!("../fixtures/tables.json")).unwrap();
    let rows = tables[table].as_array().unwrap().clone();
    assert!(!rows.is_empty(), "{table} is empty");
    rows
}

fn response(name: &str, extension: &str) -> Vec<u8> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/responses");
    std::fs::read(directory.join(name).with_extension(extension)).unwrap()
}

fn response_json(name: &str) -> Value {
    serde_json::from_slice(&response(name, "json")).unwrap()
}

fn accepted(rejected: u64, message: &str) -> Accepted {
    Accepted { rejected, message: message.into() }
}

fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The same status in prost's types.
fn oracle(status: &RpcStatus) -> pb::Status {
    let mut oracle =
        pb::Status { code: status.code as i32, message: status.message.clone(), ..Default::default() };
    let mut detail = |name: &str, value| {
        oracle.details.push(Default::default());
        let any = oracle.details.last_mut().unwrap();
        any.type_url = format!("type.googleapis.com/google.rpc.{name}");
        any.value = value;
    };
    if let Some(delay) = status.retry_delay {
        let mut info = pb::RetryInfo { retry_delay: Some(Default::default()) };
        let duration = info.retry_delay.as_mut().unwrap();
        (duration.seconds, duration.nanos) = (delay.as_secs() as i64, delay.subsec_nanos() as i32);
        detail("RetryInfo", info.encode_to_vec());
    }
    if !status.violations.is_empty() {
        let violation = |violation: &FieldViolation| pb::bad_request::FieldViolation {
            field: violation.field.clone(),
            description: violation.description.clone(),
            ..Default::default()
        };
        let field_violations = status.violations.iter().map(violation).collect();
        detail("BadRequest", pb::BadRequest { field_violations }.encode_to_vec());
    }
    oracle
}

fn any_status() -> impl Strategy<Value = RpcStatus> {
    let delay =
        (0..=315_576_000_000u64, 0..1_000_000_000u32).prop_map(|(secs, nanos)| Duration::new(secs, nanos));
    let violation =
        (".{0,8}", ".{0,8}").prop_map(|(field, description)| FieldViolation { field, description });
    (0..=i32::MAX as u32, ".{0,20}", prop::option::of(delay), prop::collection::vec(violation, 0..=16))
        .prop_map(|(code, message, retry_delay, violations)| RpcStatus {
            code,
            message,
            retry_delay,
            violations,
        })
}
