//! The open stores of a process: a queue that replaces another takes over its store.

use super::common::Common;
use super::compression;
use super::settings::{DiskCompression, DiskConfig};
use super::store::{Hops, Store};
use otlp_transport::TransportContext;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

/// The stores that are open.
#[derive(Default)]
pub(crate) struct Stores {
    /// By directory.
    open: Mutex<HashMap<PathBuf, Weak<Store>>>,
    /// What the stores of a queue have in common, by the directory of the lowest class.
    common: Mutex<HashMap<PathBuf, Weak<Common>>>,
}

/// A queue's use of a store. Of several queues the oldest takes batches out, until it leaves the store.
#[derive(Debug)]
pub(super) struct StoreUse {
    store: Arc<Store>,
    user: u64,
}

// === impl Stores ===

impl Stores {
    /// Returns what the stores of the queue have in common whose lowest class is in a directory.
    pub(super) fn common(&self, directory: &Path) -> Arc<Common> {
        let mut all = self.common.lock();
        all.retain(|_, common| common.strong_count() > 0);
        if let Some(known) = all.get(directory).and_then(Weak::upgrade) {
            return known;
        }
        let common = Arc::new(Common::default());
        all.insert(directory.into(), Arc::downgrade(&common));
        common
    }

    /// The store in a directory, which is opened unless it is open.
    pub(super) fn open(
        &self,
        context: &TransportContext,
        directory: &Path,
        config: &DiskConfig,
        hops: Hops,
        common: &Arc<Common>,
    ) -> io::Result<StoreUse> {
        if config.compression == DiskCompression::Zstd && !compression::is_available() {
            let absent = "compression by zstd is not compiled in: build with the feature `zstd`";
            return Err(io::Error::new(io::ErrorKind::Unsupported, absent));
        }
        let mut stores = self.open.lock();
        stores.retain(|_, store| store.strong_count() > 0);
        let known = stores.get(directory).and_then(Weak::upgrade);
        if let Some(store) = known
            && let Some(user) = store.join()
        {
            store.configure(config);
            return Ok(StoreUse { store, user });
        }
        let store = Store::open(context, directory, config, hops, common.clone())?;
        stores.insert(directory.into(), Arc::downgrade(&store));
        let user = store.join().unwrap_or_default();
        Ok(StoreUse { store, user })
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.open.lock().keys()).finish()
    }
}

// === impl StoreUse ===

impl StoreUse {
    pub(super) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// True if this queue takes batches out.
    pub(super) fn has_turn(&self) -> bool {
        self.store.has_turn(self.user)
    }

    /// Leaves the store to the next queue; the last queue waits until the store is closed.
    pub(super) async fn leave(&self) {
        if self.store.leave(self.user) {
            self.store.close().await;
        }
    }
}

impl Drop for StoreUse {
    fn drop(&mut self) {
        if self.store.leave(self.user) {
            self.store.start_closing();
        }
    }
}
