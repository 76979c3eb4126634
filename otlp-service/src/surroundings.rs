//! The files, variables and names that tell about this process and its host: for the client's resource, and for the processor
//! `resource_detection`. All of them are passed in, so that tests have their own.

pub(crate) mod host;
pub(crate) mod process;

use otlp_transport::Disk;
use std::path::{Path, PathBuf};

/// Sources of facts about a process and its host.
pub(crate) struct Surroundings<'a> {
    /// Directory that stands for `/`.
    pub(crate) root: &'a Path,
    /// Files.
    pub(crate) disk: &'a dyn Disk,
    /// Environment variables.
    pub(crate) lookup: &'a dyn Fn(&str) -> Option<String>,
    /// Path of the program's executable.
    pub(crate) executable: Option<PathBuf>,
    /// The name that the program was called by.
    pub(crate) command: Option<String>,
}

// === impl Surroundings ===

impl<'a> Surroundings<'a> {
    /// Returns this process and this machine, with files of `disk` and variables of `lookup`.
    pub(crate) fn of_process(disk: &'a dyn Disk, lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        let executable = std::env::current_exe().ok();
        let command = std::env::args_os().next().map(|name| name.to_string_lossy().into_owned());
        Self { root: Path::new("/"), disk, lookup, executable, command }
    }

    /// Returns the content of a file, given by its path below the root. `None` if the file cannot be read, or is longer than the
    /// limit.
    pub(crate) fn read(&self, path: &str) -> Option<String> {
        let bytes = self.disk.read(&self.root.join(path), MAX_FILE_BYTES).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns the content of a file of one line.
    pub(crate) fn read_line(&self, path: &str) -> Option<String> {
        let text = self.read(path)?;
        Some(text.lines().next()?.trim().to_owned()).filter(|line| !line.is_empty())
    }

    /// Returns the value of the first variable that is set and not empty.
    pub(crate) fn variable(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| (self.lookup)(name).filter(|value| !value.is_empty()))
    }

    /// Returns the name of the executable: of its path, or else of the command.
    pub(crate) fn executable_name(&self) -> Option<String> {
        let path = self.executable.as_deref().or_else(|| self.command.as_deref().map(Path::new))?;
        Some(path.file_name()?.to_string_lossy().into_owned())
    }
}

/// Returns an environment variable of this process.
pub(crate) fn variable_of_process(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Longest file read. The mounts of a process on a crowded node are some 100 KiB.
const MAX_FILE_BYTES: u64 = 1 << 20;
