//! `sending_queue`: units of sizes, and batches made when the queue is read.

use super::*;
use otlp_service::{BatchSizer, QueueBatchConfig, QueueConfig, Sizer};
use std::time::Duration;

fn queue(settings: &str) -> QueueConfig {
    let plan = plan(&around(&format!("  otlp: {{endpoint: 'c:1', sending_queue: {{{settings}}}}}")));
    assert!(plan.notes.is_empty(), "{settings}: {:?}", plan.notes);
    plan.exporters[0].1.part.queue.clone()
}

fn refused(settings: &str) -> String {
    problems(&around(&format!("  otlp: {{endpoint: 'c:1', sending_queue: {{{settings}}}}}")))
}

/// The default batches with some settings.
fn batches(set: impl FnOnce(&mut QueueBatchConfig)) -> Option<QueueBatchConfig> {
    let mut config = QueueBatchConfig::default();
    set(&mut config);
    Some(config)
}

#[test]
fn a_queue_has_a_size_in_one_of_three_units() {
    for (settings, sizer, size) in [
        ("", Sizer::Requests, 1000),
        ("sizer: requests, queue_size: 5", Sizer::Requests, 5),
        ("sizer: items, queue_size: 5000000", Sizer::Items, 5_000_000),
        ("sizer: bytes, queue_size: 1e9", Sizer::Bytes, 1_000_000_000),
        ("sizer: ", Sizer::Requests, 1000),
    ] {
        let queue = queue(settings);
        assert_eq!((queue.sizer, queue.queue_size, queue.batch), (sizer, size, None), "{settings}");
    }
    let told = refused("sizer: item");
    assert!(told.contains("did you mean `items`?") && told.contains("requests, items, bytes"), "{told}");
}

#[test]
fn batches_have_the_defaults_of_the_collector() {
    let defaults = QueueBatchConfig::default();
    assert_eq!(
        (defaults.flush_timeout, defaults.sizer, defaults.min_size, defaults.max_size),
        (Duration::from_millis(200), BatchSizer::Items, 8192, 0)
    );
    assert_eq!(queue("batch: {}").batch, batches(|_| {}));
    assert_eq!(queue("batch: ").batch, batches(|_| {}));
    assert_eq!(queue("batch: {enabled: true}").batch, batches(|_| {}));
    for off in
        ["batch: {enabled: false}", "batch: {enabled: false, min_size: 9}", "enabled: false, batch: {}"]
    {
        assert_eq!(queue(off).batch, None, "{off}");
    }
    let all = "batch: {flush_timeout: 1s, sizer: bytes, min_size: 10, max_size: 20, \
               partition: {metadata_keys: [X-Tenant]}}";
    let text = around(&format!("  otlp: {{endpoint: 'c:1', sending_queue: {{{all}}}}}"));
    let all = plan(&text).exporters[0].1.part.queue.batch.clone();
    let expected = batches(|batch| {
        (batch.flush_timeout, batch.sizer) = (Duration::from_secs(1), BatchSizer::Bytes);
        (batch.min_size, batch.max_size) = (10, 20);
        batch.metadata_keys = vec!["x-tenant".into()];
    });
    assert_eq!(all, expected);
}

/// Batches that name no unit have that of the queue, if the queue names its unit and the section has a key.
#[test]
fn batches_take_the_unit_of_the_queue() {
    let bytes = batches(|batch| batch.sizer = BatchSizer::Bytes);
    let hundred = batches(|batch| (batch.sizer, batch.min_size) = (BatchSizer::Bytes, 100));
    assert_eq!(queue("sizer: bytes, batch: {min_size: 100}").batch, hundred);
    assert_eq!(queue("queue_size: 10, batch: {min_size: 100}").batch, batches(|batch| batch.min_size = 100));
    assert_eq!(queue("sizer: items, queue_size: 8192, batch: {sizer: bytes}").batch, bytes);
    assert_eq!(queue("sizer: bytes, queue_size: 10, batch: ").batch, batches(|_| {}));
    assert_eq!(queue("sizer: bytes, queue_size: 10, batch: {sizer: items}").batch, batches(|_| {}));
    assert_eq!(queue("sizer: requests, batch: ").batch, batches(|_| {}));
}

