//! Simulations of a whole gateway with queues on disk: for each seed ten minutes with faults of the disk, the power, the destinations
//! and the senders, and then the checks that nothing is lost and nothing is sent twice without a reason.
//!
//! All time is paused, all chance comes from the seed: `OTLP_SIM_SEED=7` with `--nocapture` repeats the seed 7 and
//! shows what happens, `OTLP_SIM_SEEDS=1000` runs 1000 seeds, from `OTLP_SIM_FIRST` on.

mod backend;
mod faults;
mod items;
mod plan;
mod run;
mod sender;
mod tally;
mod verdict;
mod world;

use parking_lot::Mutex;
use run::simulate;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use tally::Tally;

/// As many seeds as `OTLP_SIM_SEEDS` says.
#[test]
fn nothing_acknowledged_is_lost_in_ten_minutes_of_faults() {
    if let Some(seed) = number("OTLP_SIM_SEED") {
        println!("{:?}", simulate(seed).figures);
        return;
    }
    let seeds = number("OTLP_SIM_SEEDS").unwrap_or(SEEDS);
    let first = number("OTLP_SIM_FIRST").unwrap_or(0);
    let tally = Mutex::new(Tally::default());
    each(first..first + seeds, |seed| {
        let figures = simulate(seed).figures;
        let mut tally = tally.lock();
        *tally = tally.add(figures);
    });
    let tally = tally.into_inner();
    println!("{seeds} seeds: {tally:?}");
    assert!(
        tally.power_cuts > 0
            && tally.kills > 0
            && tally.reloads > 0
            && tally.failed_operations > 0
            && tally.changed_bits > 0
    );
}

#[test]
fn the_same_seed_gives_the_same_events() {
    each(0..number("OTLP_SIM_PAIRS").unwrap_or(PAIRS), |seed| {
        let (one, other) = (simulate(seed).events, simulate(seed).events);
        let differs = one.iter().zip(&other).position(|(one, other)| one != other);
        if let Some(place) = differs {
            let shown = place.saturating_sub(5)..(place + 3).min(one.len()).min(other.len());
            panic!("seed {seed} differs: {:#?}\n{:#?}", &one[shown.clone()], &other[shown]);
        }
        assert_eq!(one.len(), other.len(), "seed {seed}");
    });
}

/// Checks each seed, on as many threads as there are cores; fails if a seed has failed.
fn each(seeds: Range<u64>, check: impl Fn(u64) + Sync) {
    let (next, failed) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let work = || {
        while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| seeds.contains(seed))
        {
            if catch_unwind(AssertUnwindSafe(|| check(seed))).is_err() {
                failed.lock().push(seed);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner();
    assert!(failed.is_empty(), "repeat with OTLP_SIM_SEED=…: {failed:?}");
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

const SEEDS: u64 = 100;
const PAIRS: u64 = 100;
