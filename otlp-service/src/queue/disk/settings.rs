//! Settings of queues on disk.

use otlp_protocol::Signal;
use otlp_transport::Disk;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Settings of an exporter's queues on disk, which make its delivery [`Delivery::Disk`](crate::Delivery::Disk).
///
/// Files are in `directory/EXPORTER/SIGNAL`. They are not encrypted: that is the file system's business.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiskConfig {
    /// The directory. Directories of exporters and signals are made in it.
    pub directory: PathBuf,
    /// Makes the directory if there is none. Default true.
    pub create_directory: bool,
    /// Largest size of a queue's files, in bytes. Default `None`: 10 GiB, or half of the bytes that are free at the start if
    /// these are less.
    pub max_bytes: Option<u64>,
    /// Time after which batches are dropped. Default `None`: never.
    pub max_age: Option<Duration>,
    /// Compression of what is stored from now on; what is in the files already is read in any case. Default none.
    pub compression: DiskCompression,
}

/// Compression of the batches in queues on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiskCompression {
    /// Batches are stored as they are.
    #[default]
    None,
    /// Each batch is compressed on its own, by zstd at level 1. Needs the feature `zstd`. Telemetry takes about a fifth of the room;
    /// each batch is compressed and inflated once more.
    Zstd,
}

// === impl DiskConfig ===

impl DiskConfig {
    /// Queues in a directory, with defaults.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            create_directory: true,
            max_bytes: None,
            max_age: None,
            compression: DiskCompression::None,
        }
    }

    /// The same settings in the directory of others, which also limit the size if these do not.
    #[must_use]
    pub fn within(self, others: &Self) -> Self {
        let max_bytes = self.max_bytes.or(others.max_bytes);
        Self {
            directory: others.directory.clone(),
            create_directory: others.create_directory,
            max_bytes,
            ..self
        }
    }

    /// Returns the directory of an exporter's queue for one signal. Characters of the exporter's id that are not letters, digits, `-`
    /// or `_` are escaped.
    ///
    /// ```
    /// use otlp_protocol::Signal;
    /// use otlp_service::DiskConfig;
    ///
    /// let directory = DiskConfig::new("/data").directory_of("otlp/a", Signal::LOGS);
    /// assert_eq!(directory.to_str(), Some("/data/otlp%2Fa/logs"));
    /// assert_eq!(DiskConfig::queue_of(&directory), Some(("otlp/a".into(), Signal::LOGS)));
    /// ```
    pub fn directory_of(&self, exporter: &str, signal: Signal) -> PathBuf {
        self.directory.join(escaped(exporter)).join(signal.name)
    }

    /// Returns the exporter and the signal whose queue is in a directory; `None` if the directory has no such name.
    pub fn queue_of(directory: &Path) -> Option<(String, Signal)> {
        let signal = Signal::by_name(directory.file_name()?.to_str()?)?;
        let mut name = directory.parent()?.file_name()?.to_str()?.bytes();
        let mut exporter = Vec::new();
        while let Some(byte) = name.next() {
            exporter.push(match byte {
                b'%' => {
                    let digits = [name.next()?, name.next()?];
                    u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?
                }
                _ => byte,
            });
        }
        Some((String::from_utf8(exporter).ok()?, signal))
    }

    /// Checks that there is a directory unless it may be made.
    pub(crate) fn check_directory(&self, disk: &dyn Disk) -> io::Result<()> {
        if self.create_directory || disk.list(&self.directory).is_ok() {
            return Ok(());
        }
        let missing = format!("{} does not exist; `create_directory` makes it", self.directory.display());
        Err(io::Error::new(io::ErrorKind::NotFound, missing))
    }

    /// Returns the largest size of the files, if so many bytes are free or in the files.
    pub(super) fn limit(&self, free: Option<u64>) -> u64 {
        self.max_bytes.unwrap_or_else(|| free.map_or(DEFAULT_BYTES, |free| DEFAULT_BYTES.min(free / 2)))
    }
}

/// Escapes characters of an id that are not letters, digits, `-` or `_`, for the name of a directory.
pub(crate) fn escaped(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name
}

/// Returns the size of a segment in a queue of `max_bytes`.
pub(super) fn segment_bytes(max_bytes: u64) -> u64 {
    (max_bytes / SEGMENTS).clamp(1, MAX_SEGMENT_BYTES)
}

const DEFAULT_BYTES: u64 = 10 << 30;
const MAX_SEGMENT_BYTES: u64 = 32 << 20;
/// A queue that drops its oldest segment loses this part of its size.
const SEGMENTS: u64 = 8;
