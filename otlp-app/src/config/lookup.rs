//! Environment variables and files that a configuration is made of.

mod recorded;

pub(crate) use recorded::{Contents, Recorded};

use otlp_transport::{Disk as _, SystemDisk};
use std::io::Read;

/// Source of environment variables and files for references.
pub(crate) trait Lookup {
    /// Returns the value of an environment variable, if it is set.
    fn env(&self, name: &str) -> Option<String>;

    /// Reads the text of a regular file.
    fn file(&self, path: &str) -> std::io::Result<String>;

    /// Reads the text of a configuration file, which may be a pipe: `--config <(…)`.
    fn config(&self, path: &str) -> std::io::Result<String> {
        self.file(path)
    }

    /// Returns whether `--allow-unset` was given: an unset variable without a default is then the empty text, not an error.
    fn allows_unset(&self) -> bool {
        false
    }
}

/// The process's environment and files.
pub(crate) struct SystemLookup;

/// Another [`Lookup`] in which variables that are not set are empty.
pub(crate) struct AllowUnset<L>(pub(crate) L);

// === impl AllowUnset ===

impl<L: Lookup> Lookup for AllowUnset<L> {
    fn env(&self, name: &str) -> Option<String> {
        self.0.env(name)
    }

    fn file(&self, path: &str) -> std::io::Result<String> {
        self.0.file(path)
    }

    fn config(&self, path: &str) -> std::io::Result<String> {
        self.0.config(path)
    }

    fn allows_unset(&self) -> bool {
        true
    }
}

// === impl SystemLookup ===

impl Lookup for SystemLookup {
    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> std::io::Result<String> {
        let bytes = SystemDisk.read(path.as_ref(), MAX_FILE_BYTES as u64)?;
        String::from_utf8(bytes).map_err(|_| std::io::Error::other("the file is not UTF-8"))
    }

    fn config(&self, path: &str) -> std::io::Result<String> {
        let mut text = String::new();
        // One byte more than allowed, so that the parser's limit refuses it.
        std::fs::File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_string(&mut text)?;
        Ok(text)
    }
}

/// Largest file that is read, in bytes.
pub(super) const MAX_FILE_BYTES: usize = 1 << 20;
