//! Opening a log.

use super::*;
use crate::queue::disk::record::MAX_NUMBER;
use otlp_transport::testing::{Crash, DiskOperation};

/// Guarantee: the number of reads and changes at the start is that of the segments, not of the records.
#[test]
fn complete_segments_are_not_read() {
    let disk = FaultyDisk::new(1);
    let log = open(&disk);
    let mut records = 0;
    while log.segments() < 200 {
        append_ids(&log, &[5 * records, 5 * records + 1, 5 * records + 2, 5 * records + 3], 0).unwrap();
        records += 1;
    }
    // In the middle of a segment.
    (0..7).for_each(|at| settle(&log, 0, at, at));
    log.close().unwrap();
    drop(log);
    let disk = disk.kill();
    let log = open(&disk);
    assert_eq!((log.segments(), log.next()), (200, 4 * records));
    let (reads, changes) = (disk.count(DiskOperation::Read), disk.changes());
    // The end of each segment, its sums, the cursors, and the records of the segment in the middle.
    assert!(reads <= 2 * 200 + 4 + 2, "{reads} reads");
    assert!(changes < 30, "{changes} changes");
}

/// Guarantee: names that are no segments, or too great to count on from, do not matter, and are not removed.
#[test]
fn other_files_are_left_alone() {
    let disk = FaultyDisk::new(1);
    append_each(&open(&disk), 0..5);
    let others = [
        "ffffffffffffffff-0000000000000000-00000000.log",
        "00000000-ffffffffffffffff-00000000.log",
        "00000000-0000000000000000-0000000.log",
        "exporter-ffffffffffffffff.acks",
        "notes.new",
        "x.log",
    ];
    for other in others {
        disk.write_new(&path(other), b"text").unwrap();
    }
    let disk = disk.kill();
    let log = open(&disk);
    append_each(&log, 5..7);
    assert_eq!(read_all(&log, 0).len(), 7);
    let names: Vec<_> = files(&disk, "").into_iter().map(|(name, _)| name).collect();
    assert!(others.iter().all(|other| names.iter().any(|name| name == other)), "{names:?}");
}

/// Guarantee: behind a file of the greatest ordinal new segments are found again, and are read as segments of their own.
#[test]
fn segments_behind_the_greatest_ordinal_are_found() {
    let disk = FaultyDisk::new(1);
    append_each(&open(&disk), 0..5);
    let (file, _) = files(&disk, ".log").remove(0);
    let greatest = Name { ordinal: MAX_NUMBER, ..Name::parse(&file).unwrap() };
    disk.rename(&path(&file), &path(&greatest.file())).unwrap();
    let mut disk = disk.kill();
    for id in 5..8 {
        append_each(&open(&disk), [id]);
        disk = disk.kill();
        assert_eq!(read_all(&open(&disk), 0).len() as u64, id + 1);
    }
}

/// Guarantee: settled numbers that no record can have are damage of the cursor. When all numbers are used, nothing more is stored.
#[test]
fn numbers_of_records_end() {
    for (start, end) in [(0, u64::MAX), (9, 3), (5, MAX_NUMBER)] {
        let disk = FaultyDisk::new(1);
        append_each(&open(&disk), 0..5);
        let entry = [u64::to_le_bytes(start), end.to_le_bytes()].concat();
        let entry = [&entry[..], &crc32c::crc32c(&entry).to_le_bytes()].concat();
        disk.write_new(&path("exporter-000000ff.acks"), &entry).unwrap();
        let (log, recovery) = open_with(&disk.kill(), &READERS).unwrap();
        assert_eq!(read_all(&log, 0).len(), 5);
        assert_eq!(recovery.is_cursor_damaged, end != MAX_NUMBER, "{start}..{end}");
        let told = append_ids(&log, &[7], 1).err().map(|error| error.to_string());
        let is_used_up = told.is_some_and(|told| told.contains("numbers of records are used up"));
        assert_eq!(is_used_up, end == MAX_NUMBER, "{start}..{end}");
    }
}

/// Guarantee: a segment that was being written anew when the process ended is removed.
#[test]
fn unfinished_files_are_removed() {
    let disk = FaultyDisk::new(1);
    append_each(&open(&disk), 0..5);
    let (segment, _) = files(&disk, ".log").remove(0);
    disk.write_new(&path(&format!("{segment}.new")), b"text").unwrap();
    let disk = disk.kill();
    assert_eq!(read_all(&open(&disk), 0).len(), 5);
    assert!(files(&disk, ".new").is_empty());
}

/// Guarantee: a log has one process; another gets an error of its own kind.
#[test]
fn a_log_is_opened_once() {
    let disk = FaultyDisk::new(1);
    let log = open(&disk);
    let error = open_with(&disk, &READERS).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    drop(log);
    open(&disk);
}

