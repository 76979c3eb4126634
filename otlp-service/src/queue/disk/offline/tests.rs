use super::*;
use crate::queue::disk::compression::compress;
use crate::queue::disk::segments::{Entry, Log};
use crate::queue::disk::store::READER;
use bytes::Bytes;
use otlp_protocol::encode::LogRecords;
use otlp_protocol::{Body, Origin, Signal};
use otlp_transport::Disk;
use otlp_transport::testing::FaultyDisk;
use std::io;
use std::path::Path;
use std::sync::Arc;

const PLACE: &str = "/data/out/logs";

fn batch(text: &str) -> Batch {
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.log_record(|record| {
                    record.event_name(text);
                });
            });
        });
    });
    let mut batch = Batch::new(body, Charge::none());
    let mut origin = Origin::default();
    origin.headers.push(("x-tenant".into(), Bytes::from_static(b"secret")));
    batch.origin = Some(Arc::new(origin));
    batch
}

fn at(seconds: u64) -> SystemTime {
    time(1_800_000_000_000) + Duration::from_secs(seconds)
}

/// A queue with these requests, stored a second after each other.
fn queue(seed: u64, texts: &[&str]) -> Arc<FaultyDisk> {
    let disk = Arc::new(FaultyDisk::new(seed));
    drop(Log::open(disk.clone(), Path::new(PLACE), &[READER], 1 << 20, seed).unwrap());
    let files = open(&disk);
    for (seconds, text) in texts.iter().enumerate() {
        files.append(&[batch(text)], "logs/a", at(seconds as u64)).unwrap();
    }
    files.close().unwrap();
    disk
}

fn open(disk: &Arc<FaultyDisk>) -> QueueFiles {
    limited(disk, None)
}

fn limited(disk: &Arc<FaultyDisk>, max_bytes: Option<u64>) -> QueueFiles {
    QueueFiles::open(disk.clone(), Path::new(PLACE), max_bytes).unwrap()
}

fn view(disk: &Arc<FaultyDisk>) -> QueueView {
    QueueView::open(disk.clone(), Path::new(PLACE)).unwrap()
}

/// The texts of the requests that are left.
fn left(view: &QueueView) -> Vec<String> {
    view.requests().map(|request| text(&request.unwrap())).collect()
}

fn text(request: &StoredRequest) -> String {
    let body = request.batch.body().to_bytes();
    let known = ["one", "two", "three"].into_iter();
    let mut found = known.filter(|text| body.windows(text.len()).any(|bytes| bytes == text.as_bytes()));
    found.next().unwrap().to_owned()
}

/// The bytes of the segments.
fn files_bytes(disk: &FaultyDisk) -> u64 {
    let files = disk.list(Path::new(PLACE)).unwrap();
    files.into_iter().filter(|(file, _)| file.ends_with(".log")).map(|(_, len)| len).sum()
}

/// The content of all files, to find changes.
fn contents(disk: &FaultyDisk) -> Vec<(String, Vec<u8>)> {
    let mut files = disk.list(Path::new(PLACE)).unwrap();
    files.sort();
    files
        .into_iter()
        .map(|(file, _)| (file.clone(), disk.contents(Path::new(PLACE).join(file)).unwrap()))
        .collect()
}

#[test]
fn requests_are_seen_and_taken_out_one_by_one() {
    let disk = queue(1, &["one", "two", "three"]);
    let before = contents(&disk);
    let seen = view(&disk);
    let summary = seen.summary().unwrap();
    assert_eq!((summary.requests, summary.items, summary.segments), (3, 3, 1));
    assert_eq!((summary.pipelines, summary.oldest), (vec![("logs/a".into(), 3)], Some(at(0))));
    let first = seen.requests().next().unwrap().unwrap();
    assert_eq!((first.batch.signal(), first.stored_at), (Signal::LOGS, at(0)));
    assert_eq!(first.header_names().collect::<Vec<_>>(), ["x-tenant"]);
    assert!(seen.verify().iter().all(FileReport::is_sound));
    assert_eq!(contents(&disk), before, "a view changes nothing");

    let mut files = open(&disk);
    assert_eq!(files.read(1).unwrap().iter().map(text).collect::<Vec<_>>(), ["one"]);
    let taken = files.read(1).unwrap();
    files.settle(&taken[0]);
    assert_eq!(left(&view(&disk)), ["one", "three"], "also while the queue is open");
    files.close().unwrap();
    let mut files = open(&disk);
    let rest = files.read(1 << 20).unwrap();
    assert_eq!(rest.iter().map(text).collect::<Vec<_>>(), ["one", "three"]);
    assert!(files.read(1 << 20).unwrap().is_empty());
    let summary = view(&disk).summary().unwrap();
    assert_eq!((summary.requests, summary.items), (2, 2));
    rest.iter().for_each(|request| files.settle(request));
    files.close().unwrap();
    let summary = view(&disk).summary().unwrap();
    assert_eq!((summary.requests, summary.segments, summary.oldest), (0, 0, None));
}

#[test]
fn a_queue_is_opened_once_and_only_where_there_is_one() {
    let disk = queue(2, &["one"]);
    let files = open(&disk);
    let error = QueueFiles::open(disk.clone(), Path::new(PLACE), None).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    drop(files);
    let nowhere = Path::new("/data/other/logs");
    for error in [
        QueueFiles::open(disk.clone(), nowhere, None).unwrap_err(),
        QueueView::open(disk.clone(), nowhere).unwrap_err(),
    ] {
        assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
    }
}

