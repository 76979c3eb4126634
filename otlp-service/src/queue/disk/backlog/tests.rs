//! The backlog beside a model of what waits and what is delivered.

use super::live::LIVE_TIME;
use super::*;
use crate::ledger::{Hop, Ledger};
use crate::queue::disk::pace::{Order, Pace};
use crate::queue::disk::settings::{BacklogConfig, BacklogOrder, Share};
use otlp_protocol::{Batch, Body, Charge, encode};
use otlp_transport::{Clock, TokioClock};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::time::Duration;

/// A backlog, the files of which are numbers, in segments of [`SEGMENT`].
struct World {
    backlog: Backlog,
    pace: Pace,
    ledger: Ledger,
    now: Instant,
    next: u64,
    /// Neither delivered nor dropped nor being delivered.
    waiting: BTreeSet<u64>,
    in_flight: Vec<u64>,
    settled: BTreeSet<u64>,
    dropped: BTreeSet<u64>,
}

#[derive(Clone, Debug)]
enum Step {
    Append,
    Pass(u64),
    Take,
    Read,
    Settle(usize),
    PutBack(usize),
    DropSegment,
}

impl World {
    fn new(config: &BacklogConfig) -> Self {
        Self {
            backlog: Backlog::default(),
            pace: Pace::new(config, 4),
            ledger: Ledger::new(),
            now: TokioClock.now(),
            next: 0,
            waiting: BTreeSet::new(),
            in_flight: Vec::new(),
            settled: BTreeSet::new(),
            dropped: BTreeSet::new(),
        }
    }

    fn hop(&self) -> Hop {
        Hop::of([self.ledger.account("logs", "out")])
    }

    fn append(&mut self) -> u64 {
        let (sequence, batch) = (self.next, batch());
        let mut entry = QueueEntry::new(batch, self.hop().unaccepted(1), None);
        entry.admit();
        let ready = Ready { sequence, pipeline: "logs".into(), entry, record_len: 100, since: self.now };
        self.backlog.append_live(ready, MEMORY);
        self.waiting.insert(sequence);
        self.next += 1;
        sequence
    }

    /// Takes a batch, and tells whether the batch has waited.
    fn take(&mut self) -> Option<(u64, bool)> {
        let due = self.backlog.due(self.now, &self.pace);
        let Ok(Some(ready)) = self.backlog.take_live_first(self.now, &mut self.pace) else {
            assert!(due.is_none_or(|due| due > self.now) || self.backlog.ready.is_empty());
            return None;
        };
        let sequence = ready.sequence;
        assert!(self.waiting.remove(&sequence), "{sequence} does not wait");
        self.in_flight.push(sequence);
        // The receipt keeps the items.
        ready.entry.held.withdraw();
        let is_paced = self.backlog.in_flight.get(&sequence).unwrap().is_paced;
        Some((sequence, is_paced))
    }

    fn read(&mut self, order: Order) -> Vec<u64> {
        let segment_of = |record: u64| Some(record / SEGMENT * SEGMENT..(record / SEGMENT + 1) * SEGMENT);
        let Some(wanted) = self.backlog.wanted_by(order, MEMORY, segment_of) else { return Vec::new() };
        let records: Vec<u64> = wanted.iter().flatten().collect();
        for &sequence in &records {
            let (held, answer) = self.backlog.fetch(sequence, "logs", 1).unwrap();
            let entry = QueueEntry::new(batch(), held, answer);
            let ready = Ready { sequence, pipeline: "logs".into(), entry, record_len: 100, since: self.now };
            self.backlog.push_read(ready);
        }
        records
    }

    fn settle(&mut self, sequence: u64) {
        if self.backlog.settle(sequence) {
            self.pace.end();
        }
        self.settled.insert(sequence);
    }

    fn put_back(&mut self, sequence: u64) {
        let hop = self.hop();
        if self.backlog.put_back(sequence, |_| hop) {
            self.pace.end();
        }
        self.waiting.insert(sequence);
    }

    fn drop_oldest_segment(&mut self) {
        let Some(first) = self.waiting.first().copied() else { return };
        let segment = first / SEGMENT * SEGMENT..(first / SEGMENT + 1) * SEGMENT;
        let left: Vec<_> = (segment.clone())
            .filter(|record| *record < self.next && !self.settled.contains(record))
            .collect();
        let records = left.len() as u64;
        let left = [Left { pipeline: "logs".into(), records, items: records, bytes: 100 * records }];
        let gone: Vec<_> = self.waiting.range(segment.clone()).copied().collect();
        let dropped = self.backlog.drop_all(&segment, &left, DropReason::QueueFull);
        assert_eq!(dropped, gone.len() as u64);
        for record in gone {
            self.waiting.remove(&record);
            self.dropped.insert(record);
        }
        self.next = self.next.max(segment.end);
    }

