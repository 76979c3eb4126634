//! Records whose bodies are zstd frames, among others.

use super::*;
use crate::queue::disk::compression::compress;
use bytes::Bytes;

/// A body of some KiB that compresses well.
fn text(number: u64) -> Vec<u8> {
    format!("{number} checked out, checked in. ").repeat(200).into_bytes()
}

/// A log whose records with even numbers are compressed.
fn mixed(disk: &FaultyDisk, records: Range<u64>) -> Arc<Log> {
    let log = open(disk);
    for number in records {
        let batch = batch_of(text(number), 1);
        let compressed = compress(batch.body().plain()).filter(|_| number % 2 == 0);
        append(&log, number, &batch, compressed.as_ref());
    }
    log
}

fn append(log: &Log, number: u64, batch: &Batch, compressed: Option<&Bytes>) {
    let entry = Entry { batch, pipeline: &pipeline(0), compressed: compressed.map(|bytes| &bytes[..]) };
    assert_eq!(log.append(&[entry], 1).unwrap(), number);
}

/// The numbers of all records, whose bodies are as they were.
fn read(log: &Arc<Log>, max_bytes: usize) -> Vec<u64> {
    let mut reader = Reader::new(log.clone(), 0, 0);
    let mut numbers = Vec::new();
    loop {
        let records = reader.read(log.next(), max_bytes).unwrap();
        let bytes: usize = records.iter().map(|record| record.body.len()).sum();
        assert!(bytes <= max_bytes || records.len() == 1, "{bytes} bytes at once");
        match records.len() {
            0 => return numbers,
            _ => numbers.extend(records.iter().map(|record| {
                assert_eq!(record.body, text(record.header.sequence));
                record.header.sequence
            })),
        }
    }
}

/// Guarantee: records of both kinds are read, also after the next start and from a segment that was written anew; the limit of a read
/// is one of the bodies in memory.
#[test]
fn records_of_both_kinds_are_read() {
    let disk = FaultyDisk::new(1);
    let log = mixed(&disk, 0..60);
    let plain: u64 = (0..60).map(|number| text(number).len() as u64).sum();
    assert!(log.bytes() < plain * 6 / 10, "{} of {plain}", log.bytes());
    for max_bytes in [1, 10_000, 30_000, 1 << 20] {
        assert_eq!(read(&log, max_bytes), (0..60).collect::<Vec<_>>(), "{max_bytes}");
    }
    for at in (0..60).filter(|at| at % 10 > 0) {
        (0..2).for_each(|reader| log.settle(reader, at, PIPELINES[0], 1, text(at).len() as u64));
    }
    assert!(log.compact().unwrap() > 0);
    drop(log);
    let log = open(&disk.kill());
    assert_eq!(read(&log, 10_000), [0, 10, 20, 30, 40, 50]);
    assert_eq!(count(&log.counters.damaged_records), 0);
}

/// Guarantee: a frame that does not inflate costs its record, is set aside and counted; the records around it are read.
#[test]
fn a_damaged_frame_costs_its_record() {
    let disk = FaultyDisk::new(1);
    let log = mixed(&disk, 0..2);
    let batch = batch_of(text(2), 1);
    let frame = compress(batch.body().plain()).unwrap();
    append(&log, 2, &batch, Some(&frame.slice(..frame.len() - 1)));
    append(&log, 3, &batch_of(text(3), 1), None);
    append(&log, 4, &batch, Some(&Bytes::from_static(b"text")));
    assert_eq!(read(&log, 1 << 20), [0, 1, 3]);
    assert_eq!(count(&log.counters.damaged_records), 2);
    assert!(count(&log.counters.damaged_bytes) > frame.len() as u64);
    assert_eq!(log.unsettled(0), [0..2, 3..4]);
}
