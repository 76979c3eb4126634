//! Where configuration text comes from, kept so that errors can show the place.

use super::node::{Entry, Node, Value};

/// Every text that was read, in order of reading.
#[derive(Default)]
pub(crate) struct Sources {
    texts: Vec<Source>,
}

/// One text: a file, or a `--set` argument.
pub(crate) struct Source {
    /// How it is called in errors: the path as it was given.
    pub(crate) name: String,
    /// What it says.
    pub(crate) text: String,
    /// Character ranges that errors must not show.
    secrets: Vec<(usize, usize)>,
}

/// Which of the [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceId(usize);

/// A range of characters in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The text it is in.
    pub(crate) source: SourceId,
    /// First character, from 0.
    pub(crate) start: usize,
    /// How many characters.
    pub(crate) len: usize,
}

// === impl Sources ===

impl Sources {
    /// Keeps a text.
    pub(crate) fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        self.texts.push(Source { name: name.into(), text: text.into(), secrets: Vec::new() });
        SourceId(self.texts.len() - 1)
    }

    /// The text of a span.
    pub(crate) fn get(&self, id: SourceId) -> Option<&Source> {
        self.texts.get(id.0)
    }

    /// Remembers the values that errors must not show: all below a key that holds secrets.
    pub(crate) fn hide_secrets(&mut self, node: &Node) {
        match &node.value {
            Value::Scalar(_) => {}
            Value::List(nodes) => nodes.iter().for_each(|node| self.hide_secrets(node)),
            Value::Map(entries) => entries.iter().for_each(|Entry { key, value, .. }| match key.as_str() {
                "headers" | "inline" | "key_pem" | "keys" | "password" | "token" | "tokens" => {
                    self.hide(value)
                }
                _ => self.hide_secrets(value),
            }),
        }
    }

    fn hide(&mut self, node: &Node) {
        match &node.value {
            Value::Scalar(_) => {
                if let Some(source) = self.texts.get_mut(node.span.source.0) {
                    source.secrets.push((node.span.start, node.span.len));
                }
            }
            Value::List(nodes) => nodes.iter().for_each(|node| self.hide(node)),
            Value::Map(entries) => entries.iter().for_each(|entry| self.hide(&entry.value)),
        }
    }
}

// === impl Source ===

impl Source {
    /// The text with every secret character replaced by `*`; lengths in characters stay.
    pub(crate) fn shown(&self) -> String {
        let mut characters: Vec<char> = self.text.chars().collect();
        for &(start, len) in &self.secrets {
            let end = start.saturating_add(len).min(characters.len());
            for character in characters.get_mut(start..end).unwrap_or_default() {
                if *character != '\n' {
                    *character = '*';
                }
            }
        }
        characters.into_iter().collect()
    }
}
