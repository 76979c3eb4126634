//! Disks with errors.

use super::world::{Faults, World};
use super::*;
use otlp_transport::testing::{Crash, DiskOperation};

/// Ends the process, and checks what the next one finds on a disk without faults; then the same after a power cut.
fn check(mut world: World, context: &str) {
    world.log = None;
    world.disk.clear_faults();
    world.disk.set_capacity(u64::MAX);
    let disk = world.disk.kill();
    let log = open(&disk);
    let found = world.check_found(&log, context);
    drop(log);
    let log = open(&disk.crash(Crash::LoseUnsynced));
    assert_eq!(world.check_found(&log, context), found, "{context}");
    let first = append_ids(&log, &[world.new_id()], 0).unwrap();
    assert_eq!(read_all(&log, 0).get(&first), Some(&world.new_id()), "{context}");
}

/// Scenario: one change of the disk fails, each in its turn, and the log is used on. Guarantee: no record is lost, and none that was
/// refused is found.
#[test]
fn one_failed_change_loses_no_record() {
    for seed in 0..5 {
        let run = |faults| {
            let mut world = World::new(seed, faults);
            world.run(45);
            world
        };
        for change in 1..=run(Faults::default()).changes() {
            let world = run(Faults { fail_at: Some(change), ..Faults::default() });
            let context = format!("seed {seed}, change {change}");
            if let Some(log) = &world.log {
                let found = world.check_found(log, &context);
                let is_refused = |id| world.refused.contains(id);
                assert!(!found.iter().any(|found| found.values().any(is_refused)), "{context}");
            }
            check(world, &context);
        }
    }
}

/// Scenario: operations of all kinds fail again and again. Guarantee: no record is lost, and the log goes on when the disk does.
#[test]
fn repeated_failures_lose_no_record() {
    use DiskOperation::{Append, Make, Open, Read, Remove, Rename, Sync, SyncDirectory, Truncate};
    let kinds = [Append, Make, Open, Read, Remove, Rename, Sync, SyncDirectory, Truncate];
    for seed in 0..90 {
        let mut world = World::inexact(seed);
        world.run(20);
        let mut rng = fastrand::Rng::with_seed(seed);
        let failing = rng.choose_multiple(kinds, 1 + seed as usize % 3);
        failing.iter().for_each(|kind| world.disk.fail_at_random(*kind, 0.3));
        world.run(60);
        let context = format!("seed {seed}, {failing:?}");
        world.disk.clear_faults();
        world.run(20);
        check(world, &context);
    }
}

/// Scenario: the disk is full, again and again, in the middle of appends, cursors and new segments. Guarantee: as before.
#[test]
fn a_full_disk_loses_no_record() {
    for seed in 0..60 {
        let mut world = World::inexact(seed);
        let mut rng = fastrand::Rng::with_seed(seed);
        for _ in 0..8 {
            let used: u64 = files(&world.disk, "").iter().map(|(_, len)| len).sum();
            world.disk.set_capacity(used + rng.u64(0..3 * SEGMENT_BYTES));
            world.run(8);
            world.disk.set_capacity(u64::MAX);
            world.run(4);
        }
        check(world, &format!("seed {seed}"));
    }
}

/// Scenario: a disk without any room at the start, and a backlog. Guarantee: the log opens, and what is settled frees room, though
/// no cursor can be written before.
#[test]
fn a_log_on_a_full_disk_opens_and_gives_room_back() {
    let disk = FaultyDisk::new(1);
    append_each(&open(&disk), 0..60);
    let used = files(&disk, "").iter().map(|(_, len)| len).sum();
    let disk = disk.kill();
    disk.set_capacity(used);
    let log = open(&disk);
    let error = append_ids(&log, &[60], 0).unwrap_err().to_string();
    assert_eq!(error, "the disk is nearly full: 0 bytes are left, 4096 are kept free");
    let found = read_all(&log, 0);
    assert_eq!(found.len(), 60);
    for reader in 0..2 {
        found.iter().take(50).for_each(|(at, id)| settle(&log, reader, *at, *id));
    }
    assert_eq!(count(&log.counters.failed_acks), 100);
    assert!(!log.release().is_empty());
    assert_eq!(append_ids(&log, &[60], 0).unwrap(), 60);
    log.checkpoint(false).unwrap();
    drop(log);
    let log = open(&disk.crash(Crash::LoseUnsynced));
    assert_eq!(read_all(&log, 1).into_keys().collect::<Vec<_>>(), (50..=60).collect::<Vec<_>>());
}

