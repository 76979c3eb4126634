//! Bytes that have changed, and files that were cut.

use super::unreadable::places;
use super::*;
use std::collections::BTreeSet;

/// A log of 64 KiB in four segments, the last without sums. The bodies of some records are the bytes of other records.
fn damageable() -> (FaultyDisk, BTreeMap<u64, Vec<u8>>) {
    let disk = FaultyDisk::new(3);
    let log = open_long(&disk).unwrap().0;
    let mut bodies = BTreeMap::new();
    let mut rng = fastrand::Rng::with_seed(1);
    let mut at = 0;
    while log.bytes() < 63 << 10 {
        let body = match at % 4 {
            // All of the records before, in the segment that is being written.
            3 => {
                let (file, _) = files(&disk, ".log").pop().unwrap();
                let bytes = disk.contents(path(&file)).unwrap();
                bytes[bytes.len().saturating_sub(rng.usize(300..1500))..].to_vec()
            }
            _ => {
                let mut body = vec![0; rng.usize(0..2000)];
                rng.fill(&mut body);
                body
            }
        };
        let batch = batch_of(body.clone(), 1);
        log.append(&[entry(&batch, &pipeline(0))], 1).unwrap();
        bodies.insert(at, body);
        at += 1;
    }
    for settled in [1, 2, 9] {
        log.settle(0, settled, PIPELINES[0], 1, 0);
        bodies.remove(&settled);
    }
    log.checkpoint(true).unwrap();
    for settled in [0, 5, 12] {
        log.settle(0, settled, PIPELINES[0], 1, 0);
        bodies.remove(&settled);
    }
    drop(log);
    assert_eq!(files(&disk, ".log").len(), 4);
    (disk, bodies)
}

fn open_long(disk: &FaultyDisk) -> io::Result<(Arc<Log>, Recovery)> {
    Log::open(Arc::new(disk.clone()), Path::new(DIRECTORY), &READERS[..1], LONG_SEGMENT_BYTES, 1)
}

/// What is missing of the bodies after damage, and what has come back.
struct Outcome {
    missing: BTreeSet<u64>,
    again: BTreeSet<u64>,
    is_counted: bool,
}

fn look(disk: &FaultyDisk, bodies: &BTreeMap<u64, Vec<u8>>, context: &dyn Fn() -> String) -> Outcome {
    let (log, recovery) = open_long(disk).unwrap_or_else(|error| panic!("{}: {error}", context()));
    let mut reader = Reader::new(log.clone(), 0, 0);
    let (mut missing, mut again) = (bodies.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::new());
    loop {
        let records = reader.read(log.next(), 16 << 10).unwrap();
        if records.is_empty() {
            break;
        }
        for record in records {
            let at = record.header.sequence;
            match bodies.get(&at) {
                Some(body) => assert_eq!(record.body, body, "{}", context()),
                None => assert!(again.insert(at), "{}", context()),
            }
            assert!(missing.remove(&at) || !bodies.contains_key(&at), "{at} twice: {}", context());
        }
    }
    let counters = &log.counters;
    let (torn, bytes) = (count(&counters.torn_bytes), count(&counters.damaged_bytes));
    let is_counted = torn + bytes > 0 || recovery.is_cursor_damaged || count(&counters.damaged_records) > 0;
    assert_eq!(torn + bytes, count(&counters.kept_bytes), "{}", context());
    Outcome { missing, again, is_counted }
}

/// Guarantee: whatever byte changes, the log opens, at most the record with the byte is lost, and the damage is counted. A damaged
/// cursor costs no record: settled ones may come back. One byte of each segment is changed at a time.
#[test]
fn a_changed_byte_costs_at_most_its_record() {
    let (disk, bodies) = damageable();
    let places = places(&disk);
    let (segments, cursors) = segments_and_cursors(&disk);
    for offset in 0..longest(&segments) {
        let disk = disk.kill();
        for (file, _) in segments.iter().filter(|(_, len)| offset < *len) {
            disk.corrupt(path(file), offset).unwrap();
        }
        let outcome = look(&disk, &bodies, &|| format!("byte {offset}"));
        let is_hit =
            |(_, bytes, at): &&(String, Range<u64>, u64)| bytes.contains(&offset) && bodies.contains_key(at);
        let hit: BTreeSet<_> = places.iter().filter(is_hit).map(|(.., at)| *at).collect();
        assert_eq!((outcome.missing, outcome.again), (hit, BTreeSet::new()), "byte {offset}");
        assert!(outcome.is_counted, "byte {offset}");
    }
    for (file, len) in cursors {
        for offset in 0..len {
            let disk = disk.kill();
            disk.corrupt(path(&file), offset).unwrap();
            let outcome = look(&disk, &bodies, &|| format!("{file} at {offset}"));
            assert!(outcome.missing.is_empty() && outcome.is_counted, "{file} at {offset}");
        }
    }
}

