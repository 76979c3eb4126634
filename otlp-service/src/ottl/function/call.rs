//! Calls of converters that work on values alone.

use super::{ArgumentError, Arguments, Call};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::value::Value;
use std::fmt;

type Of<'a> = Result<Value<'a>, EvalError>;

/// Calls a function of the first argument.
pub(super) fn unary(
    arguments: &mut Arguments,
    function: for<'a> fn(Value<'a>) -> Of<'a>,
) -> Result<Box<dyn Call>, ArgumentError> {
    Ok(Box::new(Unary { argument: arguments.expression(0)?, function }))
}

/// Calls a function of the first two arguments.
pub(super) fn binary(
    arguments: &mut Arguments,
    function: for<'a> fn(Value<'a>, Value<'a>) -> Of<'a>,
) -> Result<Box<dyn Call>, ArgumentError> {
    Ok(Box::new(Binary { left: arguments.expression(0)?, right: arguments.expression(1)?, function }))
}

/// Calls a function of the first argument, and of what was prepared from the constant arguments.
pub(super) fn prepared<T: fmt::Debug + Send + Sync + 'static>(
    arguments: &mut Arguments,
    prepared: T,
    function: for<'a> fn(Value<'a>, &'a T) -> Of<'a>,
) -> Result<Box<dyn Call>, ArgumentError> {
    Ok(Box::new(Prepared { argument: arguments.expression(0)?, prepared, function }))
}

#[derive(Debug)]
struct Unary {
    argument: Expression,
    function: for<'a> fn(Value<'a>) -> Of<'a>,
}

#[derive(Debug)]
struct Binary {
    left: Expression,
    right: Expression,
    function: for<'a> fn(Value<'a>, Value<'a>) -> Of<'a>,
}

#[derive(Debug)]
struct Prepared<T> {
    argument: Expression,
    prepared: T,
    function: for<'a> fn(Value<'a>, &'a T) -> Of<'a>,
}

impl Call for Unary {
    #[inline]
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Of<'a> {
        (self.function)(self.argument.value(env)?)
    }
}

impl Call for Binary {
    #[inline]
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Of<'a> {
        (self.function)(self.left.value(env)?, self.right.value(env)?)
    }
}

impl<T: fmt::Debug + Send + Sync> Call for Prepared<T> {
    #[inline]
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Of<'a> {
        (self.function)(self.argument.value(env)?, &self.prepared)
    }
}
