//! A log, what is done with it at random, and what must be found in it.

use super::*;
use otlp_transport::testing::Crash;
use std::collections::BTreeSet;

/// A log on a disk, with what was done.
pub(super) struct World {
    pub(super) disk: FaultyDisk,
    pub(super) log: Option<Arc<Log>>,
    readers: Vec<Reader>,
    rng: fastrand::Rng,
    /// The records that were appended, by number.
    pub(super) records: BTreeMap<u64, Known>,
    /// The ids of records whose append has failed.
    pub(super) refused: BTreeSet<u64>,
    last_id: u64,
    now: u64,
    /// The disk has no faults: all that is found is exactly what must be.
    is_exact: bool,
    /// Changes of earlier disks.
    changes_before: u64,
    pub(super) faults: Faults,
    /// How often something was released, dropped and compacted.
    pub(super) done: [u64; 3],
    /// What is being done: append, cursor, release, drop, compact, open, or close.
    pub(super) doing: &'static str,
}

/// The faults of a world's disks; changes are counted over all of its disks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    pub(super) crash_at: Option<u64>,
    pub(super) fail_at: Option<u64>,
}

/// A record that was appended.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: u64,
    settled: [Settled; READERS.len()],
    is_dropped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    No,
    Yes,
    /// The process has ended since: the entry may be lost.
    Perhaps,
    /// A checkpoint has followed.
    Durable,
}

// === impl World ===

impl World {
    pub(super) fn new(seed: u64, faults: Faults) -> Self {
        // The random numbers in the names of segments.
        fastrand::seed(seed);
        let is_exact = faults.crash_at.is_none() && faults.fail_at.is_none();
        let mut world = Self {
            disk: FaultyDisk::new(seed),
            log: None,
            readers: Vec::new(),
            rng: fastrand::Rng::with_seed(seed),
            records: BTreeMap::new(),
            refused: BTreeSet::new(),
            last_id: 0,
            now: 1000,
            is_exact,
            changes_before: 0,
            faults,
            done: [0; 3],
            doing: "open",
        };
        world.set_faults();
        world.open();
        world
    }

    /// A world whose disk has faults that the caller sets.
    pub(super) fn inexact(seed: u64) -> Self {
        Self { is_exact: false, ..Self::new(seed, Faults::default()) }
    }

