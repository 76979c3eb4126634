//! What the log says of a bad night: as docs/log.md shows and explains it.

mod log;
mod net;
mod town;

use crate::harness::{now, pass, seconds, settle};
use log::Log;
use std::collections::HashMap;
use std::time::Instant;
use town::{BACKEND, MAX_CONNECTIONS, Town, request, until};

const PAGE: &str = include_str!("../../../docs/log.md");
const PROTOBUF: &str = "content-type: application/x-protobuf\r\n";
const LOGS: &str = "/v1/logs";
/// One log record.
const BODY: &[u8] = b"\x0a\x04\x12\x02\x12\x00";

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The page holds the transcript of this very night, so it cannot tell of lines that do not exist.
#[tokio::test(start_paused = true)]
async fn a_bad_night_is_told_in_few_lines() {
    let (log, _guard) = Log::collect();
    night().await;
    let all = log.text();
    let lines: Vec<&str> = all
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.contains(&format!("receiver=\"{BACKEND}\"")))
        .collect();
    let told = lines.join("\n");
    assert!(lines.len() <= 60, "{} lines:\n{told}", lines.len());
    lines.iter().for_each(|line| names_component_cause_and_count(line));
    nothing_repeats_within_a_minute(&lines);
    let shown =
        PAGE.split("```text\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap_or_default();
    assert!(shown == told, "docs/log.md has another transcript; the night's is:\n{told}\n");
    let explained = PAGE.split("Line by line").nth(1).unwrap();
    let unexplained: Vec<_> = lines.iter().filter(|line| !explained.contains(&line[..8])).collect();
    assert!(unexplained.is_empty(), "docs/log.md does not explain {unexplained:#?}");
}

async fn night() {
    let start = now();
    let mut town = Town::new().await;
    assert_eq!(town.post(7, LOGS, PROTOBUF, BODY).await, 200);
    backend_away_and_back(&mut town, start).await;
    bad_requests(&town, start).await;
    strangers(&town, start).await;
    mix_ups(&town, start).await;
    used_up(&town, start).await;
    drain_with_losses(town, start).await;
}

/// For three minutes the backend is away; its queue is soon full.
async fn backend_away_and_back(town: &mut Town, start: Instant) {
    until(start, 1, 0).await;
    town.stop_backend().await;
    for _ in 0..18 {
        town.post(7, LOGS, PROTOBUF, BODY).await;
        pass(seconds(10)).await;
    }
    town.start_backend().await;
    until(start, 6, 0).await;
    assert_eq!(town.post(7, LOGS, PROTOBUF, BODY).await, 200);
}

/// A sender whose requests are all refused, for one reason after the other, and one that sends too slowly.
async fn bad_requests(town: &Town, start: Instant) {
    until(start, 10, 0).await;
    for _ in 0..100 {
        assert_eq!(town.post(8, LOGS, PROTOBUF, b"\x0a\x7f").await, 400);
    }
    assert_eq!(town.post(8, "/v1/log", PROTOBUF, BODY).await, 404);
    assert_eq!(town.post(8, LOGS, PROTOBUF, &[0; 900 << 10]).await, 413);
    assert_eq!(town.post(8, LOGS, "content-type: text/plain\r\n", BODY).await, 415);
    let unknown = format!("{PROTOBUF}content-encoding: compress\r\n");
    assert_eq!(town.post(8, LOGS, &unknown, BODY).await, 415);
    // Half a body, which holds memory until it is given up.
    let half = request(LOGS, PROTOBUF, &[0; 700 << 10]);
    let stalled = town.write(9, 4318, &half[..600 << 10]).await;
    assert_eq!(town.post(10, LOGS, PROTOBUF, &[0; 700 << 10]).await, 429);
    pass(seconds(60)).await;
    // The head of a request that never ends.
    let half_head = town.write(9, 4318, b"POST /v1/logs HTTP/1.1\r\nhost: gate").await;
    pass(seconds(30)).await;
    drop((stalled, half_head));
}

