use super::*;
use otlp_protocol::{Accepted, ErrorKind, FieldViolation, Retry};
use otlp_transport::TokioClock;
use std::io;
use std::time::Duration;
use tracing::subscriber::DefaultGuard;

/// Lines that were logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// The lines since the last time.
    fn take(&self) -> Vec<String> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock())).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }
}

fn capture() -> (Lines, DefaultGuard) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .finish();
    (lines, tracing::subscriber::set_default(subscriber))
}

fn watch(end_to_end: bool) -> Watch {
    let watch = Watch::new("otlp/a", Signal::LOGS, "backend:4317", end_to_end, Arc::new(TokioClock));
    watch.observe_queue(|| 7);
    watch
}

fn failure(kind: ErrorKind, retry: Retry, text: &str) -> ExportResult {
    Err(ExportError::new(kind, retry, text))
}

fn refused() -> ExportResult {
    failure(ErrorKind::Unavailable, Retry::Backoff, "connection refused")
}

fn permanent(text: &str) -> ExportResult {
    failure(ErrorKind::InvalidData, Retry::Never, text)
}

fn items(items: u64) -> Count {
    Count { items, entries: items }
}

async fn pass(seconds: u64) {
    TokioClock.sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_has_a_line_a_minute_and_an_end() {
    let (lines, _guard) = capture();
    let watch = watch(false);
    watch.attempted(&Ok(Accepted::FULL));
    assert!(lines.take().is_empty());
    for _ in 0..150 {
        watch.attempted(&refused());
        pass(1).await;
    }
    let exporter = r#"exporter="otlp/a" signal="logs" endpoint="backend:4317""#;
    let at = format!("{exporter} cause=\"connection refused\" queued=7");
    assert_eq!(
        lines.take(),
        [
            format!("WARN sending fails {at} failed_attempts=1"),
            format!("WARN sending still fails {at} failed_attempts=60 seconds=60"),
            format!("WARN sending still fails {at} failed_attempts=60 seconds=120"),
        ]
    );
    watch.attempted(&Ok(Accepted::FULL));
    let end = format!("INFO sending works again {exporter} queued=7 failed_attempts=150 seconds=150");
    assert_eq!(lines.take(), [end]);
    watch.attempted(&Ok(Accepted::FULL));
    assert!(lines.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_fails_now_and_then_does_not_fill_the_log() {
    let (lines, _guard) = capture();
    let watch = watch(false);
    for _ in 0..121 {
        watch.attempted(&refused());
        watch.attempted(&Ok(Accepted::FULL));
        pass(1).await;
    }
    let lines = lines.take();
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("WARN sending fails")).count(), 3);
    assert_eq!(lines.iter().filter(|line| line.starts_with("INFO sending works again")).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn whoever_refuses_for_good_works() {
    let (lines, _guard) = capture();
    let watch = watch(false);
    watch.attempted(&permanent("no such thing"));
    assert!(lines.take().is_empty());
    watch.attempted(&failure(ErrorKind::Unavailable, Retry::After(Duration::from_secs(30)), "busy"));
    watch.attempted(&permanent("no such thing"));
    let lines = lines.take();
    assert!(lines[0].contains("cause=\"busy\" queued=7 retry_after=30"), "{lines:?}");
    assert!(lines[1].starts_with("INFO sending works again"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_is_told_by_reason() {
    let (lines, _guard) = capture();
    let watch = watch(false);
    for _ in 0..30 {
        watch.settled(items(10), &Ok(Accepted::FULL));
        watch.settled(items(10), &permanent("bad id"));
        watch.settled(items(5), &refused());
        watch.settled(items(9), &Ok(Accepted { rejected: 2, message: "old".into() }));
        pass(10).await;
    }
    let lines = lines.take();
    let first = |reason: &str, items, cause: &str| {
        format!(
            "exporter=\"otlp/a\" signal=\"logs\" endpoint=\"backend:4317\" reason=\"{reason}\" items={items} batches=1 cause=\"{cause}\""
        )
    };
    assert_eq!(lines[0], format!("WARN items are dropped {}", first("permanent", 10, "bad id")));
    assert_eq!(
        lines[1],
        format!("WARN items are dropped {}", first("retries_exhausted", 5, "connection refused"))
    );
    let rejected = "WARN the destination rejected items in partial successes";
    assert_eq!(lines[2], format!("{rejected} {}", first("rejected", 2, "old")));
    // Then one a minute each, with what came in between.
    assert_eq!(lines.len(), 15);
    assert!(lines[3].contains("reason=\"permanent\" items=60 batches=6"), "{}", lines[3]);
}

/// A client's error has the URL, the status and 200 characters of the answer: all of that is in the log.
#[tokio::test(start_paused = true)]
async fn the_answer_of_a_destination_is_told_in_full() {
    let (lines, _guard) = capture();
    let text = format!("HTTP 403 from https://backend.example:4318/v1/logs: {}", "no ".repeat(66));
    watch(false).settled(items(1), &permanent(&text));
    let line = lines.take().remove(0);
    assert!(line.contains(&format!("cause=\"{text}\"")), "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_loss_names_fields_and_items() {
    let (lines, _guard) = capture();
    let watch = watch(true);
    let violation = FieldViolation { field: "spans[0].trace_id".into(), description: "length".into() };
    let error =
        ExportError::new(ErrorKind::InvalidData, Retry::Never, "x".repeat(500)).with_violation(violation);
    watch.settled(items(1), &Err(error));
    let line = lines.take().remove(0);
    assert!(line.starts_with("WARN items are not delivered; senders get an error"), "{line}");
    assert!(line.contains(&format!("cause=\"{}…\" place=\"spans[0].trace_id\"", "x".repeat(400))), "{line}");

    pass(60).await;
    let mut outcomes = PartlyDelivered::default();
    (outcomes.sent, outcomes.refused, outcomes.refused_first) = (9, 1, "item 5 of 10".into());
    outcomes.answer = Accepted { rejected: 1, message: "bad\nid".into() };
    let error = ExportError::new(ErrorKind::InvalidData, Retry::Never, "in parts").with_source(outcomes);
    watch.settled(items(10), &Err(error));
    let line = lines.take().remove(0);
    // What comes from the network stays on its line.
    assert!(line.contains(r#"items=1 batches=1 cause="bad\nid" place="item 5 of 10""#), "{line}");
}
