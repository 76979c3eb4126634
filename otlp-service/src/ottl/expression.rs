//! Expressions: trees that give a value for the messages of an environment.

mod math;

pub(crate) use math::{Math, Operator};

use super::environment::Environment;
use super::error::EvalError;
use super::function::{Call, Function};
use super::path::{Key, Path, walk};
use super::value::Value;
use std::borrow::Cow;

/// An expression that was checked.
#[derive(Debug)]
pub(crate) enum Expression {
    /// A call of a converter.
    Call(&'static Function, Box<dyn Call>),
    /// A converter's result, with keys into it.
    Keyed(Box<Expression>, Vec<Key>),
    List(Vec<Expression>),
    Literal(Value<'static>),
    Map(Vec<(Box<str>, Expression)>),
    Math(Box<Math>),
    Path(Path),
}

// === impl Expression ===

impl Expression {
    /// Returns the value.
    ///
    /// # Errors
    /// If a value has a type that its place does not take, or a function fails.
    #[inline]
    pub(crate) fn value<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        match self {
            Self::Literal(value) => Ok(value.borrow()),
            Self::Path(path) => path.value(env),
            Self::Call(function, call) => call.call(env).map_err(|error| error.within(function.name)),
            Self::Keyed(inner, keys) => walk(inner.value(env)?, keys, env, false),
            Self::List(values) => {
                let values: Result<Vec<_>, _> = values.iter().map(|value| value.value(env)).collect();
                values.map(Value::from)
            }
            Self::Map(entries) => {
                let entry =
                    |(key, value): &'a (Box<str>, Self)| Ok((Cow::Borrowed(&**key), value.value(env)?));
                let entries: Result<Vec<_>, EvalError> = entries.iter().map(entry).collect();
                entries.map(Value::from)
            }
            Self::Math(math) => math.value(env),
        }
    }

    /// Returns the value of an expression that is the same for all items.
    pub(crate) fn literal(&self) -> Option<&Value<'static>> {
        if let Self::Literal(value) = self { Some(value) } else { None }
    }
}
