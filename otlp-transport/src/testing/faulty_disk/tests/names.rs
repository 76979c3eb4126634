//! Names after crashes.

use super::*;

fn found(disk: &FaultyDisk, how: Crash) -> BTreeSet<String> {
    outcomes(disk, how, names)
}

fn rename(disk: &FaultyDisk, from: &str, to: &str) -> io::Result<()> {
    disk.rename(Path::new(from), Path::new(to))
}

#[test]
fn a_synced_file_has_no_durable_name() {
    let disk = FaultyDisk::new(1);
    disk.write_new(Path::new("/a"), b"bytes").unwrap();
    assert_eq!(found(&disk, Crash::LoseUnsynced), set(&[""]));
    assert_eq!(found(&disk, Crash::Any), set(&["", "a"]));
    assert_eq!(
        outcomes(&disk, Crash::KeepUnsynced, |disk| disk.contents("/a").unwrap()),
        [b"bytes".to_vec()].into()
    );
}

#[test]
fn a_durable_name_may_be_of_an_empty_file() {
    let disk = FaultyDisk::new(1);
    append(&*open(&disk, "/a"), b"bytes").unwrap();
    disk.sync_directory(Path::new("/")).unwrap();
    assert_eq!(outcomes(&disk, Crash::LoseUnsynced, |disk| disk.contents("/a").unwrap()), [vec![]].into());
}

#[test]
fn names_are_durable_after_the_directory_is_synced() {
    let disk = FaultyDisk::new(1);
    for path in ["/a", "/b", "/c"] {
        open(&disk, path);
    }
    rename(&disk, "/a", "/d").unwrap();
    disk.remove(Path::new("/b")).unwrap();
    disk.sync_directory(Path::new("/")).unwrap();
    assert_eq!(found(&disk, Crash::Any), set(&["c d"]));
}

#[test]
fn unsynced_removals_are_kept_or_forgotten() {
    let disk = FaultyDisk::new(1);
    synced_file(&disk, "/a", b"");
    synced_file(&disk, "/b", b"");
    disk.remove(Path::new("/a")).unwrap();
    disk.remove(Path::new("/b")).unwrap();
    assert_eq!(found(&disk, Crash::Torn), set(&["a b", "b", ""]));
    assert_eq!(found(&disk, Crash::Reordered), set(&["a b", "a", "b", ""]));
}

#[test]
fn a_renamed_file_has_the_old_name_or_the_new_or_both() {
    let disk = FaultyDisk::new(1);
    synced_file(&disk, "/a", b"bytes");
    rename(&disk, "/a", "/b").unwrap();
    for how in [Crash::Torn, Crash::Reordered] {
        assert_eq!(found(&disk, how), set(&["a", "a b", "b"]));
    }
    let both = (0..)
        .map(|_| disk.crash(Crash::Torn))
        .find(|disk| disk.contents("/a") == disk.contents("/b"))
        .unwrap();
    append(&*open(&both, "/a"), b" of one file").unwrap();
    assert_eq!(both.contents("/b").unwrap(), b"bytes of one file");
    // As with two names of one file on other disks: nothing happens.
    rename(&both, "/a", "/b").unwrap();
    let both = both.kill();
    assert_eq!(both.contents("/a"), both.contents("/b"));
    both.remove(Path::new("/a")).unwrap();
    assert_eq!(both.contents("/b").unwrap(), b"bytes of one file");
}

#[test]
fn files_moved_to_another_directory_are_never_lost() {
    let moved = |synced: &str| {
        let disk = FaultyDisk::new(1);
        disk.create_directory(Path::new("/d")).unwrap();
        synced_file(&disk, "/a", b"bytes");
        // The name in `/d` had another file before, and the file another name after.
        open(&disk, "/d/a");
        rename(&disk, "/a", "/d/a").unwrap();
        disk.sync_directory(Path::new(synced)).unwrap();
        outcomes(&disk, Crash::Any, |disk| {
            let is_at = |path| disk.contents(path).is_some_and(|bytes| bytes == b"bytes");
            (is_at("/a"), is_at("/d/a"))
        })
    };
    assert_eq!(moved("/d"), BTreeSet::from([(false, true), (true, true)]));
    assert_eq!(moved("/"), BTreeSet::from([(false, true)]));
    assert_eq!(moved(""), BTreeSet::from([(true, false), (false, true), (true, true)]));
}

#[test]
fn a_forgotten_directory_takes_its_files_along() {
    let mut disk = FaultyDisk::new(1);
    let file = Path::new("/data/queue/1");
    disk.create_directory(file.parent().unwrap()).unwrap();
    disk.write_new(file, b"bytes").unwrap();
    disk.sync_directory(file.parent().unwrap()).unwrap();
    for (synced, expected) in [("/data", vec![false, true]), ("/", vec![true])] {
        let is_there = |disk: FaultyDisk| disk.contents(file).is_some();
        assert_eq!(outcomes(&disk, Crash::Any, is_there), [false, true].into());
        disk = disk.kill();
        disk.sync_directory(Path::new(synced)).unwrap();
        assert_eq!(outcomes(&disk, Crash::Any, is_there), BTreeSet::from_iter(expected));
        disk = disk.kill();
    }
}

#[test]
fn paths_that_do_not_fit_are_refused() {
    let disk = FaultyDisk::new(1);
    synced_file(&disk, "/a", b"");
    disk.create_directory(Path::new("/d")).unwrap();
    disk.create_directory(Path::new("/d")).unwrap();
    open(&disk, "/d/b");
    let kind = |result: io::Result<()>| result.unwrap_err().kind();
    let open = |path: &str| disk.open(Path::new(path)).map(|_| ());
    assert_eq!(kind(open("/x/b")), io::ErrorKind::NotFound);
    assert_eq!(kind(open("/a/b")), io::ErrorKind::NotADirectory);
    assert_eq!(kind(open("/d")), io::ErrorKind::InvalidInput);
    assert_eq!(kind(disk.write_new(Path::new("/a"), b"")), io::ErrorKind::AlreadyExists);
    assert_eq!(kind(disk.create_directory(Path::new("/a"))), io::ErrorKind::AlreadyExists);
    assert_eq!(kind(disk.remove(Path::new("/x"))), io::ErrorKind::NotFound);
    assert_eq!(kind(rename(&disk, "/x", "/a")), io::ErrorKind::NotFound);
    assert_eq!(kind(rename(&disk, "/d", "/e")), io::ErrorKind::InvalidInput);
    assert_eq!(kind(rename(&disk, "/a", "/d")), io::ErrorKind::IsADirectory);
    assert_eq!(kind(disk.sync_directory(Path::new("/x"))), io::ErrorKind::NotFound);
    assert_eq!(kind(disk.list(Path::new("/x")).map(|_| ())), io::ErrorKind::NotFound);
    assert_eq!(disk.list(Path::new("/")).unwrap(), [("a".to_owned(), 0)]);
}
