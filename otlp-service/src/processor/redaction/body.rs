//! Redaction of log bodies: of texts, and of maps and lists at any depth.

use super::config::RedactionSummary;
use super::rules::{KeyRule, Place, Rules, ValueRule};
use super::stats::Tally;
use super::summary::Summary;
use crate::processor::text::text_of;
use otlp_protocol::AttributeValue;
use otlp_protocol::view::{AnyValue, Attributes};

/// Redacts the body of a record with the database `system`; `None` if the rules change nothing. Keys of maps in a map are paths:
/// `user.name`, `users.[0].name`.
pub(super) fn redact_body(
    rules: &Rules,
    tally: &mut Tally,
    summary: &mut Summary,
    (body, system): (AnyValue<'_>, &str),
) -> Option<AttributeValue> {
    let path = matches!(body, AnyValue::Array(_) | AnyValue::Map(_))
        .then_some(Path { parent: None, name: Name::Root });
    let mut walk = Walk { rules, tally, summary, system };
    match path {
        Some(path) => walk.value(body, &path),
        // The text of a body that is allowed is not listed.
        None => match rules.value(Place::Body { system }, &text_of(body), walk.tally) {
            ValueRule::Masked(masked) => {
                walk.summary.masked.add(rules.summary, || "body".to_owned());
                Some(AttributeValue::string(&masked))
            }
            ValueRule::Allowed | ValueRule::Kept => None,
        },
    }
}

struct Walk<'a> {
    rules: &'a Rules,
    tally: &'a mut Tally,
    summary: &'a mut Summary,
    system: &'a str,
}

/// Path of a value in a body.
struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    name: Name<'a>,
}

enum Name<'a> {
    Index(usize),
    Key(&'a str),
    Root,
}

// === impl Walk ===

impl Walk<'_> {
    /// Redacts a value; `None` if the rules change nothing. Recursion is bounded by the depth that the validation accepts.
    fn value(&mut self, value: AnyValue<'_>, path: &Path<'_>) -> Option<AttributeValue> {
        match value {
            AnyValue::Map(map) => self.map(map, path),
            AnyValue::Array(list) => {
                let mut is_changed = false;
                let redacted: Vec<AttributeValue> = list
                    .iter()
                    .enumerate()
                    .map(|(index, value)| {
                        let path = Path { parent: Some(path), name: Name::Index(index) };
                        let redacted = self.value(value, &path);
                        is_changed |= redacted.is_some();
                        redacted.unwrap_or_else(|| AttributeValue::new(value))
                    })
                    .collect();
                is_changed.then(|| AttributeValue::array(redacted))
            }
            value => match self.rules.value(Place::Body { system: self.system }, &text_of(value), self.tally)
            {
                ValueRule::Allowed => {
                    self.summary.allowed.add(self.rules.summary, || path.text());
                    None
                }
                ValueRule::Kept => None,
                ValueRule::Masked(masked) => {
                    self.summary.masked.add(self.rules.summary, || path.text());
                    Some(AttributeValue::string(&masked))
                }
            },
        }
    }

    fn map(&mut self, map: Attributes<'_>, path: &Path<'_>) -> Option<AttributeValue> {
        let mut is_changed = false;
        let mut redacted: Vec<(&str, AttributeValue)> = Vec::new();
        for entry in map.iter() {
            let (key, value) = (entry.key(), entry.value());
            let path = Path { parent: Some(path), name: Name::Key(key) };
            let changed = match self.rules.key(key, self.tally) {
                KeyRule::Ignored => {
                    self.summary.ignored.add(RedactionSummary::Silent, String::new);
                    None
                }
                KeyRule::Removed => {
                    self.summary.removed.add(self.rules.summary, || path.text());
                    is_changed = true;
                    continue;
                }
                KeyRule::Value => {
                    let text = if let AnyValue::String(text) = value { text } else { "" };
                    match self.rules.blocked_key(key, text, self.tally) {
                        Some(masked) => {
                            self.summary.masked.add(self.rules.summary, || path.text());
                            Some(AttributeValue::string(&masked))
                        }
                        None => self.value(value, &path),
                    }
                }
            };
            is_changed |= changed.is_some();
            redacted.push((key, changed.unwrap_or_else(|| AttributeValue::new(value))));
        }
        is_changed.then(|| AttributeValue::map(redacted))
    }
}

// === impl Path ===

impl Path<'_> {
    fn text(&self) -> String {
        let parent = self.parent.map(Path::text).unwrap_or_default();
        let separator = if parent.is_empty() { "" } else { "." };
        match self.name {
            Name::Index(index) => format!("{parent}{separator}[{index}]"),
            Name::Key(key) => format!("{parent}{separator}{key}"),
            Name::Root => parent,
        }
    }
}
