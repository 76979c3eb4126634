//! Editors of whole maps: `flatten`, `merge_maps`, `stringify_all`, `truncate_all`.

use super::edit::{EditMap, OfMap};
use super::entries::{Entries, last_of_each};
use super::flatten::Flattening;
use super::{ArgumentError, Arguments, Edit, Function, Kind, Parameter};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::target::Target;
use crate::ottl::value::Value;
use crate::processor::text_of;
use otlp_protocol::view::AnyValue;
use std::borrow::Cow;
use std::collections::HashMap;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::editor(
        "flatten",
        &[
            TARGET,
            Parameter::optional("prefix", Kind::LiteralText),
            Parameter::optional("depth", Kind::LiteralInt),
            Parameter::optional("resolve_conflicts", Kind::LiteralBool),
        ],
        flatten,
    ),
    Function::editor(
        "merge_maps",
        &[
            TARGET,
            Parameter::required("source", Kind::Map),
            Parameter::required("strategy", Kind::Word(&["insert", "update", "upsert"])),
        ],
        merge_maps,
    ),
    Function::editor("stringify_all", &[TARGET], |arguments| {
        Ok(Box::new(OfMap(StringifyAll { target: arguments.target(0)? })))
    }),
    Function::editor(
        "truncate_all",
        &[
            TARGET,
            Parameter::required("limit", Kind::LiteralInt),
            Parameter::optional("utf8_safe", Kind::LiteralBool),
            Parameter::optional("truncation_marker", Kind::LiteralText),
        ],
        truncate_all,
    ),
];

const TARGET: Parameter = Parameter::required("target", Kind::Target);

/// The call of `merge_maps`.
#[derive(Debug)]
struct MergeMaps {
    target: Target,
    source: Expression,
    inserts: bool,
    updates: bool,
}

fn merge_maps(arguments: &mut Arguments) -> Result<Box<dyn Edit>, ArgumentError> {
    let strategy = arguments.literal_text(2)?.unwrap_or_default();
    Ok(Box::new(OfMap(MergeMaps {
        target: arguments.target(0)?,
        source: arguments.expression(1)?,
        inserts: &*strategy != "update",
        updates: &*strategy != "insert",
    })))
}

impl EditMap for MergeMaps {
    fn target(&self) -> &Target {
        &self.target
    }

    fn change<'a>(&'a self, entries: &mut Entries<'a>, env: &'a Environment<'_>) -> Result<bool, EvalError> {
        let source = self.source.value(env)?.into_map()?.into_vec();
        Ok(merge(entries, source, self.inserts, self.updates))
    }
}

/// Merges the entries of `source` into a map: keys that are new if `inserts`, keys that are known if `updates`.
fn merge<'a>(entries: &mut Entries<'a>, source: Entries<'a>, inserts: bool, updates: bool) -> bool {
    let mut places: HashMap<Cow<'a, str>, usize> = HashMap::new();
    for (place, (key, _)) in entries.iter().enumerate() {
        places.entry(key.clone()).or_insert(place);
    }
    let mut has_changed = false;
    for (key, value) in source {
        match places.get(&key).and_then(|place| entries.get_mut(*place)) {
            Some(entry) if updates => entry.1 = value,
            None if inserts => {
                places.insert(key.clone(), entries.len());
                entries.push((key, value));
            }
            _ => continue,
        }
        has_changed = true;
    }
    has_changed
}

/// The call of `flatten`.
#[derive(Debug)]
struct Flatten {
    target: Target,
    flattening: Flattening,
}

fn flatten(arguments: &mut Arguments) -> Result<Box<dyn Edit>, ArgumentError> {
    let prefix = arguments.literal_text(1)?.unwrap_or_default();
    let depth = match arguments.literal_int(2)? {
        None => usize::MAX,
        Some(depth @ 1..) => usize::try_from(depth).unwrap_or(usize::MAX),
        Some(_) => return Err(ArgumentError::new(2, "the depth must be 1 or more")),
    };
    let resolves_conflicts = arguments.literal_bool(3)?.unwrap_or(false);
    let flattening = Flattening { prefix, depth, resolves_conflicts };
    Ok(Box::new(OfMap(Flatten { target: arguments.target(0)?, flattening })))
}

impl EditMap for Flatten {
    fn target(&self) -> &Target {
        &self.target
    }

    fn change<'a>(&'a self, entries: &mut Entries<'a>, _: &'a Environment<'_>) -> Result<bool, EvalError> {
        let flat = self.flattening.flatten(std::mem::take(entries))?;
        *entries = last_of_each(flat);
        Ok(true)
    }
}

/// The call of `stringify_all`.
#[derive(Debug)]
struct StringifyAll {
    target: Target,
}

impl EditMap for StringifyAll {
    fn target(&self) -> &Target {
        &self.target
    }

    fn change<'a>(&'a self, entries: &mut Entries<'a>, _: &'a Environment<'_>) -> Result<bool, EvalError> {
        let mut has_changed = false;
        for (_, value) in entries {
            if !matches!(value, Value::Text(_)) {
                *value = Value::text(text_of(AnyValue::new(&value.encoded()?)).into_owned());
                has_changed = true;
            }
        }
        Ok(has_changed)
    }
}

/// The call of `truncate_all`.
#[derive(Debug)]
struct TruncateAll {
    target: Target,
    limit: usize,
    marker: Box<str>,
}

fn truncate_all(arguments: &mut Arguments) -> Result<Box<dyn Edit>, ArgumentError> {
    let limit = usize::try_from(arguments.literal_int(1)?.unwrap_or_default());
    let limit = limit.map_err(|_| ArgumentError::new(1, "the limit must not be negative"))?;
    let marker = arguments.literal_text(3)?.unwrap_or_default();
    if marker.len() > limit {
        return Err(ArgumentError::new(3, "the marker is longer than the limit"));
    }
    Ok(Box::new(OfMap(TruncateAll { target: arguments.target(0)?, limit, marker })))
}

impl EditMap for TruncateAll {
    fn target(&self) -> &Target {
        &self.target
    }

    fn change<'a>(&'a self, entries: &mut Entries<'a>, _: &'a Environment<'_>) -> Result<bool, EvalError> {
        let mut has_changed = false;
        for (_, value) in entries {
            if let Value::Text(text) = value
                && text.len() > self.limit
            {
                *text = Cow::Owned(truncated(text, self.limit, &self.marker));
                has_changed = true;
            }
        }
        Ok(has_changed)
    }
}

/// Cuts a text to `limit` bytes, the marker at its end included. No character is cut in two.
fn truncated(text: &str, limit: usize, marker: &str) -> String {
    let end = text.floor_char_boundary(limit.saturating_sub(marker.len()));
    format!("{}{marker}", text.get(..end).unwrap_or_default())
}