    /// Does so many things, until the disk stops.
    pub(super) fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            if self.disk.is_stopped() {
                return;
            }
            self.step();
        }
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes_before + self.disk.changes()
    }

    fn set_faults(&self) {
        let left = |change: Option<u64>| change.and_then(|change| change.checked_sub(self.changes_before));
        if let Some(change) = left(self.faults.crash_at).filter(|change| *change > 0) {
            self.disk.crash_at(change);
        }
        if let Some(change) = left(self.faults.fail_at).filter(|change| *change > 0) {
            self.disk.fail_at(change);
        }
    }

    fn open(&mut self) {
        self.doing = "open";
        match open_with(&self.disk, &READERS) {
            Ok((log, recovery)) => {
                if self.is_exact {
                    self.check_recovery(&log, &recovery);
                }
                if recovery.is_cursor_damaged {
                    // It could not be read.
                    self.turn_settled(Settled::Durable, Settled::Perhaps);
                }
                let place = |reader| Reader::new(log.clone(), reader, log.first());
                self.readers = (0..READERS.len()).map(place).collect();
                self.log = Some(log);
            }
            Err(error) => assert!(!self.is_exact, "{error}"),
        }
    }

    /// Ends the process, by itself or not, and opens the log again.
    fn reopen(&mut self, is_killed: bool) {
        self.doing = "close";
        if let Some(log) = self.log.take() {
            self.readers.clear();
            if !is_killed && log.close().is_ok() {
                self.turn_settled(Settled::Yes, Settled::Durable);
            }
        }
        if self.disk.is_stopped() {
            return;
        }
        if is_killed {
            self.changes_before += self.disk.changes();
            self.disk = self.disk.kill();
            self.set_faults();
        }
        self.turn_settled(Settled::Yes, Settled::Perhaps);
        self.open();
    }

    fn step(&mut self) {
        let Some(log) = self.log.clone() else { return self.reopen(true) };
        let choice = self.rng.u8(0..100);
        self.doing = match choice {
            0..34 => "append",
            72..78 => "release",
            83..87 => "drop",
            87..94 => "compact",
            // Settles, reads, and writes checkpoints.
            _ => "cursor",
        };
        match choice {
            0..34 => self.append(&log),
            34..52 => self.settle_some(&log),
            52..64 => self.settle_oldest(&log),
            64..72 => self.read(&log),
            72..78 => {
                let gone = log.release();
                self.done[0] += gone.len() as u64;
                self.check_gone(&gone);
            }
            78..83 => {
                let is_all = self.rng.bool();
                if log.checkpoint(is_all).is_ok() && is_all {
                    self.turn_settled(Settled::Yes, Settled::Durable);
                }
            }
            83..85 => {
                let gone = log.drop_oldest();
                self.dropped(&log, gone);
            }
            85..87 => {
                let gone = log.drop_older(self.now.saturating_sub(100));
                self.dropped(&log, gone);
            }
            87..94 => {
                let before = log.bytes();
                match log.compact() {
                    Ok(freed) => {
                        assert_eq!(log.bytes() + freed, before);
                        self.done[2] += u64::from(freed > 0);
                    }
                    Err(error) => assert!(!self.is_exact, "{error}"),
                }
            }
            94..97 => {
                drop(log);
                self.reopen(false);
            }
            _ => {
                drop(log);
                self.reopen(true);
            }
        }
        if self.is_exact
            && let Some(log) = self.log.clone()
        {
            assert_eq!(files(&self.disk, ".log").len(), log.segments());
            for reader in 0..READERS.len() {
                let unsettled: Vec<_> = log.unsettled(reader).into_iter().flatten().collect();
                assert_eq!(unsettled, self.left(reader).into_keys().collect::<Vec<_>>());
            }
        }
    }

    fn append(&mut self, log: &Log) {
        let count = self.rng.u64(1..=4);
        let ids: Vec<_> = (1..=count).map(|more| self.last_id + more).collect();
        self.last_id += count;
        self.now += self.rng.u64(0..20);
        let next = log.next();
        match append_ids(log, &ids, self.now) {
            Ok(first) => {
                assert_eq!((first, log.next()), (next, next + count));
                let last = self.records.last_key_value().map(|(last, _)| *last);
                assert!(last.is_none_or(|last| last < first), "number {first} after {last:?}");
                for (sequence, id) in (first..).zip(ids) {
                    let settled = [Settled::No; READERS.len()];
                    let known = Known { id, settled, is_dropped: false };
                    self.records.insert(sequence, known);
                }
            }
            Err(error) => {
                assert!(!self.is_exact, "{error}");
                self.refused.extend(ids);
            }
        }
    }

    fn settle_some(&mut self, log: &Log) {
        let reader = self.rng.usize(0..READERS.len());
        for _ in 0..self.rng.usize(1..8) {
            let left: Vec<_> = self.left(reader).into_keys().collect();
            let Some(sequence) = self.rng.choice(left) else { return };
            self.settle(log, reader, sequence);
        }
    }

    /// Settles the oldest records, so that segments are released; or all but a few of them, so that there is something to compact.
    fn settle_oldest(&mut self, log: &Log) {
        let (count, keeps) = (self.rng.usize(1..30), self.rng.u8(0..3) > 0);
        for reader in 0..READERS.len() {
            for sequence in self.left(reader).into_keys().take(count) {
                if !keeps || sequence % 17 > 0 {
                    self.settle(log, reader, sequence);
                }
            }
        }
    }

    fn settle(&mut self, log: &Log, reader: usize, sequence: u64) {
        let known = self.records.get_mut(&sequence).unwrap();
        known.settled[reader] = Settled::Yes;
        settle(log, reader, sequence, known.id);
    }

    fn turn_settled(&mut self, from: Settled, into: Settled) {
        let all = self.records.values_mut().flat_map(|known| &mut known.settled);
        all.filter(|settled| **settled == from).for_each(|settled| *settled = into);
    }

    fn read(&mut self, log: &Log) {
        let reader = self.rng.usize(0..READERS.len());
        let from = self.readers[reader].next();
        let end = if self.rng.bool() { log.next() } else { self.rng.u64(from.min(log.next())..=log.next()) };
        let max_bytes = self.rng.usize(1..6000);
        let place = &mut self.readers[reader];
        let found = match place.read(end, max_bytes) {
            Ok(found) => found,
            Err(error) => {
                assert!(!self.is_exact, "{error}");
                return;
            }
        };
        let next = place.next();
        let found: Vec<_> =
            found.iter().map(|stored| (stored.header.sequence, id_of(&stored.body))).collect();
        if self.is_exact {
            let left: Vec<_> =
                self.left(reader).into_iter().filter(|(at, _)| (from..end).contains(at)).collect();
            assert_eq!(found.is_empty(), left.is_empty());
            assert_eq!(found, left[..found.len()]);
            assert!(found.is_empty() || left.iter().take_while(|(at, _)| *at < next).count() == found.len());
            let damaged = count(&log.counters.damaged_records) + count(&log.counters.unread_records);
            assert_eq!(damaged, 0);
        }
    }

    fn dropped(&mut self, log: &Log, gone: Option<Gone>) {
        let Some(gone) = gone else { return };
        for (reader, left) in gone.left.iter().enumerate() {
            if self.is_exact {
                assert_eq!(sums(left), self.sums(reader, &gone.records));
            }
        }
        assert!(log.first() >= gone.records.end);
        self.done[1] += 1;
        self.records.range_mut(gone.records).for_each(|(_, known)| known.is_dropped = true);
    }

    fn check_gone(&self, gone: &[Gone]) {
        for gone in gone {
            for (_, known) in self.records.range(gone.records.clone()) {
                assert!(known.settled.iter().all(|settled| *settled != Settled::No), "{known:?}");
            }
            if self.is_exact {
                assert!(
                    gone.left
                        .iter()
                        .flatten()
                        .all(|left| (left.records, left.items, left.bytes) == (0, 0, 0))
                );
            }
        }
    }

    fn check_recovery(&self, log: &Arc<Log>, recovery: &Recovery) {
        assert!(!recovery.is_cursor_damaged);
        for (reader, left) in recovery.left.iter().enumerate() {
            assert_eq!(sums(left), self.sums(reader, &(0..u64::MAX)));
        }
        for reader in 0..READERS.len() {
            assert_eq!(read_all(log, reader), self.left(reader));
        }
        let counters = &log.counters;
        assert_eq!(
            [count(&counters.torn_bytes), count(&counters.damaged_bytes), count(&counters.damaged_records)],
            [0; 3]
        );
    }

    /// The numbers and ids of the records that a reader has left.
    pub(super) fn left(&self, reader: usize) -> BTreeMap<u64, u64> {
        let is_left = |known: &Known| !known.is_dropped && known.settled[reader] == Settled::No;
        self.records.iter().filter(|(_, known)| is_left(known)).map(|(at, known)| (*at, known.id)).collect()
    }

    fn sums(&self, reader: usize, records: &Range<u64>) -> BTreeMap<String, [u64; 3]> {
        let mut sums = BTreeMap::<String, [u64; 3]>::new();
        for (_, id) in self.left(reader).into_iter().filter(|(at, _)| records.contains(at)) {
            let sum = sums.entry(pipeline(id).to_string()).or_default();
            let more = [1, items(id), record_len(id)];
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
        sums
    }

    /// Checks what is found after a crash, or after faults. Returns it by reader.
    pub(super) fn check_found(&self, log: &Arc<Log>, context: &str) -> Vec<BTreeMap<u64, u64>> {
        let ids: BTreeMap<_, _> = self.records.iter().map(|(at, known)| (known.id, *at)).collect();
        let check = |reader| {
            let found = read_all(log, reader);
            for (at, id) in self.left(reader) {
                assert_eq!(
                    found.get(&at),
                    Some(&id),
                    "record {at} is lost for {}: {context}",
                    READERS[reader]
                );
            }
            for (at, id) in &found {
                match ids.get(id) {
                    Some(known) => {
                        assert_eq!(known, at, "record {id} has another number: {context}");
                        let settled = self.records[at].settled[reader];
                        assert_ne!(settled, Settled::Durable, "record {at} is settled: {context}");
                    }
                    None => assert!(self.refused.contains(id), "record {id} was never appended: {context}"),
                }
            }
            found
        };
        (0..READERS.len()).map(check).collect()
    }

    /// What the log is after a crash now.
    pub(super) fn crash(&self, how: Crash) -> FaultyDisk {
        self.disk.crash(how)
    }

    /// The id of a record that was not appended yet.
    pub(super) fn new_id(&self) -> u64 {
        self.last_id + 1
    }
}

fn sums(left: &[Left]) -> BTreeMap<String, [u64; 3]> {
    let left = left.iter().filter(|left| left.records > 0);
    left.map(|left| (left.pipeline.to_string(), [left.records, left.items, left.bytes])).collect()
}
