//! Functions with regular expressions.

use super::{ArgumentError, Arguments, Call, Function, Kind, Parameter, PatternArgument};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::value::Value;
use crate::processor::Pattern;
use std::borrow::Cow;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::converter(
        "ExtractPatterns",
        &[Parameter::required("target", Kind::Text), Parameter::required("pattern", Kind::Pattern)],
        |arguments| {
            let pattern = arguments.pattern(1)?;
            if let PatternArgument::Fixed(pattern) = &pattern
                && !has_names(pattern)
            {
                return Err(ArgumentError::new(1, NO_NAMES));
            }
            Ok(Box::new(ExtractPatterns { target: arguments.expression(0)?, pattern }))
        },
    ),
    Function::converter(
        "IsMatch",
        &[Parameter::required("target", Kind::TextLike), Parameter::required("pattern", Kind::Pattern)],
        |arguments: &mut Arguments| {
            Ok(Box::new(IsMatch { pattern: arguments.pattern(1)?, target: arguments.expression(0)? }))
        },
    ),
];

const NO_NAMES: &str = "the expression needs a named group, such as (?P<name>.*)";

#[derive(Debug)]
struct IsMatch {
    target: Expression,
    pattern: PatternArgument,
}

impl Call for IsMatch {
    #[inline]
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        let Some(text) = self.target.value(env)?.into_text_like()? else { return Ok(Value::Bool(false)) };
        self.pattern.with(env, |pattern| pattern.matches(&text)).map(Value::Bool)
    }
}

#[derive(Debug)]
struct ExtractPatterns {
    target: Expression,
    pattern: PatternArgument,
}

impl Call for ExtractPatterns {
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        let text = self.target.value(env)?.into_text()?;
        self.pattern.with(env, |pattern| extract(&text, pattern))?
    }
}

/// Returns the named groups of the first match; a group that took no part is empty.
fn extract<'a>(text: &str, pattern: &Pattern) -> Result<Value<'a>, EvalError> {
    if !has_names(pattern) {
        return Err(EvalError::new(NO_NAMES));
    }
    let mut groups = Vec::new();
    if let Some(captures) = pattern.captures(text) {
        for name in pattern.group_names().flatten() {
            let found = Pattern::group_named(&captures, name).unwrap_or_default();
            groups.push((Cow::Owned(name.to_owned()), Value::text(found.to_owned())));
        }
    }
    Ok(Value::from(groups))
}

fn has_names(pattern: &Pattern) -> bool {
    pattern.group_names().flatten().next().is_some()
}

#[cfg(test)]
mod tests;
