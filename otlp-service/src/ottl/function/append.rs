//! The editor `append`.

use super::{ArgumentError, Arguments, Edit, Function, Kind, MAX_TEXT_BYTES, Parameter};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::target::{Detached, Target};
use crate::ottl::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[Function::editor(
    "append",
    &[
        Parameter::required("target", Kind::Target),
        Parameter::optional("value", Kind::Any),
        Parameter::optional("values", Kind::Elements),
    ],
    append,
)];

/// The call of `append`.
#[derive(Debug)]
struct Append {
    target: Target,
    values: Vec<Expression>,
}

fn append(arguments: &mut Arguments) -> Result<Box<dyn Edit>, ArgumentError> {
    if !arguments.has(1) && !arguments.has(2) {
        return Err(ArgumentError::new(1, "one of `value` and `values` is required"));
    }
    let mut values: Vec<_> = arguments.optional(1)?.into_iter().collect();
    values.extend(arguments.elements(2)?);
    Ok(Box::new(Append { target: arguments.target(0)?, values }))
}

impl Edit for Append {
    fn edit(&self, env: &mut Environment<'_>) -> Result<(), EvalError> {
        let list = {
            let values: Result<Vec<_>, _> = self.values.iter().map(|value| value.value(env)).collect();
            Detached::new(appended(self.target.value(env)?, values?)?)?
        };
        self.target.set(env, list.value())
    }
}

/// Returns a list with more values: an absent list is empty, and another value is a list of this value.
fn appended<'a>(target: Value<'a>, values: Vec<Value<'a>>) -> Result<Value<'a>, EvalError> {
    let mut list = match target {
        Value::Nil => Vec::new(),
        Value::List(list) => list.into_vec(),
        scalar @ (Value::Bool(_) | Value::Bytes(_) | Value::Double(_) | Value::Int(_) | Value::Text(_)) => {
            vec![scalar]
        }
        other => return Err(EvalError::wrong_type("a list or a scalar", &other)),
    };
    list.extend(values);
    // A list of lists could double with each statement.
    let list = Value::from(list);
    if list.encoded()?.len() > MAX_TEXT_BYTES {
        return Err(EvalError::new("the list is larger than 16 MiB"));
    }
    Ok(list)
}
