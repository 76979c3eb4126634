//! Errors in fields: their text and the texts of their sources.

use super::attributes::{Attributes, format_into};
use super::key::put_key;
use std::error::Error;

/// The texts of an error.
pub(super) struct Failure {
    text: String,
    /// Texts of the sources, the nearest first.
    chain: Vec<String>,
}

// === impl Failure ===

impl Failure {
    /// Formats the error and its sources, at most [`MAX_SOURCES`].
    pub(super) fn new(error: &(dyn Error + 'static)) -> Self {
        let mut chain = Vec::new();
        let mut source = error.source();
        while let Some(error) = source.filter(|_| chain.len() < MAX_SOURCES) {
            chain.push(text(error));
            source = error.source();
        }
        Self { text: text(error), chain }
    }

    /// Appends the attributes `<field>` and `<field>.chain`.
    pub(super) fn put_field(&self, attributes: &mut Attributes<'_>, key: &[u8], field: &str) {
        attributes.text(key, &self.text);
        let mut chain = Vec::with_capacity(field.len() + 16);
        put_key(&mut chain, &format!("{field}.chain"));
        attributes.list(&chain, &self.chain);
    }

    /// Appends the attributes `exception.message` and, if the error has a source, `exception.stacktrace`.
    pub(super) fn put_exception(&self, attributes: &mut Attributes<'_>) {
        attributes.text(EXCEPTION_MESSAGE, &self.text);
        if !self.chain.is_empty() {
            let sources: String = self.chain.iter().map(|source| format!("\ncaused by: {source}")).collect();
            attributes.text(EXCEPTION_STACKTRACE, &format!("{}{sources}", self.text));
        }
    }
}

fn text(error: &(dyn Error + 'static)) -> String {
    let mut text = Vec::new();
    format_into(&mut text, format_args!("{error}"), None);
    String::from_utf8(text).unwrap_or_default()
}

/// The most sources of an error that are recorded: a cycle of sources ends here.
const MAX_SOURCES: usize = 32;

/// Encoded keys.
pub(super) const EXCEPTION_MESSAGE: &[u8] = b"\x0a\x11exception.message\x12";
const EXCEPTION_STACKTRACE: &[u8] = b"\x0a\x14exception.stacktrace\x12";