    fn step(&mut self, step: &Step, order: Order) {
        match *step {
            Step::Append => _ = self.append(),
            Step::Pass(seconds) => self.now += Duration::from_secs(seconds),
            Step::Take => _ = self.take(),
            Step::Read => drop(self.read(order)),
            Step::Settle(which) if !self.in_flight.is_empty() => {
                let sequence = self.in_flight.remove(which % self.in_flight.len());
                self.settle(sequence);
            }
            Step::PutBack(which) if !self.in_flight.is_empty() => {
                let sequence = self.in_flight.remove(which % self.in_flight.len());
                self.put_back(sequence);
            }
            // A segment that is being delivered is not dropped here: its records would be put back without files.
            Step::DropSegment if self.in_flight.is_empty() => self.drop_oldest_segment(),
            Step::Settle(_) | Step::PutBack(_) | Step::DropSegment => {}
        }
        assert_eq!(self.backlog.waiting().records, self.waiting.len() as u64, "after {step:?}");
        assert!(self.backlog.ready_bytes <= MEMORY);
    }
}

fn batch() -> Batch {
    let body = Body::write::<encode::LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.log_record(|record| {
                    record.event_name("x");
                });
            });
        });
    });
    Batch::new(body, Charge::none())
}

fn config(order: BacklogOrder) -> BacklogConfig {
    BacklogConfig { order, max_share: Share::new(1.0), ..BacklogConfig::default() }
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Append),
        1 => (0u64..15).prop_map(Step::Pass),
        3 => Just(Step::Take),
        2 => Just(Step::Read),
        2 => any::<usize>().prop_map(Step::Settle),
        1 => any::<usize>().prop_map(Step::PutBack),
        1 => Just(Step::DropSegment),
    ]
}

proptest! {
    /// Each record is delivered or dropped, whatever happens between, and the sums of what waits are right all the time.
    #[test]
    fn no_record_is_forgotten(
        steps in prop::collection::vec(steps(), 0..120),
        newest_first in any::<bool>(),
        rate in prop::option::of(1u64..1000),
    ) {
        let order = if newest_first { Order::NewestFirst } else { Order::OldestFirst };
        let max_bytes_per_second = rate.and_then(NonZeroU64::new);
        let mut world = World::new(&BacklogConfig { max_bytes_per_second, max_share: Share::new(0.5), order });
        for step in &steps {
            world.step(step, order);
        }
        for sequence in std::mem::take(&mut world.in_flight) {
            world.settle(sequence);
        }
        for _ in 0..2 * world.next + 1 {
            world.read(order);
            world.now += Duration::from_secs(60);
            if let Some((sequence, _)) = world.take() {
                world.settle(sequence);
            }
        }
        prop_assert!(world.backlog.is_idle() && world.waiting.is_empty(), "{:?}", world.waiting);
        prop_assert_eq!(world.backlog.waiting(), Amount::default());
        prop_assert!(world.backlog.held.iter().all(|(_, held)| held.items() == 0));
    }
}

#[test]
fn what_comes_in_goes_before_what_has_waited() {
    let mut world = World::new(&config(BacklogOrder::OldestFirst));
    let old: Vec<_> = (0..3).map(|_| world.append()).collect();
    world.now += LIVE_TIME + Duration::from_secs(1);
    let new = [world.append(), world.append()];
    world.read(Order::OldestFirst);
    let taken: Vec<_> = std::iter::from_fn(|| world.take()).collect();
    let expected = new.map(|new| (new, false)).into_iter().chain(old.into_iter().map(|old| (old, true)));
    assert_eq!(taken, expected.collect::<Vec<_>>());
}

#[test]
fn the_newest_segment_is_read_first_and_in_its_order() {
    let mut world = World::new(&config(BacklogOrder::NewestFirst));
    for _ in 0..2 * SEGMENT + 2 {
        world.append();
    }
    world.now += LIVE_TIME + Duration::from_secs(1);
    assert_eq!(world.take(), None);
    let mut read = Vec::new();
    while let records = world.read(Order::NewestFirst)
        && !records.is_empty()
    {
        read.extend(records);
        while world.take().is_some() {}
    }
    let expected = (2 * SEGMENT..2 * SEGMENT + 2).chain(SEGMENT..2 * SEGMENT).chain(0..SEGMENT);
    assert_eq!(read, expected.collect::<Vec<_>>());
}

#[test]
fn the_memory_has_the_newest() {
    let mut world = World::new(&config(BacklogOrder::OldestFirst));
    let all: Vec<_> = (0..20).map(|_| world.append()).collect();
    let in_memory = usize::try_from(MEMORY / batch().len() as u64).unwrap();
    let taken: Vec<_> = std::iter::from_fn(|| world.take()).map(|(sequence, _)| sequence).collect();
    assert_eq!(taken, all[20 - in_memory..]);
}

const SEGMENT: u64 = 5;
/// Of a few batches.
const MEMORY: u64 = 80;
