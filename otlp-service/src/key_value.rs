//! Keys and values of a component in a file: offsets of files that are read, decisions that must outlive the process.
//!
//! A store is small: all values are in memory, too. Changes are appended to the file, which is written anew when it has grown; see
//! [`file`] for what holds after a crash.

mod component;
mod error;
mod file;
mod metrics;
mod stores;

pub use component::ComponentStorage;
pub use error::KeyValueError;
pub use stores::KeyValueStores;

use bytes::Bytes;
use file::{File, Values};
use metrics::Counters;
use otlp_transport::offload::{self, Offload};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use stores::Holder;

/// Keys with values, which a component keeps in a file. Cloning shares the store.
///
/// A change is in the file when the call returns, also after a power cut; if the process ends during a call, the store has the values
/// before or after all changes of that call. Changes are made one after the other. Dropping the future of a change does not stop the
/// change. Reads need no file.
///
/// A component of a configuration gets its store by [`ComponentStorage`], other programs by [`KeyValueStores`]:
///
/// ```
/// use otlp_service::{DiskConfig, KeyValueBatch, KeyValueLimits, KeyValueStores, Kind, Registry};
/// use otlp_transport::TransportContext;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = std::env::temp_dir().join(format!("otlp-key-value-{}", std::process::id()));
/// let stores = KeyValueStores::new(&TransportContext::tcp(64 << 20), &Registry::new());
/// let place = DiskConfig::new(&directory);
/// let store = stores.open(&place, Kind::Receiver, "file_log", "", KeyValueLimits::default()).await?;
///
/// store.set("/var/log/syslog", 4096_u64.to_le_bytes().to_vec()).await?;
/// let mut rotated = KeyValueBatch::new();
/// rotated.delete("/var/log/syslog").set("/var/log/syslog.1", 5120_u64.to_le_bytes().to_vec());
/// store.apply(rotated).await?; // Both changes, or none.
/// assert_eq!(store.get("/var/log/syslog"), None);
/// assert_eq!(store.keys(), ["/var/log/syslog.1"]);
/// # std::fs::remove_dir_all(directory)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KeyValueStore(Arc<Inner>);

/// Changes that are made together: all of them, or none. Of several changes of a key the last counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyValueBatch(Changes);

/// Limits of a store. A change beyond a limit is refused, and changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyValueLimits {
    /// Longest key, in bytes. Default 4 KiB, the longest path of a file.
    pub max_key_bytes: usize,
    /// Longest value, in bytes. Default 4 MiB.
    pub max_value_bytes: usize,
    /// Largest number of keys. Default 100,000.
    pub max_keys: usize,
    /// Largest size of all keys and values together, in bytes; the file has about twice that size at most. Default 64 MiB.
    pub max_bytes: u64,
}

/// New values by key; `None`: the key is removed.
type Changes = BTreeMap<String, Option<Bytes>>;

/// An open store.
struct Inner {
    /// The directory of the file.
    directory: PathBuf,
    limits: KeyValueLimits,
    values: RwLock<Values>,
    /// Held while a change is written.
    file: Arc<tokio::sync::Mutex<File>>,
    offload: Arc<dyn Offload>,
    counters: Counters,
    /// Releases the lock of the directory when the store is dropped.
    _holder: Holder,
}

// === impl KeyValueStore ===

impl KeyValueStore {
    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<Bytes> {
        self.0.values.read().map.get(key).cloned()
    }

    /// Returns all keys, in the order of their bytes.
    pub fn keys(&self) -> Vec<String> {
        self.0.values.read().map.keys().cloned().collect()
    }

