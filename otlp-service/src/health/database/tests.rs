use super::*;
use parking_lot::{Condvar, Mutex as Lock};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// Files in memory, with faults.
#[derive(Debug, Default)]
struct FakeDisk {
    files: Lock<HashMap<PathBuf, Vec<u8>>>,
    free: Option<u64>,
    is_read_only: bool,
    keeps_files: bool,
    /// True while writes hang, and their number.
    hangs: Lock<(bool, u32)>,
    released: Condvar,
}

impl Disk for FakeDisk {
    fn read(&self, _: &Path, _: u64) -> io::Result<Vec<u8>> {
        Err(ErrorKind::Unsupported.into())
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut hangs = self.hangs.lock();
        hangs.1 += 1;
        while hangs.0 {
            self.released.wait(&mut hangs);
        }
        if self.is_read_only {
            return Err(io::Error::other("read-only file system"));
        }
        match self.files.lock().insert(path.into(), bytes.to_vec()) {
            None => Ok(()),
            Some(_) => Err(ErrorKind::AlreadyExists.into()),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if self.keeps_files {
            return Err(io::Error::other("not permitted"));
        }
        self.files.lock().remove(path).map(drop).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        self.free.ok_or_else(|| io::Error::other("unknown"))
    }
}

fn check(disk: FakeDisk) -> (Arc<FakeDisk>, DatabaseHealthCheck) {
    let disk = Arc::new(disk);
    let check = DatabaseHealthCheck::new("store", disk.clone(), "/data").with_min_free_bytes(64 << 20);
    (disk, check)
}

#[tokio::test]
async fn a_store_is_written_to_and_asked_for_room() {
    let unhealthy = |reason: &str| Health::Unhealthy(reason.into());
    for (disk, expected) in [
        (FakeDisk { free: Some(64 << 20), ..FakeDisk::default() }, Health::Healthy),
        (
            FakeDisk { free: Some((64 << 20) - 1), ..FakeDisk::default() },
            unhealthy("63 MiB are left in /data, fewer than 64 MiB"),
        ),
        (FakeDisk::default(), Health::Degraded("cannot find out the room left in /data: unknown".into())),
        (
            FakeDisk { is_read_only: true, ..FakeDisk::default() },
            unhealthy("cannot write to /data: read-only file system"),
        ),
        (
            FakeDisk { keeps_files: true, ..FakeDisk::default() },
            unhealthy("cannot remove a file from /data: not permitted"),
        ),
    ] {
        let keeps_files = disk.keeps_files;
        let (disk, check) = check(disk);
        assert_eq!(check.probe().await, expected);
        assert_eq!(disk.files.lock().is_empty(), !keeps_files);
    }
}

#[tokio::test]
async fn a_file_that_an_earlier_check_left_is_replaced() {
    let (disk, check) = check(FakeDisk { free: Some(u64::MAX), ..FakeDisk::default() });
    disk.files.lock().insert(check.store.file.clone(), Vec::new());
    assert_eq!(check.probe().await, Health::Healthy);
    assert!(disk.files.lock().is_empty());
}

/// Containers that share a volume have the same process id.
#[test]
fn no_two_checks_write_the_same_file() {
    let disk = Arc::new(FakeDisk::default());
    let files = [(); 2].map(|()| DatabaseHealthCheck::new("store", disk.clone(), "/data").store.file.clone());
    let name = files[0].file_name().unwrap().to_string_lossy();
    assert!(files[0] != files[1] && name.len() > ".otlp-health-".len() + 16, "{name}");
    assert!(!name.contains(&format!("-{}-", std::process::id())), "{name}");
}

/// A network file system whose server is gone: threads would pile up.
#[tokio::test]
async fn while_a_call_hangs_no_other_is_made() {
    let (disk, check) = check(FakeDisk { free: Some(u64::MAX), ..FakeDisk::default() });
    disk.hangs.lock().0 = true;
    for _ in 0..3 {
        let waited = tokio::time::timeout(Duration::from_millis(20), check.probe()).await;
        assert!(waited.is_err(), "the call hangs");
    }
    disk.hangs.lock().0 = false;
    disk.released.notify_all();
    assert_eq!(check.probe().await, Health::Healthy);
    assert_eq!(disk.hangs.lock().1, 1);
}
