//! Random batches with items that are refused for good, against what may become of each item.

use crate::harness::*;
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{Accepted, Batch, Charge, Count, ErrorKind, Retry, Signal};
use otlp_service::{
    Destination, DropReason, ExponentialBackoffRetry, ExporterStats, LedgerLine, MemoryQueue,
};
use otlp_transport::{Attempt, Export, ExportError, ExportResult};
use parking_lot::Mutex;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything random about a batch and the destination.
#[derive(Clone, Debug)]
struct Case {
    /// Items of each resource.
    groups: Vec<u64>,
    /// Items for which a request is refused for good.
    bad: BTreeSet<u64>,
    /// Items for which a request always fails in a way that may be retried.
    down: BTreeSet<u64>,
    /// Requests, by their number, that fail once: before they are taken, or, if `true`, after.
    flaky: BTreeMap<usize, bool>,
    is_queued: bool,
}

/// A destination that looks into requests.
#[derive(Clone)]
struct Picky(Arc<Mutex<State>>);

struct State {
    case: Case,
    requests: usize,
    /// Requests that failed in a way that may be retried.
    failures: usize,
    /// By item: how often it was taken, and how often its sender was told that it was not.
    taken: BTreeMap<u64, (u32, u32)>,
}

// === impl Case ===

impl Case {
    fn items(&self) -> u64 {
        self.groups.iter().sum()
    }

    /// A batch of log records, each with its number between brackets as text.
    fn batch(&self) -> Batch {
        let (mut body, mut numbers) = (Vec::new(), 0..);
        for group in &self.groups {
            let (mut scope, mut resource) = (Vec::new(), Vec::new());
            for number in numbers.by_ref().take(*group as usize) {
                let mut record = Vec::new();
                put_len_delimited(&mut record, 3, format!("[{number}]").as_bytes());
                put_len_delimited(&mut scope, 2, &record);
            }
            put_len_delimited(&mut resource, 2, &scope);
            put_len_delimited(&mut body, 1, &resource);
        }
        let items = self.items();
        Batch::unchecked(Signal::LOGS, body, Count { items, entries: items }, true, Charge::none())
    }

    /// Sends the batch through a pipeline; returns the destination and its line of the ledger.
    async fn run(self) -> (Picky, LedgerLine) {
        let (rig, is_queued, batch) = (Rig::new(), self.is_queued, self.batch());
        let picky = Picky(Arc::new(Mutex::new(State {
            case: self,
            requests: 0,
            failures: 0,
            taken: BTreeMap::new(),
        })));
        let retry = ExponentialBackoffRetry::new(retry_config(), clock(), picky.clone()).with_seed(7);
        let account = rig.ledger.account("logs", "out");
        let destination = if is_queued {
            let stats = ExporterStats::new(&rig.registry, "out", Signal::LOGS);
            Destination::queued(account, MemoryQueue::start(queue(10, 1), stats, retry, clock()))
        } else {
            Destination::direct(account, retry)
        };
        let fanout = rig.fanout(vec![destination]);
        // The answer says what the ledger says.
        let _ = fanout.export(batch).await;
        pass(seconds(200)).await;
        (picky, rig.line("out"))
    }
}

// === impl Picky ===

impl Attempt for Picky {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let body = batch.body().plain().to_contiguous();
        let text = String::from_utf8_lossy(&body);
        let number = |piece: &str| piece.split_once(']').and_then(|(number, _)| number.parse().ok());
        let items: BTreeSet<u64> = text.split('[').filter_map(number).collect();
        assert_eq!(items.len() as u64, batch.items());

        let mut state = self.0.lock();
        state.requests += 1;
        let request = state.requests;
        let flaw = state.case.flaky.get(&request).copied();
        let unavailable = |text| Err(ExportError::new(ErrorKind::Unavailable, Retry::Backoff, text));
        // Refused before it fails, so that parts of one batch fail while others are cut.
        if flaw != Some(false) && !items.is_disjoint(&state.case.bad) {
            return Err(ExportError::new(ErrorKind::InvalidData, Retry::Never, "bad"));
        }
        if flaw == Some(false) || !items.is_disjoint(&state.case.down) {
            state.failures += 1;
            return unavailable("down");
        }
        for item in items {
            let (taken, denied) = state.taken.entry(item).or_default();
            *taken += 1;
            *denied += u32::from(flaw.is_some());
        }
        if flaw.is_some() {
            state.failures += 1;
            return unavailable("the answer is lost");
        }
        Ok(Accepted::FULL)
    }
}

/// Batches of up to `most` items.
fn case(most: u64, bad: usize, down: usize) -> impl Strategy<Value = Case> {
    let groups = prop::collection::vec(1..=most / 4, 1..20).prop_map(move |mut groups| {
        while groups.iter().sum::<u64>() > most {
            groups.pop();
        }
        groups
    });
    let some = |most| prop::collection::vec(any::<prop::sample::Index>(), 0..=most);
    let flaky = prop::collection::btree_map(1..40usize, any::<bool>(), 0..=3);
    (groups, some(bad), some(down), flaky, any::<bool>()).prop_map(|(groups, bad, down, flaky, is_queued)| {
        let items = groups.iter().sum::<u64>() as usize;
        let places =
            |of: Vec<prop::sample::Index>| of.iter().map(|place| place.index(items) as u64).collect();
        Case { bad: places(bad), down: places(down), groups, flaky, is_queued }
    })
}

/// What holds of any batch.
fn check(case: &Case, state: &State, line: &LedgerLine) {
    let items = case.items();
    let at_most = 64 + state.failures;
    assert!(state.requests <= at_most, "{} requests, {} failed", state.requests, state.failures);
    assert_eq!((line.queued, line.in_flight), (0, 0), "{line:?}");
    assert_eq!(line.accepted + line.refused, items, "{line:?}");
    assert_eq!(line.sent + line.rejected + line.dropped_items() + line.refused, items, "{line:?}");
    assert_eq!(line.sent, state.taken.len() as u64, "{line:?}");
    // Twice only where the first answer was lost.
    assert!(state.taken.values().all(|(taken, denied)| *taken == denied + 1), "{:?}", state.taken);
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Few bad items in a small batch are all found: the others arrive.
    #[test]
    fn innocents_arrive(case in case(64, 4, 0)) {
        let (picky, line) = block_on(case.clone().run());
        let state = picky.0.lock();
        check(&case, &state, &line);
        let (items, bad) = (case.items(), case.bad.len() as u64);
        prop_assert_eq!(line.sent, items - bad);
        let fates = (line.rejected, line.refused, line.dropped_for(DropReason::Permanent));
        prop_assert_eq!(fates, match (case.is_queued, items == bad) {
            (true, _) => (0, 0, bad),
            // Of which nothing arrived, the sender learns as if it had never been cut.
            (false, true) => (0, bad, 0),
            (false, false) => (bad, 0, 0),
        });
    }

    /// Whatever is wrong with however many items, each has one fate, and the requests are bounded.
    #[test]
    fn each_item_has_one_fate(case in case(400, 40, 3)) {
        let (picky, line) = block_on(case.clone().run());
        check(&case, &picky.0.lock(), &line);
    }
}