/// Scenario: a file in the middle is gone. Guarantee: its records are counted, the others are read.
#[test]
fn missing_segments_are_counted() {
    let disk = FaultyDisk::new(1);
    let log = open(&disk);
    append_each(&log, 0..70);
    let missing = log.index.lock().segments[1].segment.range();
    settle(&log, 0, missing.start, missing.start);
    drop(log);
    disk.remove(&path(&files(&disk, ".log")[1].0)).unwrap();
    let disk = disk.kill();
    let log = open(&disk);
    assert_eq!(count(&log.counters.damaged_records), missing.end - missing.start);
    for reader in 0..2 {
        assert_eq!(
            read_all(&log, reader).into_keys().collect::<Vec<_>>(),
            (0..70).filter(|at| !missing.contains(at)).collect::<Vec<_>>()
        );
    }
    assert_eq!(count(&log.counters.damaged_records), missing.end - missing.start);
    drop(log);
    assert_eq!(count(&open(&disk.kill()).counters.damaged_records), 0, "counted once");
}

/// Scenario: the process ends before the device has the cursors, and the power fails while the log is opened. Guarantee: a segment of
/// which all records were settled is not missed.
#[test]
fn settled_segments_are_removed_once_the_device_has_the_cursors() {
    for change in 1..20 {
        let disk = FaultyDisk::new(1);
        let log = open(&disk);
        append_each(&log, 0..70);
        let settled = log.index.lock().segments[1].segment.range();
        settled.for_each(|at| (0..2).for_each(|reader| settle(&log, reader, at, at)));
        drop(log);
        let disk = disk.kill();
        disk.crash_at(change);
        drop(open_with(&disk, &READERS));
        let log = open(&disk.crash(Crash::LoseUnsynced));
        assert_eq!(count(&log.counters.damaged_records), 0, "change {change}");
    }
}

/// Scenario: a segment in the middle is released, or the oldest is dropped, and the power fails. Guarantee: the records do not come
/// back, and are not taken for lost.
#[test]
fn what_has_left_the_log_is_not_missed() {
    for how in [Crash::LoseUnsynced, Crash::KeepUnsynced, Crash::Torn] {
        for (is_released, is_name_synced) in [(false, false), (false, true), (true, false), (true, true)] {
            let disk = FaultyDisk::new(1);
            let log = open(&disk);
            append_each(&log, 0..70);
            let gone = if is_released {
                let middle = log.index.lock().segments[1].segment.range();
                middle.for_each(|at| (0..2).for_each(|reader| settle(&log, reader, at, at)));
                log.release().remove(0)
            } else {
                log.drop_oldest().unwrap()
            };
            if is_name_synced {
                disk.sync_directory(Path::new(DIRECTORY)).unwrap();
            }
            drop(log);
            let log = open(&disk.crash(how));
            let left: BTreeMap<_, _> =
                (0..70).filter(|at| !gone.records.contains(at)).map(|at| (at, at)).collect();
            assert_eq!((read_all(&log, 0), read_all(&log, 1)), (left.clone(), left));
            assert_eq!(count(&log.counters.damaged_records), 0);
        }
    }
}

/// Scenario: the cursors are damaged after all records were settled and released. Guarantee: numbers do not begin anew.
#[test]
fn numbers_go_on_behind_damaged_cursors() {
    let disk = FaultyDisk::new(1);
    let log = open(&disk);
    append_each(&log, 0..70);
    (0..70).for_each(|at| (0..2).for_each(|reader| settle(&log, reader, at, at)));
    drop(log);
    // The segment that was being written is removed by the next open.
    assert_eq!(open(&disk).segments(), 0);
    files(&disk, ".cursor").iter().for_each(|(file, _)| disk.corrupt(path(file), 9).unwrap());
    let (log, recovery) = open_with(&disk.kill(), &READERS).unwrap();
    assert!(recovery.is_cursor_damaged);
    let first = append_ids(&log, &[70], 0).unwrap();
    assert!(first > 1 << 40);
    assert!(log.unsettled(0).iter().eq([&(first..first + 1)]));
    assert_eq!(count(&log.counters.damaged_records), 0);
}

/// Scenario: a disk that fails to sync and to remove while the log is opened. Guarantee: the log opens with all its records.
#[test]
fn a_disk_that_cannot_be_written_is_opened() {
    let disk = FaultyDisk::new(1);
    let log = open(&disk);
    append_each(&log, 0..70);
    (0..20).for_each(|at| (0..2).for_each(|reader| settle(&log, reader, at, at)));
    drop(log);
    let disk = disk.kill();
    for kind in [DiskOperation::Sync, DiskOperation::Remove, DiskOperation::Append, DiskOperation::Truncate] {
        disk.fail_at_random(kind, 1.0);
    }
    let log = open(&disk);
    assert_eq!(count(&log.counters.failed_syncs), 1);
    assert_eq!(read_all(&log, 0), (20..70).map(|at| (at, at)).collect());
    append_ids(&log, &[70], 0).unwrap_err();
    disk.clear_faults();
    append_ids(&log, &[70], 0).unwrap();
    log.checkpoint(false).unwrap();
    drop(log);
    assert_eq!(read_all(&open(&disk.crash(Crash::LoseUnsynced)), 0).len(), 51);
}
