use super::*;
use otlp_protocol::encode::{RequestWriter, Spans};
use otlp_protocol::{Charge, Payload};
use otlp_transport::TokioClock;
use std::io;
use std::time::Duration;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock())).expect("UTF-8")
    }
}

struct Broken;

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

fn batch(items: u64) -> Batch {
    let mut body = Vec::new();
    RequestWriter::<Spans>::new(&mut body).resource_group(|group| {
        group.scope_group(|scope| {
            for _ in 0..items {
                scope.span(|span| {
                    span.name("x");
                });
            }
        });
    });
    let count = Count { items, entries: items };
    Batch::unchecked(Signal::TRACES, Payload::from(body), count, true, Charge::none())
}

fn exporter(change: impl FnOnce(&mut DebugConfig)) -> (DebugExporter, Lines) {
    let mut config = DebugConfig { format: DebugFormat::Lines, ..DebugConfig::default() };
    change(&mut config);
    let lines = Lines::default();
    (DebugExporter::new(config, Arc::new(TokioClock), lines.clone()), lines)
}

/// How many lines are items, and the others.
fn told(text: &str) -> (usize, Vec<&str>) {
    let (items, others): (Vec<_>, Vec<_>) = text.lines().partition(|line| !line.starts_with('…'));
    (items.len(), others)
}

#[tokio::test(start_paused = true)]
async fn over_the_limit_of_a_second_items_are_counted() {
    let (exporter, lines) = exporter(|config| config.max_items_per_second = 30);
    for _ in 0..10 {
        exporter.attempt(&batch(20)).await.unwrap();
    }
    assert_eq!(told(&lines.take()), (30, vec![]));
    tokio::time::sleep(Duration::from_millis(1001)).await;
    assert_eq!(told(&lines.take()), (0, vec!["… 170 more spans not shown"]));
    // A new second; what is left at the end is told, too.
    exporter.attempt(&batch(12_375)).await.unwrap();
    assert_eq!(told(&lines.take()), (30, vec![]));
    drop(exporter);
    assert_eq!(told(&lines.take()), (0, vec!["… 12,345 more spans not shown"]));
}

#[tokio::test(start_paused = true)]
async fn batches_are_sampled_as_zap_samples() {
    for (initial, thereafter, expected) in [(2, 1, 100), (2, 10, 11), (5, 0, 5), (0, 50, 2), (0, 1, 100)] {
        let (exporter, lines) = exporter(|config| {
            config.format = DebugFormat::Basic;
            (config.sampling_initial, config.sampling_thereafter) = (initial, thereafter);
        });
        for second in 0..2 {
            for _ in 0..100 {
                exporter.attempt(&batch(1)).await.unwrap();
            }
            assert_eq!(told(&lines.take()).0, expected, "{initial} {thereafter} {second}");
            tokio::time::sleep(Duration::from_millis(1001)).await;
            let not_shown = format!("… {} more spans not shown", 100 - expected);
            let told = lines.take();
            assert!(expected == 100 || told.trim_end() == not_shown, "{told}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_filter_leaves_out_takes_no_lines_and_is_not_missing() {
    let (exporter, lines) = exporter(|config| {
        config.max_items_per_second = 10;
        config.grep = Some("other".to_owned());
    });
    for _ in 0..4 {
        exporter.attempt(&batch(60)).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(1001)).await;
    // 20 for each line are searched.
    assert_eq!(lines.take(), "… 40 more spans not searched\n");
}

#[tokio::test]
async fn other_signals_are_left_out() {
    let (exporter, lines) = exporter(|config| config.signals = vec![Signal::LOGS]);
    exporter.attempt(&batch(3)).await.unwrap();
    drop(exporter);
    assert_eq!(lines.take(), "");
}

#[tokio::test]
async fn a_body_in_segments_is_shown_whole() {
    let (exporter, lines) = exporter(|_| {});
    let (one, two) = (batch(1), batch(2));
    let mut payload = one.body().plain().clone();
    payload.append(two.body().plain().clone());
    let count = Count { items: 3, entries: 3 };
    exporter.attempt(&Batch::unchecked(Signal::TRACES, payload, count, true, Charge::none())).await.unwrap();
    assert_eq!(told(&lines.take()).0, 3);
}

#[tokio::test]
async fn a_stream_that_fails_costs_lines_not_batches() {
    let config = DebugConfig::default();
    let exporter = DebugExporter::new(config, Arc::new(TokioClock), Broken);
    assert_eq!(exporter.attempt(&batch(1)).await.unwrap(), Accepted::FULL);
}
