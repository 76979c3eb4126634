//! Conditions that were checked.

use super::environment::Environment;
use super::error::EvalError;
use super::expression::Expression;
use super::value::{Comparison, Value};

/// A condition that was checked, with its constant parts evaluated.
#[derive(Debug)]
pub(crate) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Compare(Expression, Comparison, Expression),
    Constant(bool),
    Not(Box<Test>),
    /// A converter, which must give a bool.
    Value(Expression),
}

// === impl Test ===

impl Test {
    /// Returns true if the condition holds.
    ///
    /// # Errors
    /// Of the first operand that fails. Operands are evaluated from left to right, until the result is known.
    #[inline]
    pub(crate) fn holds(&self, env: &Environment<'_>) -> Result<bool, EvalError> {
        match self {
            Self::Compare(left, comparison, right) => {
                Ok(comparison.holds(&left.value(env)?, &right.value(env)?))
            }
            Self::Constant(holds) => Ok(*holds),
            Self::Not(inner) => inner.holds(env).map(|holds| !holds),
            Self::All(parts) => {
                for part in parts {
                    if !part.holds(env)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(parts) => {
                for part in parts {
                    if part.holds(env)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Value(expression) => match expression.value(env)? {
                Value::Bool(holds) => Ok(holds),
                other => Err(EvalError::wrong_type("a bool from the condition", &other)),
            },
        }
    }

    /// Returns true if this is `==` of a field and a constant of another type, which never holds. The type of a field is the type
    /// that it has in an empty message; a field that is nil there may have any.
    pub(crate) fn compares_other_types(&self) -> bool {
        let Self::Compare(left, Comparison::Equal, right) = self else { return false };
        let empty = Environment::new(None, 0);
        let (left, right) = match (left, right) {
            (Expression::Path(path), Expression::Literal(value))
            | (Expression::Literal(value), Expression::Path(path))
                if path.keys.is_empty() =>
            {
                ((path.field.read)(&empty), value.borrow())
            }
            _ => return false,
        };
        let is_number = |value: &Value<'_>| matches!(value, Value::Int(_) | Value::Double(_));
        !left.is_nil() && left.type_name() != right.type_name() && !(is_number(&left) && is_number(&right))
    }

    pub(crate) fn constant(&self) -> Option<bool> {
        if let Self::Constant(holds) = self { Some(*holds) } else { None }
    }

    /// Joins conditions of which all must hold.
    pub(crate) fn all(parts: Vec<Self>) -> Self {
        Self::join(parts, true, Self::All)
    }

    /// Joins conditions of which one must hold.
    pub(crate) fn any(parts: Vec<Self>) -> Self {
        Self::join(parts, false, Self::Any)
    }

    pub(crate) fn not(self) -> Self {
        match self {
            Self::Constant(holds) => Self::Constant(!holds),
            other => Self::Not(Box::new(other)),
        }
    }

    /// Joins conditions; constants that equal `neutral` do not count, the other constant is the result.
    fn join(mut parts: Vec<Self>, neutral: bool, join: impl FnOnce(Vec<Self>) -> Self) -> Self {
        if parts.iter().any(|part| part.constant() == Some(!neutral)) {
            return Self::Constant(!neutral);
        }
        parts.retain(|part| part.constant().is_none());
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Self::Constant(neutral),
            (Some(only), true) => only,
            (Some(last), false) => {
                parts.push(last);
                join(parts)
            }
        }
    }
}
