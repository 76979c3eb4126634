use super::*;
use crate::SystemDisk;
use std::path::PathBuf;

/// A directory of its own, removed when the test ends.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("otlp-disk-{}-{name}", std::process::id()));
        SystemDisk.create_directory(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn append(file: &dyn DiskFile, parts: &[&[u8]]) {
    let parts: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
    file.append(&parts).unwrap();
}

#[test]
fn what_is_appended_is_read_again() {
    let directory = Directory::new("append");
    let path = directory.0.join("log");
    let file = SystemDisk.open(&path).unwrap();
    append(&*file, &[b"ab", b"", b"cde"]);
    append(&*file, &[]);
    let many: Vec<&[u8]> = std::iter::repeat_n(&b"x"[..], 2 * MAX_SLICES + 1).collect();
    append(&*file, &many);
    file.sync().unwrap();
    assert_eq!(file.len().unwrap(), 5 + many.len() as u64);
    let mut buffer = [0; 4];
    assert_eq!((file.read_at(3, &mut buffer).unwrap(), &buffer), (4, b"dexx"));
    assert_eq!(file.read_at(file.len().unwrap() - 1, &mut buffer).unwrap(), 1);
    file.truncate(2).unwrap();
    append(&*SystemDisk.open(&path).unwrap(), &[b"z"]);
    assert_eq!(SystemDisk.read(&path, 10).unwrap(), b"abz");
    assert_eq!(SystemDisk.list(&directory.0).unwrap(), [("log".to_owned(), 3)]);
}

#[test]
fn a_file_is_replaced_as_a_whole() {
    let directory = Directory::new("replace");
    let path = directory.0.join("state");
    for content in [&b"first"[..], b"2"] {
        replace_file(&SystemDisk, &path, content).unwrap();
        assert_eq!(SystemDisk.read(&path, 10).unwrap(), content);
    }
    // What a crash left is no obstacle.
    std::fs::write(path.with_extension("new"), "half").unwrap();
    replace_file(&SystemDisk, &path, b"third").unwrap();
    assert_eq!(SystemDisk.list(&directory.0).unwrap(), [("state".to_owned(), 5)]);
    assert!(replace_file(&SystemDisk, &directory.0.join("not/there"), b"").is_err());
}

#[test]
fn a_lock_is_held_once() {
    let directory = Directory::new("lock");
    let path = directory.0.join("lock");
    let lock = SystemDisk.lock(&path).unwrap();
    assert_eq!(SystemDisk.lock(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    drop(lock);
    SystemDisk.lock(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn files_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = Directory::new("owner");
    let path = |name: &str| directory.0.join(name);
    SystemDisk.write_new(&path("new"), b"text").unwrap();
    replace_file(&SystemDisk, &path("replaced"), b"text").unwrap();
    append(&*SystemDisk.open(&path("opened")).unwrap(), &[b"text"]);
    drop(SystemDisk.lock(&path("locked")).unwrap());
    for name in ["new", "replaced", "opened", "locked"] {
        let mode = std::fs::metadata(path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, OWNER_ALONE, "{name}");
    }
}
