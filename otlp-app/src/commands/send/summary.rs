//! The text at the end, the line while sending, and the exit code.

use super::tally::{Items, Tally};
use crate::commands::text::{bytes, counted, duration, grouped, table};
use crate::exit::Failure;
use std::fmt::Write as _;
use std::time::Duration;

/// Writes the summary. `wire_bytes` were sent to `destination`, in `elapsed`.
pub(super) fn summary(tally: &Tally, elapsed: Duration, wire_bytes: u64, destination: &str) -> String {
    let seconds = elapsed.as_secs_f64().max(1e-6);
    let mut text = format!(
        "{} to {destination} in {}: {} requests/s, {} items/s\n",
        counted(tally.requests, "requests"),
        duration(elapsed),
        rate(tally.requests, seconds),
        rate(tally.sent_items(), seconds),
    );
    let mut add = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    add(format!(
        "{} of telemetry, {}/s; {} sent, {}/s",
        bytes(tally.bytes as f64),
        bytes(tally.bytes as f64 / seconds),
        bytes(wire_bytes as f64),
        bytes(wire_bytes as f64 / seconds)
    ));
    if tally.accepted_requests > 0 {
        let latencies = &tally.latencies;
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|quantile| duration(latencies.quantile(quantile)));
        add(format!("latency: p50 {p50}, p95 {p95}, p99 {p99}, max {}", duration(latencies.max())));
    }
    if tally.retries > 0 {
        add(format!("retries: {}", grouped(tally.retries)));
    }
    if tally.unreadable > 0 {
        add(format!("{} of the files could not be read", counted(tally.unreadable, "requests")));
    }
    if tally.waiting_requests > 0 {
        let requests = counted(tally.waiting_requests, "requests");
        add(format!("{requests} without an answer, {} items", grouped(tally.waiting_items)));
    }
    text + &items(tally) + &reasons(tally)
}

/// Returns the failure that the exit code tells of; nothing if the destination accepted everything.
pub(super) fn outcome(tally: &Tally) -> Result<(), Failure> {
    let rejected: u64 = tally.items.values().map(|items| items.rejected).sum();
    let failed = tally.failed_requests();
    if failed + rejected + tally.unreadable + tally.waiting_requests == 0 {
        return Ok(());
    }
    let mut problems = Vec::new();
    if failed > 0 {
        problems.push(format!("{} failed", counted(failed, "requests")));
    }
    if rejected > 0 {
        problems.push(format!("{} rejected", counted(rejected, "items")));
    }
    if tally.unreadable > 0 {
        problems.push(format!("{} unreadable", counted(tally.unreadable, "requests")));
    }
    if tally.waiting_requests > 0 {
        problems.push(format!("{} without an answer", counted(tally.waiting_requests, "requests")));
    }
    let is_sent = tally.requests + tally.waiting_requests > 0;
    let code = if is_sent && tally.accepted_items() == 0 { NOTHING_ACCEPTED } else { PARTLY_ACCEPTED };
    Err(Failure::NotAccepted { code, problem: problems.join(", ") })
}

/// Writes the line that shows the progress on a terminal, cut to the usual width. `recent` are the items in the last second.
pub(super) fn progress(tally: &Tally, part: Option<f64>, recent: f64) -> String {
    let mut line = format!(
        "{}, {}, {} items/s",
        counted(tally.requests, "requests"),
        counted(tally.sent_items(), "items"),
        grouped(recent as u64)
    );
    if tally.failed_requests() > 0 {
        let _ = write!(line, ", {} failed", grouped(tally.failed_requests()));
    }
    if tally.accepted_requests > 0 {
        let _ = write!(line, ", p99 {}", duration(tally.latencies.quantile(0.99)));
    }
    let line = match part {
        Some(part) => {
            let filled = (part * BAR_WIDTH as f64) as usize;
            let bar = "=".repeat(filled) + &" ".repeat(BAR_WIDTH.saturating_sub(filled));
            format!("[{bar}] {:3.0} %  {line}", part * 100.0)
        }
        None => line,
    };
    line.chars().take(MAX_PROGRESS_WIDTH).collect()
}

fn items(tally: &Tally) -> String {
    let row = |items: &Items| {
        let count = |number: u64, word: &str| format!("{} {word}", grouped(number));
        let mut row =
            vec![items.noun.to_owned(), count(items.sent, "sent"), count(items.accepted, "accepted")];
        row.extend((items.rejected > 0).then(|| count(items.rejected, "rejected")));
        row.extend((items.failed > 0).then(|| count(items.failed, "failed")));
        row
    };
    table(&tally.items.values().map(row).collect::<Vec<_>>())
}

fn reasons(tally: &Tally) -> String {
    let mut text = String::new();
    let mut add = |title: &str, reasons: &std::collections::BTreeMap<String, u64>, others: u64| {
        let mut sorted: Vec<_> = reasons.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
        sorted.extend((others > 0).then_some(("other reasons", others)));
        sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (index, (reason, count)) in sorted.iter().enumerate() {
            let title = if index == 0 { title } else { "" };
            let _ = writeln!(text, "{title}  {} × {}", grouped(*count), printable(reason));
        }
    };
    add("failures:\n", &tally.failures, tally.other_failures);
    add("answers of accepted requests:\n", &tally.messages, tally.other_messages);
    text
}

fn rate(count: u64, seconds: f64) -> String {
    let rate = count as f64 / seconds;
    if rate < 10.0 { format!("{rate:.1}") } else { grouped(rate as u64) }
}

/// Replaces control characters of a peer's text, which terminals interpret.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Exit code if some telemetry was accepted, but not all, or if the files had nothing to send.
const PARTLY_ACCEPTED: u8 = 1;
/// Exit code if no telemetry was accepted.
const NOTHING_ACCEPTED: u8 = 3;
const BAR_WIDTH: usize = 10;
/// Width of a terminal on which the progress fits into one line.
const MAX_PROGRESS_WIDTH: usize = 79;

#[cfg(test)]
mod tests;
