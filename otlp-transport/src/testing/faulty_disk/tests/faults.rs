//! Faults other than crashes.

use super::*;

fn message<T: fmt::Debug>(result: io::Result<T>) -> String {
    result.unwrap_err().to_string()
}

const FAULT: &str = "simulated input/output error";

#[test]
fn a_failed_append_has_written_a_part() {
    let mut lengths = BTreeSet::new();
    for seed in 0..200 {
        let disk = FaultyDisk::new(seed);
        let file = synced_file(&disk, "/a", b"1");
        disk.fail_next(DiskOperation::Append, "/a");
        assert_eq!(message(append(&*file, b"234")), FAULT);
        lengths.insert(file.len().unwrap());
        file.truncate(1).unwrap();
        append(&*file, b"234").unwrap();
        assert_eq!(disk.contents("/a").unwrap(), b"1234");
    }
    assert_eq!(lengths, BTreeSet::from([1, 2, 3]));
}

#[test]
fn bytes_of_a_failed_sync_never_reach_the_device() {
    let disk = FaultyDisk::new(1);
    let file = synced_file(&disk, "/a", b"before ");
    append(&*file, b"lost ").unwrap();
    disk.fail_next(DiskOperation::Sync, "");
    assert_eq!(message(file.sync()), FAULT);
    append(&*file, b"after").unwrap();
    file.sync().unwrap();
    // The bytes are in the cache, also for the next process.
    assert_eq!(disk.contents("/a").unwrap(), b"before lost after");
    let killed = disk.kill();
    assert_eq!(killed.contents("/a").unwrap(), b"before lost after");
    let found = outcomes(&killed, Crash::Any, |disk| disk.contents("/a").unwrap());
    assert_eq!(found, [b"before \0\0\0\0\0after".to_vec()].into());
}

#[test]
fn a_failed_sync_loses_the_bytes_of_its_file_alone_and_no_cut() {
    let disk = FaultyDisk::new(1);
    let (a, b) = (synced_file(&disk, "/a", b"12345"), synced_file(&disk, "/b", b""));
    a.truncate(2).unwrap();
    append(&*b, b"b").unwrap();
    disk.fail_next(DiskOperation::Sync, "/a");
    b.sync().unwrap();
    a.sync().unwrap_err();
    a.sync().unwrap();
    let found = disk.crash(Crash::LoseUnsynced);
    assert_eq!((found.contents("/a"), found.contents("/b")), (Some(b"12".to_vec()), Some(b"b".to_vec())));
}

#[test]
fn other_operations_that_fail_change_nothing() {
    let disk = FaultyDisk::new(1);
    let (path, to) = (Path::new("/a"), Path::new("/b"));
    let file = synced_file(&disk, "/a", b"123");
    open(&disk, "/c");
    let all = [
        DiskOperation::Make,
        DiskOperation::Truncate,
        DiskOperation::Rename,
        DiskOperation::Remove,
        DiskOperation::CreateDirectory,
        DiskOperation::SyncDirectory,
        DiskOperation::Open,
        DiskOperation::Read,
        DiskOperation::Read,
        DiskOperation::List,
        DiskOperation::Lock,
    ];
    for operation in all {
        disk.fail_next(operation, "");
    }
    assert_eq!(message(disk.open(to)), FAULT);
    assert_eq!(message(file.truncate(1)), FAULT);
    assert_eq!(message(disk.rename(path, to)), FAULT);
    assert_eq!(message(disk.remove(path)), FAULT);
    assert_eq!(message(disk.create_directory(Path::new("/d"))), FAULT);
    assert_eq!(message(disk.sync_directory(Path::new("/"))), FAULT);
    assert_eq!(message(disk.open(path)), FAULT);
    assert_eq!(message(disk.read(path, 100)), FAULT);
    assert_eq!(message(file.read_at(0, &mut [0])), FAULT);
    assert_eq!(message(disk.list(Path::new("/"))), FAULT);
    assert_eq!(message(disk.lock(path)), FAULT);
    disk.lock(path).expect("the file was not locked");
    assert_eq!((disk.contents(path).unwrap(), names(disk.kill())), (b"123".to_vec(), "a c".to_owned()));
    let next = disk.kill();
    assert_eq!(names(next.crash(Crash::LoseUnsynced)), "a", "the name of /c was not synced");
}

