//! Bytes that cannot be read, for a while or for ever.

use super::*;
use otlp_transport::testing::DiskOperation;
use std::collections::BTreeSet;

/// The place of each record in the files: segment, bytes, number.
pub(super) fn places(disk: &FaultyDisk) -> Vec<(String, Range<u64>, u64)> {
    let mut places = Vec::new();
    for (file, len) in files(disk, ".log") {
        let name = Name::parse(&file).unwrap();
        let opened = disk.open(&path(&file)).unwrap().into();
        let mut scanner = crate::queue::disk::scan::Scanner { file: opened, nonce: name.nonce, offset: 0 };
        while scanner.offset < len {
            for found in scanner.read(len, 1 << 20).unwrap() {
                if let crate::queue::disk::scan::Found::Record(record) = found
                    && record.header.kind != crate::queue::disk::record::Kind::Summary
                {
                    places.push((file.clone(), record.bytes, record.header.sequence));
                }
            }
        }
    }
    places
}

/// What cannot be read with a byte.
fn block(offset: u64) -> Range<u64> {
    let start = offset / 4096 * 4096;
    start..start + 4096
}

/// The numbers of the records that some bytes are part of.
fn hit(places: &[(String, Range<u64>, u64)], file: &str, bytes: Range<u64>) -> BTreeSet<u64> {
    let is_hit = |(other, at, _): &&(String, Range<u64>, u64)| {
        other == file && at.start < bytes.end && bytes.start < at.end
    };
    places.iter().filter(is_hit).map(|(.., sequence)| *sequence).collect()
}

/// A log of several segments, the last without sums.
fn filled() -> FaultyDisk {
    let disk = FaultyDisk::new(7);
    append_each(&open(&disk), 0..70);
    assert!(files(&disk, ".log").len() > 2);
    disk
}

/// Scenario: some bytes cannot be read, at each place in turn, from the start on. Guarantee: all other records are read, new ones
/// are appended, nothing is cut; and when the bytes can be read again, all records are there.
#[test]
fn what_cannot_be_read_stays() {
    let disk = filled();
    let places = places(&disk);
    for (file, len) in files(&disk, ".log") {
        for offset in (0..len).step_by(1500) {
            let disk = disk.kill();
            disk.fail_reads(path(&file), offset..offset + 1);
            let log = open(&disk);
            let first = append_ids(&log, &[1000], 0).unwrap();
            let found = read_all(&log, 0);
            assert_eq!(found.get(&first), Some(&1000), "{file} at {offset}");
            let missing: BTreeSet<_> = (0..70).filter(|at| found.get(at) != Some(at)).collect();
            assert!(missing.is_superset(&hit(&places, &file, offset..offset + 1)), "{file} at {offset}");
            assert!(
                missing.is_subset(&hit(&places, &file, block(offset))),
                "{file} at {offset}: {missing:?}"
            );
            assert!(count(&log.counters.unread_records) >= missing.len() as u64);
            assert_eq!((count(&log.counters.damaged_records), count(&log.counters.torn_bytes)), (0, 0));
            assert!(log.release().is_empty());
            drop(log);
            let disk = disk.kill();
            disk.clear_faults();
            let all: BTreeMap<_, _> = (0..70).map(|at| (at, at)).chain([(first, 1000)]).collect();
            assert_eq!(read_all(&open(&disk), 0), all, "{file} at {offset}");
        }
    }
}

/// Scenario: reads fail now and then, while the log is opened and read. Guarantee: all records are read; nothing is cut or settled.
#[test]
fn reads_that_fail_now_and_then_cost_nothing() {
    let disk = filled();
    for seed in 0..100 {
        let disk = disk.kill();
        disk.fail_at_random(DiskOperation::Read, if seed % 2 == 0 { 0.05 } else { 0.5 });
        let log = open(&disk);
        let next = append_ids(&log, &[1000], 0).unwrap();
        assert!(next >= 70);
        read_all(&log, 0);
        drop(log);
        disk.clear_faults();
        let found = read_all(&open(&disk.kill()), 0);
        assert_eq!(found, (0..70).map(|at| (at, at)).chain([(next, 1000)]).collect(), "seed {seed}");
    }
}

