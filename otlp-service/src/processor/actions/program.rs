//! Checked actions, ready to run.

use super::{ActionConfig, ActionError, ActionKind, ContextKey, ConvertTo, Resolved, hash};
use crate::component::Needs;
use crate::processor::pattern::Pattern;
use otlp_protocol::AttributeValue;
use otlp_protocol::view::AnyValue;
use otlp_protocol::{AttributeEdits, Change, Origin, Put, Value};

/// Actions in the order in which they run.
#[derive(Clone, Debug)]
pub(crate) struct Actions {
    steps: Vec<Step>,
    /// Metadata of requests that steps refer to by index.
    contexts: Vec<ContextKey>,
}

#[derive(Clone, Debug)]
enum Step {
    Convert { key: Box<str>, to: ConvertTo },
    Delete { keys: Keys },
    Extract { key: Box<str>, pattern: Pattern, names: Vec<Box<str>> },
    Hash { keys: Keys },
    Put { put: Put, key: Box<str>, source: ValueSource, default: Option<AttributeValue> },
}

/// A key, a pattern of keys, or both.
#[derive(Clone, Debug)]
struct Keys {
    key: Option<Box<str>>,
    pattern: Option<Pattern>,
}

/// Source of a new value.
#[derive(Clone, Debug)]
enum ValueSource {
    Attribute(Box<str>),
    /// Metadata of the request, by index.
    Context(usize),
    /// Only the default value.
    None,
    Value(AttributeValue),
}

// === impl Actions ===

impl Actions {
    /// Checks actions, and compiles their expressions.
    ///
    /// # Errors
    /// The first error.
    pub(crate) fn new(configs: &[ActionConfig]) -> Result<Self, ActionError> {
        let mut actions = Self { steps: Vec::new(), contexts: Vec::new() };
        for (index, config) in configs.iter().enumerate() {
            let step = actions.step(config);
            let error = |(field, problem)| ActionError { index, field, problem };
            actions.steps.push(step.map_err(error)?);
        }
        Ok(actions)
    }

    /// Returns the metadata of requests that the steps read.
    pub(crate) fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        self.contexts.iter().for_each(|context| context.ask(&mut needs));
        needs
    }

    /// Reads the metadata of a request.
    pub(crate) fn resolve(&self, origin: Option<&Origin>) -> Resolved {
        self.contexts.iter().map(|context| origin.and_then(|origin| context.resolve(origin))).collect()
    }

    /// Estimates the bytes that the actions add to one list of attributes.
    pub(crate) fn growth(&self, context: &Resolved) -> usize {
        let len = |value: Option<&AttributeValue>| value.map_or(0, |value| value.as_bytes().len());
        let growth = |step: &Step| match step {
            Step::Put { key, source, default, .. } => {
                let value = match source {
                    ValueSource::Attribute(_) => TYPICAL_BYTES,
                    ValueSource::Context(index) => len(context.get(*index).and_then(Option::as_ref)),
                    ValueSource::None => 0,
                    ValueSource::Value(value) => len(Some(value)),
                };
                key.len() + value.max(len(default.as_ref())) + ENVELOPE_BYTES
            }
            Step::Hash { .. } => HASH_BYTES,
            Step::Extract { names, .. } => names.len() * (TYPICAL_BYTES + ENVELOPE_BYTES),
            Step::Convert { .. } => ENVELOPE_BYTES,
            Step::Delete { .. } => 0,
        };
        self.steps.iter().map(growth).sum()
    }

    /// Runs the actions on a list of attributes.
    pub(crate) fn apply(&self, attributes: &mut AttributeEdits<'_>, context: &Resolved) {
        self.steps.iter().for_each(|step| step.apply(attributes, context));
    }

    fn step(&mut self, config: &ActionConfig) -> Result<Step, Wrong> {
        let key: Box<str> = config.key.as_str().into();
        let is_by_key = matches!(config.action, ActionKind::Delete | ActionKind::Hash);
        if key.is_empty() && !(is_by_key && config.pattern.is_some()) {
            let help = if is_by_key { "`key` or `pattern` is required" } else { "it is required" };
            return Err(("key", help.into()));
        }
        Ok(match config.action {
            ActionKind::Insert => self.put(Put::Insert, key, config)?,
            ActionKind::Update => self.put(Put::Update, key, config)?,
            ActionKind::Upsert => self.put(Put::Upsert, key, config)?,
            ActionKind::Delete => Step::Delete { keys: keys(key, config)? },
            ActionKind::Hash => {
                hash::check().map_err(|problem| ("action", problem.to_owned()))?;
                Step::Hash { keys: keys(key, config)? }
            }
            ActionKind::Extract => {
                refuse(config, &[VALUE, FROM_ATTRIBUTE, FROM_CONTEXT, CONVERTED_TYPE])?;
                let pattern = pattern(config)?.ok_or((PATTERN, "`extract` requires it".to_owned()))?;
                Step::Extract { key, names: group_names(&pattern)?, pattern }
            }
            ActionKind::Convert => {
                refuse(config, &[VALUE, FROM_ATTRIBUTE, FROM_CONTEXT, PATTERN])?;
                let to = config.converted_type.ok_or((CONVERTED_TYPE, "`convert` requires it".to_owned()))?;
                Step::Convert { key, to }
            }
        })
    }

    fn put(&mut self, put: Put, key: Box<str>, config: &ActionConfig) -> Result<Step, Wrong> {
        refuse(config, &[PATTERN, CONVERTED_TYPE])?;
        let given = [VALUE, FROM_ATTRIBUTE, FROM_CONTEXT].into_iter().filter(|field| has(config, field));
        if let Some(second) = given.clone().nth(1) {
            let problem =
                "more than one source of a value; set only one of value, from_attribute, from_context";
            return Err((second, problem.into()));
        }
        let source = if let Some(value) = &config.value {
            ValueSource::Value(value.clone())
        } else if let Some(from) = config.from_attribute.as_deref().filter(|from| !from.is_empty()) {
            ValueSource::Attribute(from.into())
        } else if let Some(from) = config.from_context.as_deref().filter(|from| !from.is_empty()) {
            let context = ContextKey::parse(from).map_err(|problem| (FROM_CONTEXT, problem))?;
            self.contexts.push(context);
            ValueSource::Context(self.contexts.len() - 1)
        } else if config.default_value.is_some() {
            ValueSource::None
        } else {
            let problem = "one of value, from_attribute, from_context, default_value is required";
            return Err((VALUE, problem.into()));
        };
        Ok(Step::Put { put, key, source, default: config.default_value.clone() })
    }
}

