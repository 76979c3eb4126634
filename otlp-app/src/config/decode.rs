//! Decodes [`Node`]s into the structs that mirror the file, by the deserializer of otlp-service.
//! Every error has its place.
//!
//! Unknown keys are reported and skipped, so that one run shows all of them; a null value is the key's default.

use super::files::{FilePath, NamedFile};
use super::node::{Entry, Node, Resolved, Scalar, Value};
use super::problem::{Problem, Problems};
use crate::removed::moved_to;
use otlp_service::{DecodeError, Place, Setting, SettingList, SettingMap, SettingValue, Settings};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use std::cell::RefCell;
use std::fmt;
use std::slice::Iter;

/// Decodes a node; `None` if something was wrong, which is then among `problems`.
pub(crate) fn decode<T: DeserializeOwned>(node: &Node, problems: &mut Problems) -> Option<T> {
    decode_by(node, problems, |settings| T::deserialize(settings))
}

/// Decodes a node by a function.
pub(super) fn decode_by<T>(
    node: &Node,
    problems: &mut Problems,
    decode: impl FnOnce(Settings<'_>) -> Result<T, DecodeError>,
) -> Option<T> {
    let found = RefCell::new(Found::default());
    let decoded = decode(Settings::new(&Decoder { node, found: &found }));
    let Found { unknown, files } = found.into_inner();
    let sound = unknown.is_empty();
    problems.files.extend(files);
    unknown.into_iter().for_each(|problem| problems.push(problem));
    match decoded {
        Ok(value) => sound.then_some(value),
        Err(error) => {
            problems.push(Problem::of_decoding(&error).or_at(node.span));
            None
        }
    }
}

/// Decodes a value that may be the empty text. Other optional values treat the empty text as not given.
pub(crate) fn given<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// The unknown keys and file paths found while a section is decoded.
#[derive(Default)]
struct Found {
    /// Unknown keys.
    unknown: Vec<Problem>,
    files: Vec<NamedFile>,
}

#[derive(Clone, Copy)]
struct Decoder<'a> {
    node: &'a Node,
    found: &'a RefCell<Found>,
}

/// The entries of a map that are given. Unknown keys are recorded and skipped.
struct GivenEntries<'a> {
    entries: Iter<'a, Entry>,
    /// Known keys; `None` if any key is accepted.
    fields: Option<&'static [&'static str]>,
    found: &'a RefCell<Found>,
}

// === impl Decoder ===

impl<'a> Decoder<'a> {
    fn wrong(&self, expected: impl fmt::Display) -> DecodeError {
        DecodeError::new(format!("expected {expected}, found {}", self.node.describe()))
    }

    /// Returns an error without the value: a single value in place of a list or map may be a secret put there by mistake.
    fn wrong_kind(&self, expected: &str) -> DecodeError {
        DecodeError::new(format!("expected {expected}, found {}", self.node.kind()))
    }

    fn scalar(&self, expected: &str) -> Result<&'a Scalar, DecodeError> {
        match &self.node.value {
            Value::Scalar(scalar) => Ok(scalar),
            Value::List(_) | Value::Map(_) => Err(self.wrong(expected)),
        }
    }
}

