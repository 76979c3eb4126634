//! Errors in fields: their text and the texts of their sources.

use super::attributes::{AttributeWriter, formatted};
use crate::client::key::{AttributeKey as _, Key};
use otlp_protocol::AttributeValue;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

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
        let mut source = source(error);
        while let Some(error) = source.filter(|_| chain.len() < MAX_SOURCES) {
            chain.push(text(error));
            source = self::source(error);
        }
        Self { text: text(error), chain }
    }

    /// Adds the attributes `<field>` and `<field>.chain`. `fields` are the fingerprints of all fields.
    pub(super) fn put_field(&self, attributes: &mut AttributeWriter<'_>, fields: u64, key: &Key) {
        attributes.field(key, &self.text);
        let chain = AttributeValue::array(&self.chain);
        attributes.other(fields, &format!("{}.chain", key.text()), chain);
    }

    /// Adds the attributes `exception.message` and, if the error has a source, `exception.stacktrace`.
    pub(super) fn put_exception(&self, attributes: &mut AttributeWriter<'_>, fields: u64) {
        attributes.other(fields, EXCEPTION_MESSAGE, &self.text);
        if !self.chain.is_empty() {
            let sources: String = self.chain.iter().map(|source| format!("\ncaused by: {source}")).collect();
            attributes.other(fields, EXCEPTION_STACKTRACE, format!("{}{sources}", self.text));
        }
    }
}

/// Returns the source of an error; none if the error panics.
fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    catch_unwind(AssertUnwindSafe(|| error.source())).ok().flatten()
}

fn text(error: &(dyn Error + 'static)) -> String {
    formatted(format_args!("{error}"))
}

/// The most sources of an error that are recorded: a cycle of sources ends here.
const MAX_SOURCES: usize = 32;

// Keys.
pub(super) const EXCEPTION_MESSAGE: &str = "exception.message";
const EXCEPTION_STACKTRACE: &str = "exception.stacktrace";
