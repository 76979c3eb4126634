//! Files that settings name: certificates, keys, tokens, passwords, trusted authorities.
//!
//! A setting that names a file is a [`FilePath`]. The decoder notes each, so that a file that cannot be read is an error at
//! its key, whatever the file is for and whether or not it would be needed: a certificate below `insecure: true`, too.

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
    /// What serde calls the type.
    pub(super) const TYPE_NAME: &str = "FilePath";

    /// The path, if one is given. An empty one is none, as in the Collector.
    pub(super) fn path(given: Option<Self>) -> Option<PathBuf> {
        given.map(|Self(path)| path).filter(|path| !path.as_os_str().is_empty())
    }
}

// === impl NamedFile ===

impl NamedFile {
    /// The file whose path is the text of `node`; of an empty path there is none.
    pub(super) fn of(node: &Node) -> Option<Self> {
        let path = node.text().filter(|path| !path.is_empty())?;
        Some(Self { span: node.span, key: String::new(), path: path.into() })
    }

    /// The same, named after its component and its key in the component's settings.
    pub(super) fn named(self, id: &str, settings: &Node) -> Self {
        let key = match settings.path_of(self.span) {
            Some(path) => format!("{id}: {path}"),
            None => id.to_owned(),
        };
        Self { key, ..self }
    }
}

/// Reports the files that cannot be read, all of them.
pub(crate) fn check(files: &[NamedFile], disk: &dyn Disk, problems: &mut Problems) {
    for NamedFile { span, key, path } in files {
        if let Err(error) = disk.read(path, MAX_FILE_BYTES) {
            let message = format!("{key}: `{}`: {error}", path.display());
            problems.push_unless_placed(Problem::at(*span, message));
        }
    }
}

/// As much as the transport reads.
const MAX_FILE_BYTES: u64 = 1 << 20;
