//! Editors that replace strings and keys.

use super::edit::{EditMap, EditText, OfMap, OfText};
use super::entries::{Entries, last_of_each};
use super::replace::Replacement;
use super::{ArgumentError, Arguments, Edit, Function, Kind, Parameter, PatternArgument, glob};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::target::Target;
use crate::ottl::value::Value;
use crate::processor::Pattern;
use std::borrow::Cow;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::editor(
        "replace_all_matches",
        &[TARGET, Parameter::required("pattern", Kind::Text), REPLACEMENT, FUNCTION, FORMAT],
        |arguments| Ok(Box::new(OfMap(ReplaceMatch::new(arguments)?))),
    ),
    Function::editor(
        "replace_all_patterns",
        &[
            TARGET,
            Parameter::required("mode", Kind::Word(&["key", "value"])),
            Parameter::required("regex_pattern", Kind::Pattern),
            REPLACEMENT,
            FUNCTION,
            FORMAT,
        ],
        replace_all_patterns,
    ),
    Function::editor(
        "replace_match",
        &[TARGET, Parameter::required("pattern", Kind::Text), REPLACEMENT, FUNCTION, FORMAT],
        |arguments| Ok(Box::new(OfText(ReplaceMatch::new(arguments)?))),
    ),
    Function::editor(
        "replace_pattern",
        &[TARGET, Parameter::required("regex_pattern", Kind::Pattern), REPLACEMENT, FUNCTION, FORMAT],
        |arguments| {
            Ok(Box::new(OfText(ReplacePattern {
                target: arguments.target(0)?,
                pattern: arguments.pattern(1)?,
                replacement: Replacement::new(arguments, 2)?,
            })))
        },
    ),
];

const TARGET: Parameter = Parameter::required("target", Kind::Target);
const REPLACEMENT: Parameter = Parameter::required("replacement", Kind::Text);
const FUNCTION: Parameter = Parameter::optional("function", Kind::FunctionName);
const FORMAT: Parameter = Parameter::optional("replacement_format", Kind::LiteralText);

/// The call of `replace_pattern`.
#[derive(Debug)]
struct ReplacePattern {
    target: Target,
    pattern: PatternArgument,
    replacement: Replacement,
}

impl EditText for ReplacePattern {
    fn target(&self) -> &Target {
        &self.target
    }

    fn changed(&self, text: &str, env: &Environment<'_>) -> Result<Option<String>, EvalError> {
        self.replacement.replace(&self.pattern, text, env)
    }
}

/// The call of `replace_all_patterns`.
#[derive(Debug)]
struct ReplaceAllPatterns {
    target: Target,
    is_of_keys: bool,
    pattern: PatternArgument,
    replacement: Replacement,
}

fn replace_all_patterns(arguments: &mut Arguments) -> Result<Box<dyn Edit>, ArgumentError> {
    Ok(Box::new(OfMap(ReplaceAllPatterns {
        target: arguments.target(0)?,
        is_of_keys: arguments.literal_text(1)?.as_deref() == Some("key"),
        pattern: arguments.pattern(2)?,
        replacement: Replacement::new(arguments, 3)?,
    })))
}

impl EditMap for ReplaceAllPatterns {
    fn target(&self) -> &Target {
        &self.target
    }

    fn change<'a>(&'a self, entries: &mut Entries<'a>, env: &'a Environment<'_>) -> Result<bool, EvalError> {
        let mut has_changed = false;
        for (key, value) in entries.iter_mut() {
            let text = match value {
                _ if self.is_of_keys => key,
                Value::Text(text) => text,
                _ => continue,
            };
            if let Some(changed) = self.replacement.replace(&self.pattern, text, env)? {
                *text = Cow::Owned(changed);
                has_changed = true;
            }
        }
        if has_changed && self.is_of_keys {
            // Of keys that have become equal, the last value stays.
            *entries = last_of_each(std::mem::take(entries));
        }
        Ok(has_changed)
    }
}

/// The call of `replace_match` and of `replace_all_matches`.
#[derive(Debug)]
struct ReplaceMatch {
    target: Target,
    glob: Glob,
    replacement: Replacement,
}

/// A glob: compiled before, or for each item.
#[derive(Debug)]
enum Glob {
    Computed(Expression),
    Fixed(Pattern),
}

// === impl ReplaceMatch ===

impl ReplaceMatch {
    fn new(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let glob = match arguments.expression(1)? {
            Expression::Literal(Value::Text(text)) => {
                Glob::Fixed(glob::compile(&text).map_err(|problem| ArgumentError::new(1, problem))?)
            }
            computed => Glob::Computed(computed),
        };
        Ok(Self { target: arguments.target(0)?, glob, replacement: Replacement::new(arguments, 2)? })
    }

    /// Calls `with` with the compiled glob.
    fn with<R>(&self, env: &Environment<'_>, with: impl FnOnce(&Pattern) -> R) -> Result<R, EvalError> {
        match &self.glob {
            Glob::Fixed(pattern) => Ok(with(pattern)),
            Glob::Computed(expression) => {
                let text = expression.value(env)?.into_text()?;
                glob::compile(&text).map(|pattern| with(&pattern)).map_err(EvalError::detail)
            }
        }
    }
}

impl EditText for ReplaceMatch {
    fn target(&self) -> &Target {
        &self.target
    }

    fn changed(&self, text: &str, env: &Environment<'_>) -> Result<Option<String>, EvalError> {
        let matches = self.with(env, |glob| glob.matches(text))?;
        if matches { self.replacement.plain(env).map(Some) } else { Ok(None) }
    }
}

impl EditMap for ReplaceMatch {
    fn target(&self) -> &Target {
        &self.target
    }

    fn change<'a>(&'a self, entries: &mut Entries<'a>, env: &'a Environment<'_>) -> Result<bool, EvalError> {
        let replacement = self.replacement.plain(env)?;
        self.with(env, |glob| {
            let mut has_changed = false;
            for (_, value) in entries {
                if let Value::Text(text) = value
                    && glob.matches(text)
                {
                    *text = Cow::Owned(replacement.clone());
                    has_changed = true;
                }
            }
            has_changed
        })
    }
}
