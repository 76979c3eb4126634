//! Power cuts at each change of the disk.

use super::world::{Faults, World};
use super::*;
use otlp_transport::testing::Crash;

const KINDS: [Crash; 5] =
    [Crash::LoseUnsynced, Crash::KeepUnsynced, Crash::Torn, Crash::Reordered, Crash::Any];
const STEPS: usize = 45;
const SEEDS: u64 = 13;

/// Scenario: power cuts at each change that a random use of a log makes on its disk, with each outcome for what is not synced; some
/// of them again while the log is opened. Guarantee: no record is lost that was appended and not settled, none is found that was
/// settled before a checkpoint, or that was never appended; new records get numbers that hide nothing and are hidden by nothing.
/// Ten thousand power cuts, some hundred of them at each of the things that are done with a log; those while it is opened come on top.
#[test]
fn power_cuts_lose_no_record() {
    let (points, seeds) = (Mutex::new(BTreeMap::new()), AtomicU64::new(0));
    let count = seed_count();
    let work = || {
        loop {
            let seed = seeds.fetch_add(1, Ordering::Relaxed);
            if seed >= count {
                return;
            }
            let counts = crash_points(seed);
            let mut points = points.lock();
            counts.into_iter().for_each(|(thing, count)| *points.entry(thing).or_default() += count);
        }
    };
    std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    let points = points.into_inner();
    println!("crash points: {points:?}");
    let of = |thing: &str| points.get(thing).copied().unwrap_or_default();
    let things = ["append", "commit", "cursor", "rotate", "release", "drop", "compact", "close"].map(of);
    assert!(things.iter().all(|count| *count >= 300) && of("open") >= 5000, "{points:?}");
    assert!(things.iter().sum::<u64>() >= 10_000, "{points:?}");
}

/// More seeds are for longer runs by hand.
fn seed_count() -> u64 {
    std::env::var("OTLP_CRASH_SEEDS").map_or(SEEDS, |seeds| seeds.parse().expect("a number of seeds"))
}

/// Counts power cuts by what was being done.
fn crash_points(seed: u64) -> BTreeMap<&'static str, u64> {
    let run = |faults| {
        let mut world = World::new(seed, faults);
        world.run(STEPS);
        world
    };
    let changes = run(Faults::default()).changes();
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut points = BTreeMap::new();
    for change in 1..=changes {
        let mut world = run(Faults { crash_at: Some(change), ..Faults::default() });
        assert!(world.disk.is_stopped());
        world.log = None;
        let thing = interrupted(&world);
        for how in KINDS {
            let context = format!("seed {seed}, change {change} ({thing}), {how:?}");
            let mut disk = world.crash(how);
            if rng.u8(0..3) == 0 {
                // The power fails again.
                disk.crash_at(rng.u64(1..12));
                drop(open_with(&disk, &READERS));
                *points.entry("open").or_default() += u64::from(disk.is_stopped());
                disk = disk.crash(how);
            }
            check(&world, &disk, how, &context);
            *points.entry(thing).or_default() += 1;
        }
    }
    points
}

/// What was being done when the disk stopped.
fn interrupted(world: &World) -> &'static str {
    let trace = world.disk.trace();
    match (world.doing, trace.last().and_then(|line| line.split(' ').next())) {
        // A group is written and synced; a new segment is a file and its name.
        ("append", Some("sync")) => "commit",
        ("append", Some("make" | "sync_directory")) => "rotate",
        (thing, _) => thing,
    }
}

fn check(world: &World, disk: &FaultyDisk, how: Crash, context: &str) {
    let (log, recovery) = open_with(disk, &READERS).expect("the log opens");
    let found = world.check_found(&log, context);
    if !matches!(how, Crash::Reordered | Crash::Any) {
        // Records that were being written are torn, not damaged.
        assert_eq!(count(&log.counters.damaged_records), 0, "{context}");
        assert!(!recovery.is_cursor_damaged, "{context}");
    }
    let numbers =
        found.iter().filter_map(|found| Some(found.last_key_value()?.0 + 1)).max().unwrap_or_default();
    let first = append_ids(&log, &[world.new_id()], 0).unwrap();
    assert!(first >= numbers, "{first} after {numbers}: {context}");
    drop(log);
    let log = open(&disk.crash(Crash::LoseUnsynced));
    for (reader, mut expected) in found.into_iter().enumerate() {
        expected.insert(first, world.new_id());
        assert_eq!(read_all(&log, reader), expected, "{context}");
    }
}
