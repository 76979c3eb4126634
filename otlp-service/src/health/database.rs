//! The health check of a directory that data is stored in: writable, with room left.

use super::{Health, HealthProbe};
use otlp_transport::Disk;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::{JoinHandle, spawn_blocking};

/// Checks a store by its directory: creates a small file, waits until the device has it, removes the file, and asks how much room
/// is left. Unhealthy if one of these fails, or if there is too little room.
///
/// The calls block, so they run on a thread of their own. While a call hangs, as on a dead network file system, the check waits for
/// that call, and makes no other.
///
/// ```
/// use otlp_service::{DatabaseHealthCheck, Health, HealthProbe};
/// use otlp_transport::SystemDisk;
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let check = DatabaseHealthCheck::new("queue", Arc::new(SystemDisk), std::env::temp_dir());
/// assert_eq!(check.probe().await, Health::Healthy);
/// let check = DatabaseHealthCheck::new("queue", Arc::new(SystemDisk), "/nowhere");
/// assert!(check.probe().await.reason().is_some_and(|reason| reason.starts_with("cannot write to /nowhere: ")));
/// # }
/// ```
pub struct DatabaseHealthCheck {
    name: String,
    store: Arc<Store>,
    /// The calls under way.
    running: Mutex<Option<JoinHandle<Health>>>,
}

struct Store {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    /// The file that is written. No other check has the same, also not one of another machine that shares the directory, where
    /// process ids may be the same.
    file: PathBuf,
    min_free_bytes: u64,
}

// === impl DatabaseHealthCheck ===

impl DatabaseHealthCheck {
    /// Creates a check of a directory.
    pub fn new(name: impl Into<String>, disk: Arc<dyn Disk>, directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        let file = directory.join(format!(".otlp-health-{:032x}", fastrand::u128(..)));
        let store = Arc::new(Store { disk, directory, file, min_free_bytes: 0 });
        Self { name: name.into(), store, running: Mutex::default() }
    }

    /// The same that is unhealthy also if fewer bytes can be written to the file system. 0, the default: the room is not checked.
    #[must_use]
    pub fn with_min_free_bytes(mut self, min_free_bytes: u64) -> Self {
        let Store { disk, directory, file, .. } = &*self.store;
        let (disk, directory, file) = (disk.clone(), directory.clone(), file.clone());
        self.store = Arc::new(Store { disk, directory, file, min_free_bytes });
        self
    }
}

impl HealthProbe for DatabaseHealthCheck {
    fn name(&self) -> &str {
        &self.name
    }

    async fn probe(&self) -> Health {
        let mut running = self.running.lock().await;
        let store = self.store.clone();
        let calls = running.get_or_insert_with(|| spawn_blocking(move || store.check()));
        // After a time-out the handle is still there for the next time.
        let ended = calls.await;
        *running = None;
        ended.unwrap_or_else(|_| Health::Unhealthy(super::PANICKED.into()))
    }
}

impl fmt::Debug for DatabaseHealthCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseHealthCheck")
            .field("name", &self.name)
            .field("directory", &self.store.directory)
            .field("min_free_bytes", &self.store.min_free_bytes)
            .finish_non_exhaustive()
    }
}

// === impl Store ===

impl Store {
    fn check(&self) -> Health {
        let (disk, directory) = (&*self.disk, self.directory.display());
        // A check before, in which the file could not be removed, may have left the file.
        let _ = disk.remove(&self.file);
        if let Err(error) = disk.write_new(&self.file, CONTENT) {
            let _ = disk.remove(&self.file);
            return Health::Unhealthy(format!("cannot write to {directory}: {error}"));
        }
        if let Err(error) = disk.remove(&self.file) {
            return Health::Unhealthy(format!("cannot remove a file from {directory}: {error}"));
        }
        match self.min_free_bytes {
            0 => Health::Healthy,
            min => room(disk, &self.directory, min),
        }
    }
}

fn room(disk: &dyn Disk, directory: &Path, min: u64) -> Health {
    let shown = directory.display();
    match disk.free_bytes(directory) {
        Err(error) => Health::Degraded(format!("cannot find out the room left in {shown}: {error}")),
        Ok(free) if free < min => Health::Unhealthy(format!(
            "{} MiB are left in {shown}, fewer than {} MiB",
            free >> 20,
            min.div_ceil(1 << 20)
        )),
        Ok(_) => Health::Healthy,
    }
}

const CONTENT: &[u8] = b"written by a health check of otlp\n";

#[cfg(test)]
mod tests;