/// Senders without the token, or with a wrong one, and a destination whose certificate is wrong.
async fn strangers(town: &Town, start: Instant) {
    until(start, 20, 0).await;
    for _ in 0..5 {
        assert!(town.call(11, "https://gateway:4319", town.ca(), "").await.is_err());
        assert!(town.call(12, "https://gateway:4319", town.ca(), "wrong").await.is_err());
    }
    assert!(town.call(7, "https://gateway:4319", town.ca(), "right").await.is_ok());
}

/// Those who speak something else than the port does.
async fn mix_ups(town: &Town, start: Instant) {
    until(start, 30, 0).await;
    assert!(town.call(13, "http://gateway:4318", None, "").await.is_err());
    town.say(13, 4317, &request(LOGS, PROTOBUF, BODY)).await;
    town.say(13, 4319, &request(LOGS, PROTOBUF, BODY)).await;
    assert!(town.call(13, "https://gateway:4317", town.ca(), "").await.is_err());
    // A certificate of an authority that the sender does not know.
    let other = Some(town::Authority::new("unknown").pem());
    assert!(town.call(14, "https://gateway:4319", other, "right").await.is_err());
    town.say(14, 4318, b"NON SENSE\r\n\r\n").await;
    town.say(14, 4318, &request(LOGS, &format!("cookie: {}\r\n", "x".repeat(20 << 10)), BODY)).await;
    // SETTINGS of one byte.
    town.say(14, 4317, &[PREFACE, &[0, 0, 1, 4, 0, 0, 0, 0, 0, 0]].concat()).await;
    // Empty SETTINGS, then a POST with the header `connection`, which HTTP/2 does not allow.
    let settings_and_head = [0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 17, 1, 5, 0, 0, 0, 1, 0x83, 0x86, 0x84, 0, 10];
    let refused = town.write(14, 4317, &[PREFACE, &settings_and_head, b"connection\x01x"].concat()).await;
    pass(seconds(10)).await;
    drop(refused);
}

/// More connections than there may be, all of them busy; and no file descriptors for a while.
async fn used_up(town: &Town, start: Instant) {
    until(start, 40, 0).await;
    let begun = &request(LOGS, PROTOBUF, BODY)[..];
    let begun = &begun[..begun.len() - 1];
    let mut busy = Vec::new();
    for _ in 0..MAX_CONNECTIONS + 3 {
        busy.push(town.write(15, 4318, begun).await);
    }
    pass(seconds(120)).await;
    drop(busy);
    until(start, 45, 0).await;
    for _ in 0..90 {
        town.net.use_up_descriptors("gateway:4317");
        pass(seconds(1)).await;
    }
}

async fn drain_with_losses(mut town: Town, start: Instant) {
    until(start, 50, 0).await;
    town.stop_backend().await;
    for _ in 0..3 {
        assert_eq!(town.post(7, LOGS, PROTOBUF, BODY).await, 200);
    }
    pass(seconds(5)).await;
    let report = town.gateway.drain(now() + seconds(10)).await;
    assert_eq!(report.dropped_items, 3);
    settle().await;
}

fn names_component_cause_and_count(line: &str) {
    let has = |fields: &[&str]| fields.iter().any(|field| line.contains(&format!(" {field}=")));
    assert!(has(&["receiver", "exporter"]), "no component: {line}");
    assert!(has(&["count", "items", "failed_attempts"]), "no count: {line}");
    assert!(has(&["cause", "reason"]) || line.contains(" INFO "), "no cause: {line}");
}

/// Of one kind and one component, signal and reason.
fn nothing_repeats_within_a_minute(lines: &[&str]) {
    let mut last: HashMap<String, u64> = HashMap::new();
    for line in lines {
        let (time, rest) = line.split_once(' ').unwrap();
        let at = time.split(':').fold(0, |sum, part| 60 * sum + part.parse::<u64>().unwrap());
        let text: String = rest.split('=').next().unwrap().rsplit_once(' ').unwrap().0.into();
        let named = ["receiver", "transport", "exporter", "signal", "pipeline", "reason"].map(|field| {
            let found = line.split_once(&format!(" {field}=\"")).and_then(|(_, rest)| rest.split('"').next());
            found.unwrap_or_default()
        });
        let before = last.insert(format!("{text} {named:?}"), at);
        assert!(before.is_none_or(|before| at >= before + 60), "repeated too soon: {line}");
    }
}