/// Scenario: the first read of each complete segment fails. Guarantee: their sums are not cut.
#[test]
fn sums_that_are_not_read_stay() {
    let disk = FaultyDisk::new(7);
    let log = open(&disk);
    append_each(&log, 0..70);
    log.close().unwrap();
    drop(log);
    let before = files(&disk, ".log");
    before.iter().for_each(|(file, _)| disk.fail_next(DiskOperation::Read, path(file)));
    let log = open(&disk);
    assert_eq!((files(&disk, ".log"), count(&log.counters.torn_bytes)), (before, 0));
    assert_eq!(read_all(&log, 0).len(), 70);
}

/// Scenario: the files of a cursor are read at the third try. Guarantee: what was settled stays settled.
#[test]
fn a_cursor_is_read_again() {
    let disk = filled();
    let log = open(&disk);
    (0..30).for_each(|at| settle(&log, 0, at, at));
    log.checkpoint(true).unwrap();
    (30..60).for_each(|at| settle(&log, 0, at, at));
    drop(log);
    let disk = disk.kill();
    for file in files(&disk, "").into_iter().filter(|(file, _)| file.starts_with("exporter")) {
        (0..2).for_each(|_| disk.fail_next(DiskOperation::Read, path(&file.0)));
    }
    let (log, recovery) = open_with(&disk, &READERS).unwrap();
    assert!(!recovery.is_cursor_damaged);
    assert_eq!(read_all(&log, 0).len(), 10);
}

/// Scenario: no byte can be read at the start, neither segments nor cursors. Guarantee: the log opens; when the disk is well again,
/// no record is missing, and none is hidden by what was settled before.
#[test]
fn a_log_opens_though_nothing_can_be_read() {
    let disk = filled();
    let log = open(&disk);
    for at in 0..60 {
        settle(&log, 0, at, at);
        settle(&log, 1, at, at);
    }
    log.close().unwrap();
    log.release();
    drop(log);
    let disk = disk.kill();
    disk.fail_at_random(DiskOperation::Read, 1.0);
    // Nor can a cursor be written.
    disk.fail_at_random(DiskOperation::Rename, 1.0);
    let (log, recovery) = open_with(&disk, &READERS).unwrap();
    assert!(recovery.is_cursor_damaged);
    let first = append_ids(&log, &[1000, 1001], 0).unwrap();
    drop(log);
    let disk = disk.kill();
    disk.clear_faults();
    let found = read_all(&open(&disk), 0);
    assert_eq!(found, (60..70).map(|at| (at, at)).chain([(first, 1000), (first + 1, 1001)]).collect());
}

/// Scenario: a reader meets bytes that cannot be read, in the middle of what it is asked for, and others that are damaged. Guarantee:
/// only the damaged records are settled.
#[test]
fn only_damaged_records_are_settled() {
    let disk = FaultyDisk::new(7);
    let log = Log::open(Arc::new(disk.clone()), Path::new(DIRECTORY), &READERS, 1 << 20, 1).unwrap().0;
    append_each(&log, 0..200);
    let places = places(&disk);
    let (file, ..) = &places[0];
    let (_, unread, _) = places.iter().find(|(_, bytes, _)| bytes.start > 4096).unwrap();
    let hit: Vec<_> = hit(&places, file, block(unread.start)).into_iter().collect();
    disk.fail_reads(path(file), unread.start..unread.start + 1);
    let (_, damaged, number) = &places[190];
    disk.corrupt(path(file), damaged.start + 70).unwrap();
    // Ends in the middle of what cannot be read.
    let mut reader = Reader::new(log.clone(), 0, 0);
    let mut found = Vec::new();
    for end in [hit[1], hit[1], hit[1], hit[1], 200] {
        loop {
            match reader.read(end, 1 << 20) {
                Ok(records) if records.is_empty() => break,
                Ok(records) => found.extend(records.iter().map(|record| record.header.sequence)),
                Err(_) => {}
            }
        }
    }
    let expected: Vec<_> = (0..200).filter(|at| !hit.contains(at) && at != number).collect();
    assert_eq!(found, expected);
    let unsettled: Vec<_> = log.unsettled(0).into_iter().flatten().collect();
    assert_eq!(unsettled, (0..200).filter(|at| at != number).collect::<Vec<_>>());
    assert_eq!(count(&log.counters.unread_records), hit.len() as u64);
    assert_eq!(count(&log.counters.damaged_records), 1);
    // Another reader passes what cannot be read before its own place.
    let mut reader = Reader::new(log.clone(), 1, *number);
    while !matches!(reader.read(200, 1 << 20), Ok(records) if records.is_empty()) {}
    assert!(log.unsettled(1).iter().all(|range| !range.contains(number)));
}
