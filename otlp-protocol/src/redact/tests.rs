use super::*;
use crate::Signal;
use crate::json::{from_str, to_string};

/// Hides the key `password`, and masks the word `hunter2`.
struct Passwords;

impl Redactor for Passwords {
    fn hides(&self, key: &str) -> bool {
        key == "password"
    }

    fn masked(&self, text: &str) -> Option<String> {
        text.contains("hunter2").then(|| text.replace("hunter2", "****"))
    }
}

#[track_caller]
fn check(signal: Signal, from: &str, to: &str) {
    let body = from_str(signal, from).unwrap();
    let redacted = redact(&body, &Passwords, 1 << 20).unwrap();
    let expected = from_str(signal, to).unwrap();
    assert_eq!(to_string(&redacted).unwrap(), to_string(&expected).unwrap());
    assert_eq!(redacted.count(), body.count());
    crate::validate(signal, &redacted.to_bytes(), &crate::ValidateLimits::default()).unwrap();
}

#[test]
fn strings_at_every_depth_are_masked() {
    let request = |value: &str, password: &str, secret: &str| {
        format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"a","value":{value}}}]}},"scopeSpans":[{{"spans":[{{
            "name":"GET /?p={secret}","attributes":[{{"key":"password","value":{password}}},{{"key":"kept","value":{{"intValue":"7"}}}}],
            "events":[{{"name":"e","attributes":[{{"key":"m","value":{{"kvlistValue":{{"values":[
            {{"key":"password","value":{password}}},{{"key":"l","value":{{"arrayValue":{{"values":[{value}]}}}}}}]}}}}}}]}}],
            "links":[{{"traceId":"","attributes":[{{"key":"password","value":{password}}}]}}],"status":{{"message":"{secret}"}}}}]}}]}}]}}"#
        )
    };
    for password in [r#"{"intValue":"1"}"#, r#"{"boolValue":true}"#, r#"{"stringValue":""}"#, "{}"] {
        let from = request(r#"{"stringValue":"x hunter2 y"}"#, password, "hunter2");
        let to = request(r#"{"stringValue":"x **** y"}"#, r#"{"stringValue":"****"}"#, "****");
        check(Signal::TRACES, &from, &to);
    }
}

#[test]
fn metrics_and_log_records_are_masked() {
    let metrics = |value: &str, name: &str| {
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"{name}","sum":{{"dataPoints":[{{"asInt":"1",
            "attributes":[{{"key":"password","value":{{"stringValue":"{value}"}}}}],
            "exemplars":[{{"asInt":"1","filteredAttributes":[{{"key":"b","value":{{"stringValue":"{name}"}}}}]}}]}}]}}}}]}}]}}]}}"#
        )
    };
    check(Signal::METRICS, &metrics("secret", "hunter2"), &metrics("****", "****"));
    let logs = |value: &str, body: &str| {
        format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{{"kvlistValue":{{"values":[
            {{"key":"password","value":{{"bytesValue":"{value}"}}}},{{"key":"x","value":{{"stringValue":"{body}"}}}}]}}}}}}]}}]}}]}}"#
        )
    };
    let masked = logs("", "****").replace(r#""bytesValue":"""#, r#""stringValue":"****""#);
    check(Signal::LOGS, &logs("aGk=", "hunter2"), &masked);
}

#[test]
fn strings_of_profiles_are_masked_in_the_dictionary() {
    let profiles = |secret: &str, other: &str| {
        format!(
            r#"{{"resourceProfiles":[{{"resource":{{"attributes":[{{"keyStrindex":1,"value":{{"stringValueStrindex":4}}}}]}}}}],
            "dictionary":{{"stringTable":["","password","secret","{other}","plain"],"attributeTable":[
            {{"keyStrindex":1,"value":{{"stringValue":"{secret}"}}}}]}}}}"#
        )
    };
    let to = profiles("****", "****").replace("plain", "****");
    let to = to.replace(r#"{"stringValueStrindex":4}"#, r#"{"stringValue":"****"}"#);
    check(Signal::PROFILES, &profiles("sesame", "hunter2"), &to);
}

/// Scenario: the value of a hidden attribute is a list or a map of strings of the dictionary. Guarantee: these strings are
/// masked in the dictionary, too.
#[test]
fn strings_in_lists_of_hidden_attributes_are_masked_in_the_dictionary() {
    let profiles = |value: &str, two: &str, three: &str| {
        format!(
            r#"{{"resourceProfiles":[{{"resource":{{"attributes":[{{"keyStrindex":1,"value":{value}}}]}}}}],
            "dictionary":{{"stringTable":["","password","{two}","{three}","plain"]}}}}"#
        )
    };
    let list = r#"{"arrayValue":{"values":[{"stringValueStrindex":2},{"kvlistValue":{"values":[
        {"keyStrindex":4,"value":{"stringValueStrindex":3}}]}}]}}"#;
    let masked = profiles(r#"{"stringValue":"****"}"#, "****", "****");
    check(Signal::PROFILES, &profiles(list, "sesame", "open"), &masked);
}

/// Scenario: an attribute has a harmless key by index behind its key as text. Guarantee: the value is masked.
#[test]
fn each_of_several_keys_counts() {
    let profiles = |value: &str| {
        format!(
            r#"{{"resourceProfiles":[{{"resource":{{"attributes":[{{"key":"password","keyStrindex":1,
            "value":{{"stringValue":"{value}"}}}}]}}}}],"dictionary":{{"stringTable":["","harmless"]}}}}"#
        )
    };
    check(Signal::PROFILES, &profiles("sesame"), &profiles("****"));
}

#[test]
fn a_body_without_secrets_stays_as_it_is() {
    let text = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}"#;
    let body = from_str(Signal::LOGS, text).unwrap();
    assert_eq!(redact(&body, &Passwords, 1 << 20).unwrap().to_bytes(), body.to_bytes());
    let hidden = from_str(Signal::LOGS, &text.replace("hello", "hunter2")).unwrap();
    assert!(matches!(redact(&hidden, &Passwords, 10), Err(EditError::TooLarge { limit: 10 })));
}

#[test]
fn what_is_nested_too_deep_is_removed() {
    let mut value = Vec::new();
    put_len_delimited(&mut value, 1, b"hunter2");
    for _ in 0..100 {
        let (mut list, mut next) = (Vec::new(), Vec::new());
        put_len_delimited(&mut list, 1, &value);
        put_len_delimited(&mut next, 5, &list);
        value = next;
    }
    let body = Body::write::<crate::encode::LogRecords>(|_| {});
    let mut bytes = value;
    for number in [5, 2, 2, 1] {
        let mut outer = Vec::new();
        put_len_delimited(&mut outer, number, &bytes);
        bytes = outer;
    }
    let body = body.with(bytes.into(), crate::Count::default());
    let redacted = redact(&body, &Passwords, 1 << 20).unwrap().to_bytes();
    assert!(!redacted.windows(7).any(|window| window == b"hunter2"));
}
