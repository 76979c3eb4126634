use super::*;
use otlp_protocol::view::RequestView;
use otlp_protocol::{Accepted, Body, Charge};
use otlp_service::{OwnQueueConfig, Registry};
use otlp_transport::{BoxExport, TokioClock};
use tracing_subscriber::layer::SubscriberExt;

/// The way of lines, and a subscriber that uses it.
pub(crate) fn subscribed() -> (LogExport, impl Subscriber + Send + Sync) {
    let export = LogExport::new(&[("site".to_owned(), FieldValue::Text("a".into()))]);
    let layer = ExportLayer::new(export.clone(), Arc::new(TokioClock));
    (export, tracing_subscriber::registry().with(layer))
}

fn queue() -> OwnQueue<Arc<LogLine>> {
    OwnQueue::new(OwnQueueConfig::default(), &Registry::new())
}

/// Bodies and attributes of the lines in a queue.
async fn lines(queue: &OwnQueue<Arc<LogLine>>) -> Vec<(String, String)> {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = bodies.clone();
    let keep = BoxExport::from_fn(move |batch: Batch| {
        kept.lock().push(batch.body().plain().to_contiguous());
        async { Ok(Accepted::FULL) }
    });
    queue.start(Arc::default(), keep, Arc::new(TokioClock)).drain().await;
    let mut lines = Vec::new();
    for body in bodies.lock().iter() {
        let signal = <LogRecords as otlp_protocol::encode::Entries>::SIGNAL;
        for record in RequestView::new(signal, body).log_records() {
            let attributes = record.attributes().iter().map(|of| format!("{}={:?}", of.key(), of.value()));
            let attributes: Vec<_> = attributes.filter(|of| !of.starts_with("code.")).collect();
            lines.push((format!("{:?}", record.body()), attributes.join(" ")));
        }
    }
    lines
}

#[tokio::test]
async fn a_line_becomes_a_log_record_with_its_fields() {
    let (export, subscriber) = subscribed();
    let queue = queue();
    let attached = export.attach(vec![queue.clone()]);
    tracing::subscriber::with_default(subscriber, || {
        tracing::warn!(exporter = "out", items = 7, ratio = 0.5, ok = true, "sending {}", "fails");
    });
    drop(attached);
    let [(body, attributes)] = &lines(&queue).await[..] else { panic!("one line") };
    assert!(body.contains("\"sending fails\""), "{body}");
    let expected = r#"exporter="out" items=7 ratio=0.5 ok=true site="a""#;
    assert_eq!(attributes, expected);
}

#[tokio::test]
async fn lines_about_the_sending_of_own_telemetry_are_not_sent() {
    let (export, subscriber) = subscribed();
    let queue = queue();
    let _attached = export.attach(vec![queue.clone()]);
    let talking = Unexported(BoxExport::from_fn(|_| async {
        tracing::warn!("inside");
        Ok(Accepted::FULL)
    }));
    let _default = tracing::subscriber::set_default(subscriber);
    let batch = Batch::new(Body::write::<LogRecords>(|_| ()), Charge::none());
    talking.export(batch).await.expect("accepted");
    tracing::warn!(target: "otlp_service::own_queue::sending", "own telemetry could not be sent");
    // What the exporter `debug` shows would come back, and be shown again.
    std::io::Write::write_all(&mut crate::logging::LogLines, b"Traces\n").unwrap();
    tracing::warn!("outside");
    let found = lines(&queue).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.contains("outside"));
}

/// A queue is bounded by its number of lines, so that each line must have a bound.
#[tokio::test]
async fn the_texts_of_a_line_are_cut() {
    let (export, subscriber) = subscribed();
    let queue = queue();
    let attached = export.attach(vec![queue.clone()]);
    let long = "ä".repeat(MAX_TEXT_BYTES);
    tracing::subscriber::with_default(subscriber, || tracing::warn!(long = &*long, other = ?long, "{long}"));
    drop(attached);
    let [(body, attributes)] = &lines(&queue).await[..] else { panic!("one line") };
    assert_eq!(body.matches('ä').count(), MAX_TEXT_BYTES / 2);
    assert!((MAX_TEXT_BYTES - 1..=MAX_TEXT_BYTES).contains(&attributes.matches('ä').count()));
}

#[tokio::test]
async fn early_lines_wait_for_the_first_destination_up_to_a_limit() {
    let (export, subscriber) = subscribed();
    let _default = tracing::subscriber::set_default(subscriber);
    tracing::info!("nobody asked for this line");
    export.keep_early();
    (0..MAX_EARLY_LINES + 10).for_each(|line| tracing::info!("line {line}"));
    let registry = Registry::new();
    let first = OwnQueue::new(OwnQueueConfig::default(), &registry);
    let attached = export.attach(vec![first.clone()]);
    let lost = registry.snapshot().get("otlp_own_telemetry_lost_items", &[("reason", "queue_full")]);
    assert_eq!(lost, Some(10.0), "lines without room are counted");
    let second = queue();
    let later = export.attach(vec![second.clone()]);
    tracing::info!("to the second");
    drop(later);
    tracing::info!("to the first again");
    drop(attached);
    tracing::info!("to nobody");
    let found = lines(&first).await;
    assert_eq!(found.len(), MAX_EARLY_LINES + 1);
    assert!(found.last().is_some_and(|(body, _)| body.contains("to the first again")));
    assert_eq!(lines(&second).await.len(), 1);
}
