//! Bytes of files after crashes.

use super::*;

fn found(disk: &FaultyDisk, how: Crash) -> BTreeSet<Vec<u8>> {
    outcomes(disk, how, |disk| disk.contents("/a").unwrap())
}

fn only(bytes: &[u8]) -> BTreeSet<Vec<u8>> {
    BTreeSet::from([bytes.to_vec()])
}

#[test]
fn files_are_appended_to_read_and_cut() {
    let disk = FaultyDisk::new(1);
    let file = open(&disk, "/a");
    file.append(&[IoSlice::new(b"one "), IoSlice::new(b"two")]).unwrap();
    let mut buffer = [0; 8];
    assert_eq!(file.read_at(4, &mut buffer).unwrap(), 3);
    assert_eq!(&buffer[..3], b"two");
    assert_eq!(file.read_at(100, &mut buffer).unwrap(), 0);
    file.truncate(2).unwrap();
    append(&*open(&disk, "/a"), b"!").unwrap();
    assert_eq!((file.len().unwrap(), disk.read(Path::new("/a"), 3).unwrap()), (3, b"on!".to_vec()));
    let error = disk.read(Path::new("/a"), 2).unwrap_err();
    assert_eq!(error.to_string(), "the file has more than 2 bytes");
    assert_eq!(disk.read(Path::new("/b"), 2).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn unsynced_bytes_are_lost_or_kept() {
    let disk = FaultyDisk::new(1);
    let file = synced_file(&disk, "/a", b"synced");
    append(&*file, b" not").unwrap();
    assert_eq!(found(&disk, Crash::LoseUnsynced), only(b"synced"));
    assert_eq!(found(&disk, Crash::KeepUnsynced), only(b"synced not"));
    assert_eq!(
        found(&disk, Crash::Any),
        BTreeSet::from([b"synced".to_vec(), b"synced not".to_vec(), b"synced\0\0\0\0".to_vec()])
    );
}

#[test]
fn synced_bytes_survive_every_crash() {
    let disk = FaultyDisk::new(1);
    let file = synced_file(&disk, "/a", b"");
    append(&*file, b"longer").unwrap();
    file.truncate(4).unwrap();
    append(&*file, b"er").unwrap();
    file.sync().unwrap();
    assert_eq!(found(&disk, Crash::Any), only(b"longer"));
}

#[test]
fn unsynced_cuts_are_lost_or_kept() {
    let disk = FaultyDisk::new(1);
    synced_file(&disk, "/a", b"synced").truncate(2).unwrap();
    let both = BTreeSet::from([b"sy".to_vec(), b"synced".to_vec()]);
    assert_eq!(found(&disk, Crash::Torn), both);
    assert_eq!(found(&disk, Crash::LoseUnsynced), only(b"synced"));
    assert!(found(&disk, Crash::Reordered).is_superset(&both));
}

#[test]
fn a_reordered_cut_leaves_some_of_the_sectors_behind_it() {
    let disk = FaultyDisk::new(1);
    synced_file(&disk, "/a", &[1; 1024]).truncate(0).unwrap();
    let sectors = |bytes: &Vec<u8>| bytes.iter().step_by(512).copied().collect::<Vec<_>>();
    let found: BTreeSet<_> = found(&disk, Crash::Reordered).iter().map(sectors).collect();
    assert_eq!(found, BTreeSet::from([vec![], vec![0, 0], vec![0, 1], vec![1, 0], vec![1, 1]]));
}

#[test]
fn appends_of_nothing_change_nothing() {
    let disk = FaultyDisk::new(1);
    append(&*synced_file(&disk, "/a", &[1; 512]), b"").unwrap();
    for how in [Crash::Torn, Crash::Reordered] {
        assert_eq!(found(&disk, how), only(&[1; 512]));
    }
}

#[test]
fn torn_appends_end_at_sectors() {
    let disk = FaultyDisk::new(1);
    let file = synced_file(&disk, "/a", &[1; 100]);
    append(&*file, &[2; 1000]).unwrap();
    append(&*file, &[3; 500]).unwrap();
    let whole = [vec![1; 100], vec![2; 1000], vec![3; 500]].concat();
    let parts = [100, 512, 1024, 1100, 1536, 1600].map(|len| whole[..len].to_vec());
    assert_eq!(found(&disk, Crash::Torn), BTreeSet::from(parts));
}

#[test]
fn reordered_appends_leave_holes_of_sectors() {
    let disk = FaultyDisk::new(1);
    let file = synced_file(&disk, "/a", &[1; 100]);
    append(&*file, &[2; 1436]).unwrap();
    let found = found(&disk, Crash::Reordered);
    assert_eq!(found.iter().map(Vec::len).collect::<BTreeSet<_>>(), BTreeSet::from([100, 1536]));
    let mut holes = BTreeSet::new();
    for bytes in found.iter().filter(|bytes| bytes.len() > 100) {
        assert_eq!(bytes[..100], [1; 100]);
        let parts = [&bytes[100..512], &bytes[512..1024], &bytes[1024..]];
        assert!(parts.iter().all(|part| part.iter().all(|byte| *byte == part[0] && [0, 2].contains(byte))));
        holes.insert(parts.map(|part| part[0]));
    }
    assert_eq!(holes.len(), 8, "each sector is there or not: {holes:?}");
}

#[test]
fn a_sector_is_as_it_was_after_one_change() {
    let disk = FaultyDisk::new(1);
    let file = synced_file(&disk, "/a", b"");
    for bytes in [b"11", b"22", b"33"] {
        append(&*file, bytes).unwrap();
    }
    let expected =
        ["", "\0\0", "11", "\0\0\0\0", "11\0\0", "1122", "\0\0\0\0\0\0", "11\0\0\0\0", "1122\0\0", "112233"];
    let expected = expected.map(|text| text.as_bytes().to_vec());
    assert_eq!(found(&disk, Crash::Reordered), BTreeSet::from(expected));
}

#[test]
fn reordered_cuts_and_appends_mix_within_sectors() {
    let disk = FaultyDisk::new(1);
    let file = synced_file(&disk, "/a", b"abcdef");
    file.truncate(2).unwrap();
    append(&*file, b"XY").unwrap();
    // The length and the sector are each as after one of: nothing, the cut, the append.
    let expected = ["ab", "abcd", "abcdef", "ab\0\0", "ab\0\0\0\0", "abXY", "abXY\0\0"];
    let expected = expected.map(|text| text.as_bytes().to_vec());
    assert_eq!(found(&disk, Crash::Reordered), BTreeSet::from(expected));
}

#[test]
fn the_end_of_the_process_keeps_what_is_written_but_not_more_durable() {
    let disk = FaultyDisk::new(1);
    let file = synced_file(&disk, "/a", b"synced");
    append(&*file, b" not").unwrap();
    open(&disk, "/b");
    let killed = disk.kill();
    assert_eq!(killed.contents("/a").unwrap(), b"synced not");
    assert_eq!(names(killed.kill()), "a b");
    let cut = killed.crash(Crash::LoseUnsynced);
    assert_eq!((cut.contents("/a").unwrap(), names(cut)), (b"synced".to_vec(), "a".to_owned()));
}

#[test]
fn all_that_was_opened_before_a_crash_is_dead() {
    for end in [FaultyDisk::restart, FaultyDisk::kill] {
        let disk = FaultyDisk::new(1);
        let file = synced_file(&disk, "/a", b"a");
        let lock = disk.lock(Path::new("/lock")).unwrap();
        let next = end(&disk);
        assert!(disk.is_stopped() && !next.is_stopped());
        let path = Path::new("/a");
        let failures = [
            append(&*file, b"b").err(),
            file.sync().err(),
            file.read_at(0, &mut [0]).err(),
            file.truncate(0).err(),
            file.len().err(),
            disk.open(path).err(),
            disk.read(path, 1).err(),
            disk.write_new(Path::new("/b"), b"").err(),
            disk.remove(path).err(),
            disk.rename(path, Path::new("/b")).err(),
            disk.list(Path::new("/")).err(),
            disk.create_directory(Path::new("/")).err(),
            disk.sync_directory(Path::new("/")).err(),
            disk.lock(path).err(),
            disk.free_bytes(path).err(),
        ];
        for error in failures {
            assert!(error.unwrap().to_string().starts_with("the disk has stopped: "));
        }
        assert_eq!(next.contents(path).unwrap(), b"a");
        // Locks end with the process, and the end of the old lock does not free the new.
        let again = next.lock(Path::new("/lock")).unwrap();
        drop(lock);
        assert_eq!(next.lock(Path::new("/lock")).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(again);
        next.lock(Path::new("/lock")).unwrap();
    }
}
