use super::*;
use otlp_protocol::encode::LogRecords;
use otlp_protocol::{Accepted, Batch, Body, Charge, ErrorKind, Retry};
use otlp_transport::{ExportError, ExportResult};

fn batch(records: usize) -> Batch {
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                for _ in 0..records {
                    scope.log_record(|record| {
                        record.body("a");
                    });
                }
            });
        });
    });
    Batch::new(body, Charge::none())
}

fn tally(answers: &[ExportResult]) -> Tally {
    let mut tally = Tally::new();
    answers.iter().for_each(|answer| tally.add(&batch(1_000), answer, Duration::from_millis(2)));
    tally
}

fn refused(message: &str) -> ExportResult {
    Err(ExportError::new(ErrorKind::InvalidData, Retry::Never, message))
}

fn code(tally: &Tally) -> Option<u8> {
    match outcome(tally) {
        Err(Failure::NotAccepted { code, .. }) => Some(code),
        _ => None,
    }
}

#[test]
fn the_summary_counts_items_bytes_latencies_and_failures_by_reason() {
    let rejected = Accepted { rejected: 30, message: "too old".into() };
    let tally = tally(&[
        Ok(Accepted::FULL),
        Ok(rejected),
        refused("bad \x1b[31m"),
        refused("bad \x1b[31m"),
        refused("no"),
    ]);
    let text = summary(&tally, Duration::from_secs(2), 1_500, "http://localhost:4317 (gRPC)");
    let expected = "\
5 requests to http://localhost:4317 (gRPC) in 2.00 s: 2.5 requests/s, 2,500 items/s
35.0 kB of telemetry, 17.5 kB/s; 1.50 kB sent, 750 B/s
latency: p50 2.00 ms, p95 2.00 ms, p99 2.00 ms, max 2.00 ms
  log_records  5,000 sent  1,970 accepted  30 rejected  3,000 failed
failures:
  2 × invalid data: bad \u{fffd}[31m
  1 × invalid data: no
answers of accepted requests:
  1 × too old
";
    assert_eq!(
        text,
        expected
            .replace("35.0 kB", &bytes(tally.bytes as f64))
            .replace("17.5 kB", &bytes(tally.bytes as f64 / 2.0))
    );
    assert_eq!(code(&tally), Some(1));
}

#[test]
fn the_exit_code_tells_the_outcome() {
    assert_eq!(code(&tally(&[Ok(Accepted::FULL)])), None);
    assert_eq!(code(&tally(&[Ok(Accepted { rejected: 0, message: "a warning".into() })])), None);
    assert_eq!(code(&tally(&[refused("no")])), Some(3));
    assert_eq!(code(&tally(&[Ok(Accepted { rejected: 1_000, message: String::new() })])), Some(3));
    assert_eq!(code(&tally(&[refused("no"), Ok(Accepted::FULL)])), Some(1));
    let mut unreadable = tally(&[Ok(Accepted::FULL)]);
    unreadable.unreadable = 1;
    assert_eq!(code(&unreadable), Some(1));
}

/// Files that hold nothing that can be sent say nothing about the destination.
#[test]
fn nothing_to_send_is_not_a_refusal() {
    let mut tally = Tally::new();
    tally.unreadable = 2;
    assert_eq!(code(&tally), Some(1));
}

#[test]
fn requests_without_an_answer_are_counted() {
    let mut tally = tally(&[Ok(Accepted::FULL)]);
    tally.begin(&batch(10));
    tally.begin(&batch(5));
    tally.add(&batch(5), &Ok(Accepted::FULL), Duration::ZERO);
    assert_eq!(code(&tally), Some(1));
    let text = summary(&tally, Duration::from_secs(1), 0, "x");
    assert!(text.contains("\n1 request without an answer, 10 items\n"), "{text}");
    let mut none = Tally::new();
    none.begin(&batch(10));
    assert_eq!(code(&none), Some(3));
}

#[test]
fn messages_are_bounded() {
    let answer = |number: u64| Ok(Accepted { rejected: 1, message: number.to_string() });
    let tally = tally(&(0..20).map(answer).collect::<Vec<_>>());
    assert_eq!((tally.messages.len(), tally.other_messages), (16, 4));
}

#[test]
fn reasons_are_bounded() {
    let answers: Vec<_> = (0..40).map(|number| refused(&number.to_string())).collect();
    let tally = tally(&answers);
    assert_eq!((tally.failures.len(), tally.other_failures), (16, 24));
    assert!(summary(&tally, Duration::from_secs(1), 0, "x").contains("  24 × other reasons\n"));
}

#[test]
fn the_progress_has_a_bar_if_the_end_is_known() {
    let tally = tally(&[Ok(Accepted::FULL), refused("no")]);
    let line = "2 requests, 2,000 items, 1,000 items/s, 1 failed, p99 2.00 ms";
    assert_eq!(progress(&tally, None, 1000.0), line);
    // A longer line would not fit into one line of a terminal.
    let with_bar = format!("[=====     ]  50 %  {line}");
    assert_eq!(progress(&tally, Some(0.5), 1000.0), with_bar[..79]);
}
