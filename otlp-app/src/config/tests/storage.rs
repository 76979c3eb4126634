//! `sending_queue.storage`: queues on disk, in the directory of an extension.

use super::*;
use otlp_service::{
    BacklogConfig, BacklogOrder, DiskCompression, DiskConfig, OnFull, QueueClass, QueueClasses, Share,
};
use std::path::Path;
use std::time::Duration;

/// A configuration with two extensions and an exporter with this queue.
fn text(queue: &str) -> String {
    let text = around(&format!("  otlp: {{endpoint: 'c:1', sending_queue: {{{queue}}}}}"));
    let extensions = "extensions: {file_storage: {directory: /q, create_directory: true, fsync: true, max_size: 5000000}, \
                      file_storage/2: {directory: /q2, fsync: true}, headers_setter: {headers: [{key: a, value: b}]}}";
    let text = format!("{extensions}\n{text}");
    text.replace("service:\n", "service:\n  extensions: [file_storage, file_storage/2, headers_setter]\n")
}

fn storage(queue: &str) -> DiskConfig {
    plan(&text(queue)).exporters[0].1.part.queue.storage.clone().unwrap()
}

#[test]
fn a_queue_is_in_the_directory_of_the_extension_that_it_names() {
    let config = storage("storage: file_storage");
    assert_eq!((&*config.directory, config.create_directory), (Path::new("/q"), true));
    assert_eq!((config.max_bytes, config.max_age), (Some(5_000_000), None));
    let config = storage("storage: file_storage/2, max_bytes: 7000000, max_age: 36h");
    assert_eq!((&*config.directory, config.create_directory), (Path::new("/q2"), false));
    let hours = Duration::from_secs(36 * 3600);
    assert_eq!((config.max_bytes, config.max_age), (Some(7_000_000), Some(hours)));
    assert_eq!(config.compression, DiskCompression::None);
    let config = storage("storage: file_storage, compression: zstd");
    assert_eq!(config.compression, DiskCompression::Zstd);
    let config = storage("storage: file_storage, max_bytes: 7000000");
    assert_eq!(config.max_bytes, Some(7_000_000), "the queue's own limit comes first");
}

#[test]
fn a_queue_on_disk_has_no_limit_of_time_and_of_number_unless_one_is_set() {
    let of = |queue: &str| plan(&text(queue)).exporters.swap_remove(0).1.part;
    let part = of("storage: file_storage");
    assert_eq!((part.queue.queue_size, part.retry.max_elapsed_time), (usize::MAX, None));
    assert_eq!(part.queue.on_full, OnFull::Refuse);
    let part = of("storage: file_storage, queue_size: 7, overflow: drop_oldest");
    assert_eq!((part.queue.queue_size, part.queue.on_full), (7, OnFull::DropOldest));
    let part = of("");
    assert_eq!((part.queue.storage, part.queue.queue_size), (None, 1000));
    assert!(part.retry.max_elapsed_time.is_some());
}

#[test]
fn an_extension_that_is_no_storage_or_not_there_is_an_error() {
    let told = problems(&text("storage: headers_setter"));
    assert!(told.contains("the extension headers_setter has no storage"), "{told}");
    assert!(told.contains("name a `file_storage` extension"), "{told}");
    let told = problems(&text("storage: file_storage/3"));
    assert!(told.contains("file_storage/3") && told.contains("is not defined"), "{told}");
}

#[test]
fn what_has_waited_has_an_order_and_limits() {
    assert_eq!(storage("storage: file_storage").backlog, BacklogConfig::default());
    assert_eq!(storage("storage: file_storage, backlog: ").backlog, BacklogConfig::default());
    let all = "storage: file_storage, \
               backlog: {order: newest_first, max_bytes_per_second: 250000, max_share: 0.5}";
    let backlog = storage(all).backlog;
    assert_eq!(backlog.order, BacklogOrder::NewestFirst);
    assert_eq!(backlog.max_bytes_per_second.map(|rate| rate.get()), Some(250_000));
    assert_eq!(backlog.max_share, Share::new(0.5));
    let joined = storage("storage: file_storage, batch: {}, backlog: {max_bytes_per_second: 1}").backlog;
    assert!(joined.is_live_first());
}

#[test]
fn limits_of_what_has_waited_that_have_no_effect_are_errors() {
    for (queue, expected) in [
        ("backlog: {order: newest_first}", "a queue in memory has no files"),
        ("storage: file_storage, backlog: {order: newest}", "oldest_first, newest_first"),
        ("storage: file_storage, backlog: {max_bytes_per_second: 0}", "leave the key out for no limit"),
        ("storage: file_storage, backlog: {max_share: 0}", "it must be more than 0, and 1 at most"),
        ("storage: file_storage, backlog: {max_share: 1.5}", "it must be more than 0, and 1 at most"),
        ("storage: file_storage, batch: {}, backlog: {max_share: 0.5}", "`batch` joins what has waited"),
    ] {
        let told = problems(&text(queue));
        assert!(told.contains("sending_queue.backlog") && told.contains(expected), "{queue}: {told}");
    }
}

const ERRORS: &str = "{name: errors, conditions: [span.status.code == STATUS_CODE_ERROR], max_age: 48h}";

#[test]
fn a_queue_on_disk_has_classes() {
    let part = |queue: &str| plan(&text(queue)).exporters.swap_remove(0).1.part.queue;
    let queue = part(&format!(
        "storage: file_storage, overflow: drop_lowest, classes: [{ERRORS}, {{name: rest, max_share: 0.7}}]"
    ));
    let mut errors = QueueClass::new("errors", ["span.status.code == STATUS_CODE_ERROR"]);
    errors.max_age = Some(Duration::from_secs(48 * 3600));
    let mut rest = QueueClass::new(QueueClass::REST, [""; 0]);
    rest.max_share = Share::new(0.7);
    let expected = QueueClasses::new(vec![errors, rest]).unwrap();
    assert_eq!((queue.storage.unwrap().classes, queue.on_full), (Some(expected), OnFull::DropLowest));
    assert_eq!(part("storage: file_storage, classes: []").storage.unwrap().classes, None);
}

#[test]
fn classes_that_are_wrong_are_errors_at_their_place() {
    let stored = "storage: file_storage, ";
    for (queue, expected) in [
        (format!("classes: [{ERRORS}]"), "sending_queue.classes: a queue in memory has no files"),
        (
            format!("{stored}wait_for_result: true, classes: [{ERRORS}]"),
            "leave `wait_for_result` out, or `classes`",
        ),
        (
            format!("{stored}overflow: drop_lowest"),
            "sending_queue.overflow: without `classes` no class is the lowest",
        ),
        (
            format!("{stored}classes: [{{name: a, conditions: ['span.nmae == 1']}}]"),
            "sending_queue.classes.0.conditions.0: 1:6: unknown path",
        ),
        (format!("{stored}classes: [{ERRORS}, {{name: A/b}}]"), "sending_queue.classes.1"),
        (
            format!("{stored}classes: [{{name: rest, max_share: 2}}]"),
            "classes.0.max_share: it must be more than 0",
        ),
    ] {
        let told = problems(&text(&queue));
        assert!(told.contains(expected), "{queue}: {told}");
    }
}
