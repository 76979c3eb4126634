//! Crashes at each change of a scenario.

use super::*;
use crate::disk::replace_file;
use std::fmt::Write as _;

const STATE: &str = "/state/cursor";

fn replace(disk: &FaultyDisk, bytes: &[u8]) -> io::Result<()> {
    replace_file(disk, Path::new(STATE), bytes)
}

fn with_state(seed: u64) -> FaultyDisk {
    let disk = FaultyDisk::new(seed);
    disk.create_directory(Path::new("/state")).unwrap();
    replace(&disk, b"old").unwrap();
    disk.sync_all();
    disk
}

#[test]
fn replacing_a_file_is_atomic_at_every_crash_point() {
    let before = with_state(1);
    let whole = before.kill();
    replace(&whole, &[7; 2000]).unwrap();
    let changes = whole.changes();
    assert_eq!(changes, 6, "{:#?}", whole.trace());
    let (mut old, mut new) = (0, 0);
    for change in 1..=changes {
        for _ in 0..30 {
            let disk = before.kill();
            disk.crash_at(change);
            replace(&disk, &[7; 2000]).unwrap_err();
            for _ in 0..10 {
                let found = disk.restart();
                match found.contents(STATE).unwrap() {
                    bytes if bytes == b"old" => old += 1,
                    bytes if bytes == [7; 2000] => new += 1,
                    bytes => panic!("{} bytes after change {change}: {:#?}", bytes.len(), found.trace()),
                }
                // Whatever was left beside the file does not disturb the next time.
                replace(&found, b"newer").unwrap();
                assert_eq!(found.restart().contents(STATE).unwrap(), b"newer");
            }
        }
    }
    assert!(old > 300 && new > 100, "{old} old, {new} new");
    assert_eq!(outcomes(&whole, Crash::Any, |disk| disk.contents(STATE).unwrap()), [vec![7; 2000]].into());
}

#[test]
fn replacing_without_a_sync_of_the_file_is_caught() {
    let disk = with_state(1);
    let file = open(&disk, "/state/new");
    append(&*file, b"new").unwrap();
    disk.rename(Path::new("/state/new"), Path::new(STATE)).unwrap();
    disk.sync_directory(Path::new("/state")).unwrap();
    assert!(outcomes(&disk, Crash::Any, |disk| disk.contents(STATE).unwrap()).contains(&b""[..]));
}

#[test]
fn the_change_at_a_crash_point_is_done_in_part_and_nothing_after_it() {
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let disk = FaultyDisk::new(seed);
        let file = synced_file(&disk, "/a", b"");
        disk.crash_at(disk.changes() + 2);
        append(&*file, b"1").unwrap();
        let error = append(&*file, b"234").unwrap_err();
        assert_eq!(error.to_string(), "the disk has stopped: crash point 4");
        assert!(disk.is_stopped());
        disk.remove(Path::new("/a")).unwrap_err();
        assert_eq!(disk.changes(), 4, "a stopped disk counts nothing");
        seen.insert(String::from_utf8(disk.kill().contents("/a").unwrap()).unwrap());
    }
    assert_eq!(seen, set(&["1", "12", "123", "1234"]));
}

#[test]
fn other_changes_at_a_crash_point_are_done_or_not() {
    type Change = fn(&FaultyDisk, &dyn DiskFile) -> io::Result<()>;
    let a = || Path::new("/a");
    let cases: [(Change, [&str; 2]); 6] = [
        (|_, file| file.truncate(1), ["a 1, b", "a 3, b"]),
        (|disk, _| disk.rename(Path::new("/a"), Path::new("/c")), ["a 3, b", "c 3, b"]),
        (|disk, _| disk.remove(Path::new("/a")), ["a 3, b", "b"]),
        (|disk, _| disk.open(Path::new("/c")).map(|_| ()), ["a 3, b", "a 3, c 0, b"]),
        (|_, file| file.sync(), ["a 3, b", "a 3, b a"]),
        (|disk, _| disk.sync_directory(Path::new("/")), ["a 3, b", "a 3, b b"]),
    ];
    for (change, expected) in cases {
        let seen: BTreeSet<String> = (0..50)
            .map(|seed| {
                let disk = FaultyDisk::new(seed);
                let file = synced_file(&disk, "/a", b"");
                append(&*file, b"123").unwrap();
                open(&disk, "/b");
                disk.crash_at(disk.changes() + 1);
                change(&disk, &*file).unwrap_err();
                // What is there now, and of that what is durable.
                let mut text = String::new();
                for name in ["a", "c"] {
                    if let Some(bytes) = disk.contents(format!("/{name}")) {
                        write!(text, "{name} {}, ", bytes.len()).unwrap();
                    }
                }
                let durable = disk.crash(Crash::LoseUnsynced);
                text += "b";
                if durable.contents(a()).is_some_and(|bytes| bytes.len() == 3) {
                    text += " a";
                }
                if durable.contents("/b").is_some() {
                    text += " b";
                }
                text
            })
            .collect();
        assert_eq!(seen, set(&expected));
    }
}

#[test]
fn runs_of_one_seed_are_equal_and_of_others_not() {
    let run = |seed| {
        let mut disk = FaultyDisk::new(seed);
        let mut traces = Vec::new();
        disk.fail_at_random(DiskOperation::Append, 0.2);
        disk.fail_at_random(DiskOperation::Sync, 0.1);
        for round in 0..20 {
            let file = open(&disk, "/a");
            disk.crash_at(10 + round);
            while append(&*file, &[1; 700]).and_then(|()| file.sync()).is_ok() || !disk.is_stopped() {}
            traces.extend(disk.trace());
            disk = disk.restart();
        }
        traces
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn the_trace_names_operations_paths_and_lengths() {
    let disk = FaultyDisk::new(1);
    disk.create_directory(Path::new("/q")).unwrap();
    let file = open(&disk, "/q/1");
    append(&*file, b"12345").unwrap();
    file.sync().unwrap();
    file.read_at(1, &mut [0; 3]).unwrap();
    file.truncate(2).unwrap();
    replace_file(&disk, Path::new("/q/state"), b"ab").unwrap();
    let lock = disk.lock(Path::new("/q/1")).unwrap();
    disk.lock(Path::new("/q/1")).unwrap_err();
    drop((open(&disk, "/q/1"), lock));
    disk.list(Path::new("/q")).unwrap();
    let expected = [
        "create_directory /q",
        "make /q/1",
        "append /q/1 5",
        "sync /q/1 5",
        "read /q/1 3 at 1",
        "truncate /q/1 2",
        "remove /q/state.new: entity not found",
        "make /q/state.new",
        "append /q/state.new 2",
        "sync /q/state.new 2",
        "rename /q/state.new /q/state",
        "sync_directory /q",
        "lock /q/1",
        "lock /q/1: operation would block",
        "open /q/1",
        "list /q",
    ];
    assert_eq!(disk.trace(), expected);
    assert_eq!(disk.changes(), 11);
    let counts = [DiskOperation::Make, DiskOperation::Lock, DiskOperation::Remove, DiskOperation::List];
    assert_eq!(counts.map(|operation| disk.count(operation)), [2, 2, 1, 1]);
    let found = disk.crash(Crash::KeepUnsynced);
    assert_eq!(
        (found.trace(), found.changes()),
        (vec!["found /q/1 2".to_owned(), "found /q/state 2".to_owned()], 0)
    );
}
