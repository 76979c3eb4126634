//! Files that settings name: certificates, keys, tokens, passwords, trusted authorities.
//!
//! A setting that names a file is a [`FilePath`]. The decoder collects all paths, so that a file that cannot be read is an
//! error at its key, also if the file would not be needed: a certificate below `insecure: true`.

use super::node::Node;
use super::problem::{Problem, Problems};
use super::source::Span;
use otlp_transport::Disk;
use serde::Deserialize;
use std::path::PathBuf;

/// A setting that names a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct FilePath(pub(crate) PathBuf);

/// A file that a component names.
#[derive(Clone, Debug)]
pub(crate) struct NamedFile {
    /// The place of the path.
    pub(crate) span: Span,
    /// The component's id and the key: `otlp: tls.ca_file`.
    pub(crate) key: String,
    /// The path.
    pub(crate) path: PathBuf,
}

// === impl FilePath ===

impl FilePath {
    /// Name of the type in serde.
    pub(super) const TYPE_NAME: &str = "FilePath";

    /// Returns the path, if one is given. An empty path counts as not given, as in the Collector.
    pub(super) fn path(given: Option<Self>) -> Option<PathBuf> {
        given.map(|Self(path)| path).filter(|path| !path.as_os_str().is_empty())
    }
}

// === impl NamedFile ===

impl NamedFile {
    /// Returns the file whose path is the text of `node`; `None` for an empty path.
    pub(super) fn of(node: &Node) -> Option<Self> {
        let path = node.text().filter(|path| !path.is_empty())?;
        Some(Self { span: node.span, key: String::new(), path: path.into() })
    }

    /// Adds the key in the settings of the component `id`.
    pub(super) fn named(self, id: &str, settings: &Node) -> Self {
        let key = match settings.path_of(self.span) {
            Some(path) => format!("{id}: {path}"),
            None => id.to_owned(),
        };
        Self { key, ..self }
    }
}

/// Reports all files that cannot be read.
pub(crate) fn check(files: &[NamedFile], disk: &dyn Disk, problems: &mut Problems) {
    for NamedFile { span, key, path } in files {
        if let Err(error) = disk.read(path, MAX_FILE_BYTES) {
            let message = format!("{key}: cannot read `{}`: {error}", path.display());
            problems.push_unless_placed(Problem::at(*span, message));
        }
    }
}

/// The transport reads the same number of bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
