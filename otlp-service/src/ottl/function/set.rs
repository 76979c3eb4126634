//! The editor `set`.

use super::{Edit, Function, Kind, Parameter};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::target::{Detached, Target};

pub(super) static FUNCTIONS: &[Function] = &[Function::editor(
    "set",
    &[Parameter::required("target", Kind::Target), Parameter::required("value", Kind::Any)],
    |arguments| Ok(Box::new(Set { target: arguments.target(0)?, value: arguments.expression(1)? })),
)];

#[derive(Debug)]
struct Set {
    target: Target,
    value: Expression,
}

impl Edit for Set {
    fn edit(&self, env: &mut Environment<'_>) -> Result<(), EvalError> {
        if let Some(literal) = self.value.literal() {
            return if literal.is_nil() && env.ignores_nil() {
                Ok(())
            } else {
                self.target.set(env, literal.borrow())
            };
        }
        let value = Detached::new(self.value.value(env)?)?;
        let value = value.value();
        if value.is_nil() && env.ignores_nil() {
            return Ok(());
        }
        self.target.set(env, value)
    }
}
