//! Fingerprints of components: two components with equal settings have equal fingerprints.
//!
//! The settings are those after references were replaced and keys with a rule taken out. The order of keys in a map does not
//! matter, nor does the place in the file.

use super::component::Component;
use super::node::{Node, Scalar, Value};
use otlp_service::{Fingerprint, Kind};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

/// Fingerprints of the components of a file, by kind and id.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints(HashMap<(&'static str, String), Fingerprint>);

/// A value, hashed without its place and without the order of its keys.
struct Unordered<'a>(&'a Node);

/// Returns the fingerprint of a section.
pub(super) fn of(section: &Node) -> Fingerprint {
    Fingerprint::of(&Unordered(section))
}

// === impl Fingerprints ===

impl Fingerprints {
    /// Adds a component.
    pub(super) fn add(&mut self, kind: Kind, component: &Component) {
        let settings = Fingerprint::of(&(Component::type_of(&component.id), Unordered(&component.settings)));
        self.0.insert((kind.name(), component.id.clone()), settings);
    }

    /// Makes the fingerprint of a component one of the component and of an extension that it uses.
    pub(super) fn add_use(&mut self, kind: Kind, id: &str, extension: &str) {
        if let Some(both) = self.with_extensions(kind, id, [extension]) {
            self.0.insert((kind.name(), id.to_owned()), both);
        }
    }

    /// Returns the fingerprint of a component; `None` if no file has the component.
    pub(crate) fn of(&self, kind: Kind, id: &str) -> Option<Fingerprint> {
        self.0.get(&(kind.name(), id.to_owned())).copied()
    }

    /// Returns the fingerprint of a component together with the extensions that it uses. `None` if one of them has none.
    pub(crate) fn with_extensions<'a>(
        &self,
        kind: Kind,
        id: &str,
        extensions: impl IntoIterator<Item = &'a str>,
    ) -> Option<Fingerprint> {
        let own = self.of(kind, id)?;
        let used = extensions.into_iter().map(|id| self.of(Kind::Extension, id));
        let all: Option<Vec<_>> = std::iter::once(Some(own)).chain(used).collect();
        all.map(|all| if all.len() == 1 { own } else { Fingerprint::of(&all) })
    }
}

// === impl Unordered ===

impl Hash for Unordered<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self(Node { value, written, .. }) = self;
        written.hash(state);
        std::mem::discriminant(value).hash(state);
        match value {
            Value::Scalar(Scalar { text, plain, referred, .. }) => (text, plain, referred).hash(state),
            Value::List(nodes) => {
                nodes.len().hash(state);
                nodes.iter().for_each(|node| Unordered(node).hash(state));
            }
            Value::Map(entries) => {
                let mut entries: Vec<_> = entries.iter().map(|entry| (&entry.key, &entry.value)).collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                entries.len().hash(state);
                entries.iter().for_each(|(key, value)| (key, Unordered(value)).hash(state));
            }
        }
    }
}
