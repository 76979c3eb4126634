//! Errors of stores of keys and values.

use std::io;
use std::path::PathBuf;

/// Error of a [`KeyValueStore`](super::KeyValueStore), which names the limit or the directory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyValueError {
    /// A key is longer than [`max_key_bytes`](super::KeyValueLimits::max_key_bytes).
    #[error("a key has {bytes} bytes; the limit (max_key_bytes) is {limit}")]
    KeyTooLong {
        /// Length of the key.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A value is longer than [`max_value_bytes`](super::KeyValueLimits::max_value_bytes).
    #[error("the value of the key {} has {bytes} bytes; the limit (max_value_bytes) is {limit}", key.escape_debug())]
    ValueTooLong {
        /// The key.
        key: String,
        /// Length of the value.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The store would have more keys than [`max_keys`](super::KeyValueLimits::max_keys).
    #[error("the store would have {keys} keys; the limit (max_keys) is {limit}: delete keys first")]
    TooManyKeys {
        /// Keys after the changes.
        keys: usize,
        /// The limit.
        limit: usize,
    },
    /// The store would be larger than [`max_bytes`](super::KeyValueLimits::max_bytes).
    #[error(
        "the store would have {bytes} bytes of keys and values; the limit (max_bytes) is {limit}: delete keys first"
    )]
    TooLarge {
        /// Bytes after the changes.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The file could not be opened or read. Of kind [`WouldBlock`](io::ErrorKind::WouldBlock), another process has the store open.
    #[error("the stored state in {} cannot be opened: {}", directory.display(), fault(source))]
    Open {
        /// The directory of the file.
        directory: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file could not be written.
    #[error("the stored state in {} cannot be written: {source}", directory.display())]
    Write {
        /// The directory of the file.
        directory: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The application has not given the component the directory of the extension.
    #[error("the storage extension {extension} has no directory for the component {component}")]
    Unbound {
        /// The extension's id.
        extension: String,
        /// The component's id.
        component: String,
    },
    /// The runtime ended before the change was made.
    #[error("the runtime ended before the stored state was read or written")]
    Stopped,
}

fn fault(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::WouldBlock => "another process has it open; stop that process first".to_owned(),
        _ => source.to_string(),
    }
}
