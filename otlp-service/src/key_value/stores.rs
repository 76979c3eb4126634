//! The open stores of a process: two instances of a component, such as those before and after a reload, share a store.

use super::file::{File, Found};
use super::metrics::Counters;
use super::{Inner, KeyValueError, KeyValueLimits, KeyValueStore};
use crate::plugin::Kind;
use crate::queue::{DiskConfig, escaped};
use crate::telemetry::Registry;
use otlp_transport::{Disk, DiskLock, TransportContext, offload};
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

/// Opens stores of keys and values in directories of the extension `file_storage`. One for each process; cloning shares the open
/// stores.
#[derive(Clone)]
pub struct KeyValueStores(Arc<Shared>);

struct Shared {
    context: TransportContext,
    registry: Registry,
    open: Arc<Open>,
}

/// The open stores, by directory.
#[derive(Default)]
struct Open(Mutex<HashMap<PathBuf, OpenStore>>);

/// A store that is open, and the lock of its directory.
struct OpenStore {
    store: Weak<Inner>,
    /// Changes with each store that is opened in the directory.
    number: u64,
    _lock: Box<dyn DiskLock>,
}

/// Ends the lock of a directory when the store is dropped, unless another store has been opened in the directory meanwhile.
pub(super) struct Holder {
    open: Arc<Open>,
    directory: PathBuf,
    number: u64,
}

// === impl KeyValueStores ===

impl KeyValueStores {
    /// Creates stores on the disk of a context, with metrics in a registry.
    pub fn new(context: &TransportContext, registry: &Registry) -> Self {
        let (context, registry) = (context.clone(), registry.clone());
        Self(Arc::new(Shared { context, registry, open: Arc::default() }))
    }

    /// Returns the directory of a store: `DIRECTORY/.state/KIND.COMPONENT`, and `.NAME` at its end unless `name` is empty. Characters
    /// that are not letters, digits, `-` or `_` are escaped. No exporter has its queues there.
    pub fn directory_of(config: &DiskConfig, kind: Kind, component: &str, name: &str) -> PathBuf {
        let mut directory = format!("{}.{}", kind.name(), escaped(component));
        if !name.is_empty() {
            directory = format!("{directory}.{}", escaped(name));
        }
        config.directory.join(STATE).join(directory)
    }

    /// Opens the store of a component; `name` tells several stores of a component apart. A store that is open in this process is
    /// shared, with the limits that it was opened with. A file that is damaged is set aside, with a line in the log: the store is empty
    /// then.
    ///
    /// # Errors
    /// If the file cannot be read, or another process has the store open.
    pub async fn open(
        &self,
        config: &DiskConfig,
        kind: Kind,
        component: &str,
        name: &str,
        limits: KeyValueLimits,
    ) -> Result<KeyValueStore, KeyValueError> {
        let (stores, config) = (self.clone(), config.clone());
        let (component, name) = (component.to_owned(), name.to_owned());
        let work = move || stores.open_now(&config, kind, &component, &name, limits);
        let opened = offload::on(&*self.0.context.offload, work).await;
        opened.unwrap_or(Err(KeyValueError::Stopped))
    }

    /// Opens the store of a component as [`open`](Self::open) does, and blocks: for places that cannot wait, such as the factory of a
    /// [`Holder`](crate::Holder).
    ///
    /// # Errors
    /// As of [`open`](Self::open).
    pub fn open_now(
        &self,
        config: &DiskConfig,
        kind: Kind,
        component: &str,
        name: &str,
        limits: KeyValueLimits,
    ) -> Result<KeyValueStore, KeyValueError> {
        let directory = Self::directory_of(config, kind, component, name);
        // Held until the store is open, so that each directory is opened once.
        let mut open = self.0.open.0.lock();
        if let Some(store) = open.get(&directory).and_then(|open| open.store.upgrade()) {
            return Ok(KeyValueStore(store));
        }
        let labels = [("kind", kind.name()), ("component", component), ("name", name)];
        let opened = self.open_directory(config, &directory, limits, &mut open);
        let store = opened.map_err(|source| KeyValueError::Open { directory, source })?;
        store.register(&self.0.registry, &labels);
        Ok(KeyValueStore(store))
    }

    fn open_directory(
        &self,
        config: &DiskConfig,
        directory: &Path,
        limits: KeyValueLimits,
        open: &mut HashMap<PathBuf, OpenStore>,
    ) -> io::Result<Arc<Inner>> {
        let TransportContext { disk, offload, .. } = &self.0.context;
        let (lock, number) = match open.remove(directory) {
            // The last store in the directory is being dropped, and has not ended its lock.
            Some(OpenStore { _lock, number, .. }) => (_lock, number + 1),
            None => (lock(&**disk, config, directory)?, 0),
        };
        let (file, found) = File::open(disk.clone(), directory)?;
        let counters = Counters::default();
        tell(directory, &found, &counters);
        let store = Arc::new(Inner {
            directory: directory.into(),
            limits,
            values: RwLock::new(found.values),
            file: Arc::new(tokio::sync::Mutex::new(file)),
            offload: offload.clone(),
            counters,
            _holder: Holder { open: self.0.open.clone(), directory: directory.into(), number },
        });
        open.insert(directory.into(), OpenStore { store: Arc::downgrade(&store), number, _lock: lock });
        Ok(store)
    }
}

impl fmt::Debug for KeyValueStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.open.0.lock().keys()).finish()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let mut open = self.open.0.lock();
        if open.get(&self.directory).is_some_and(|open| open.number == self.number) {
            open.remove(&self.directory);
        }
    }
}

/// Makes the directory, and locks it against other processes.
fn lock(disk: &dyn Disk, config: &DiskConfig, directory: &Path) -> io::Result<Box<dyn DiskLock>> {
    config.check_directory(disk)?;
    disk.create_directory(directory)?;
    // The names of new directories are in those above, which this process may have no right to open.
    for above in directory.ancestors().skip(1).take(NEW_DIRECTORIES) {
        let _ = disk.sync_directory(above);
    }
    disk.lock(&directory.join(LOCK))
}

/// Counts what is wrong with a file, and writes lines to the log.
fn tell(directory: &Path, found: &Found, counters: &Counters) {
    let shown = directory.display();
    if let Some(aside) = &found.damaged {
        counters.damaged.fetch_add(1, Ordering::Relaxed);
        let kept = aside.display();
        tracing::warn!(directory = %shown, %kept, "the stored state of a component was damaged: the file was renamed, and the component starts without state");
    }
    if found.unfinished_bytes > 0 {
        counters.unfinished.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(directory = %shown, bytes = found.unfinished_bytes, "the last change of a component's stored state was not written to its end, and was left out");
    }
}

/// Directory of all stores. No exporter's directory has a name with a dot.
const STATE: &str = ".state";
/// Not the name that queues have: no command takes the directory for that of a queue.
const LOCK: &str = "values.lock";
/// Directories above that of a store that may be new: `.state`, and those of the extension.
const NEW_DIRECTORIES: usize = 4;
