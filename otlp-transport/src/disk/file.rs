//! Files that are appended to and read: logs, queues, state.

use super::Disk;
use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice, Write as _};
#[cfg(not(unix))]
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// An open file that is appended to and read at any place. Several threads may read while one appends.
pub trait DiskFile: fmt::Debug + Send + Sync + 'static {
    /// Appends all bytes of `parts`, in order, to the end of the file. The device may not have them until the next
    /// [`sync`](Self::sync).
    ///
    /// # Errors
    /// If the bytes cannot be written. Some of them may have been: [`truncate`](Self::truncate) removes them.
    fn append(&self, parts: &[IoSlice<'_>]) -> io::Result<()>;

    /// Waits until the device has all bytes of the file, and its length.
    ///
    /// # Errors
    /// If the device cannot be written. Bytes appended since the last successful call may be lost, also if a later call
    /// succeeds.
    fn sync(&self) -> io::Result<()>;

    /// Reads bytes from `offset` on into `buffer`. Returns their number; less than the length of `buffer` only at the end of the
    /// file.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Cuts the file to its first `len` bytes.
    ///
    /// # Errors
    /// If the file cannot be changed.
    fn truncate(&self, len: u64) -> io::Result<()>;

    /// Returns the length of the file, in bytes.
    ///
    /// # Errors
    /// If the length cannot be found out.
    fn len(&self) -> io::Result<u64>;

    /// True if the file has no bytes.
    ///
    /// # Errors
    /// As of [`len`](Self::len).
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// A lock on a file, held until it is dropped, or until the process ends.
pub trait DiskLock: fmt::Debug + Send + Sync + 'static {}

/// A file of the system.
#[derive(Debug)]
pub(super) struct SystemFile(File);

/// The content of a file, for reading.
pub(super) struct MemoryFile(pub(super) Vec<u8>);

/// A lock of the system.
#[derive(Debug)]
struct SystemLock(#[expect(dead_code, reason = "open until the lock is dropped")] File);

// === impl SystemFile ===

impl SystemFile {
    /// Opens a file for appending and reading; makes the file if there is none.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, OWNER_ALONE);
        Ok(Self(options.open(path)?))
    }

    /// Opens a file for reading.
    pub(super) fn open_to_read(path: &Path) -> io::Result<Self> {
        Ok(Self(File::open(path)?))
    }
}

impl DiskFile for SystemFile {
    fn append(&self, parts: &[IoSlice<'_>]) -> io::Result<()> {
        for parts in parts.chunks(MAX_SLICES) {
            let mut rest = parts.to_vec();
            let mut slices = &mut rest[..];
            IoSlice::advance_slices(&mut slices, 0);
            while !slices.is_empty() {
                match (&self.0).write_vectored(slices) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(written) => IoSlice::advance_slices(&mut slices, written),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn read_at(&self, mut offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_once(offset, &mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => {
                    filled += read;
                    offset += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

impl SystemFile {
    #[cfg(unix)]
    fn read_once(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.0, buffer, offset)
    }

    #[cfg(not(unix))]
    fn read_once(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = &self.0;
        file.seek(SeekFrom::Start(offset))?;
        file.read(buffer)
    }
}

// === impl MemoryFile ===

impl DiskFile for MemoryFile {
    fn append(&self, _parts: &[IoSlice<'_>]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn truncate(&self, _len: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }
}

impl fmt::Debug for MemoryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryFile").field("len", &self.0.len()).finish_non_exhaustive()
    }
}

impl DiskLock for SystemLock {}

/// Locks a file, which is made if there is none.
pub(super) fn lock(path: &Path) -> io::Result<Box<dyn DiskLock>> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, OWNER_ALONE);
    let file = options.open(path)?;
    file.try_lock()?;
    Ok(Box::new(SystemLock(file)))
}

/// The names and lengths of the files in a directory. Directories and links in it are left out.
pub(super) fn list(directory: &Path) -> io::Result<Vec<(String, u64)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
            files.push((name, metadata.len()));
        }
    }
    Ok(files)
}

/// The names of the directories in a directory. Links are left out.
pub(super) fn list_directories(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if let (true, Ok(name)) = (entry.file_type()?.is_dir(), entry.file_name().into_string()) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Writes a file under another name, waits until the device has it, and gives it its name, so that the file is the old one
/// or the new one after a crash, never a part.
///
/// # Errors
/// If one of the steps fails; the file has its old content then.
pub fn replace_file(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    match disk.remove(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => disk.write_new(&beside, bytes)?,
    }
    disk.rename(&beside, path)?;
    path.parent().map_or(Ok(()), |directory| disk.sync_directory(directory))
}

/// Telemetry may hold secrets.
#[cfg(unix)]
pub(super) const OWNER_ALONE: u32 = 0o600;
/// The system takes 1,024 slices in one write.
const MAX_SLICES: usize = 1024;

#[cfg(test)]
mod tests;
