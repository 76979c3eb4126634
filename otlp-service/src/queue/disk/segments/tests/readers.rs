//! Several readers.

use super::*;
use std::sync::atomic::AtomicBool;

/// Scenario: a reader asks for records up to a number, while there are more behind. Guarantee: it finds these afterwards.
#[test]
fn a_reader_that_stops_early_misses_nothing() {
    let disk = FaultyDisk::new(1);
    let log = open(&disk);
    append_each(&log, 0..10);
    let mut reader = Reader::new(log.clone(), 0, 0);
    let mut found = Vec::new();
    for end in 1..=10 {
        let records = reader.read(end, 1 << 20).unwrap();
        found.extend(records.iter().map(|record| record.header.sequence));
        assert_eq!(reader.next(), end);
    }
    assert_eq!(found, (0..10).collect::<Vec<_>>());
    assert_eq!(count(&log.counters.damaged_records), 0);
}

/// Guarantee: a segment leaves the log when the last reader has settled it, not sooner.
#[test]
fn segments_leave_when_all_readers_have_settled_them() {
    let disk = FaultyDisk::new(1);
    let log = open(&disk);
    append_each(&log, 0..70);
    let segments = log.segments();
    (0..70).for_each(|at| settle(&log, 0, at, at));
    assert!(!log.may_release());
    assert!(log.release().is_empty());
    assert!(log.unsettled(0).is_empty());
    drop(log);
    let log = open(&disk.kill());
    assert_eq!((log.segments(), read_all(&log, 0).len(), read_all(&log, 1).len()), (segments, 0, 70));
    (0..70).for_each(|at| settle(&log, 1, at, at));
    assert!(log.may_release());
    assert_eq!(log.release().last().unwrap().records.end, 70);
    assert_eq!((log.bytes(), log.first(), log.next()), (0, 70, 70));
}

/// Guarantee: a record that is settled twice is taken once out of what is left.
#[test]
fn records_are_settled_once() {
    let disk = FaultyDisk::new(1);
    let log = open(&disk);
    append_each(&log, [2, 4]);
    (0..2).for_each(|_| settle(&log, 0, 0, 2));
    let gone = log.drop_oldest().unwrap();
    let left =
        |reader: usize| gone.left[reader].iter().map(|left| (left.records, left.items)).collect::<Vec<_>>();
    assert_eq!((left(0), left(1)), (vec![(1, items(4))], vec![(2, items(2) + items(4))]));
}

/// Guarantee: a new reader gets all that is in the log; one that is left out keeps nothing.
#[test]
fn readers_come_and_go() {
    let disk = FaultyDisk::new(1);
    let (log, _) = open_with(&disk, &["exporter"]).unwrap();
    append_each(&log, 0..20);
    (0..5).for_each(|at| settle(&log, 0, at, at));
    drop(log);
    let (log, recovery) = open_with(&disk, &READERS).unwrap();
    let records = |reader: usize| recovery.left[reader].iter().map(|left| left.records).sum::<u64>();
    assert_eq!((records(0), records(1), read_all(&log, 1).len()), (15, 20, 20));
    (5..20).for_each(|at| settle(&log, 0, at, at));
    drop(log);
    let (log, _) = open_with(&disk, &["exporter"]).unwrap();
    assert_eq!((log.segments(), log.next()), (0, 20));
}

/// Scenario: threads append, read, settle, release and compact at the same time. Guarantee: each reader gets each record once.
#[test]
fn threads_share_a_log() {
    const RECORDS: u64 = 3000;
    let log = open(&FaultyDisk::new(1));
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS.len())
            .map(|reader| {
                let log = log.clone();
                scope.spawn(move || {
                    let (mut place, mut got) = (Reader::new(log.clone(), reader, 0), Vec::new());
                    while place.next() < RECORDS {
                        for record in place.read(log.next(), 3000).unwrap() {
                            let (at, id) = (record.header.sequence, id_of(&record.body));
                            got.push(id);
                            if at % 50 != reader as u64 {
                                settle(&log, reader, at, id);
                            }
                        }
                    }
                    got
                })
            })
            .collect();
        let carer = scope.spawn(|| {
            let mut freed = 0;
            while !is_done.load(Ordering::Relaxed) {
                log.release();
                freed += log.compact().unwrap();
                log.checkpoint(false).unwrap();
            }
            freed
        });
        (0..RECORDS / 3).for_each(|group| {
            append_ids(&log, &[3 * group, 3 * group + 1, 3 * group + 2], group).unwrap();
        });
        let got: Vec<_> = readers.into_iter().map(|reader| reader.join()).collect();
        is_done.store(true, Ordering::Relaxed);
        assert!(carer.join().unwrap() > 0);
        got.into_iter().for_each(|got| assert_eq!(got.unwrap(), (0..RECORDS).collect::<Vec<_>>()));
    });
    assert_eq!(count(&log.counters.damaged_records), 0);
    let left = read_all(&log, 1).into_values().collect::<Vec<_>>();
    assert_eq!(left, (0..RECORDS).filter(|at| at % 50 == 1).collect::<Vec<_>>());
}

/// Scenario: a segment is removed between a reader's look into the index and its opening of the file. Guarantee: no file is left.
#[test]
fn a_reader_leaves_no_file_of_a_dropped_segment() {
    let disk = FaultyDisk::new(1);
    let log = open(&disk);
    append_each(&log, 0..70);
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                Reader::new(log.clone(), 0, 0).read(u64::MAX, 100).unwrap();
            }
        });
        (0..40).for_each(|round| {
            append_each(&log, 100 * round..100 * round + 30);
            while log.segments() > 1 {
                log.drop_oldest();
            }
        });
        is_done.store(true, Ordering::Relaxed);
    });
    assert_eq!(files(&disk, ".log").len(), log.segments());
}
