//! The telemetry of one program, made with the client and with the official Rust SDK, item by item. Each difference that is
//! expected here is explained in docs/client.md, under "Differences".

use crate::items::Items;
use crate::{by_hand, by_hand_official, traced};
use otlp_transport::testing::Sink;

/// By hand: `official -> client`.
const BY_HAND: &[&str] = &[
    r#"log (shelf is empty): attributes.twice: {"stringValue":"first"} -> {"stringValue":"second"}"#,
    r#"log (shelf is empty): attributes.twice again: {"stringValue":"second"} -> none"#,
    "log (shelf is empty): flags: 1 -> 3",
    "log (no time, shelf is empty): timeUnixNano: none -> now",
    "metric (temperature): gauge.dataPoints[0].startTimeUnixNano: now -> none",
    r#"metric (large): sum.dataPoints[0].asInt: "0" -> "9223372036854775807""#,
    r#"resource (all): attributes.telemetry.sdk.name: {"stringValue":"opentelemetry"} -> {"stringValue":"otlp"}"#,
    r#"span (POST /orders): attributes.twice: {"stringValue":"first"} -> {"stringValue":"second"}"#,
    r#"span (POST /orders): attributes.twice again: {"stringValue":"second"} -> none"#,
    r#"span (POST /orders): events[1].attributes.exception.type: none -> {"stringValue":"client::by_hand::NotANumber"}"#,
    "span (linked, span of a log): flags: 257 -> 259",
    "span (POST /orders): links[0].flags: 257 -> 259",
    "span (linked, many attributes, set times, span of a log): status: {} -> none",
];

/// Through tracing: `tracing-opentelemetry and opentelemetry-appender-tracing -> client's layer`.
const TRACED: &[&str] = &[
    r#"log (error alone, warned): attributes.exception.stacktrace: none -> {"stringValue":"invalid quantity\ncaused by: not a number"}"#,
    "log (own target): flags: 1 -> 3",
    "log (all): timeUnixNano: none -> now",
    r#"resource (all): attributes.telemetry.sdk.name: {"stringValue":"opentelemetry"} -> {"stringValue":"otlp"}"#,
    "span (all): attributes.busy_ns: any -> none",
    r#"span (error as field, exception, failing): attributes.exception.stacktrace: {"arrayValue":{"values":[{"stringValue":"not a number"}]}} -> {"stringValue":"invalid quantity\ncaused by: not a number"}"#,
    "span (all): attributes.idle_ns: any -> none",
    r#"span (POST /orders): attributes.twice: {"stringValue":"first"} -> {"stringValue":"second"}"#,
    r#"span (POST /orders): attributes.twice again: {"stringValue":"second"} -> none"#,
    r#"span (POST /orders): attributes.unsigned: {"stringValue":"7"} -> {"intValue":"7"}"#,
    r#"span (POST /orders): events[0].attributes.count: {"stringValue":"3"} -> {"intValue":"3"}"#,
    r#"span (exception, failing): events[0].attributes.exception.stacktrace: {"arrayValue":{"values":[{"stringValue":"not a number"}]}} -> {"stringValue":"invalid quantity\ncaused by: not a number"}"#,
    "span (root): flags: 257 -> 259",
    r#"span (all): scope.name: "shop" -> "otlp-service""#,
    "span (all): scope.version: none -> any",
    "span (POST /orders, error as field, failing, follower, root): status: {} -> none",
];

#[tokio::test(flavor = "multi_thread")]
async fn telemetry_by_hand_equals_that_of_the_official_sdk() {
    let official = received(by_hand_official::run).await;
    let ours = received(by_hand::run).await;
    check(&official, &ours, BY_HAND);
}

#[tokio::test(flavor = "multi_thread")]
async fn telemetry_through_tracing_equals_that_of_the_official_layers() {
    let official = received(traced::run_official).await;
    let layer = received(traced::run_layer).await;
    check(&official, &layer, TRACED);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriber_and_layer_record_the_same() {
    let layer = received(traced::run_layer).await;
    let subscriber = received(traced::run_subscriber).await;
    check(&layer, &subscriber, &[]);
}

/// Runs a program whose shutdown waits until all its telemetry is received.
async fn received(run: fn(&str)) -> Items {
    let sink = Sink::start().await.unwrap();
    run(&sink.endpoint());
    Items::of(&sink.received())
}

fn check(left: &Items, right: &Items, expected: &[&str]) {
    let found = left.differences(right);
    let new: Vec<_> = found.iter().filter(|line| !expected.contains(&line.as_str())).collect();
    let gone: Vec<_> = expected.iter().filter(|line| !found.iter().any(|found| found == *line)).collect();
    assert!(new.is_empty() && gone.is_empty(), "not listed: {new:#?}\nlisted, but equal: {gone:#?}");
}
