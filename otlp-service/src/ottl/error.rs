//! Errors of evaluation: the item stays unchanged, and the next statement runs.

use super::value::Value;
use std::fmt;

/// An error of evaluation. Making one allocates nothing, except for texts that show a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EvalError {
    /// The innermost function in which the error came up.
    function: Option<&'static str>,
    fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    Type { expected: &'static str, found: &'static str },
    Fixed(&'static str),
    Detail(Box<str>),
}

// === impl EvalError ===

impl EvalError {
    /// A fault with the same text for all items.
    pub(crate) const fn new(problem: &'static str) -> Self {
        Self { function: None, fault: Fault::Fixed(problem) }
    }

    /// A fault that shows a value.
    pub(crate) fn detail(problem: impl Into<Box<str>>) -> Self {
        Self { function: None, fault: Fault::Detail(problem.into()) }
    }

    /// A value of another type than `expected`.
    pub(crate) fn wrong_type(expected: &'static str, found: &Value<'_>) -> Self {
        Self { function: None, fault: Fault::Type { expected, found: found.type_name() } }
    }

    /// Names the function, unless an inner function is named.
    pub(crate) fn within(self, function: &'static str) -> Self {
        Self { function: self.function.or(Some(function)), ..self }
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(function) = self.function {
            write!(f, "{function}: ")?;
        }
        match &self.fault {
            Fault::Type { expected, found } => write!(f, "expected {expected}, found {found}"),
            Fault::Fixed(problem) => f.write_str(problem),
            Fault::Detail(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for EvalError {}
