//! Kinds of operations.

use std::fmt;

/// A kind of operation on a disk, for faults and counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DiskOperation {
    /// A new file: by `write_new`, `open` or `lock`.
    Make,
    /// `DiskFile::append`, and the bytes of `write_new`.
    Append,
    /// `DiskFile::sync`, and the end of `write_new`.
    Sync,
    /// `DiskFile::truncate`.
    Truncate,
    /// `rename`.
    Rename,
    /// `remove`.
    Remove,
    /// A directory made by `create_directory`.
    CreateDirectory,
    /// `sync_directory`.
    SyncDirectory,
    /// `open` of a file that exists.
    Open,
    /// `read`, and `DiskFile::read_at`.
    Read,
    /// `list`.
    List,
    /// `lock`.
    Lock,
}

impl DiskOperation {
    /// True if the operation changes the files, their names, or what of them is durable.
    pub fn is_change(self) -> bool {
        !matches!(self, Self::Open | Self::Read | Self::List | Self::Lock)
    }
}

/// As in traces: `sync_directory`.
impl fmt::Display for DiskOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Make => "make",
            Self::Append => "append",
            Self::Sync => "sync",
            Self::Truncate => "truncate",
            Self::Rename => "rename",
            Self::Remove => "remove",
            Self::CreateDirectory => "create_directory",
            Self::SyncDirectory => "sync_directory",
            Self::Open => "open",
            Self::Read => "read",
            Self::List => "list",
            Self::Lock => "lock",
        })
    }
}
