//! Files, passed in so that tests can simulate faults, and files that are reloaded at run time.
//!
//! Certificates, keys, tokens and passwords change while the process runs. A [`Watched`] value is made of files at the
//! start, and made again when a file's bytes change. Content that cannot be used leaves the value unchanged; the failure
//! is counted once for each such content, and logged once a minute while it lasts.

mod file;
#[cfg(any(feature = "client", feature = "server"))]
mod watched;

pub use file::{DiskFile, DiskLock, replace_file};

#[cfg(any(feature = "client", feature = "server"))]
pub(crate) use watched::Watched;

use std::fmt;
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read, Write as _};
#[cfg(unix)]
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// Files, for reading whole ones, and for logs that are appended to. Calls block: they are made at the start, and on threads where
/// they delay no request. Methods other than `read` have a default, for disks that are only read: an error.
pub trait Disk: fmt::Debug + Send + Sync + 'static {
    /// Reads all bytes of a regular file, following links. Must not wait for a peer, as reading a pipe, socket or device
    /// may never end.
    ///
    /// # Errors
    /// If the file cannot be read, is not a regular file, or holds more than `max_bytes`.
    fn read(&self, path: &Path, max_bytes: u64) -> io::Result<Vec<u8>>;

    /// Creates a file that is readable by its owner alone, writes `bytes`, and waits until the device has them. Default: an error, for disks that cannot be
    /// written.
    ///
    /// # Errors
    /// If there is such a file already, a link included, or if the file cannot be written. It may exist then.
    fn write_new(&self, path: &Path, _bytes: &[u8]) -> io::Result<()> {
        Err(unsupported(path, "written"))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// If there is no such file, or the file cannot be removed.
    fn remove(&self, path: &Path) -> io::Result<()> {
        Err(unsupported(path, "removed"))
    }

    /// Opens a file for appending and reading; makes the file if there is none, readable by its owner alone.
    ///
    /// # Errors
    /// If the file cannot be opened or made.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Err(unsupported(path, "opened"))
    }

    /// Opens a file for reading, and changes nothing: the file must exist. Other methods of the file may fail. Default: reads all
    /// of the file, up to 1 GiB, into memory.
    ///
    /// # Errors
    /// If there is no such file, or the file cannot be read.
    fn open_to_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(file::MemoryFile(self.read(path, MAX_MEMORY_FILE_BYTES)?)))
    }

    /// Gives a file another name, and replaces a file of that name. After a crash it has one of the names; which one is
    /// certain after [`sync_directory`](Self::sync_directory).
    ///
    /// # Errors
    /// If the file cannot be renamed; nothing has changed then.
    fn rename(&self, from: &Path, _to: &Path) -> io::Result<()> {
        Err(unsupported(from, "renamed"))
    }

    /// Returns the names and lengths of the files in a directory, in any order, without directories and links.
    ///
    /// # Errors
    /// If the directory cannot be read.
    fn list(&self, directory: &Path) -> io::Result<Vec<(String, u64)>> {
        Err(unsupported(directory, "listed"))
    }

    /// Returns the names of the directories in a directory, in any order, without links. Default: an error, for disks that do not
    /// know.
    ///
    /// # Errors
    /// If the directory cannot be read; of kind [`Unsupported`](io::ErrorKind::Unsupported) if the disk does not know.
    fn list_directories(&self, directory: &Path) -> io::Result<Vec<String>> {
        Err(unsupported(directory, "searched for directories"))
    }

    /// Makes a directory and those above it, unless they exist.
    ///
    /// # Errors
    /// If one of them cannot be made.
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        Err(unsupported(path, "made"))
    }

    /// Waits until the device has the names of the files in a directory, as they are now.
    ///
    /// # Errors
    /// If the device cannot be written.
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        Err(unsupported(path, "synced"))
    }

    /// Locks a file against other processes, and makes the file if there is none.
    ///
    /// # Errors
    /// Of kind [`WouldBlock`](io::ErrorKind::WouldBlock) if another process, or another part of this one, has the lock; others
    /// if the file cannot be made.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn DiskLock>> {
        Err(unsupported(path, "locked"))
    }

    /// Returns the bytes that this process may still write to the file system of `directory`. Default, and with
    /// [`SystemDisk`]: an error, since the standard library cannot tell; the program `otlp` passes in a disk that can.
    ///
    /// # Errors
    /// If the number cannot be found out.
    fn free_bytes(&self, directory: &Path) -> io::Result<u64> {
        Err(unsupported(directory, "asked for free space"))
    }
}

/// The system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

/// Counters of reloaded files, for the whole process. They only grow.
#[derive(Debug, Default)]
pub struct ReloadStats {
    /// Changed files taken into use.
    pub reloads: AtomicU64,
    /// Changed files that could not be used; the last content stayed in use.
    pub reload_failures: AtomicU64,
}

/// A file, and the key of the setting that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) key: &'static str,
    pub(crate) path: PathBuf,
}

impl Disk for SystemDisk {
    fn read(&self, path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
        // Checked before opening, since opening a device may have effects, and after, since the path may lead to another
        // file by then.
        only_regular(&fs::metadata(path)?)?;
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        options.custom_flags(libc::O_NONBLOCK);
        let file = options.open(path)?;
        only_regular(&file.metadata()?)?;
        let mut bytes = Vec::new();
        file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > max_bytes {
            return Err(io::Error::other(format!("the file has more than {max_bytes} bytes")));
        }
        Ok(bytes)
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(file::OWNER_ALONE);
        let mut file = options.open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(file::SystemFile::open(path)?))
    }

    fn open_to_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(file::SystemFile::open_to_read(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<(String, u64)>> {
        file::list(directory)
    }

    fn list_directories(&self, directory: &Path) -> io::Result<Vec<String>> {
        file::list_directories(directory)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        // Other systems have no such call, and need none.
        if cfg!(unix) { fs::File::open(path)?.sync_all() } else { Ok(()) }
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn DiskLock>> {
        file::lock(path)
    }
}

fn unsupported(path: &Path, what: &str) -> io::Error {
    let message = format!("{} cannot be {what} through this disk", path.display());
    io::Error::new(io::ErrorKind::Unsupported, message)
}

/// Refuses files that are not regular, by their kind.
fn only_regular(metadata: &Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    }
    #[cfg(unix)]
    let special = [
        (kind.is_fifo(), "a pipe"),
        (kind.is_socket(), "a socket"),
        (kind.is_char_device() || kind.is_block_device(), "a device"),
    ];
    #[cfg(not(unix))]
    let special: [(bool, &str); 0] = [];
    let name = match special.iter().find(|(is_it, _)| *is_it) {
        Some((_, name)) => name,
        None if kind.is_dir() => "a directory",
        None => "not a file",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {name}: give the path of a regular file")))
}

/// Of a file that is read into memory to be read in parts.
const MAX_MEMORY_FILE_BYTES: u64 = 1 << 30;

/// Certificates, keys and tokens are some KiB; a bundle of all public authorities is 250 KiB.
pub(crate) const MAX_FILE_BYTES: u64 = 1 << 20;

/// Default time between checks of files for changes: rotation tools leave hours of overlap.
pub(crate) const DEFAULT_RELOAD_INTERVAL: Duration = Duration::from_secs(30);

#[cfg(test)]
#[cfg(any(feature = "client", feature = "server"))]
mod tests;
