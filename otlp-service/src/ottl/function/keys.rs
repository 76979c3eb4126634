//! Editors that remove entries of a map.

use super::edit::{EditMap, OfMap};
use super::entries::Entries;
use super::{ArgumentError, Arguments, Edit, Function, Kind, Parameter, PatternArgument};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::target::Target;
use std::borrow::Cow;
use std::collections::HashSet;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::editor("delete_key", &[TARGET, Parameter::required("key", Kind::Text)], |arguments| {
        Ok(Box::new(DeleteKey { target: arguments.target(0)?, key: arguments.expression(1)? }))
    }),
    Function::editor(
        "delete_matching_keys",
        &[TARGET, Parameter::required("pattern", Kind::Pattern)],
        |arguments| matching(arguments, false),
    ),
    Function::editor("keep_keys", &[TARGET, Parameter::required("keys", Kind::Elements)], |arguments| {
        Ok(Box::new(OfMap(KeepKeys { target: arguments.target(0)?, keys: arguments.elements(1)? })))
    }),
    Function::editor(
        "keep_matching_keys",
        &[TARGET, Parameter::required("pattern", Kind::Pattern)],
        |arguments| matching(arguments, true),
    ),
    Function::editor(
        "limit",
        &[
            TARGET,
            Parameter::required("limit", Kind::LiteralInt),
            Parameter::optional("priority_keys", Kind::LiteralTexts),
        ],
        limit,
    ),
];

const TARGET: Parameter = Parameter::required("target", Kind::Target);

/// The call of `delete_key`.
#[derive(Debug)]
struct DeleteKey {
    target: Target,
    key: Expression,
}

impl Edit for DeleteKey {
    fn edit(&self, env: &mut Environment<'_>) -> Result<(), EvalError> {
        match self.key.literal() {
            Some(key) => self.target.delete_key(env, &key.borrow().into_text()?),
            None => {
                let key = self.key.value(env)?.into_text()?.into_owned();
                self.target.delete_key(env, &key)
            }
        }
    }
}

/// The call of `keep_keys`.
#[derive(Debug)]
struct KeepKeys {
    target: Target,
    keys: Vec<Expression>,
}

impl EditMap for KeepKeys {
    fn target(&self) -> &Target {
        &self.target
    }

    fn change<'a>(&'a self, entries: &mut Entries<'a>, env: &'a Environment<'_>) -> Result<bool, EvalError> {
        let keys: Result<HashSet<Cow<'_, str>>, _> =
            self.keys.iter().map(|key| key.value(env)?.into_text()).collect();
        let keys = keys?;
        Ok(keep(entries, |key| keys.contains(key)))
    }
}

/// The call of `delete_matching_keys` and of `keep_matching_keys`.
#[derive(Debug)]
struct Matching {
    target: Target,
    pattern: PatternArgument,
    keeps: bool,
}

fn matching(arguments: &mut Arguments, keeps: bool) -> Result<Box<dyn Edit>, ArgumentError> {
    Ok(Box::new(OfMap(Matching { target: arguments.target(0)?, pattern: arguments.pattern(1)?, keeps })))
}

impl EditMap for Matching {
    fn target(&self) -> &Target {
        &self.target
    }

    fn change<'a>(&'a self, entries: &mut Entries<'a>, env: &'a Environment<'_>) -> Result<bool, EvalError> {
        self.pattern.with(env, |pattern| keep(entries, |key| pattern.matches(key) == self.keeps))
    }
}

/// The call of `limit`.
#[derive(Debug)]
struct Limit {
    target: Target,
    limit: usize,
    priority_keys: Vec<Box<str>>,
}

fn limit(arguments: &mut Arguments) -> Result<Box<dyn Edit>, ArgumentError> {
    let priority_keys = arguments.literal_texts(2)?.unwrap_or_default();
    let limit = usize::try_from(arguments.literal_int(1)?.unwrap_or_default());
    let limit = limit.map_err(|_| ArgumentError::new(1, "the limit must not be negative"))?;
    if limit < priority_keys.len() {
        return Err(ArgumentError::new(2, "there are more priority keys than the limit allows"));
    }
    Ok(Box::new(OfMap(Limit { target: arguments.target(0)?, limit, priority_keys })))
}

impl EditMap for Limit {
    fn target(&self) -> &Target {
        &self.target
    }

    fn change<'a>(&'a self, entries: &mut Entries<'a>, _: &'a Environment<'_>) -> Result<bool, EvalError> {
        let has_priority = |key: &str| self.priority_keys.iter().any(|priority| **priority == *key);
        let priority = entries.iter().filter(|(key, _)| has_priority(key)).count();
        let mut others = self.limit.saturating_sub(priority);
        if entries.len() <= self.limit {
            return Ok(false);
        }
        Ok(keep(entries, |key| {
            has_priority(key) || {
                let is_kept = others > 0;
                others = others.saturating_sub(1);
                is_kept
            }
        }))
    }
}

/// Keeps entries by their key. Returns true if an entry was removed.
fn keep(entries: &mut Entries<'_>, mut keeps: impl FnMut(&str) -> bool) -> bool {
    let before = entries.len();
    entries.retain(|(key, _)| keeps(key));
    entries.len() < before
}
