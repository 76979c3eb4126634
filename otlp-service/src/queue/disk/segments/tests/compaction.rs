//! Segments that are written anew.

use super::*;
use otlp_transport::testing::{Crash, DiskOperation};

/// The number and the id of each record; none of them is long.
fn records() -> Vec<(u64, u64)> {
    (0..144).zip((0..).filter(|id| body_len(*id) < 300)).collect()
}

/// A log of which the readers have left the records whose number is a multiple of 13.
fn mostly_settled(disk: &FaultyDisk) -> Arc<Log> {
    let log = open(disk);
    append_each(&log, records().into_iter().map(|(_, id)| id));
    for (at, id) in records().into_iter().filter(|(at, _)| at % 13 > 0) {
        (0..2).for_each(|reader| settle(&log, reader, at, id));
    }
    log
}

fn left() -> BTreeMap<u64, u64> {
    records().into_iter().filter(|(at, _)| at % 13 == 0).collect()
}

fn sizes(log: &Log) -> Vec<(Name, u64)> {
    log.index.lock().segments.iter().map(|indexed| (indexed.segment.name, indexed.segment.len)).collect()
}

/// Guarantee: segments of which little is left shrink to what is left; their names, their order, and the one that is being written
/// stay. A power cut at once after that changes nothing, nor does an open, which reads the sums of the new files.
#[test]
fn segments_shrink_to_what_is_left() {
    let disk = FaultyDisk::new(1);
    let log = mostly_settled(&disk);
    let (before, bytes) = (sizes(&log), log.bytes());
    let freed = log.compact().unwrap();
    let after = sizes(&log);
    assert!(freed > bytes / 2, "{freed} of {bytes}");
    assert_eq!(log.bytes(), bytes - freed);
    assert!(before.iter().map(|(name, _)| name).eq(after.iter().map(|(name, _)| name)));
    assert_eq!(before.last(), after.last());
    for (name, len) in &after[..after.len() - 1] {
        let is_in = |at: u64| {
            after.iter().rfind(|(other, _)| other.first <= at).is_some_and(|(other, _)| other == name)
        };
        let kept = left().into_iter().filter(|(at, _)| is_in(*at));
        assert_eq!(*len, kept.map(|(_, id)| record_len(id)).sum::<u64>());
    }
    assert_eq!(files(&disk, ".new"), []);
    assert_eq!(read_all(&log, 0), left());
    assert_eq!(log.compact().unwrap(), 0);
    drop(log);
    let disk = disk.crash(Crash::LoseUnsynced);
    let (log, recovery) = open_with(&disk, &READERS).unwrap();
    assert_eq!(sizes(&log), after);
    assert_eq!(recovery.left[0].iter().map(|left| left.records).sum::<u64>(), left().len() as u64);
    assert_eq!((read_all(&log, 1), count(&log.counters.damaged_records)), (left(), 0));
    assert_eq!(log.next(), 144);
}

/// Guarantee: a record that a reader has left is kept for it.
#[test]
fn what_one_reader_has_left_stays() {
    let disk = FaultyDisk::new(1);
    let log = open(&disk);
    append_each(&log, records().into_iter().map(|(_, id)| id));
    records().into_iter().for_each(|(at, id)| settle(&log, 0, at, id));
    assert_eq!(log.compact().unwrap(), 0);
    records().into_iter().filter(|(at, _)| at % 13 > 0).for_each(|(at, id)| settle(&log, 1, at, id));
    assert!(log.compact().unwrap() > 0);
    assert_eq!((read_all(&log, 0).len(), read_all(&log, 1)), (0, left()));
}

/// Scenario: a reader is in the middle of a segment that is written anew. Guarantee: it goes on with the next record.
#[test]
fn a_reader_finds_its_place_again() {
    let disk = FaultyDisk::new(1);
    let log = mostly_settled(&disk);
    let mut reader = Reader::new(log.clone(), 0, 0);
    let first = reader.read(log.next(), 1).unwrap();
    assert_eq!(first[0].header.sequence, 0);
    assert!(log.compact().unwrap() > 0);
    let mut rest = Vec::new();
    loop {
        let records = reader.read(log.next(), 500).unwrap();
        if records.is_empty() {
            break;
        }
        rest.extend(records.iter().map(|record| record.header.sequence));
    }
    assert_eq!(rest, left().into_keys().skip(1).collect::<Vec<_>>());
    assert_eq!(count(&log.counters.damaged_records), 0);
}

/// Guarantee: a segment with damage is not written anew, and one whose records cannot be read is left as it is.
#[test]
fn damaged_segments_are_left_alone() {
    let disk = FaultyDisk::new(1);
    let log = mostly_settled(&disk);
    let logs = files(&disk, ".log");
    disk.corrupt(path(&logs[0].0), 100).unwrap();
    disk.fail_reads(path(&logs[1].0), 300..301);
    let bytes = |file: &str| disk.contents(path(file)).unwrap();
    let before = [bytes(&logs[0].0), bytes(&logs[1].0), bytes(&logs[2].0)];
    log.compact().unwrap_err();
    let after = [bytes(&logs[0].0), bytes(&logs[1].0), bytes(&logs[2].0)];
    assert_eq!(before[..2], after[..2]);
    assert!(after[2].len() < before[2].len(), "the others are written anew");
    // Not tried again and again.
    let reads = disk.count(DiskOperation::Read);
    assert_eq!((log.compact().unwrap(), disk.count(DiskOperation::Read)), (0, reads));
}

/// Scenario: each change of a compaction fails. Guarantee: it tells, leaves no file, and the records are there.
#[test]
fn a_compaction_that_fails_changes_nothing() {
    for change in 1.. {
        let disk = FaultyDisk::new(1);
        let log = mostly_settled(&disk);
        let before = disk.changes();
        disk.fail_at(before + change);
        let result = log.compact();
        if before + change > disk.changes() {
            assert!(change > 10);
            break;
        }
        assert_eq!((read_all(&log, 0), read_all(&log, 1)), (left(), left()), "change {change}, {result:?}");
        drop(log);
        let log = open(&disk.kill());
        assert_eq!((read_all(&log, 0), read_all(&log, 1)), (left(), left()), "change {change}, {result:?}");
        assert_eq!(files(&disk.kill(), ".log.new"), []);
    }
}
