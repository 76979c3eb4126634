//! Sources of configuration text, kept so that errors can show the place.

use super::mask;
use super::node::{Entry, Node, Value};
use otlp_service::Place;

/// Every text that was read, in order of reading.
#[derive(Default)]
pub(crate) struct Sources {
    texts: Vec<Source>,
    /// Values that messages must not show, the longest first.
    secret_texts: Vec<String>,
}

/// One text: a file, or a `--set` argument.
pub(crate) struct Source {
    /// Name in errors: the path as it was given.
    pub(crate) name: String,
    /// The whole text.
    pub(crate) text: String,
    /// Character ranges that errors must not show.
    secrets: Vec<(usize, usize)>,
    /// True once the text was parsed and its secrets are known. Until then errors mask all values of the text.
    was_read: bool,
}

/// Index in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceId(usize);

/// A range of characters in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The source that holds the range.
    pub(crate) source: SourceId,
    /// First character, from 0.
    pub(crate) start: usize,
    /// Number of characters.
    pub(crate) len: usize,
}

// === impl Span ===

impl Span {
    /// Returns true if this range contains `other` and is larger.
    pub(crate) fn is_around(self, other: Self) -> bool {
        let (end, other_end) = (self.start.saturating_add(self.len), other.start.saturating_add(other.len));
        self.source == other.source && self != other && self.start <= other.start && other_end <= end
    }
}

impl From<Span> for Place {
    fn from(Span { source, start, len }: Span) -> Self {
        Self { source: source.0, start, len }
    }
}

impl From<Place> for Span {
    fn from(Place { source, start, len }: Place) -> Self {
        Self { source: SourceId(source), start, len }
    }
}

// === impl Sources ===

impl Sources {
    /// Adds a text.
    pub(crate) fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let (secrets, was_read) = (Vec::new(), false);
        self.texts.push(Source { name: name.into(), text: text.into(), secrets, was_read });
        SourceId(self.texts.len() - 1)
    }

    /// Returns the source with that index.
    pub(crate) fn get(&self, id: SourceId) -> Option<&Source> {
        self.texts.get(id.0)
    }

    /// Returns `file:line:column` of the start of a span.
    pub(crate) fn place(&self, span: Span) -> Option<String> {
        let source = self.get(span.source)?;
        let before = || source.text.chars().take(span.start);
        let line = before().filter(|&c| c == '\n').count() + 1;
        let column = before().fold(1, |column, c| if c == '\n' { 1 } else { column + 1 });
        Some(format!("{}:{line}:{column}", source.name))
    }

    /// Marks a text as parsed: all its secrets are those that [`hide_secrets`](Self::hide_secrets) has found.
    pub(crate) fn was_read(&mut self, id: SourceId) {
        if let Some(source) = self.texts.get_mut(id.0) {
            source.was_read = true;
        }
    }

    /// Remembers the values that errors must not show: values below a key that holds secrets, users, passwords and queries
    /// in addresses, and values of variables and other files.
    pub(crate) fn hide_secrets(&mut self, node: &Node) {
        match &node.value {
            Value::Scalar(scalar) => {
                self.hide_address(node);
                if scalar.referred {
                    self.hide_text(&scalar.text);
                }
            }
            Value::List(nodes) => nodes.iter().for_each(|node| self.hide_secrets(node)),
            Value::Map(entries) => entries.iter().for_each(|Entry { key, value, .. }| {
                let is_map = matches!(value.value, Value::Map(_));
                if mask::holds_secrets(key) || (!is_map && mask::may_be_secret(key)) {
                    self.hide(value);
                } else {
                    self.hide_secrets(value);
                }
            }),
        }
    }

    /// Remembers user, password and query of an address, which errors must not show.
    pub(crate) fn hide_secrets_of(&mut self, address: &str) {
        let characters: Vec<char> = address.chars().collect();
        for (start, end) in mask::secrets_of_address(&characters) {
            let secret: String = characters.get(start..end).unwrap_or_default().iter().collect();
            if let Some((_, password)) = secret.split_once([':', '=']) {
                self.hide_text(password);
            }
            self.hide_text(&secret);
        }
    }

    /// Returns a text with the secrets that have been found so far replaced by `***`.
    pub(crate) fn masked(&self, text: &str) -> String {
        self.secret_texts.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    fn hide(&mut self, node: &Node) {
        match &node.value {
            Value::Scalar(scalar) => {
                self.hide_span(node.span);
                self.hide_text(&scalar.text);
            }
            Value::List(nodes) => nodes.iter().for_each(|node| self.hide(node)),
            Value::Map(entries) => entries.iter().for_each(|entry| {
                // `{s3cret}`: YAML reads the value as a key.
                if entry.value.is_null() {
                    self.hide_span(entry.key_span);
                    self.hide_text(&entry.key);
                }
                self.hide(&entry.value);
            }),
        }
    }

    /// Hides user, password and query of an address in the file.
    fn hide_address(&mut self, node: &Node) {
        let Value::Scalar(scalar) = &node.value else { return };
        if !scalar.text.contains(['@', '?']) {
            return;
        }
        self.hide_secrets_of(&scalar.text);
        let Span { source, start, len } = node.span;
        let text = self.get(source).map_or("", |source| source.text.as_str());
        let text: Vec<char> = text.chars().skip(start).take(len).collect();
        for (from, to) in mask::secrets_of_address(&text) {
            self.hide_span(Span { source, start: start + from, len: to - from });
        }
    }

    fn hide_span(&mut self, span: Span) {
        if let Some(source) = self.texts.get_mut(span.source.0) {
            source.secrets.push((span.start, span.len));
        }
    }

    fn hide_text(&mut self, text: &str) {
        // Shorter texts are parts of many words.
        if text.len() >= MIN_SECRET_BYTES && !self.secret_texts.iter().any(|known| known == text) {
            self.secret_texts.push(text.to_owned());
            // Messages show texts escaped.
            self.secret_texts.push(text.escape_debug().to_string());
            // A secret that contains another secret is replaced first.
            self.secret_texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        }
    }
}

// === impl Source ===

impl Source {
    /// Returns the text with every character that may be part of a secret replaced by `*`. The number of characters stays.
    pub(crate) fn shown(&self) -> String {
        let mut characters: Vec<char> = self.text.chars().collect();
        for &(start, len) in &self.secrets {
            let end = start.saturating_add(len).min(characters.len());
            mask::mask(characters.get_mut(start..end).unwrap_or_default());
        }
        for line in characters.split_mut(|&c| c == '\n') {
            if self.was_read { mask::mask_line(line) } else { mask::mask_unread_line(line) }
        }
        characters.into_iter().collect()
    }
}

const MIN_SECRET_BYTES: usize = 6;
