//! OTLP/JSON against the vectors of `tests/fixtures`, and its edges one by one.

use super::fixtures::{fixture, hex, list, manifest, signal};
use bytes::Bytes;
use flate2::read::GzDecoder;
use otlp_protocol::json::{JsonErrorKind, JsonLimits, from_protobuf, to_protobuf};
use otlp_protocol::schema::{self, Message};
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{
    Accepted, Code, DecodeErrorKind, FieldViolation, Repairs, RpcStatus, Signal, ValidateLimits, repair,
    validate,
};
use serde_json::Value;
use std::io::Read as _;
use std::time::Duration;

fn read(message: &'static Message, text: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = b"before".to_vec();
    let read = to_protobuf(message, text, &JsonLimits::default(), &mut out);
    assert!(out.starts_with(b"before"));
    match read {
        Ok(_) => Ok(out.split_off(6)),
        Err(error) => {
            assert_eq!(out, b"before");
            assert!(error.offset <= text.len() && error.to_string().len() < 1000, "{error}");
            Err(error.to_string())
        }
    }
}

fn write(message: &'static Message, body: &[u8]) -> String {
    let mut out = Vec::new();
    from_protobuf(message, body, usize::MAX, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn value(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

fn check_pair(message: &'static Message, protobuf: &[u8], json: &[u8], name: &Value) {
    let made = read(message, json).unwrap();
    assert_eq!(made, protobuf, "{name}: {message:?}", message = message.name);
    assert_eq!(value(write(message, protobuf).as_bytes()), value(json), "{name}");
}

#[test]
fn pairs_hold_one_value() {
    let manifest = manifest();
    let file = |case: &Value, encoding: &str| fixture(case[encoding]["file"].as_str().unwrap());
    for case in list(&manifest, "valid") {
        check_pair(signal(case).request, &file(case, "protobuf"), &file(case, "json"), &case["name"]);
    }
    for case in list(&manifest, "responses") {
        let (protobuf, json) = (file(case, "protobuf"), file(case, "json"));
        match case["message"].as_str().unwrap() {
            "google.rpc.Status" => {
                let status = RpcStatus::decode(&protobuf).unwrap();
                assert_eq!(value(&status.encode_json()), value(&json), "{}", case["name"]);
                assert_eq!(RpcStatus::decode_json(&json).unwrap(), status, "{}", case["name"]);
            }
            name => {
                check_pair(schema::message(name).unwrap(), &protobuf, &json, &case["name"]);
                let accepted = Accepted::decode(&protobuf).unwrap();
                assert_eq!(Accepted::decode_json(&json).unwrap(), accepted, "{}", case["name"]);
                let signal = Signal::ALL.into_iter().find(|signal| case_is_of(case, *signal)).unwrap();
                // An empty partial success is full success, which is told by leaving it out.
                if accepted.is_partial() {
                    assert_eq!(value(&accepted.encode_json(signal)), value(&json), "{}", case["name"]);
                } else {
                    assert_eq!(accepted.encode_json(signal), b"{}");
                }
            }
        }
    }
}

fn case_is_of(case: &Value, signal: Signal) -> bool {
    case["name"].as_str().unwrap().starts_with(signal.name)
}

#[test]
fn truncated_texts_are_refused() {
    for case in list(&manifest(), "truncations").iter().filter(|case| case["encoding"] == "json") {
        let text = fixture(case["source"].as_str().unwrap());
        for len in 0..text.len() {
            read(signal(case).request, &text[..len]).unwrap_err();
        }
    }
}

#[test]
fn unusual_and_malformed_texts_get_their_verdict() {
    let mut seen = 0;
    for case in list(&manifest(), "cases").iter().filter(|case| case["encoding"] == "json") {
        seen += 1;
        let mut text = Vec::new();
        match (case["hex"].as_str(), case["content_encoding"].as_str()) {
            (Some(digits), _) => text = hex(digits),
            (None, Some("gzip")) => {
                let packed = fixture(case["file"].as_str().unwrap());
                GzDecoder::new(packed.as_slice()).read_to_end(&mut text).unwrap();
            }
            _ => panic!("{case}"),
        }
        let name = case["name"].as_str().unwrap();
        let verdict = read(signal(case).request, &text);
        if let Ok(body) = &verdict {
            let body = Bytes::copy_from_slice(body);
            repair(signal(case), &body, &ValidateLimits::default(), Repairs::default(), 64 << 20).unwrap();
        }
        // Where implementations differ, this is what we chose.
        let chosen = match name {
            "json_int_exponent" | "json_int_float_string" | "json_enum_as_name" => Some(true),
            "json_enum_as_numeric_string" | "json_profile_id_base64" => Some(true),
            "json_double_bad_string" | "json_double_overflow" | "json_anyvalue_two_members" => Some(false),
            "json_duplicate_member" | "json_bom" | "json_lone_surrogate_escape" => Some(false),
            "json_trace_id_short" => Some(true),
            _ => None,
        };
        let outcome = case["outcome"].as_str().unwrap();
        let choice_is_free = outcome.contains("_or_");
        assert_eq!(chosen.is_some(), choice_is_free, "{name}: {outcome}");
        let expected = chosen.unwrap_or(outcome.starts_with("accept"));
        assert_eq!(verdict.is_ok(), expected, "{name}: {verdict:?}");
    }
    assert!(seen >= 65, "only {seen} cases");
}

/// What stands between `{"resourceLogs":[{"scopeLogs":[{"logRecords":[` and the brackets' ends.
fn log(record: &str) -> String {
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}"#)
}

const LOG_PATH: &str = "resourceLogs[0].scopeLogs[0].logRecords[0]";

#[test]
fn values_are_read_in_every_form_they_have() {
    let cases = [
        // Integers are exact, whatever their form.
        (r#"{"timeUnixNano":"18446744073709551615"}"#, r#"{"timeUnixNano":"18446744073709551615"}"#),
        (r#"{"timeUnixNano":18446744073709551615}"#, r#"{"timeUnixNano":"18446744073709551615"}"#),
        (r#"{"timeUnixNano":9007199254740993.0}"#, r#"{"timeUnixNano":"9007199254740993"}"#),
        (r#"{"timeUnixNano":1844674407370955.1615e4}"#, r#"{"timeUnixNano":"18446744073709551615"}"#),
        (r#"{"timeUnixNano":"1.20e1"}"#, r#"{"timeUnixNano":"12"}"#),
        (r#"{"timeUnixNano":1200e-2}"#, r#"{"timeUnixNano":"12"}"#),
        (r#"{"timeUnixNano":0e999999999999999999999}"#, "{}"),
        (r#"{"timeUnixNano":-0}"#, "{}"),
        (r#"{"timeUnixNano":12345678}"#, r#"{"timeUnixNano":"12345678"}"#),
        (r#"{"body":{"intValue":-9223372036854775808}}"#, r#"{"body":{"intValue":"-9223372036854775808"}}"#),
        (r#"{"body":{"intValue":"\u0031\u0032"}}"#, r#"{"body":{"intValue":"12"}}"#),
        (
            r#"{"flags":"7","droppedAttributesCount":4.294967295E+9}"#,
            r#"{"droppedAttributesCount":4294967295,"flags":7}"#,
        ),
        // Doubles keep their bits.
        (r#"{"body":{"doubleValue":"1.5"}}"#, r#"{"body":{"doubleValue":1.5}}"#),
        (r#"{"body":{"doubleValue":-0}}"#, r#"{"body":{"doubleValue":-0.0}}"#),
        (r#"{"body":{"doubleValue":0.1e1}}"#, r#"{"body":{"doubleValue":1.0}}"#),
        (r#"{"body":{"doubleValue":1e-400}}"#, r#"{"body":{"doubleValue":0.0}}"#),
        (
            r#"{"body":{"doubleValue":123456789012345678}}"#,
            r#"{"body":{"doubleValue":1.2345678901234568e+17}}"#,
        ),
        (r#"{"body":{"doubleValue":"-Infinity"}}"#, r#"{"body":{"doubleValue":"-Infinity"}}"#),
        // Enums are open.
        (r#"{"severityNumber":"SEVERITY_NUMBER_WARN2"}"#, r#"{"severityNumber":14}"#),
        (r#"{"severityNumber":-1}"#, r#"{"severityNumber":-1}"#),
        // Ids and bytes.
        (r#"{"traceId":"00fFA1"}"#, r#"{"traceId":"00ffa1"}"#),
        (r#"{"body":{"bytesValue":"\/\/8="}}"#, r#"{"body":{"bytesValue":"//8="}}"#),
        (r#"{"body":{"bytesValue":"__8"}}"#, r#"{"body":{"bytesValue":"//8="}}"#),
        (r#"{"body":{"bytesValue":""}}"#, r#"{"body":{"bytesValue":""}}"#),
        // Strings.
        (
            r#"{"severityText":"a\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00"}"#,
            "{\"severityText\":\"a\\\"\\\\/\\u0008\\u000c\\n\\r\\téé😀\"}",
        ),
        (r#"{"severityText":"\u0000"}"#, r#"{"severityText":"\u0000"}"#),
        // Keys may have escapes, and any order; null is absent, also as an arm.
        (r#"{"\u0062ody":{"stringValue":"x"}}"#, r#"{"body":{"stringValue":"x"}}"#),
        (r#"{"flags":1,"severityText":"a"}"#, r#"{"severityText":"a","flags":1}"#),
        (r#"{"body":{"stringValue":null,"intValue":1}}"#, r#"{"body":{"intValue":"1"}}"#),
        (r#"{"body":{"stringValue":""}}"#, r#"{"body":{"stringValue":""}}"#),
        (r#"{"attributes":[],"body":{"arrayValue":{"values":[]}}}"#, r#"{"body":{"arrayValue":{}}}"#),
        // The shortcut for attributes: with it, and just off it.
        (
            r#"{"attributes":[{"key":"k","value":{"stringValue":"v"}},{"key":"","value":{"intValue":"-1"}}]}"#,
            r#"{"attributes":[{"key":"k","value":{"stringValue":"v"}},{"value":{"intValue":"-1"}}]}"#,
        ),
        (
            r#"{"attributes":[{"key":"k","value":{"intValue":5}},{"key":"k","value":{"stringValue":""}}]}"#,
            r#"{"attributes":[{"key":"k","value":{"intValue":"5"}},{"key":"k","value":{"stringValue":""}}]}"#,
        ),
        (
            r#"{"attributes":[ {"key":"k","value":{"boolValue":true}} , {"value":{},"key":"é"},{}]}"#,
            r#"{"attributes":[{"key":"k","value":{"boolValue":true}},{"key":"é","value":{}},{}]}"#,
        ),
        (
            r#"{"attributes":[{"key":"a\n","value":{"stringValue":"\t"}},{"key":"k","value":null,"x":1}]}"#,
            r#"{"attributes":[{"key":"a\n","value":{"stringValue":"\t"}},{"key":"k"}]}"#,
        ),
    ];
    for (text, expected) in cases {
        let body = read(Signal::LOGS.request, log(text).as_bytes())
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        // Ids of any length are read; the check is for their lengths.
        let limits = ValidateLimits::default();
        repair(Signal::LOGS, body.clone(), &limits, Repairs::default(), 64 << 20).unwrap();
        assert_eq!(write(Signal::LOGS.request, &body), log(expected), "{text}");
    }
}

#[test]
fn unknown_names_of_enums_are_ignored_and_counted() {
    let cases = [
        (r#"{"severityNumber":"SEVERITY_NUMBER_NEXT"}"#, "{}", 1),
        (r#"{"severityNumber":"WARN","x":1,"severityText":"a"}"#, r#"{"severityText":"a"}"#, 2),
        (r#"{"severityNumber":"SEVERITY_NUMBER_WARN"}"#, r#"{"severityNumber":13}"#, 0),
    ];
    for (text, expected, unknown) in cases {
        let mut body = Vec::new();
        let limits = JsonLimits::default();
        let read = to_protobuf(Signal::LOGS.request, log(text).as_bytes(), &limits, &mut body).unwrap();
        assert_eq!(read.unknown_keys, unknown, "{text}");
        assert_eq!(write(Signal::LOGS.request, &body), log(expected), "{text}");
    }
    for text in [r#"{"severityNumber":"WARN}"#, r#"{"severityNumber":"W\q"}"#, r#"{"timeUnixNano":"WARN"}"#] {
        assert!(read(Signal::LOGS.request, log(text).as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn faults_are_named_by_their_path() {
    let cases = [
        (r#"{"timeUnixNano":1.5}"#, ".timeUnixNano: expected an integer (at byte 62)"),
        (r#"{"timeUnixNano":"1e-1"}"#, ".timeUnixNano: expected an integer (at byte 62)"),
        (r#"{"timeUnixNano":"-1"}"#, ".timeUnixNano: number out of range for a uint64 (at byte 62)"),
        (r#"{"timeUnixNano":1e20}"#, ".timeUnixNano: number out of range for a uint64 (at byte 62)"),
        (r#"{"timeUnixNano":01}"#, ".timeUnixNano: expected ',' or '}' (at byte 63)"),
        (r#"{"timeUnixNano":"01"}"#, ".timeUnixNano: expected an integer (at byte 62)"),
        (r#"{"timeUnixNano":""}"#, ".timeUnixNano: expected an integer (at byte 62)"),
        (r#"{"timeUnixNano":-}"#, ".timeUnixNano: expected a digit (at byte 63)"),
        (r#"{"timeUnixNano":true}"#, ".timeUnixNano: expected an integer (at byte 62)"),
        (
            r#"{"droppedAttributesCount":4294967296}"#,
            ".droppedAttributesCount: number out of range for a uint32 (at byte 72)",
        ),
        (
            r#"{"severityNumber":2147483648}"#,
            ".severityNumber: number out of range for an int32 (at byte 64)",
        ),
        (r#"{"severityNumber":"1x"}"#, ".severityNumber: expected an integer (at byte 64)"),
        (r#"{"severityNumber":WARN}"#, ".severityNumber: expected an enum's number (at byte 64)"),
        (
            r#"{"body":{"doubleValue":1e999}}"#,
            ".body.doubleValue: number out of range for a double (at byte 69)",
        ),
        (
            r#"{"body":{"doubleValue":"inf"}}"#,
            ".body.doubleValue: expected a number, NaN, Infinity or -Infinity (at byte 69)",
        ),
        (r#"{"body":{"boolValue":1}}"#, ".body.boolValue: expected true or false (at byte 67)"),
        (r#"{"body":{"bytesValue":"!"}}"#, ".body.bytesValue: expected base64 (at byte 69)"),
        (r#"{"traceId":"0g"}"#, ".traceId: expected hex digits, two a byte (at byte 58)"),
        (r#"{"traceId":"000"}"#, ".traceId: expected hex digits, two a byte (at byte 58)"),
        (
            r#"{"body":{"stringValue":"a","intValue":1}}"#,
            ".body.intValue: two fields of the same oneof are set (at byte 84)",
        ),
        (r#"{"flags":1,"flags":1}"#, ".flags: duplicate key in an object (at byte 57)"),
        (
            r#"{"severityText":"\ude00\ud83d"}"#,
            ".severityText: invalid escape in a string: half of a surrogate pair (at byte 63)",
        ),
        (
            r#"{"severityText":"\ud83d\u0041"}"#,
            ".severityText: invalid escape in a string: half of a surrogate pair (at byte 63)",
        ),
        (r#"{"severityText":"\x"}"#, ".severityText: invalid escape in a string (at byte 63)"),
        (r#"{"severityText":"\u00g0"}"#, ".severityText: invalid escape in a string (at byte 63)"),
        ("{\"severityText\":\"\t\"}", ".severityText: unescaped control character in a string (at byte 63)"),
        (
            r#"{"attributes":[{"key":"k","value":{"intValue":"1"}},{"key":5}]}"#,
            ".attributes[1].key: expected a string (at byte 105)",
        ),
        (
            r#"{"attributes":[{"key":"k","value":{"intValue":"1"}},null]}"#,
            ".attributes[1]: expected an object (at byte 98)",
        ),
        (
            r#"{"attributes":[{"key":"k","value":{"intValue":"1"}},]}"#,
            ".attributes[1]: expected an object (at byte 98)",
        ),
        (
            r#"{"attributes":[{"key":"k","value":{"intValue":"1"}}{}]}"#,
            ".attributes[0]: expected ',' or ']' (at byte 97)",
        ),
        (r#"{"attributes":{}}"#, ".attributes: expected an array (at byte 60)"),
        (r#"{"x":[1,{"y":tru}]}"#, ": expected a value (at byte 59)"),
        (r#"{"x":{"y" 1}}"#, ": expected ':' (at byte 56)"),
        (r#"{"x":{"y":1]}"#, ": expected ',' or '}' (at byte 57)"),
        (r#"{"x":[1}}"#, ": expected ',' or ']' (at byte 53)"),
        (r#"{"x":{,}}"#, ": expected a key (at byte 52)"),
        (r#"{"flags":1,}"#, ": expected a key (at byte 57)"),
    ];
    for (text, expected) in cases {
        let error = read(Signal::LOGS.request, log(text).as_bytes()).unwrap_err();
        assert_eq!(error, format!("{LOG_PATH}{expected}"), "{text}");
    }
    for (text, expected) in [
        (&b""[..], "unexpected end of the text (at byte 0)"),
        (b"  ", "unexpected end of the text (at byte 2)"),
        (b"[]", "expected an object (at byte 0)"),
        (b"{}{}", "unexpected text after the value (at byte 2)"),
        (b"{}\0", "unexpected text after the value (at byte 2)"),
        (b"\xef\xbb\xbf{}", "the text starts with a byte order mark; send plain UTF-8 (at byte 0)"),
        (b"{\"a\":\"\xff\"}", "the text is not UTF-8 (at byte 6)"),
        (b"{\"resourceLogs\":nul", "resourceLogs: unexpected end of the text (at byte 19)"),
    ] {
        assert_eq!(read(Signal::LOGS.request, text).unwrap_err(), expected);
    }
}

#[test]
fn unknown_keys_are_counted_and_left_out() {
    let text =
        log(r#"{"a":[[],{},"\"",{"b":-1.5e+3,"c":[null,true,false]}],"flags":1,"time_unix_nano":"5"}"#);
    let mut body = Vec::new();
    let read = to_protobuf(Signal::LOGS.request, text.as_bytes(), &JsonLimits::default(), &mut body).unwrap();
    assert_eq!(read.unknown_keys, 2);
    assert_eq!(write(Signal::LOGS.request, &body), log(r#"{"flags":1}"#));

    let with_unknown = [&body[..], &[0xa8, 0x06, 0x00, 0x7a, 0x01, 0xff]].concat();
    let mut out = Vec::new();
    let written = from_protobuf(Signal::LOGS.request, &with_unknown, usize::MAX, &mut out).unwrap();
    assert_eq!(written.unknown_fields, 2);
    assert_eq!(out, log(r#"{"flags":1}"#).as_bytes());
}

/// A log record whose body is `depth` lists inside each other.
fn lists(depth: usize) -> String {
    let open = r#"{"arrayValue":{"values":["#.repeat(depth);
    log(&format!(r#"{{"body":{open}{{}}{close}}}"#, close = "]}}".repeat(depth)))
}

#[test]
fn depth_is_bounded_and_costs_no_stack() {
    // Four levels of envelope, two for each list, one for the value in the innermost.
    let check = |depth, max_depth| {
        let limits = JsonLimits { max_depth, ..JsonLimits::default() };
        to_protobuf(Signal::LOGS.request, lists(depth).as_bytes(), &limits, &mut Vec::new())
            .map_err(|error| error.kind)
    };
    assert!(check(48, 100).is_ok());
    assert_eq!(check(49, 100), Err(JsonErrorKind::TooDeep { limit: 100 }));

    let small = std::thread::Builder::new().stack_size(64 * 1024);
    let deep = small.spawn(|| {
        let limits = JsonLimits { max_depth: usize::MAX, ..JsonLimits::default() };
        let mut body = Vec::new();
        let text = lists(100_000);
        to_protobuf(Signal::LOGS.request, text.as_bytes(), &limits, &mut body).unwrap();
        let mut back = Vec::new();
        from_protobuf(Signal::LOGS.request, &body, usize::MAX, &mut back).unwrap();
        assert!(back == text.as_bytes());

        for (open, close) in [("[", "]"), (r#"{"x":"#, "}")] {
            let nested = |depth| format!(r#"{{"x":{}1{}}}"#, open.repeat(depth), close.repeat(depth));
            read(Signal::LOGS.request, nested(128).as_bytes()).unwrap();
            for depth in [129, 100_000] {
                let error = read(Signal::LOGS.request, nested(depth).as_bytes()).unwrap_err();
                assert!(error.starts_with("values are nested deeper than 128 levels"), "{error}");
            }
        }
    });
    deep.unwrap().join().unwrap();
}

#[test]
fn messages_and_bytes_are_bounded() {
    let check = |text: &str, limits: JsonLimits| {
        to_protobuf(Signal::METRICS.request, text.as_bytes(), &limits, &mut Vec::new())
            .map_err(|error| error.kind)
    };
    let attributes =
        r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"k","value":{"intValue":"1"}}]}}]}"#;
    let elements = |max_elements| JsonLimits { max_elements, ..JsonLimits::default() };
    assert!(check(attributes, elements(4)).is_ok());
    for limit in 0..4 {
        assert_eq!(check(attributes, elements(limit)), Err(JsonErrorKind::TooManyElements { limit }));
    }
    let depth = |max_depth| JsonLimits { max_depth, ..JsonLimits::default() };
    assert!(check(attributes, depth(4)).is_ok());
    assert_eq!(check(attributes, depth(3)), Err(JsonErrorKind::TooDeep { limit: 3 }));

    // Two characters a double.
    let bounds = vec!["0"; 10_000].join(",");
    let text = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"histogram":{{"dataPoints":[{{"explicitBounds":[{bounds}]}}]}}}}]}}]}}]}}"#
    );
    let bytes = |max_bytes| JsonLimits { max_bytes, ..JsonLimits::default() };
    let exact = read(Signal::METRICS.request, text.as_bytes()).unwrap().len();
    assert!(exact > 80_000 && check(&text, bytes(exact)).is_ok());
    assert_eq!(check(&text, bytes(exact - 1)), Err(JsonErrorKind::TooLarge { limit: exact - 1 }));
    let mut out = Vec::new();
    let result = to_protobuf(Signal::METRICS.request, text.as_bytes(), &bytes(1000), &mut out);
    assert!(result.is_err() && out.capacity() < text.len());
}

#[test]
fn what_is_written_is_bounded() {
    let logs = |scope: &[u8]| {
        let (mut resource, mut body) = (Vec::new(), Vec::new());
        put_len_delimited(&mut resource, 2, scope);
        put_len_delimited(&mut body, 1, &resource);
        body
    };
    let record = |record: &[u8]| {
        let mut scope = Vec::new();
        put_len_delimited(&mut scope, 2, record);
        logs(&scope)
    };
    let field = |number, value: &[u8]| {
        let mut message = Vec::new();
        put_len_delimited(&mut message, number, value);
        message
    };
    let mut any = Vec::new();
    put_len_delimited(&mut any, 1, &[0x01; 100_000]);
    for body in [
        // Two bytes each make 3; attributes, control characters, hex, base64.
        logs(&[0x12, 0x00].repeat(100_000)),
        record(&field(6, &[0x0a, 0x01, b'k', 0x12, 0x02, 0x10, 0x01]).repeat(10_000)),
        record(&field(3, &[0x01; 100_000])),
        record(&field(5, &any)),
        record(&field(9, &[0xff; 100_000])),
        record(&field(5, &field(7, &[0xff; 100_000]))),
    ] {
        let mut whole = Vec::new();
        from_protobuf(Signal::LOGS.request, &body, usize::MAX, &mut whole).unwrap();
        let mut out = b"before".to_vec();
        from_protobuf(Signal::LOGS.request, &body, whole.len(), &mut out).unwrap();
        assert_eq!(out[6..], whole);
        for limit in [whole.len() - 1, whole.len() / 2, 1000, 0] {
            let mut out = b"before".to_vec();
            let error = from_protobuf(Signal::LOGS.request, &body, limit, &mut out).unwrap_err();
            assert_eq!((error.kind, &*out), (DecodeErrorKind::TooLarge { limit }, &b"before"[..]));
            assert!(out.capacity() < 2 * limit + 50_000, "{limit}: {}", out.capacity());
        }
    }
}

#[test]
fn fields_may_stand_in_any_number_of_pieces() {
    let logs = |fields: &[u8], times| {
        let mut body = Vec::new();
        put_len_delimited(&mut body, 1, &fields.repeat(times));
        body
    };
    let check = |body: &[u8]| {
        let mut text = Vec::new();
        from_protobuf(Signal::LOGS.request, body, usize::MAX, &mut text)
            .map(|_| text.len())
            .map_err(|error| error.kind)
    };
    // A field several times in a row is one piece.
    let (scope, url) = ([0x12, 0].as_slice(), [0x1a, 0].as_slice());
    let in_a_row = r#"{"resourceLogs":[{"scopeLogs":[]}]}"#.len() + "{},".len() * 2_000_000 - 1;
    assert_eq!(check(&logs(scope, 2_000_000)), Ok(in_a_row));
    // So many pieces are noted; of more, the message is passed over once for each field.
    let noted = 1 << 20;
    for times in [noted / 2 - 1, noted / 2, 540_000] {
        let text = r#"{"resourceLogs":[{"scopeLogs":[]}]}"#.len() + "{},".len() * times - 1;
        assert_eq!(check(&logs(&[scope, url].concat(), times)), Ok(text));
        // A singular message in as many pieces.
        let (resource, text) = ([0x0a, 0].as_slice(), text + r#""resource":{},"#.len());
        assert_eq!(check(&logs(&[resource, scope].concat(), times)), Ok(text));
    }
}

#[test]
fn lengths_of_every_width_are_right() {
    for len in [0, 1, 100, 110, 120, 126, 127, 128, 129, 200, 16_000, 16_383, 16_384, 16_500, 2_097_152] {
        let text = "x".repeat(len);
        for record in [
            format!(
                r#"{{"severityText":"{text}","attributes":[{{"key":"{text}","value":{{"stringValue":"{text}"}}}}]}}"#
            ),
            // With escapes and space, nothing is known beforehand.
            format!(
                r#"{{"severityText":"\n{text}", "attributes":[ {{"key":"{text}","value":{{"stringValue":"{text}\n"}}}}]}}"#
            ),
        ] {
            let body = read(Signal::LOGS.request, log(&record).as_bytes()).unwrap();
            validate(Signal::LOGS, &body, &ValidateLimits::default()).unwrap();
            let expected = value(log(&record).as_bytes());
            let mut written = value(write(Signal::LOGS.request, &body).as_bytes());
            if len == 0 {
                // Defaults were written, and are left out.
                let record = &mut written["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
                record["attributes"][0]["key"] = "".into();
                if record["severityText"].is_null() {
                    record["severityText"] = "".into();
                }
            }
            assert!(written == expected, "{len}");
        }
    }
}

#[test]
fn answers_are_read_leniently() {
    for (text, rejected, message) in [
        (r#"{"partialSuccess":{"rejectedLogRecords":3}}"#, 3, ""),
        (r#"{"partialSuccess":{"rejectedDataPoints":"-3","errorMessage":null}}"#, 0, ""),
        (r#" {"x":[{}],"partialSuccess":{"y":1,"errorMessage":"a\u0062"}} "#, 0, "ab"),
        (r#"{"partialSuccess":null}"#, 0, ""),
    ] {
        let accepted = Accepted { rejected, message: message.to_owned() };
        assert_eq!(Accepted::decode_json(text.as_bytes()).unwrap(), accepted, "{text}");
    }
    assert_eq!(
        Accepted::decode_json(b"{\"partialSuccess\":{\"errorMessage\":\"\xff\"}}").unwrap().message,
        "\u{fffd}"
    );
    for text in [
        "",
        "<html>",
        "[]",
        r#"{"partialSuccess":{"rejectedSpans":"many"}}"#,
        "{}x",
        r#"{"partialSuccess":1}"#,
    ] {
        Accepted::decode_json(text.as_bytes()).unwrap_err();
        RpcStatus::decode_json(text.replace("partialSuccess", "details").as_bytes()).unwrap_err();
    }
    let huge = Accepted { rejected: u64::MAX, message: "\"\n".to_owned() };
    let text = br#"{"partialSuccess":{"rejectedProfiles":"9223372036854775807","errorMessage":"\"\n"}}"#;
    assert_eq!(huge.encode_json(Signal::PROFILES), text);
}

#[test]
fn a_status_is_read_leniently() {
    let retry_info = |delay: &str| {
        let text = format!(
            r#"{{"details":[{{"retryDelay":"{delay}","@type":"any.host/google.rpc.RetryInfo"}},{{"@type":"x","retryDelay":{{}}}},{{}}]}}"#
        );
        RpcStatus::decode_json(text.as_bytes()).map(|status| status.retry_delay.unwrap())
    };
    for (text, delay) in [
        ("0s", Duration::ZERO),
        ("5s", Duration::from_secs(5)),
        ("1.5s", Duration::from_millis(1500)),
        ("0.000000001s", Duration::from_nanos(1)),
        ("-3s", Duration::ZERO),
        ("99999999999999999999999s", Duration::from_secs(315_576_000_000)),
    ] {
        assert_eq!(retry_info(text).unwrap(), delay, "{text}");
    }
    for text in ["", "5", "s", "1.s", ".5s", "1.0000000001s", "+1s", "1e3s"] {
        retry_info(text).unwrap_err();
    }
    for nanos in [0, 5_500_000_000, 1_000, 1_234_567_891] {
        let status = RpcStatus {
            retry_delay: Some(Duration::from_nanos(nanos)),
            ..RpcStatus::new(Code::Unavailable, "\"")
        };
        assert_eq!(RpcStatus::decode_json(&status.encode_json()).unwrap(), status);
    }
    let violation = |index| FieldViolation { field: format!("f[{index}]"), description: "bad".to_owned() };
    let mut status = RpcStatus { violations: (0..20).map(violation).collect(), ..RpcStatus::default() };
    let read = RpcStatus::decode_json(&status.encode_json()).unwrap();
    status.violations.truncate(16);
    assert_eq!(read, status);
}
