use super::*;
use crate::{ConfigError, TransportContext};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Files in memory.
#[derive(Clone, Debug, Default)]
struct FakeDisk(Arc<Mutex<HashMap<PathBuf, Vec<u8>>>>);

impl FakeDisk {
    fn write(&self, path: &str, bytes: &[u8]) {
        self.0.lock().insert(path.into(), bytes.to_vec());
    }
}

impl Disk for FakeDisk {
    fn read(&self, path: &Path, _max_bytes: u64) -> io::Result<Vec<u8>> {
        self.0.lock().get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn setting() -> (FakeDisk, TransportContext) {
    let disk = FakeDisk::default();
    let mut context = TransportContext::tcp(0);
    context.disk = Arc::new(disk.clone());
    (disk, context)
}

/// A text that must not be `bad`.
fn watched(context: &TransportContext) -> Result<Watched<String>, ConfigError> {
    let files = vec![Named { key: "token_file", path: "/token".into() }];
    Watched::new(context, files, None, |contents| match String::from_utf8_lossy(&contents[0]) {
        text if text == "bad" => Err(ConfigError::new("token_file", "it is bad")),
        text => Ok(text.into_owned()),
    })
}

fn counted(stats: &ReloadStats) -> (u64, u64) {
    (stats.reloads.load(Ordering::Relaxed), stats.reload_failures.load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn changes_are_taken_and_bad_ones_are_counted_once() {
    let (disk, context) = setting();
    disk.write("/token", b"one");
    let value = watched(&context).unwrap();
    let two_looks = 2 * DEFAULT_RELOAD_INTERVAL + Duration::from_secs(1);
    for (bytes, expected, counts) in [
        (&b"one"[..], "one", (0, 0)),
        (b"two", "two", (1, 0)),
        (b"bad", "two", (1, 1)),
        (b"three", "three", (2, 1)),
        (b"two", "two", (3, 1)),
    ] {
        disk.write("/token", bytes);
        context.clock.sleep(two_looks).await;
        assert_eq!((value.get().as_str(), counted(&context.reloads)), (expected, counts));
    }
    disk.0.lock().clear();
    context.clock.sleep(two_looks).await;
    assert_eq!((value.get().as_str(), counted(&context.reloads)), ("two", (3, 2)));
    // Back again as it was: taken into use again.
    disk.write("/token", b"two");
    context.clock.sleep(two_looks).await;
    assert_eq!((value.get().as_str(), counted(&context.reloads)), ("two", (4, 2)));
}

#[tokio::test(start_paused = true)]
async fn watching_ends_with_the_value() {
    let (disk, context) = setting();
    disk.write("/token", b"one");
    let value = watched(&context).unwrap();
    drop(value);
    context.clock.sleep(3 * DEFAULT_RELOAD_INTERVAL).await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

#[test]
fn a_value_made_without_a_runtime_is_watched_from_its_first_use_on() {
    let (disk, context) = setting();
    disk.write("/token", b"one");
    let value = watched(&context).unwrap();
    disk.write("/token", b"two");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        assert_eq!(*value.get(), "one");
        context.clock.sleep(2 * DEFAULT_RELOAD_INTERVAL).await;
        assert_eq!(*value.get(), "two");
    });
}

#[test]
fn the_first_failure_names_key_and_path() {
    let (disk, context) = setting();
    let error = watched(&context).unwrap_err();
    assert_eq!(error.key, "token_file");
    assert_eq!(error.value.as_deref(), Some("/token"), "{error}");
    disk.write("/token", b"bad");
    assert_eq!(watched(&context).unwrap_err().problem, "it is bad");
}

#[test]
fn files_are_bounded() {
    let path = std::env::temp_dir().join(format!("otlp-disk-{}", std::process::id()));
    fs::write(&path, [0; 11]).unwrap();
    assert!(SystemDisk.read(&path, 10).is_err());
    assert_eq!(SystemDisk.read(&path, 11).unwrap().len(), 11);
    fs::remove_file(&path).unwrap();
}

/// A directory of its own that is removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("otlp-disk-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
fn make_pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_read() {
    let directory = Directory::new("kinds");
    let (file, link, pipe) = (directory.path("file"), directory.path("link"), directory.path("pipe"));
    fs::write(&file, "text").unwrap();
    // As Kubernetes mounts secrets: a link to a file below a link to a directory.
    fs::create_dir(directory.path("..v1")).unwrap();
    fs::write(directory.path("..v1/token"), "token").unwrap();
    std::os::unix::fs::symlink("..v1", directory.path("..data")).unwrap();
    std::os::unix::fs::symlink("..data/token", &link).unwrap();
    make_pipe(&pipe);
    let socket = directory.path("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::os::unix::fs::symlink("pipe", directory.path("link-to-pipe")).unwrap();
    assert_eq!(SystemDisk.read(&file, 4).unwrap(), b"text");
    assert_eq!(SystemDisk.read(&link, 5).unwrap(), b"token");
    for (path, kind) in [
        (pipe, "it is a pipe"),
        (directory.path("link-to-pipe"), "it is a pipe"),
        (socket, "it is a socket"),
        ("/dev/zero".into(), "it is a device"),
        (directory.0.clone(), "it is a directory"),
    ] {
        let error = SystemDisk.read(&path, 1 << 20).unwrap_err().to_string();
        assert!(error.contains(kind), "{}: {error}", path.display());
    }
}

/// Scenario: a watched file becomes a pipe that nobody writes to. Guarantee: what it held stays in use, and nothing keeps
/// the runtime from ending.
#[cfg(unix)]
#[test]
fn a_file_that_becomes_a_pipe_holds_up_nobody() {
    let directory = Directory::new("becomes-a-pipe");
    let path = directory.path("token");
    fs::write(&path, "one").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let context = TransportContext::tcp(0);
    let value = runtime.block_on(async {
        let files = vec![Named { key: "token_file", path: path.clone() }];
        let interval = Some(Duration::from_millis(5));
        let value = Watched::new(&context, files, interval, |contents| Ok(contents[0].clone())).unwrap();
        fs::remove_file(&path).unwrap();
        make_pipe(&path);
        for _ in 0..2_000 {
            if counted(&context.reloads).1 > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        value
    });
    assert!(counted(&context.reloads).1 > 0);
    assert_eq!(*value.get(), b"one");
    // Waits for threads that read.
    drop(runtime);
}

/// A disk on which two files are swapped between the reads of the one and of the other.
#[derive(Debug, Default)]
struct SwappingDisk {
    reads: AtomicU64,
}

impl Disk for SwappingDisk {
    fn read(&self, _: &Path, _: u64) -> io::Result<Vec<u8>> {
        // Two at the start, then one more of the old.
        let is_old = self.reads.fetch_add(1, Ordering::Relaxed) < 3;
        Ok(if is_old { b"old".to_vec() } else { b"new".to_vec() })
    }
}

#[tokio::test(start_paused = true)]
async fn files_that_belong_together_are_not_mixed_while_they_are_swapped() {
    let context = TransportContext { disk: Arc::new(SwappingDisk::default()), ..TransportContext::tcp(0) };
    let files = ["/user", "/password"].map(|path| Named { key: "file", path: path.into() });
    let seen = Arc::new(Mutex::new(Vec::new()));
    let made = Arc::clone(&seen);
    let value = Watched::new(&context, files.into(), None, move |contents| {
        made.lock().push(contents.concat());
        Ok(())
    });
    context.clock.sleep(3 * DEFAULT_RELOAD_INTERVAL).await;
    drop(value);
    assert_eq!(*seen.lock(), [b"oldold", b"newnew"]);
}