/// Guarantee: wherever the files are cut, the log opens, and the records before the cut are there.
#[test]
fn a_cut_file_costs_at_most_what_is_behind() {
    let (disk, bodies) = damageable();
    let places = places(&disk);
    let (segments, cursors) = segments_and_cursors(&disk);
    for cut in 0..longest(&segments) {
        let disk = disk.kill();
        for (file, _) in segments.iter().filter(|(_, len)| cut < *len) {
            disk.open(&path(file)).unwrap().truncate(cut).unwrap();
        }
        let outcome = look(&disk, &bodies, &|| format!("cut to {cut}"));
        let is_hit = |(_, bytes, at): &&(String, Range<u64>, u64)| bytes.end > cut && bodies.contains_key(at);
        let hit: BTreeSet<_> = places.iter().filter(is_hit).map(|(.., at)| *at).collect();
        assert_eq!((outcome.missing, outcome.again), (hit, BTreeSet::new()), "cut to {cut}");
    }
    for (file, len) in cursors {
        for cut in 0..len {
            let disk = disk.kill();
            disk.open(&path(&file)).unwrap().truncate(cut).unwrap();
            assert!(look(&disk, &bodies, &|| format!("{file} cut to {cut}")).missing.is_empty());
        }
    }
}

type Files = Vec<(String, u64)>;

fn segments_and_cursors(disk: &FaultyDisk) -> (Files, Files) {
    let (segments, cursors): (Vec<_>, Vec<_>) =
        files(disk, "").into_iter().partition(|(file, _)| file.ends_with(".log"));
    assert!(cursors.iter().filter(|(_, len)| *len > 0).count() == 2, "a cursor and its journal: {cursors:?}");
    (segments, cursors)
}

fn longest(files: &Files) -> u64 {
    files.iter().map(|(_, len)| *len).max().unwrap()
}

/// Guarantee: damaged bytes are copied, those met by a reader and those that are cut at the start; once, though they are read twice.
#[test]
fn damaged_bytes_are_set_aside() {
    let disk = FaultyDisk::new(1);
    append_each(&open(&disk), 0..70);
    let places = places(&disk);
    let (first, last) = (&places[2], places.last().unwrap());
    for (file, bytes, _) in [first, last] {
        disk.corrupt(path(file), bytes.start + 70).unwrap();
    }
    let disk = disk.kill();
    let bytes_of = |(file, bytes, _): &(String, Range<u64>, u64)| {
        disk.contents(path(file)).unwrap()[bytes.start as usize..bytes.end as usize].to_vec()
    };
    let expected = [bytes_of(first), bytes_of(last)];
    for _ in 0..2 {
        let log = open(&disk);
        for reader in [0, 1, 0] {
            assert_eq!(read_all(&log, reader).len(), 68);
        }
        assert_eq!(count(&log.counters.damaged_bytes), expected[0].len() as u64);
        drop(log);
    }
    let kept = files(&disk, "").into_iter().filter(|(file, _)| file.starts_with("damaged-"));
    let kept: Vec<_> = kept.map(|(file, _)| (disk.contents(path(&file)).unwrap(), file)).collect();
    let ordinal = Name::parse(&last.0).unwrap().ordinal;
    assert_eq!(kept[0], (expected[0].clone(), format!("damaged-00000000-{:016x}", first.1.start)));
    assert_eq!(kept[1], (expected[1].clone(), format!("damaged-{ordinal:08x}-{:016x}", last.1.start)));
    assert_eq!(kept.len(), 2);
}

/// Guarantee: at most 16 MiB are set aside; the first stay. All damaged bytes are counted.
#[test]
fn what_is_set_aside_is_limited() {
    let disk = FaultyDisk::new(1);
    let log = open(&disk);
    for _ in 0..3 {
        log.append(&[entry(&batch_of(vec![7; 7 << 20], 1), &pipeline(0))], 1).unwrap();
    }
    let logs = files(&disk, ".log");
    logs.iter().for_each(|(file, _)| disk.corrupt(path(file), 1000).unwrap());
    let mut reader = Reader::new(log.clone(), 0, 0);
    assert!(reader.read(log.next(), 1000).unwrap().is_empty());
    let counters = &log.counters;
    assert_eq!((count(&counters.damaged_records), count(&counters.kept_bytes)), (3, 16 << 20));
    assert!(count(&counters.damaged_bytes) > 21 << 20);
    let kept: Vec<_> = files(&disk, "")
        .into_iter()
        .filter(|(file, _)| file.starts_with("damaged-"))
        .map(|(_, len)| len)
        .collect();
    assert_eq!(kept.len(), 3);
    assert!(kept[0] > 7 << 20 && kept[1] > 7 << 20 && kept.iter().sum::<u64>() == 16 << 20, "{kept:?}");
}

/// Guarantee: a new segment does not get the ordinal of an old one whose bytes were set aside.
#[test]
fn ordinals_go_on_behind_what_was_set_aside() {
    let disk = FaultyDisk::new(1);
    drop(open(&disk));
    disk.write_new(&path("damaged-0000000f-0000000000000000"), b"bytes").unwrap();
    append_each(&open(&disk), [1]);
    assert!(files(&disk, ".log")[0].0.starts_with("00000010-"));
}

/// Four segments in a log of 64 KiB.
const LONG_SEGMENT_BYTES: u64 = 16 << 10;
