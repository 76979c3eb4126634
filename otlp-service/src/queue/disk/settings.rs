//! Settings of queues on disk.

use crate::queue::{QueueClass, QueueClasses};
use otlp_protocol::Signal;
use otlp_transport::Disk;
use std::fmt;
use std::io;
use std::num::NonZeroU64;
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
    /// Classes of items, each with files of its own. Default `None`: all items are of one class.
    ///
    /// Batches are divided by the classes of their items as they come in, and a batch is delivered once no batch of a higher class is
    /// ready. If a part of a batch cannot be stored, the sender is told to retry, and the parts that are stored arrive twice.
    /// A batch whose sender waits for the destination's answer is not divided, and is of the lowest class.
    pub classes: Option<QueueClasses>,
    /// Delivery of what has waited. Default: the oldest batch first, without limits.
    pub backlog: BacklogConfig,
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

/// Delivery of the batches that have waited in the files for some time, beside those that come in.
///
/// With another order than the default, or with a limit, batches that came in within the last ten seconds are delivered first, in
/// their order. Batches that have waited longer are on disk alone, and are delivered by these settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BacklogConfig {
    /// Order of the batches that have waited.
    pub order: BacklogOrder,
    /// Most bytes of encoded requests that are taken from the files in a second. A larger request is taken, and followed by a pause.
    /// Default none.
    pub max_bytes_per_second: Option<NonZeroU64>,
    /// Largest part of the consumers that deliver batches that have waited, at least one consumer. Default: all of them.
    pub max_share: Option<Share>,
}

/// The name of a queue: `EXPORTER/SIGNAL`, or `EXPORTER/SIGNAL@CLASS`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueName {
    /// Id of the exporter.
    pub exporter: String,
    /// The signal.
    pub signal: Signal,
    /// The class; `None` for the lowest class, and for a queue without classes.
    pub class: Option<String>,
}

/// Order in which batches are delivered that have waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BacklogOrder {
    /// The oldest batch first.
    #[default]
    OldestFirst,
    /// The newest segment first; within a segment the oldest batch first.
    NewestFirst,
}

/// A part of a whole: more than 0, and 1 at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(f64);

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
            classes: None,
            backlog: BacklogConfig::default(),
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
    /// let queue = DiskConfig::queue_of(&directory).unwrap();
    /// assert_eq!((&*queue.exporter, queue.signal, queue.class), ("otlp/a", Signal::LOGS, None));
    /// ```
    pub fn directory_of(&self, exporter: &str, signal: Signal) -> PathBuf {
        self.directory.join(escaped(exporter)).join(signal.name)
    }

    /// Returns the directory of a class of an exporter's queue for one signal. The class [`QueueClass::REST`] has the directory
    /// that a queue without classes has.
    ///
    /// ```
    /// use otlp_protocol::Signal;
    /// use otlp_service::DiskConfig;
    ///
    /// let directory = DiskConfig::new("/data").directory_of_class("otlp", Signal::LOGS, "errors");
    /// assert_eq!(directory.to_str(), Some("/data/otlp/logs@errors"));
    /// assert_eq!(DiskConfig::queue_of(&directory).unwrap().class.as_deref(), Some("errors"));
    /// ```
    pub fn directory_of_class(&self, exporter: &str, signal: Signal, class: &str) -> PathBuf {
        class_directory(&self.directory_of(exporter, signal), class)
    }

    /// Returns the exporter, the signal and the class of the queue in a directory; `None` if the directory has no such name.
    pub fn queue_of(directory: &Path) -> Option<QueueName> {
        let (signal, class) = signal_and_class(directory.file_name()?.to_str()?)?;
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
        let exporter = String::from_utf8(exporter).ok()?;
        Some(QueueName { exporter, signal, class: class.map(str::to_owned) })
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

/// Returns the directory of a class beside that of the lowest class.
pub(super) fn class_directory(rest: &Path, class: &str) -> PathBuf {
    if class == QueueClass::REST {
        return rest.into();
    }
    let mut name = rest.file_name().unwrap_or_default().to_owned();
    name.push("@");
    name.push(class);
    rest.with_file_name(name)
}

/// Returns the signal and the class whose queue is in a directory of this name.
pub(super) fn signal_and_class(name: &str) -> Option<(Signal, Option<&str>)> {
    let (signal, class) = name.split_once('@').map_or((name, None), |(signal, class)| (signal, Some(class)));
    let is_class = class.is_none_or(|class| class != QueueClass::REST && QueueClass::is_name(class));
    Some((Signal::by_name(signal)?, class)).filter(|_| is_class)
}

// === impl QueueName ===

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.exporter, self.signal.name)?;
        self.class.as_ref().map_or(Ok(()), |class| write!(f, "@{class}"))
    }
}

// === impl BacklogConfig ===

impl BacklogConfig {
    /// True if what comes in is delivered before what has waited.
    pub fn is_live_first(&self) -> bool {
        *self != Self::default()
    }
}

// === impl Share ===

impl Share {
    /// A share; `None` if the number is not more than 0 and at most 1.
    ///
    /// ```
    /// use otlp_service::Share;
    ///
    /// let half = Share::new(0.5).unwrap();
    /// assert_eq!((half.of(11), half.number()), (5, 0.5));
    /// assert_eq!([0.0, 1.1, -1.0, f64::NAN].map(Share::new), [None; 4]);
    /// ```
    pub fn new(share: f64) -> Option<Self> {
        (share > 0.0 && share <= 1.0).then_some(Self(share))
    }

    /// Returns the share as a number.
    pub fn number(self) -> f64 {
        self.0
    }

    /// Returns the share of a whole, rounded down.
    pub fn of(self, whole: u64) -> u64 {
        // A share is at most 1: the product fits.
        (whole as f64 * self.0) as u64
    }
}

/// A share is a number.
impl Eq for Share {}

/// Returns the size of a segment in a queue of `max_bytes`.
pub(super) fn segment_bytes(max_bytes: u64) -> u64 {
    (max_bytes / SEGMENTS).clamp(1, MAX_SEGMENT_BYTES)
}

const DEFAULT_BYTES: u64 = 10 << 30;
const MAX_SEGMENT_BYTES: u64 = 32 << 20;
/// A queue that drops its oldest segment loses this part of its size.
const SEGMENTS: u64 = 8;