impl Setting for Decoder<'_> {
    fn value(&self) -> Result<SettingValue<'_>, DecodeError> {
        Ok(match &self.node.value {
            Value::List(_) => SettingValue::List(self.list()?),
            Value::Map(_) => SettingValue::Map(self.map(None)?),
            Value::Scalar(scalar) => match scalar.resolve() {
                Resolved::Null => SettingValue::Null,
                Resolved::Bool(value) => SettingValue::Bool(value),
                Resolved::Int(number) => SettingValue::Integer(number),
                Resolved::Float(number) => SettingValue::Number(number),
                Resolved::Text(text) => SettingValue::Text(text),
            },
        })
    }

    fn place(&self) -> Option<Place> {
        Some(self.node.span.into())
    }

    fn is_given(&self) -> bool {
        // As in the Collector, an empty text counts as not given. `given` decodes fields that may be empty.
        !self.node.is_empty_text()
    }

    fn newtype(&self, name: &'static str) {
        if name == FilePath::TYPE_NAME {
            self.found.borrow_mut().files.extend(NamedFile::of(self.node));
        }
    }

    fn boolean(&self) -> Result<bool, DecodeError> {
        let scalar = self.scalar("true or false")?;
        match scalar.resolve() {
            Resolved::Bool(value) => Ok(value),
            _ if scalar.is_empty_reference() => Ok(false),
            _ => Err(self.wrong("true or false")),
        }
    }

    fn integer(&self) -> Result<i64, DecodeError> {
        self.scalar(WHOLE_NUMBER)?.whole_number().ok_or_else(|| self.wrong(WHOLE_NUMBER))
    }

    fn unsigned(&self, max: u64) -> Result<u64, DecodeError> {
        match u64::try_from(self.integer()?) {
            Ok(number) if number <= max => Ok(number),
            Ok(_) => Err(self.wrong("a smaller number")),
            Err(_) => Err(self.wrong("a number that is not negative")),
        }
    }

    fn number(&self) -> Result<f64, DecodeError> {
        self.scalar("a number")?.number().ok_or_else(|| self.wrong("a number"))
    }

    fn text(&self, expected: &dyn fmt::Display) -> Result<Option<&str>, DecodeError> {
        match (&self.node.value, &self.node.written) {
            (Value::Scalar(scalar), _) if scalar.is_empty_reference() => Ok(None),
            (Value::Scalar(scalar), _) => Ok(Some(scalar.as_text())),
            (_, Some(written)) => Ok(Some(written)),
            (..) => Err(self.wrong(expected)),
        }
    }

    fn word(&self, words: &'static [&'static str]) -> Result<&'static str, DecodeError> {
        let scalar = self.scalar("a word")?;
        let text = scalar.text.as_str();
        // The Collector takes some words in upper or lower case. No two words differ only in case.
        match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
            Some(word) => Ok(word),
            None if scalar.referred => {
                let words: Vec<_> = words.iter().copied().filter(|word| !word.is_empty()).collect();
                Err(self.wrong(format_args!("one of {}", words.join(", "))))
            }
            None => Err(Problem::unknown(self.node.span, "value", text, words).into_decoding()),
        }
    }

    fn list(&self) -> Result<SettingList<'_>, DecodeError> {
        let nodes = match &self.node.value {
            Value::List(nodes) => nodes.iter(),
            _ if self.node.is_null() => [].iter(),
            Value::Scalar(scalar) if scalar.is_empty_reference() => [].iter(),
            // As in the Collector, one value is a list of one. The Collector also cuts texts at commas; such texts are refused.
            Value::Scalar(scalar) if !scalar.text.contains(',') => std::slice::from_ref(self.node).iter(),
            _ => return Err(self.wrong_kind("a list")),
        };
        let found = self.found;
        Ok(Box::new(nodes.map(move |node| Box::new(Decoder { node, found }) as _)))
    }

    fn map(&self, fields: Option<&'static [&'static str]>) -> Result<SettingMap<'_>, DecodeError> {
        let entries = self.node.entries().ok_or_else(|| self.wrong_kind("a map"))?.iter();
        Ok(Box::new(GivenEntries { entries, fields, found: self.found }))
    }
}

// === impl GivenEntries ===

impl<'a> Iterator for GivenEntries<'a> {
    type Item = (&'a str, Box<dyn Setting + 'a>);

    fn next(&mut self) -> Option<Self::Item> {
        for entry in self.entries.by_ref() {
            if let Some(fields) = self.fields {
                if !fields.contains(&entry.key.as_str()) {
                    self.found.borrow_mut().unknown.push(unknown_key(entry, fields));
                    continue;
                }
                if entry.value.is_null() {
                    continue;
                }
            }
            return Some((&entry.key, Box::new(Decoder { node: &entry.value, found: self.found })));
        }
        None
    }
}

fn unknown_key(entry: &Entry, known: &[&str]) -> Problem {
    let problem = Problem::unknown(entry.key_span, "key", &entry.key, known);
    match moved_to(&entry.key, known) {
        Some(place) => problem.help(place),
        None => problem,
    }
}

const WHOLE_NUMBER: &str = "a whole number";
