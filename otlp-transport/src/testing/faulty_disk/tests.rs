use super::*;
use std::collections::BTreeSet;

mod bytes;
mod crash_points;
mod faults;
mod names;

fn append(file: &dyn DiskFile, bytes: &[u8]) -> io::Result<()> {
    file.append(&[IoSlice::new(bytes)])
}

fn open(disk: &FaultyDisk, path: &str) -> Box<dyn DiskFile> {
    disk.open(Path::new(path)).unwrap()
}

/// A file whose name is durable, with some synced bytes.
fn synced_file(disk: &FaultyDisk, path: &str, bytes: &[u8]) -> Box<dyn DiskFile> {
    let file = open(disk, path);
    append(&*file, bytes).unwrap();
    disk.sync_all();
    file
}

/// What a look at the disk gives after each of many crashes.
fn outcomes<T: Ord>(disk: &FaultyDisk, how: Crash, look: impl Fn(FaultyDisk) -> T) -> BTreeSet<T> {
    (0..300).map(|_| look(disk.crash(how))).collect()
}

/// The names of the files in `/`, in order.
fn names(disk: FaultyDisk) -> String {
    let mut files = disk.list(Path::new("/")).unwrap();
    files.sort();
    files.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ")
}

fn set(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|text| (*text).to_owned()).collect()
}
