//! Power cuts at each change of the disk.

use super::world::{Faults, World};
use super::*;
use otlp_transport::testing::Crash;

const KINDS: [Crash; 5] =
    [Crash::LoseUnsynced, Crash::KeepUnsynced, Crash::Torn, Crash::Reordered, Crash::Any];
const STEPS: usize = 45;
const SEEDS: u64 = 8;

/// Scenario: power cuts at each change that a random use of a log makes on its disk, with each outcome for what is not synced; some
/// of them again while the log is opened. Guarantee: no record is lost that was appended and not settled, none is found that was
/// settled before a checkpoint, or that was never appended; new records get numbers that hide nothing and are hidden by nothing.
#[test]
fn power_cuts_lose_no_record() {
    let mut points = 0;
    for seed in 0..SEEDS {
        points += crash_points(seed);
    }
    println!("{points} crash points");
    assert!(points >= 10_000, "{points}");
}

fn crash_points(seed: u64) -> u64 {
    let run = |faults| {
        let mut world = World::new(seed, faults);
        world.run(STEPS);
        world
    };
    let changes = run(Faults::default()).changes();
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut points = 0;
    for change in 1..=changes {
        let mut world = run(Faults { crash_at: Some(change), ..Faults::default() });
        assert!(world.disk.is_stopped());
        world.log = None;
        for how in KINDS {
            let context = format!("seed {seed}, change {change}, {how:?}");
            let mut disk = world.crash(how);
            if rng.u8(0..3) == 0 {
                // The power fails again.
                disk.crash_at(rng.u64(1..12));
                drop(open_with(&disk, &READERS));
                disk = disk.crash(how);
                points += 1;
            }
            check(&world, &disk, how, &context);
            points += 1;
        }
    }
    points
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
