//! Logs on simulated disks.

mod compaction;
mod compressed;
mod crash;
mod damage;
mod faults;
mod model;
mod opening;
mod readers;
mod unreadable;
mod world;

use super::*;
use crate::queue::disk::properties::Properties;
use crate::queue::disk::record::HEADER_BYTES;
use otlp_protocol::{Batch, Charge, Count, Signal};
use otlp_transport::testing::FaultyDisk;
use std::collections::BTreeMap;

const DIRECTORY: &str = "/queues/otlp/logs";
const SEGMENT_BYTES: u64 = 4096;
/// Names of cursors.
const READERS: [&str; 2] = ["exporter", "tap"];
/// Pipelines, in turns.
const PIPELINES: [&str; 2] = ["logs", "logs/2"];

/// The body of a record: the id, and bytes at random.
fn body(id: u64) -> Vec<u8> {
    let mut body = vec![0; body_len(id)];
    fastrand::Rng::with_seed(!id).fill(&mut body);
    body[..8].copy_from_slice(&id.to_le_bytes());
    body
}

fn body_len(id: u64) -> usize {
    let mut rng = fastrand::Rng::with_seed(id);
    if rng.u8(0..12) == 0 { rng.usize(500..3000) } else { rng.usize(8..300) }
}

/// The id in a body, all of whose bytes are as they were stored.
fn id_of(body: &[u8]) -> u64 {
    let id = u64::from_le_bytes(body[..8].try_into().unwrap());
    assert_eq!(body, self::body(id), "the bytes of record {id} have changed");
    id
}

fn items(id: u64) -> u64 {
    1 + id % 5
}

fn pipeline(id: u64) -> Arc<str> {
    PIPELINES[(id % 2) as usize].into()
}

fn batch_of(body: Vec<u8>, items: u64) -> Batch {
    Batch::unchecked(Signal::LOGS, body, Count { items, entries: items }, true, Charge::none())
}

fn batch(id: u64) -> Batch {
    batch_of(body(id), items(id))
}

fn record_len(id: u64) -> u64 {
    let properties = Properties::encode(&pipeline(id), &batch_of(Vec::new(), 0));
    (HEADER_BYTES + properties.len() + body_len(id)) as u64
}

fn open_with(disk: &FaultyDisk, readers: &[&str]) -> io::Result<(Arc<Log>, Recovery)> {
    Log::open(Arc::new(disk.clone()), Path::new(DIRECTORY), readers, SEGMENT_BYTES, fastrand::u64(..))
}

fn open(disk: &FaultyDisk) -> Arc<Log> {
    open_with(disk, &READERS).expect("the log opens").0
}

fn entry<'a>(batch: &'a Batch, pipeline: &'a Arc<str>) -> Entry<'a> {
    Entry { batch, pipeline, compressed: None }
}

fn append_ids(log: &Log, ids: &[u64], now: u64) -> Result<u64, AppendError> {
    let batches: Vec<_> = ids.iter().map(|id| (batch(*id), pipeline(*id))).collect();
    let group: Vec<_> = batches.iter().map(|(batch, pipeline)| entry(batch, pipeline)).collect();
    log.append(&group, now)
}

/// Appends each record as a group of its own.
fn append_each(log: &Log, ids: impl IntoIterator<Item = u64>) {
    for id in ids {
        append_ids(log, &[id], 1000 + id).unwrap();
    }
}

fn settle(log: &Log, reader: usize, sequence: u64, id: u64) {
    log.settle(reader, sequence, &pipeline(id), items(id), record_len(id));
}

/// Reads all records that a reader has left: their numbers and ids.
fn read_all(log: &Arc<Log>, reader: usize) -> BTreeMap<u64, u64> {
    let mut place = Reader::new(log.clone(), reader, 0);
    let (mut found, mut failures) = (BTreeMap::new(), 0);
    loop {
        match place.read(log.next(), 2048) {
            Ok(records) if records.is_empty() => return found,
            Ok(records) => {
                for record in records {
                    let old = found.insert(record.header.sequence, id_of(&record.body));
                    assert_eq!(old, None, "record {} was read twice", record.header.sequence);
                }
            }
            Err(error) => {
                failures += 1;
                assert!(failures < 10_000, "the reader does not get on: {error}");
            }
        }
    }
}

/// The files whose names end so, and their lengths, in order.
fn files(disk: &FaultyDisk, suffix: &str) -> Vec<(String, u64)> {
    let mut files = disk.list(Path::new(DIRECTORY)).unwrap();
    files.retain(|(name, _)| name.ends_with(suffix));
    files.sort();
    files
}

fn path(file: &str) -> PathBuf {
    Path::new(DIRECTORY).join(file)
}

fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