// === impl Step ===

impl Step {
    fn apply(&self, attributes: &mut AttributeEdits<'_>, context: &Resolved) {
        match self {
            Self::Convert { key, to } => {
                if let Some(value) = attributes.value(key).and_then(|value| to.convert(value)) {
                    attributes.update(key, Value::Encoded(&value));
                }
            }
            Self::Delete { keys } => keys.delete(attributes),
            Self::Extract { key, pattern, names } => extract(attributes, key, pattern, names),
            Self::Hash { keys } => hash::apply(keys.key.as_deref(), keys.pattern.as_ref(), attributes),
            Self::Put { put, key, source, default } => {
                let value = match source {
                    ValueSource::Attribute(from) => {
                        // The source has a value: the default is not used, also if `put` changes nothing.
                        if attributes.get(from).is_some() {
                            attributes.put_from(*put, key, from);
                            return;
                        }
                        None
                    }
                    ValueSource::Context(index) => context.get(*index).and_then(Option::as_ref),
                    ValueSource::Value(value) => Some(value),
                    ValueSource::None => None,
                };
                if let Some(value) = value.or(default.as_ref()) {
                    attributes.put(*put, key, Value::Encoded(value));
                }
            }
        }
    }
}

// === impl Keys ===

impl Keys {
    fn delete(&self, attributes: &mut AttributeEdits<'_>) {
        if let Some(key) = &self.key {
            attributes.delete(key);
        }
        if let Some(pattern) = &self.pattern {
            attributes.for_each(|key, _, _| if pattern.matches(key) { Change::Delete } else { Change::Keep });
        }
    }
}

/// A field and its problem.
type Wrong = (&'static str, String);

fn extract(attributes: &mut AttributeEdits<'_>, key: &str, pattern: &Pattern, names: &[Box<str>]) {
    let Some(AnyValue::String(text)) = attributes.value(key) else { return };
    let Some(found) = pattern.captures(text) else { return };
    // A group that did not match is empty, as in the Collector.
    let group = |index| found.get(index).map_or("", |group| group.as_str()).to_owned();
    let values: Vec<String> = (1..=names.len()).map(group).collect();
    for (name, value) in names.iter().zip(&values) {
        attributes.upsert(name, value.as_str());
    }
}

fn keys(key: Box<str>, config: &ActionConfig) -> Result<Keys, Wrong> {
    refuse(config, &[VALUE, FROM_ATTRIBUTE, CONVERTED_TYPE])?;
    Ok(Keys { key: Some(key).filter(|key| !key.is_empty()), pattern: pattern(config)? })
}

fn pattern(config: &ActionConfig) -> Result<Option<Pattern>, Wrong> {
    let text = config.pattern.as_deref().filter(|text| !text.is_empty());
    text.map(|text| Pattern::new(text).map_err(|problem| (PATTERN, problem))).transpose()
}

fn group_names(pattern: &Pattern) -> Result<Vec<Box<str>>, Wrong> {
    let names: Option<Vec<Box<str>>> = pattern.group_names().map(|name| name.map(Into::into)).collect();
    match names {
        Some(names) if !names.is_empty() => Ok(names),
        Some(_) => Err((PATTERN, "the expression has no named group, such as `(?P<name>…)`".into())),
        None => {
            Err((PATTERN, "the expression has a group without a name; write `(?P<name>…)`, or `(?:…)` for a group that captures nothing".into()))
        }
    }
}

/// Refuses fields that the action does not use, since the user expects an effect of them.
fn refuse(config: &ActionConfig, fields: &[&'static str]) -> Result<(), Wrong> {
    match fields.iter().find(|field| has(config, field)) {
        Some(field) => {
            Err((field, format!("the action `{}` does not use this field; remove it", config.action.name())))
        }
        None => Ok(()),
    }
}

fn has(config: &ActionConfig, field: &str) -> bool {
    let is_given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    match field {
        VALUE => config.value.is_some(),
        FROM_ATTRIBUTE => is_given(&config.from_attribute),
        FROM_CONTEXT => is_given(&config.from_context),
        PATTERN => is_given(&config.pattern),
        _ => config.converted_type.is_some(),
    }
}

const VALUE: &str = "value";
const FROM_ATTRIBUTE: &str = "from_attribute";
const FROM_CONTEXT: &str = "from_context";
const PATTERN: &str = "pattern";
const CONVERTED_TYPE: &str = "converted_type";

/// Bytes of tags and lengths around a key and a value.
const ENVELOPE_BYTES: usize = 24;
const HASH_BYTES: usize = 64;

/// Estimated length of a value from another attribute.
const TYPICAL_BYTES: usize = 32;
