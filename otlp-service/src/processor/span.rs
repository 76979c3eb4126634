//! The processor `span`: names spans by their attributes, makes attributes of their names, and sets their status.

use super::matching::{MatchConfig, Selection};
use super::pattern::Pattern;
use super::text::scalar_text;
use crate::component::{Access, Out, Processor};
use otlp_protocol::rewrite::{FieldValue, Level, OpenMessages, Rewriter};
use otlp_protocol::view::{Entry, Resource, Scope, Span};
use otlp_protocol::{Batch, Decision, StatusCode};
use otlp_transport::ExportError;
use std::sync::Arc;

/// Settings of a [`SpanProcessor`]. All that is set happens, in this order.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SpanConfig {
    /// Keys of the attributes whose values, joined, become the name. A span without one of them keeps its name.
    pub from_attributes: Vec<String>,
    /// Text between the values.
    pub separator: String,
    /// Expressions that make attributes of the name; `None`: none.
    pub to_attributes: Option<NameRules>,
    /// The status to set; `None`: it stays.
    pub status: Option<SpanStatus>,
    /// The spans that are changed.
    pub matching: MatchConfig,
}

/// Expressions for names of spans. Each group of an expression that matches becomes an attribute of the group's name, and is replaced
/// in the name by the group's name in braces. The next expression is for the new name.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NameRules {
    /// The expressions, in order.
    pub rules: Vec<Pattern>,
    /// Uses no expression behind the first that matches.
    pub break_after_match: bool,
    /// Leaves the name as it was.
    pub keep_original_name: bool,
}

/// Status of a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanStatus {
    /// Code.
    pub code: StatusCode,
    /// Description; empty unless the code is an error.
    pub description: String,
}

/// Changes names, attributes and status of spans; entries of other signals stay.
///
/// ```
/// use otlp_service::{NameRules, Pattern, SpanConfig, SpanProcessor};
///
/// let mut rules = NameRules::default();
/// rules.rules = vec![Pattern::new(r"^/api/v1/document/(?P<documentId>.*)/update$")?];
/// let mut config = SpanConfig::default();
/// config.to_attributes = Some(rules);
/// let processor = SpanProcessor::new(config);
/// # drop(processor);
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug)]
pub struct SpanProcessor {
    config: Arc<SpanConfig>,
}

/// Changes the spans of one batch.
struct Renaming<'a> {
    config: &'a SpanConfig,
    of_resource: Selection,
    of_scope: Selection,
}

/// Changes of one span.
#[derive(Default)]
struct Changes {
    /// `None`: the name stays.
    name: Option<String>,
    attributes: Vec<(String, String)>,
}

// === impl SpanProcessor ===

impl SpanProcessor {
    /// Creates a processor.
    pub fn new(config: SpanConfig) -> Self {
        Self { config: Arc::new(config) }
    }
}

impl Processor for SpanProcessor {
    fn access(&self) -> Access {
        Access::Edit
    }

    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        let items = usize::try_from(batch.items()).unwrap_or(usize::MAX);
        let renaming =
            || Renaming { config: &self.config, of_resource: Selection::ALL, of_scope: Selection::ALL };
        out.rewrite_growing(batch, items.saturating_mul(GROWTH), renaming)
    }
}

// === impl Renaming ===

impl Rewriter for Renaming<'_> {
    fn shows(&self, level: Level) -> bool {
        let is_limited = !self.config.matching.is_empty();
        level == Level::Entry || (is_limited && matches!(level, Level::Resource | Level::Scope))
    }

    fn visit(&mut self, level: Level, messages: &mut OpenMessages) -> Decision {
        let matching = &self.config.matching;
        match level {
            Level::Resource => self.of_resource = matching.of_resource(Resource::new(messages.bytes(level))),
            Level::Scope => {
                self.of_scope = matching.of_scope(self.of_resource, Scope::new(messages.bytes(level)));
            }
            _ => self.entry(messages),
        }
        Decision::Keep
    }
}

impl Renaming<'_> {
    fn entry(&self, messages: &mut OpenMessages) {
        let (config, level) = (self.config, Level::Entry);
        let entry = Entry::new(messages.signal(), messages.bytes(level));
        let Entry::Span(span) = entry else { return };
        let selection = config.matching.of_entry(self.of_scope, entry);
        let is_selected =
            config.matching.selects(selection, |test| test.matches(span.attributes().get(&test.key)));
        if !is_selected {
            return;
        }
        let mut changes = Changes { name: config.joined(span), attributes: Vec::new() };
        if let Some(rules) = &config.to_attributes {
            rules.apply(span.name(), &mut changes);
        }
        let mut edits = messages.edit(level);
        for (key, value) in &changes.attributes {
            edits.set_attribute(ATTRIBUTES, key, value);
        }
        if let Some(name) = &changes.name {
            edits.set(&[NAME], FieldValue::Text(name));
        }
        if let Some(SpanStatus { code, description }) = &config.status {
            edits.set(&[STATUS, CODE], FieldValue::Int(code.number().into()));
            edits.set(&[STATUS, MESSAGE], FieldValue::Text(description));
        }
    }
}

// === impl SpanConfig ===

impl SpanConfig {
    /// The name of a span's attributes.
    fn joined(&self, span: Span<'_>) -> Option<String> {
        if self.from_attributes.is_empty() {
            return None;
        }
        let mut name = String::new();
        for (index, key) in self.from_attributes.iter().enumerate() {
            let value = span.attributes().get(key)?;
            if index > 0 {
                name.push_str(&self.separator);
            }
            name.push_str(&scalar_text(value).unwrap_or("<unknown-attribute-type>".into()));
        }
        Some(name)
    }
}

// === impl NameRules ===

impl NameRules {
    /// Makes attributes of the new name of `changes`, or else of the `old` name.
    fn apply(&self, old: &str, changes: &mut Changes) {
        let mut name = changes.name.take().unwrap_or_else(|| old.to_owned());
        let mut is_new = name != old;
        if !name.is_empty() {
            for rule in &self.rules {
                let Some(renamed) = attributes_of(rule, &name, &mut changes.attributes) else { continue };
                if !self.keep_original_name {
                    (name, is_new) = (renamed, true);
                }
                if self.break_after_match {
                    break;
                }
            }
        }
        changes.name = is_new.then_some(name);
    }
}

/// Adds the groups of a match to `attributes`. Returns the name with the groups' names; `None` if the rule does not match. A group
/// that took no part in the match is empty, and a group within another one is not replaced.
fn attributes_of(rule: &Pattern, name: &str, attributes: &mut Vec<(String, String)>) -> Option<String> {
    let captures = rule.captures(name)?;
    let mut renamed = String::with_capacity(name.len());
    let mut taken = 0;
    for (index, group) in rule.group_names().enumerate() {
        let (group, found) = (group.unwrap_or_default(), captures.get(index + 1));
        attributes.push((group.to_owned(), found.map_or("", |found| found.as_str()).to_owned()));
        if let Some(found) = found.filter(|found| found.start() >= taken) {
            renamed.push_str(name.get(taken..found.start()).unwrap_or_default());
            renamed.push('{');
            renamed.push_str(group);
            renamed.push('}');
            taken = found.end();
        }
    }
    renamed.push_str(name.get(taken..).unwrap_or_default());
    Some(renamed)
}

// Fields of a span, and of its status.
const NAME: u32 = 5;
const ATTRIBUTES: u32 = 9;
const STATUS: u32 = 15;
const MESSAGE: u32 = 2;
const CODE: u32 = 3;
/// Expected growth of a span, in bytes.
const GROWTH: usize = 64;

#[cfg(test)]
mod tests;
