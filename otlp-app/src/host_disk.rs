//! The files of this machine, with the room left on their file systems.

use otlp_transport::{Disk, DiskFile, DiskLock, SystemDisk};
use rustix::fs::statvfs;
use std::io;
use std::path::Path;

/// [`SystemDisk`], which also tells the room left.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HostDisk;

impl Disk for HostDisk {
    fn read(&self, path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
        SystemDisk.read(path, max_bytes)
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        SystemDisk.write_new(path, bytes)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        SystemDisk.remove(path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        SystemDisk.open(path)
    }

    fn open_to_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        SystemDisk.open_to_read(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        SystemDisk.rename(from, to)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<(String, u64)>> {
        SystemDisk.list(directory)
    }

    fn list_directories(&self, directory: &Path) -> io::Result<Vec<String>> {
        SystemDisk.list_directories(directory)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        SystemDisk.create_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        SystemDisk.sync_directory(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn DiskLock>> {
        SystemDisk.lock(path)
    }

    /// The room that is left to processes without privileges.
    fn free_bytes(&self, directory: &Path) -> io::Result<u64> {
        let file_system = statvfs(directory)?;
        Ok(file_system.f_bavail.saturating_mul(file_system.f_frsize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_left_is_told() {
        let directory = std::env::temp_dir();
        assert!(HostDisk.free_bytes(&directory).is_ok_and(|free| free > 0));
        assert!(HostDisk.free_bytes(&directory.join("not there")).is_err());
    }
}
