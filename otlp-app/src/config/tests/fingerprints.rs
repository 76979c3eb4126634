//! Fingerprints differ if and only if settings differ.

use super::*;
use otlp_service::{Change, Changes, Kind};

/// A configuration with these parts.
fn config(receiver: &str, batch: &str, exporter: &str, extension: &str) -> String {
    format!(
        "extensions:\n  headers_setter: {{headers: [{{key: a, value: '1'}}], additional_auth: bearertokenauth}}\n  \
         bearertokenauth: {{{extension}}}\n\
         receivers: {{otlp: {{protocols: {{grpc: {{{receiver}}}}}}}}}\nprocessors: {{batch: {{{batch}}}}}\n\
         exporters: {{otlp: {{endpoint: 'https://c:1', {exporter}}}}}\n\
         service:\n  extensions: [headers_setter, bearertokenauth]\n  \
         pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [otlp]}}}}\n"
    )
}

#[track_caller]
fn check(from: &str, to: &str, expected: &[&str]) {
    let Changes { changes } = spec_of(plan(to)).changes_from(&spec_of(plan(from)));
    let changes: Vec<_> = changes.iter().map(Change::to_string).collect();
    assert_eq!(changes, expected);
}

const BASE: [&str; 4] = ["endpoint: 'a:1'", "timeout: 1s", "timeout: 2s", "token: abc"];

fn base() -> String {
    config(BASE[0], BASE[1], BASE[2], BASE[3])
}

#[tokio::test]
async fn equal_settings_are_no_change() {
    check(&base(), &base(), &[]);
    let reordered =
        base().replace("{endpoint: 'https://c:1', timeout: 2s}", "{timeout: 2s, endpoint: \"https://c:1\"}");
    assert_ne!(reordered, base());
    check(&base(), &format!("# a comment\n{reordered}"), &[]);
    // A key without effect.
    check(&base(), &config(BASE[0], BASE[1], "timeout: 2s, read_buffer_size: 1", BASE[3]), &[]);
}

#[tokio::test]
async fn each_component_has_its_own_settings() {
    let [receiver, batch, exporter, extension] = BASE;
    check(&base(), &config("endpoint: 'a:2'", batch, exporter, extension), &["receiver otlp: new settings"]);
    check(&base(), &config(receiver, "timeout: 3s", exporter, extension), &["processor batch: new settings"]);
    check(&base(), &config(receiver, batch, "timeout: 3s", extension), &["exporter otlp: new settings"]);
    let queue = "timeout: 2s, sending_queue: {queue_size: 7}";
    check(&base(), &config(receiver, batch, queue, extension), &["exporter otlp: new settings"]);
    check(
        &base(),
        &base()
            .replace("processors: {batch", "processors: {memory_limiter: {limit_mib: 9}, batch")
            .replace("[batch]", "[memory_limiter, batch]"),
        &["gateway memory limit: new settings"],
    );
}

#[tokio::test]
async fn the_extension_that_authenticates_is_part_of_the_settings() {
    let with_auth = |token: &str| {
        let token = format!("token: {token}");
        config(
            "endpoint: 'a:1', auth: {authenticator: bearertokenauth}",
            "",
            "auth: {authenticator: headers_setter}",
            &token,
        )
    };
    check(&with_auth("abc"), &with_auth("abc"), &[]);
    check(
        &with_auth("abc"),
        &with_auth("abd"),
        &["receiver otlp: new settings, keeps its sockets", "exporter otlp: new settings"],
    );
    // No component uses the extension.
    check(&base(), &config(BASE[0], BASE[1], BASE[2], "token: abd"), &[]);
}

#[test]
fn variables_are_compared_by_their_values() {
    let settings = |value: &str| {
        let fake = Fake::default().var("E", value).file("c.yaml", around("  otlp: {endpoint: '${env:E}'}"));
        let mut sources = Sources::default();
        let plan = load(&["c.yaml".into()], &[], &fake, &shipped(), &mut sources);
        let plan = plan.unwrap_or_else(|problems| panic!("{}", problems.render(&sources, false)));
        plan.settings.of(Kind::Exporter, "otlp")
    };
    assert!(settings("c:1").is_some());
    assert_eq!(settings("c:1"), settings("c:1"));
    assert_ne!(settings("c:1"), settings("c:2"));
}
