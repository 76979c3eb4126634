//! The process that has a queue open.

use otlp_service::QueueFiles;
use std::fmt;
use std::fs;
use std::path::Path;

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) pid: u32,
    /// Name of the program; empty if it cannot be found out.
    pub(super) program: String,
}

// === impl Holder ===

impl Holder {
    /// Finds the process that has locked a queue, without a lock of its own: a gateway that starts meanwhile is not disturbed. `None` if
    /// there is no such process, or the system does not tell.
    pub(super) fn of(queue: &Path) -> Option<Self> {
        let (device, inode) = identity(&QueueFiles::lock_file(queue))?;
        let locks = fs::read_to_string("/proc/locks").ok()?;
        let pid = pid_of(&locks, device, inode)?;
        let program = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        Some(Self { pid, program: program.trim().to_owned() })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.program {
            "" => write!(f, "process {}", self.pid),
            program => write!(f, "process {} ({program})", self.pid),
        }
    }
}

/// Finds a lock in the text of `/proc/locks`: `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234567 0 EOF`.
fn pid_of(locks: &str, device: (u32, u32), inode: u64) -> Option<u32> {
    let lines = locks.lines().map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>());
    let pids = lines.filter_map(|fields| {
        let [kind, _, "WRITE", pid, file, ..] = fields[..] else { return None };
        let mut parts = file.split(':');
        let major = u32::from_str_radix(parts.next()?, 16).ok()?;
        let minor = u32::from_str_radix(parts.next()?, 16).ok()?;
        let is_file = (major, minor) == device && parts.next()?.parse() == Ok(inode);
        (kind == "FLOCK" && is_file).then(|| pid.parse().ok())?
    });
    pids.into_iter().next()
}

/// Device and number of a file.
fn identity(path: &Path) -> Option<((u32, u32), u64)> {
    let stat = rustix::fs::stat(path).ok()?;
    Some(((rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev)), stat.st_ino))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_found_by_its_file() {
        let locks = "1: POSIX  ADVISORY  WRITE 12 08:01:77 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 4711 fe:0a:77 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 4712 fe:0a:77 0 EOF\n\
                     3: FLOCK  ADVISORY  READ 13 08:01:77 0 EOF\n\
                     4: FLOCK\n";
        assert_eq!(pid_of(locks, (0xfe, 0x0a), 77), Some(4711));
        assert_eq!(pid_of(locks, (8, 1), 77), None);
        assert_eq!(pid_of(locks, (0xfe, 0x0a), 78), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_own_process_is_found() {
        use otlp_transport::{Disk as _, SystemDisk};
        let directory = std::env::temp_dir().join(format!("otlp-holder-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let lock = SystemDisk.lock(&QueueFiles::lock_file(&directory)).unwrap();
        let holder = Holder::of(&directory);
        drop(lock);
        let after = Holder::of(&directory);
        fs::remove_dir_all(&directory).unwrap();
        assert_eq!((holder.map(|holder| holder.pid), after), (Some(std::process::id()), None));
    }
}