    /// Returns the directory of the store's file.
    pub fn directory(&self) -> &Path {
        &self.0.directory
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    /// As of [`apply`](Self::apply).
    pub async fn set(&self, key: impl Into<String>, value: impl Into<Bytes>) -> Result<(), KeyValueError> {
        let mut batch = KeyValueBatch::new();
        batch.set(key, value);
        self.apply(batch).await
    }

    /// Removes a key, if the store has the key.
    ///
    /// # Errors
    /// As of [`apply`](Self::apply).
    pub async fn delete(&self, key: impl Into<String>) -> Result<(), KeyValueError> {
        let mut batch = KeyValueBatch::new();
        batch.delete(key);
        self.apply(batch).await
    }

    /// Makes all changes of a batch, or none. The device has the changes when the call returns.
    ///
    /// # Errors
    /// If a change is beyond a limit, or the file cannot be written. The values are those from before then; if the file could not be
    /// written and the process ends before another change succeeds, the next start may find the values after the changes.
    pub async fn apply(&self, batch: KeyValueBatch) -> Result<(), KeyValueError> {
        let (inner, file) = (self.0.clone(), self.0.file.clone().lock_owned().await);
        let work = move || inner.apply(file, &batch.0);
        let result = offload::on(&*self.0.offload, work).await;
        result.unwrap_or(Err(KeyValueError::Stopped))
    }
}

impl fmt::Debug for KeyValueStore {
    /// Writes no keys and values, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyValueStore")
            .field("directory", &self.0.directory)
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}

// === impl KeyValueBatch ===

impl KeyValueBatch {
    /// Creates a batch without changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a change that sets the value of a key.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Bytes>) -> &mut Self {
        self.0.insert(key.into(), Some(value.into()));
        self
    }

    /// Adds a change that removes a key.
    pub fn delete(&mut self, key: impl Into<String>) -> &mut Self {
        self.0.insert(key.into(), None);
        self
    }
}

// === impl KeyValueLimits ===

impl Default for KeyValueLimits {
    fn default() -> Self {
        Self { max_key_bytes: 4 << 10, max_value_bytes: 4 << 20, max_keys: 100_000, max_bytes: 64 << 20 }
    }
}

impl KeyValueLimits {
    /// Checks changes of values, and returns the number of keys and of bytes after them.
    fn check(&self, values: &Values, changes: &Changes) -> Result<(), KeyValueError> {
        let (mut keys, mut bytes) = (values.map.len(), values.bytes);
        for (key, value) in changes {
            if let Some(before) = values.map.get(key) {
                keys -= 1;
                bytes -= Values::size(key, before);
            }
            let Some(value) = value else { continue };
            if key.len() > self.max_key_bytes {
                return Err(KeyValueError::KeyTooLong { bytes: key.len(), limit: self.max_key_bytes });
            }
            if value.len() > self.max_value_bytes {
                let (key, bytes) = (key.clone(), value.len());
                return Err(KeyValueError::ValueTooLong { key, bytes, limit: self.max_value_bytes });
            }
            keys += 1;
            bytes += Values::size(key, value);
        }
        // A store whose limits were lowered can still become smaller.
        if keys > self.max_keys.max(values.map.len()) {
            return Err(KeyValueError::TooManyKeys { keys, limit: self.max_keys });
        }
        if bytes > self.max_bytes.max(values.bytes) {
            return Err(KeyValueError::TooLarge { bytes, limit: self.max_bytes });
        }
        Ok(())
    }
}

// === impl Inner ===

impl Inner {
    /// Writes changes to the file, then to the memory. Blocks.
    fn apply(
        &self,
        mut file: tokio::sync::OwnedMutexGuard<File>,
        changes: &Changes,
    ) -> Result<(), KeyValueError> {
        if changes.is_empty() {
            return Ok(());
        }
        // Only the holder of the file changes the values.
        let values = self.values.read();
        if let Err(error) = self.limits.check(&values, changes) {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            return Err(error);
        }
        if let Err(source) = file.write(&values.map, changes) {
            self.counters.failed.fetch_add(1, Ordering::Relaxed);
            return Err(KeyValueError::Write { directory: self.directory.clone(), source });
        }
        drop(values);
        self.values.write().apply(changes);
        self.counters.written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
