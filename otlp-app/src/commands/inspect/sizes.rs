//! Bytes of the parts of requests: a tree of fields, and the attributes by key.

use std::collections::HashMap;

/// Bytes by field and by attribute key.
pub(super) struct Sizes {
    /// The fields; the first is the request itself.
    parts: Vec<Part>,
    /// Attributes by key.
    keys: HashMap<String, Size>,
    /// Attributes whose keys are beyond [`MAX_KEYS`].
    pub(super) other_keys: Size,
}

/// A number of values and their bytes, with tags and lengths.
#[derive(Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) count: u64,
    pub(super) bytes: u64,
}

struct Part {
    name: &'static str,
    parent: usize,
    size: Size,
    children: Vec<usize>,
}

// === impl Sizes ===

impl Sizes {
    pub(super) fn new() -> Self {
        let request = Part { name: "", parent: 0, size: Size::default(), children: Vec::new() };
        Self { parts: vec![request], keys: HashMap::new(), other_keys: Size::default() }
    }

    /// Counts a field below the part `parent`, and returns the part of the field. The schema bounds the number of parts.
    pub(super) fn add(&mut self, parent: usize, name: &'static str, bytes: usize) -> usize {
        let known = self.parts.get(parent).and_then(|part| {
            part.children
                .iter()
                .copied()
                .find(|child| self.parts.get(*child).is_some_and(|part| part.name == name))
        });
        let at = known.unwrap_or_else(|| {
            let at = self.parts.len();
            self.parts.push(Part { name, parent, size: Size::default(), children: Vec::new() });
            if let Some(parent) = self.parts.get_mut(parent) {
                parent.children.push(at);
            }
            at
        });
        if let Some(part) = self.parts.get_mut(at) {
            part.size.add(bytes);
        }
        at
    }

    /// Counts an attribute.
    pub(super) fn add_key(&mut self, key: &str, bytes: usize) {
        if let Some(size) = self.keys.get_mut(key) {
            size.add(bytes);
        } else if self.keys.len() < MAX_KEYS {
            self.keys.insert(key.to_owned(), Size { count: 1, bytes: bytes as u64 });
        } else {
            self.other_keys.add(bytes);
        }
    }

    /// Returns the parts with their paths, the largest first.
    pub(super) fn parts(&self) -> Vec<(String, Size)> {
        let parts = self.parts.iter().skip(1).map(|part| (self.path(part), part.size)).collect();
        largest_first(parts)
    }

    /// Returns the attribute keys, those with most bytes first.
    pub(super) fn keys(&self) -> Vec<(String, Size)> {
        largest_first(self.keys.iter().map(|(key, size)| (key.clone(), *size)).collect())
    }

    fn path(&self, part: &Part) -> String {
        let mut names = vec![part.name];
        let mut parent = part.parent;
        while let Some(part) = self.parts.get(parent).filter(|_| parent > 0) {
            names.push(part.name);
            parent = part.parent;
        }
        names.reverse();
        names.join(".")
    }
}

// === impl Size ===

impl Size {
    fn add(&mut self, bytes: usize) {
        self.count += 1;
        self.bytes += bytes as u64;
    }
}

fn largest_first(mut sizes: Vec<(String, Size)>) -> Vec<(String, Size)> {
    sizes.sort_by(|(a, left), (b, right)| right.bytes.cmp(&left.bytes).then_with(|| a.cmp(b)));
    sizes
}

/// The most attribute keys that are counted apart.
const MAX_KEYS: usize = 10_000;
