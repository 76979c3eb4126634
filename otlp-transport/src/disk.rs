//! Files, passed in so that faults can be simulated, and files that are read again while the process runs.
//!
//! Certificates, keys, tokens and passwords change under a running process: a [`Watched`] value is made of files at the
//! start, and made again when one of them has other bytes. What cannot be used changes nothing: the value stays as it
//! was, which is logged and counted once for each such content.

mod watched;

pub(crate) use watched::Watched;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Reads files. Calls block: they are made at the start, and from threads where that holds up nobody.
pub trait Disk: fmt::Debug + Send + Sync + 'static {
    /// All bytes of a file.
    ///
    /// # Errors
    /// If it cannot be read, or holds more than `max_bytes`.
    fn read(&self, path: &Path, max_bytes: u64) -> io::Result<Vec<u8>>;
}

/// The system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

/// What became of files that changed, in the whole process. Monotone.
#[derive(Debug, Default)]
pub struct ReloadStats {
    /// Changed files that were taken into use.
    pub reloads: AtomicU64,
    /// Changed files that could not be used: what was read before stays in use.
    pub reload_failures: AtomicU64,
}

/// A file and the setting that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) key: &'static str,
    pub(crate) path: PathBuf,
}

impl Disk for SystemDisk {
    fn read(&self, path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > max_bytes {
            return Err(io::Error::other(format!("it holds more than {max_bytes} bytes")));
        }
        Ok(bytes)
    }
}

impl ReloadStats {
    fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Certificates, keys and tokens are some KiB; a bundle of the world's authorities is 250 KiB.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// How often files are looked at if nothing else is said: rotation tools leave hours of overlap.
pub(crate) const DEFAULT_RELOAD_INTERVAL: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
