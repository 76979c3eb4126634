//! Arithmetic on numbers, times and durations.

use super::Expression;
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::value::{Time, Value};

/// An operation on two values, or the negation of one.
#[derive(Debug)]
pub(crate) enum Math {
    Binary(Expression, Operator, Expression),
    Negate(Expression),
}

/// An operator of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Divide,
    Multiply,
    Subtract,
}

// === impl Math ===

impl Math {
    /// # Errors
    /// Of a division by zero, and of values that the operator does not take.
    pub(super) fn value<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        match self {
            Self::Binary(left, operator, right) => operator.apply(left.value(env)?, right.value(env)?),
            Self::Negate(inner) => match inner.value(env)? {
                Value::Int(value) => Ok(Value::Int(value.wrapping_neg())),
                Value::Double(value) => Ok(Value::Double(-value)),
                other => Err(EvalError::wrong_type("a number to negate", &other)),
            },
        }
    }
}

// === impl Operator ===

impl Operator {
    fn apply<'a>(self, left: Value<'_>, right: Value<'_>) -> Result<Value<'a>, EvalError> {
        match (&left, &right) {
            (Value::Int(left), Value::Int(right)) => self.ints(*left, *right).map(Value::Int),
            (Value::Int(left), Value::Double(right)) => self.doubles(*left as f64, *right),
            (Value::Double(left), Value::Int(right)) => self.doubles(*left, *right as f64),
            (Value::Double(left), Value::Double(right)) => self.doubles(*left, *right),
            (Value::Time(left), Value::Time(right)) if self == Self::Subtract => {
                Ok(Value::Duration(left.nanos.wrapping_sub(right.nanos)))
            }
            (Value::Time(left), Value::Duration(right)) => {
                let nanos = self.sum(left.nanos, *right)?;
                Ok(Value::Time(Time { nanos, zone: left.zone.clone() }))
            }
            (Value::Duration(left), Value::Time(right)) if self == Self::Add => {
                let nanos = left.wrapping_add(right.nanos);
                Ok(Value::Time(Time { nanos, zone: right.zone.clone() }))
            }
            (Value::Duration(left), Value::Duration(right)) => self.sum(*left, *right).map(Value::Duration),
            (Value::Int(_) | Value::Double(_), other) | (other, _) => {
                Err(EvalError::wrong_type("numbers, times or durations that go together", other))
            }
        }
    }

    fn ints(self, left: i64, right: i64) -> Result<i64, EvalError> {
        match self {
            Self::Add => Ok(left.wrapping_add(right)),
            Self::Subtract => Ok(left.wrapping_sub(right)),
            Self::Multiply => Ok(left.wrapping_mul(right)),
            Self::Divide if right == 0 => Err(BY_ZERO),
            Self::Divide => Ok(left.wrapping_div(right)),
        }
    }

    fn doubles<'a>(self, left: f64, right: f64) -> Result<Value<'a>, EvalError> {
        Ok(Value::Double(match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide if right == 0.0 => return Err(BY_ZERO),
            Self::Divide => left / right,
        }))
    }

    /// Adds or subtracts nanoseconds.
    fn sum(self, left: i64, right: i64) -> Result<i64, EvalError> {
        match self {
            Self::Add | Self::Subtract => self.ints(left, right),
            Self::Multiply | Self::Divide => Err(EvalError::new("times and durations only add and subtract")),
        }
    }
}

const BY_ZERO: EvalError = EvalError::new("division by zero");