/// Scenario: cursors cannot be written for a long time. Guarantee: the journals do not become more and more; the first checkpoint
/// that succeeds has all numbers.
#[test]
fn checkpoints_that_fail_leave_one_journal() {
    let disk = FaultyDisk::new(1);
    let log = open(&disk);
    append_each(&log, 0..30);
    disk.fail_at_random(DiskOperation::Rename, 1.0);
    for at in 0..20 {
        settle(&log, 0, at, at);
        log.checkpoint(true).unwrap_err();
        log.checkpoint(false).unwrap_err();
    }
    assert!(files(&disk, ".acks").len() <= 3, "{:?}", files(&disk, ".acks"));
    disk.clear_faults();
    log.checkpoint(false).unwrap();
    drop(log);
    assert_eq!(read_all(&open(&disk.crash(Crash::LoseUnsynced)), 0).len(), 10);
}

/// Scenario: a journal cannot be written, and then no cursor; then both can. Guarantee: the log knows that numbers are missing on
/// the disk, and the next checkpoint writes them.
#[test]
fn a_failed_checkpoint_forgets_no_number() {
    let disk = FaultyDisk::new(1);
    let log = open(&disk);
    append_each(&log, 0..3);
    disk.fail_next(DiskOperation::Append, path("exporter-00000001.acks"));
    settle(&log, 0, 0, 0);
    assert_eq!(count(&log.counters.failed_acks), 1);
    disk.fail_next(DiskOperation::Rename, "");
    log.checkpoint(false).unwrap_err();
    log.checkpoint(false).unwrap();
    drop(log);
    assert_eq!(read_all(&open(&disk.crash(Crash::LoseUnsynced)), 0).len(), 2);
}

/// Scenario: a group is written in part, and refused; the disk loses power. Guarantee: the group is not found.
#[test]
fn a_refused_group_is_gone_after_a_power_cut() {
    for how in [Crash::LoseUnsynced, Crash::KeepUnsynced, Crash::Torn, Crash::Reordered] {
        for seed in 0..20 {
            let disk = FaultyDisk::new(seed);
            let log = open(&disk);
            append_each(&log, [1]);
            disk.fail_next(DiskOperation::Append, "");
            append_ids(&log, &[2, 3, 4, 5], 0).unwrap_err();
            drop(log);
            assert_eq!(
                read_all(&open(&disk.crash(how)), 0).into_values().collect::<Vec<_>>(),
                [1],
                "{how:?}"
            );
        }
    }
}

/// Scenario: the files of released segments cannot be removed for a while. Guarantee: they do not stay until the next start.
#[test]
fn files_that_could_not_be_removed_go_later() {
    let disk = FaultyDisk::new(31);
    let log = open(&disk);
    append_each(&log, 0..70);
    for reader in 0..READERS.len() {
        (0..60).for_each(|number| settle(&log, reader, number, number));
    }
    let before = files(&disk, ".log").len();
    disk.fail_at_random(DiskOperation::Remove, 1.0);
    let gone = log.release().len();
    assert!(gone > 1);
    assert_eq!(files(&disk, ".log").len(), before);
    disk.clear_faults();
    assert!(log.release().is_empty());
    assert_eq!(files(&disk, ".log").len(), before - gone);
}
