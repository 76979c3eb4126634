use super::*;
use crate::{ConfigError, TransportContext};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

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
        text if text == "bad" => Err(ConfigError { key: "token_file", problem: "it is bad".into() }),
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
    assert!(error.problem.contains("/token"), "{error}");
    disk.write("/token", b"bad");
    assert_eq!(watched(&context).unwrap_err().problem, "it is bad");
}

#[test]
fn files_are_bounded() {
    let path = std::env::temp_dir().join(format!("otlp-disk-{}", std::process::id()));
    std::fs::write(&path, [0; 11]).unwrap();
    assert!(SystemDisk.read(&path, 10).is_err());
    assert_eq!(SystemDisk.read(&path, 11).unwrap().len(), 11);
    std::fs::remove_file(&path).unwrap();
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