#[test]
fn a_queue_takes_no_more_than_its_limit() {
    let disk = queue(5, &["one"]);
    let files = limited(&disk, Some(files_bytes(&disk) + 256 + batch("two").len() as u64));
    let more = [batch("two"), batch(&"three".repeat(200))];
    assert_eq!(files.append(&more, "logs/a", at(1)).unwrap(), 1, "room for one of two");
    assert_eq!(files.append(&more[1..], "logs/a", at(1)).unwrap(), 0);
    files.close().unwrap();
    assert_eq!(left(&view(&disk)), ["one", "two"]);

    let mut files = limited(&disk, Some(1));
    assert_eq!(files.append(&more[1..], "logs/a", at(2)).unwrap(), 0);
    for expected in ["one", "two"] {
        // Each was written to a segment of its own.
        let read = files.read(1 << 20).unwrap();
        assert_eq!(read.iter().map(text).collect::<Vec<_>>(), [expected]);
        files.settle(&read[0]);
    }
    assert_eq!(files.append(&more, "logs/a", at(2)).unwrap(), 1, "an empty queue takes any request");
    assert_eq!(files.append(&more[1..], "logs/a", at(2)).unwrap(), 0);
    files.close().unwrap();
    assert_eq!(left(&view(&disk)), ["two"]);
}

#[test]
fn a_queue_without_a_limit_takes_half_of_what_is_free() {
    let disk = queue(6, &["one"]);
    disk.set_capacity(files_bytes(&disk) + (4 << 20));
    let files = open(&disk);
    assert!(((2 << 20) - 1000..(2 << 20) + 1000).contains(&files.max_bytes()), "{}", files.max_bytes());
    files.close().unwrap();
    assert_eq!(limited(&disk, Some(77)).max_bytes(), 77);
}

#[test]
fn damage_is_found_with_its_place() {
    let disk = queue(3, &["one", "two", "three"]);
    let file =
        disk.list(Path::new(PLACE)).unwrap().into_iter().find(|(file, _)| file.ends_with(".log")).unwrap().0;
    let path = Path::new(PLACE).join(&file);
    let content = disk.contents(&path).unwrap();
    let two = content.windows(3).position(|bytes| bytes == b"two").unwrap() as u64;
    disk.corrupt(&path, two).unwrap();
    let before = contents(&disk);
    let seen = view(&disk);
    let reports = seen.verify();
    let [report] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!((&report.file, report.requests, report.undelivered, report.lost), (&file, 2, 2, 1));
    let [bytes] = &report.damage[..] else { panic!("{report:?}") };
    assert!(bytes.contains(&two) && !report.is_sound(), "{bytes:?}");
    assert_eq!(left(&seen), ["one", "three"]);
    assert_eq!(contents(&disk), before);
}

/// Adds a request with this body in the files.
fn append_compressed(disk: &Arc<FaultyDisk>, batch: &Batch, frame: &[u8]) {
    let (log, _) = Log::open(disk.clone(), Path::new(PLACE), &[READER], 1 << 20, 1).unwrap();
    log.append(&[Entry { batch, pipeline: &"logs/a".into(), compressed: Some(frame) }], 1).unwrap();
    log.close().unwrap();
}

#[test]
fn compressed_requests_are_seen_as_they_were() {
    let disk = queue(5, &["one"]);
    let long = batch(&"two ".repeat(200));
    let frame = compress(long.body().plain()).unwrap();
    append_compressed(&disk, &long, &frame);
    assert_eq!(left(&view(&disk)), ["one", "two"]);
    assert!(view(&disk).verify().iter().all(FileReport::is_sound));
    let mut files = open(&disk);
    assert_eq!(files.read(1 << 20).unwrap().len(), 1);
    let [read] = &files.read(1 << 20).unwrap()[..] else { panic!("one a segment") };
    assert_eq!(read.batch.body().to_bytes(), long.body().to_bytes());
    assert!(read.record_bytes < long.len() as u64);
    drop(files);

    append_compressed(&disk, &long, &frame[1..]);
    assert_eq!(left(&view(&disk)), ["one", "two"]);
    let reports = view(&disk).verify();
    let [.., report] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!((report.requests, report.lost, report.damage.len()), (0, 1, 1));
}

#[test]
fn a_record_that_is_being_written_is_no_damage() {
    let disk = queue(4, &["one"]);
    let files = open(&disk);
    files.append(&[batch("two")], "logs/a", at(1)).unwrap();
    let mut names = disk.list(Path::new(PLACE)).unwrap();
    names.retain(|(file, _)| file.ends_with(".log"));
    names.sort();
    let newest = Path::new(PLACE).join(&names.last().unwrap().0);
    let content = disk.contents(&newest).unwrap();
    // The start of another record.
    let half = io::IoSlice::new(&content[..content.len() / 2]);
    disk.open(&newest).unwrap().append(&[half]).unwrap();
    let reports = view(&disk).verify();
    let newest = reports.last().unwrap();
    assert!(newest.is_sound(), "{newest:?}");
    assert_eq!((newest.requests, newest.unfinished_bytes), (1, content.len() as u64 / 2));
}