#[test]
fn faults_are_of_one_path_or_one_change_or_by_chance() {
    let disk = FaultyDisk::new(1);
    let (a, b) = (synced_file(&disk, "/a", b""), synced_file(&disk, "/b", b""));
    disk.fail_next(DiskOperation::Append, "/b");
    append(&*a, b"1").unwrap();
    append(&*b, b"1").unwrap_err();
    append(&*b, b"1").unwrap();
    disk.fail_at(disk.changes() + 2);
    a.read_at(0, &mut [0]).unwrap();
    append(&*a, b"1").unwrap();
    a.sync().unwrap_err();
    a.sync().unwrap();

    disk.fail_at_random(DiskOperation::Read, 0.25);
    let failures = |disk: &FaultyDisk| (0..1000).filter(|_| disk.read(Path::new("/a"), 9).is_err()).count();
    assert!((200..300).contains(&failures(&disk)), "{}", failures(&disk));
    disk.fail_at(disk.changes() + 1);
    let next = disk.kill();
    assert!(failures(&next) > 0, "probabilities stay");
    open(&next, "/c");
    next.fail_at(next.changes() + 1);
    next.crash_at(next.changes() + 2);
    next.clear_faults();
    assert_eq!(failures(&next), 0);
    append(&*open(&next, "/c"), b"1").unwrap();
    open(&next, "/d");
}

#[test]
fn all_files_share_the_capacity() {
    let disk = FaultyDisk::new(1);
    let root = Path::new("/");
    assert_eq!(disk.free_bytes(root).unwrap(), u64::MAX);
    let (a, b) = (open(&disk, "/a"), open(&disk, "/b"));
    append(&*a, &[1; 60]).unwrap();
    disk.set_capacity(100);
    assert_eq!(disk.free_bytes(root).unwrap(), 40);
    assert_eq!(append(&*b, &[2; 50]).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!((b.len().unwrap(), disk.free_bytes(root).unwrap()), (40, 0));
    assert_eq!(disk.write_new(Path::new("/c"), b"c").unwrap_err().kind(), io::ErrorKind::StorageFull);
    b.truncate(10).unwrap();
    append(&*b, &[2; 30]).unwrap();
    disk.set_capacity(50);
    assert_eq!((disk.free_bytes(root).unwrap(), b.len().unwrap()), (0, 40));
    // A removed file takes space while it is open.
    disk.remove(Path::new("/a")).unwrap();
    assert_eq!(disk.free_bytes(root).unwrap(), 0);
    drop(a);
    assert_eq!(disk.free_bytes(root).unwrap(), 10);
    assert_eq!(disk.kill().free_bytes(root).unwrap(), 10, "the capacity stays");
}

#[test]
fn a_replaced_file_frees_its_space() {
    let disk = FaultyDisk::new(1);
    disk.set_capacity(100);
    for _ in 0..5 {
        crate::disk::replace_file(&disk, Path::new("/a"), &[1; 50]).unwrap();
    }
    assert_eq!(disk.free_bytes(Path::new("/")).unwrap(), 50);
    assert_eq!(disk.0.lock().files.len(), 1, "no crash brings back the files before");
}

#[test]
fn corrupt_flips_one_bit_of_what_is_stored() {
    let disk = FaultyDisk::new(1);
    let file = synced_file(&disk, "/a", &[0; 4]);
    append(&*file, &[0; 4]).unwrap();
    disk.corrupt("/a", 1).unwrap();
    disk.corrupt("/a", 6).unwrap();
    let now = disk.contents("/a").unwrap();
    let ones: Vec<_> = now.iter().map(|byte| byte.count_ones()).collect();
    assert_eq!(ones, [0, 1, 0, 0, 0, 0, 1, 0]);
    assert_eq!(disk.crash(Crash::KeepUnsynced).contents("/a").unwrap(), now);
    assert_eq!(disk.crash(Crash::LoseUnsynced).contents("/a").unwrap(), now[..4]);
    assert_eq!(message(disk.corrupt("/a", 8)), "/a has 8 bytes, none at offset 8");
    assert_eq!(disk.corrupt("/b", 0).unwrap_err().kind(), io::ErrorKind::NotFound);
    let bits: BTreeSet<_> = (0..100)
        .map(|seed| {
            let disk = FaultyDisk::new(seed);
            synced_file(&disk, "/a", &[0]);
            disk.corrupt("/a", 0).unwrap();
            disk.contents("/a").unwrap()
        })
        .collect();
    assert_eq!(bits.len(), 8);
}

#[test]
fn bytes_that_cannot_be_read_stay_so_and_hide_no_others() {
    let disk = FaultyDisk::new(1);
    synced_file(&disk, "/a", &[7; 20]);
    disk.fail_reads("/a", 8..10);
    let found = disk.crash(Crash::KeepUnsynced);
    let file = open(&found, "/a");
    let read = |offset, len| file.read_at(offset, &mut vec![0; len]).ok();
    assert_eq!([read(0, 8), read(0, 9), read(9, 1), read(10, 20)], [Some(8), None, None, Some(10)]);
    assert!(found.read(Path::new("/a"), 20).is_err());
    found.clear_faults();
    assert_eq!(found.read(Path::new("/a"), 20).unwrap(), [7; 20]);
}
