//! The extension `file_storage`: a directory for the queues of exporters, and for the state of other components.

use otlp_service::{BuildContext, DiskConfig, ExtensionPart, KeyRule, SettingsError};
use serde::Deserialize;

/// Settings of the extension `file_storage`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FileStorage {
    /// The directory, with a directory below it for each exporter and signal, and for each other component that has `storage`. Default `/var/lib/otelcol/file_storage`.
    directory: String,
    /// Makes the directory if there is none. Default false.
    create_directory: bool,
    /// Largest size of the files of each queue, in bytes; 0 is the default. Default 10 GiB, or half of the bytes that are free at
    /// the start if these are less.
    max_size: u64,
    /// Has no effect: what is answered is synced in any case.
    fsync: bool,
}

/// Keys of the Collector's `file_storage` that have no effect here.
pub(crate) const FILE_STORAGE_RULES: &[KeyRule] = &[
    KeyRule::ignored(
        "timeout",
        "another process that has a queue open is an error at the start, without a wait",
    ),
    KeyRule::ignored("compaction", "files are removed as soon as their batches are delivered"),
    KeyRule::ignored(
        "directory_permissions",
        "directories are made by the process's umask, files for their owner alone",
    ),
    KeyRule::ignored("recreate", "damaged files are read past the damage, and never replaced"),
];

/// Makes `file_storage`.
pub(crate) fn file_storage(
    given: FileStorage,
    context: &BuildContext<'_>,
) -> Result<ExtensionPart, SettingsError> {
    if !given.fsync {
        let synced = "batches are synced to the device before senders are answered, also with `fsync: false`";
        context.note(SettingsError::at("fsync", synced));
    }
    let directory = if given.directory.is_empty() { DIRECTORY } else { &given.directory };
    let mut config = DiskConfig::new(directory);
    config.create_directory = given.create_directory;
    config.max_bytes = (given.max_size > 0).then_some(given.max_size);
    Ok(ExtensionPart::Storage(config))
}

/// The Collector's.
const DIRECTORY: &str = "/var/lib/otelcol/file_storage";
