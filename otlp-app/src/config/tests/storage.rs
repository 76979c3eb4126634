//! `sending_queue.storage`: queues on disk, in the directory of an extension.

use super::*;
use otlp_service::{DiskCompression, DiskConfig, OnFull};
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
