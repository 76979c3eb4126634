//! The files that a configuration was read from, and their contents.

use super::Lookup;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;

/// Contents of files by path: a hash of each content, `None` for a file that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents(BTreeMap<String, Option<u64>>);

/// Another [`Lookup`] that records the contents of the files which are read.
pub(crate) struct Recorded<'a> {
    lookup: &'a dyn Lookup,
    /// Reads regular files only. A pipe was read at the start, and a second read could wait without end.
    only_regular: bool,
    contents: RefCell<Contents>,
}

// === impl Contents ===

impl Contents {
    /// Reads the same files again. Blocks.
    pub(crate) fn now(&self, lookup: &dyn Lookup) -> Self {
        Self(self.0.keys().map(|path| (path.clone(), hash(&lookup.file(path)))).collect())
    }

    /// Returns true if a file has another content than in `before`. A file that cannot be read is no change.
    pub(crate) fn differ_from(&self, before: &Self) -> bool {
        self.0.iter().any(|(path, hash)| hash.is_some() && before.0.get(path) != Some(hash))
    }

    /// Returns true if there are no files.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

// === impl Recorded ===

impl<'a> Recorded<'a> {
    /// Records the files of the first load, among which may be pipes.
    pub(crate) fn first(lookup: &'a dyn Lookup) -> Self {
        Self { lookup, only_regular: false, contents: RefCell::default() }
    }

    /// Records the files of a reload, which are regular files.
    pub(crate) fn again(lookup: &'a dyn Lookup) -> Self {
        Self { only_regular: true, ..Self::first(lookup) }
    }

    /// Returns the contents of the files that were read.
    pub(crate) fn contents(self) -> Contents {
        self.contents.into_inner()
    }

    fn recorded(&self, path: &str, text: io::Result<String>) -> io::Result<String> {
        self.contents.borrow_mut().0.insert(path.to_owned(), hash(&text));
        text
    }
}

impl Lookup for Recorded<'_> {
    fn env(&self, name: &str) -> Option<String> {
        self.lookup.env(name)
    }

    fn file(&self, path: &str) -> io::Result<String> {
        self.recorded(path, self.lookup.file(path))
    }

    fn config(&self, path: &str) -> io::Result<String> {
        let text = if self.only_regular { self.lookup.file(path) } else { self.lookup.config(path) };
        self.recorded(path, text)
    }

    fn allows_unset(&self) -> bool {
        self.lookup.allows_unset()
    }
}

fn hash(text: &io::Result<String>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    text.as_ref().ok()?.hash(&mut hasher);
    Some(hasher.finish())
}
