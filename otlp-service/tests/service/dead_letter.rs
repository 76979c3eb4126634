//! What a batch loses in parts is in the dead letter of its exporter, and nothing else.

use crate::gateway::{exporter, pipeline, post, spec, start};
use crate::harness::*;
use otlp_protocol::{ErrorKind, Retry};
use otlp_service::{DeadLetterConfig, Gateway, QueueConfig};
use std::path::{Path, PathBuf};

/// Numbers of the log records in the files of a directory, sorted.
fn kept(directory: &Path) -> Vec<u64> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "otlp"));
    let bytes: Vec<u8> = files.flat_map(|path| std::fs::read(path).unwrap()).collect();
    let text = String::from_utf8_lossy(&bytes);
    let number = |piece: &str| piece.split_once(']').and_then(|(number, _)| number.parse().ok());
    let mut numbers: Vec<u64> = text.split('[').filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// Sends 16 records to a destination that refuses some, and drains the gateway. Returns its directory.
async fn lose(name: &str, queue: QueueConfig) -> (PathBuf, Gateway) {
    let directory = std::env::temp_dir().join(format!("otlp-dead-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    let sink = Sink::taking_at_most(8);
    sink.when_holding("[5]", UNAVAILABLE);
    sink.when_holding("[10]", INVALID);
    sink.when_holding("[11]", Step::Fail(ErrorKind::TooLarge, Retry::Never, "too large"));
    let mut out = exporter("out", &sink, queue);
    out.dead_letter = Some(DeadLetterConfig::new(&directory));
    let gateway = start(spec(vec![out], vec![pipeline("logs", &["out"])])).await;
    let status = post(&gateway, &numbered(0..16).body().plain().to_contiguous()).await;
    assert!([200, 503].contains(&status), "{status}");
    (directory, gateway)
}

#[tokio::test]
async fn parts_that_are_refused_and_parts_that_fail_are_kept() {
    let (directory, gateway) = lose("parts", queue(10, 1)).await;
    // The drain waits for the files.
    let report = gateway.drain(now() + seconds(20)).await;
    assert_eq!(report.dropped_items, 0);
    let line = report.ledger.line("logs", "out").unwrap().clone();
    assert_eq!((line.sent, line.dropped_items()), (6, 10));
    assert_eq!(kept(&directory), [0, 1, 2, 3, 4, 5, 6, 7, 10, 11]);
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn end_to_end_nothing_is_kept() {
    let mut waiting = queue(10, 1);
    waiting.wait_for_result = true;
    let mut disabled = QueueConfig::default();
    disabled.enabled = false;
    for config in [waiting, disabled] {
        let (directory, gateway) = lose("none", config).await;
        gateway.drain(now() + seconds(20)).await;
        assert!(!directory.exists());
    }
}
