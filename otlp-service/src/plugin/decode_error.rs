//! Errors of decoding, with the place of the setting.

use serde::de;
use std::fmt;

/// An error of decoding: the path of keys to the setting, and what is wrong. The text does not show values, which may be secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError(Box<Details>);

/// A range of characters in one of the texts that an application reads settings from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the text.
    pub source: usize,
    /// First character, from 0.
    pub start: usize,
    /// Number of characters.
    pub len: usize,
}

/// Boxed, so that results are small.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Details {
    /// Path of keys to the setting, as a prefix of the message: `tls.insecure: `.
    path: String,
    message: String,
    help: Vec<String>,
    place: Option<Place>,
}

// === impl DecodeError ===

impl DecodeError {
    /// Makes an error. The list or map around the setting adds the place of the setting; each map adds a key to the path.
    pub fn new(message: impl Into<String>) -> Self {
        Self::of(message.into())
    }

    fn of(message: String) -> Self {
        Self(Box::new(Details { path: String::new(), message, help: Vec::new(), place: None }))
    }

    /// Adds a line of help: how to correct the error.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help.push(help.into());
        self
    }

    /// Returns the lines of help.
    pub fn help(&self) -> &[String] {
        &self.0.help
    }

    /// Returns the place of the setting; `None` if the settings as a whole are wrong.
    pub fn place(&self) -> Option<Place> {
        self.0.place
    }

    /// Sets the place, unless the error has a place.
    pub(super) fn or_at(mut self, place: Option<Place>) -> Self {
        self.0.place = self.0.place.or(place);
        self
    }

    /// Puts `key` before the path.
    pub(super) fn below(mut self, key: &str) -> Self {
        let separator = if self.0.path.is_empty() { ": " } else { "." };
        self.0.path = format!("{key}{separator}{}", self.0.path);
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.path)?;
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::of(message.to_string())
    }

    // serde's own would be compiled into each place that makes the error.
    #[cold]
    #[inline(never)]
    fn duplicate_field(field: &'static str) -> Self {
        Self::of(format!("duplicate field `{field}`"))
    }

    /// serde's own text would show the value.
    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::of(format!("expected {expected}"))
    }

    /// serde's own text would show the value.
    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::of(format!("expected {expected}"))
    }
}