#[test]
fn wrong_batches_are_refused_with_the_key() {
    for (settings, told) in [
        ("batch: {flush_timeout: 0s}", "sending_queue.batch.flush_timeout: it must be more than 0"),
        ("batch: {max_size: 10}", "sending_queue.batch.max_size: 10 is less than `min_size` (8192)"),
        ("batch: {min_size: -1}", "sending_queue.batch.min_size: expected a number that is not negative"),
        ("batch: {sizer: requests}", "sending_queue.batch.sizer: unknown value `requests`"),
        ("batch: {sizer: byte}", "did you mean `bytes`?"),
        ("sizer: requests, batch: {min_size: 5}", "sending_queue.batch.sizer: the queue's sizer is requests"),
        (
            "sizer: items, batch: {}",
            "sending_queue.batch.min_size: 8192 is more than `queue_size` (1000) can hold",
        ),
        (
            "batch: {partition: {metadata_keys: [a, A]}}",
            "sending_queue.batch.partition.metadata_keys.1: it is listed twice",
        ),
        ("batch: {flush_time: 1s}", "did you mean `flush_timeout`?"),
        ("batch: 5", "sending_queue.batch: expected"),
    ] {
        let problems = refused(settings);
        assert!(problems.contains(told), "{settings}: {problems}");
        assert!(problems.contains(" c.yaml:3:"), "{problems}");
    }
    let several = refused("queue_size: 0, batch: {flush_timeout: 0s, min_size: 5, max_size: 1}");
    assert_eq!(several.matches("error").count(), 3, "{several}");
}

/// Requests that differ in a key of `partition` are not joined anywhere; the receiver has to keep the header.
#[test]
fn receivers_keep_the_headers_of_partitions() {
    let text =
        around("  otlp: {endpoint: 'c:1', sending_queue: {batch: {partition: {metadata_keys: [X-Tenant]}}}}");
    let lost = plan(&text);
    let expected =
        "the exporter otlp needs request headers (x-tenant), but the receiver otlp does not keep them";
    assert!(lost.notes.len() == 1 && lost.notes[0].text.starts_with(expected), "{:?}", lost.notes);
    let kept = plan(&text.replace("{grpc: }", "{grpc: {include_metadata: true}}"));
    assert!(kept.notes.is_empty(), "{:?}", kept.notes);
    assert_eq!(spec_of(kept).needs()[0].needs.headers, ["x-tenant".into()]);
}

#[test]
fn a_batch_processor_before_a_queue_that_joins_is_noted() {
    let with = |queue: &str| {
        let text = around(&format!("  otlp: {{endpoint: 'c:1', sending_queue: {{{queue}}}}}"));
        let text = text.replace("exporters:\n", "processors: {batch/all: }\nexporters:\n");
        let plan = plan(&text.replace("receivers: [otlp], ", "receivers: [otlp], processors: [batch/all], "));
        plan.notes.into_iter().map(|note| note.text).collect::<Vec<_>>()
    };
    assert!(with("queue_size: 5").is_empty() && with("enabled: false, batch: {}").is_empty());
    assert_eq!(
        with("batch: {}"),
        [
            "the exporter otlp joins requests in its queue (`sending_queue.batch`) that the processor batch/all of the \
          pipeline traces has joined before: one of the two is enough"
        ]
    );
}

/// The queue of `load_balancing` stands in the exporter or below its protocol.
#[test]
fn load_balancing_joins_in_its_queue() {
    for settings in [
        "sending_queue: {batch: {min_size: 5}}, protocol: {otlp: }",
        "protocol: {otlp: {sending_queue: {batch: {min_size: 5}}}}",
    ] {
        let exporter = format!(
            "  otlp: {{endpoint: 'c:1'}}\n  load_balancing: {{{settings}, resolver: {{static: {{hostnames: [a]}}}}}}"
        );
        let text = around(&exporter).replace("exporters: [otlp]", "exporters: [load_balancing]");
        let plan = plan(&text);
        let (_, exporter) = plan.exporters.iter().find(|(id, _)| id == "load_balancing").unwrap();
        assert_eq!(exporter.part.queue.batch.as_ref().map(|batch| batch.min_size), Some(5));
    }
}
