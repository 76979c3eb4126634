//! Editors that empty values: `clear`, `delete_index`.

use super::{Edit, Function, Kind, Parameter};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::target::{Detached, Target};
use crate::ottl::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::editor("clear", &[TARGET], |arguments| Ok(Box::new(Clear { target: arguments.target(0)? }))),
    Function::editor(
        "delete_index",
        &[TARGET, Parameter::required("start_index", Kind::Int), Parameter::optional("end_index", Kind::Int)],
        |arguments| {
            let (target, start) = (arguments.target(0)?, arguments.expression(1)?);
            Ok(Box::new(DeleteIndex { target, start, end: arguments.optional(2)? }))
        },
    ),
];

const TARGET: Parameter = Parameter::required("target", Kind::Target);

/// The call of `clear`.
#[derive(Debug)]
struct Clear {
    target: Target,
}

impl Edit for Clear {
    fn edit(&self, env: &mut Environment<'_>) -> Result<(), EvalError> {
        let empty = match self.target.value(env)? {
            Value::Nil | Value::Messages(_) => Value::Nil,
            Value::Bool(_) => Value::Bool(false),
            Value::Bytes(_) => Value::Bytes((&[]).into()),
            Value::Double(_) => Value::Double(0.0),
            Value::Duration(_) => Value::Duration(0),
            Value::Int(_) => Value::Int(0),
            Value::List(_) => Value::from(Vec::<Value<'_>>::new()),
            Value::Map(_) => Value::from(Vec::<(std::borrow::Cow<'_, str>, Value<'_>)>::new()),
            Value::ProfileId(_) => Value::ProfileId([0; 16]),
            Value::SpanId(_) => Value::SpanId([0; 8]),
            Value::Text(_) => Value::text(""),
            Value::Time(_) => Value::utc(0),
            Value::TraceId(_) => Value::TraceId([0; 16]),
        };
        self.target.set(env, empty)
    }
}

/// The call of `delete_index`: the elements from `start` up to `end`, which is not deleted; without `end` one element.
#[derive(Debug)]
struct DeleteIndex {
    target: Target,
    start: Expression,
    end: Option<Expression>,
}

impl Edit for DeleteIndex {
    fn edit(&self, env: &mut Environment<'_>) -> Result<(), EvalError> {
        let list = {
            let mut list = self.target.value(env)?.into_list()?.into_vec();
            let start = self.start.value(env)?.into_int()?;
            let end = match &self.end {
                Some(end) => end.value(env)?.into_int()?,
                None => start.saturating_add(1),
            };
            let all = list.len();
            let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
            let range =
                range.filter(|(start, end)| start <= end && *end <= all && (*start < all || start == end));
            let Some((start, end)) = range else {
                return Err(EvalError::detail(format!(
                    "elements {start} to {end} are outside of a list of {all}"
                )));
            };
            list.drain(start..end);
            Detached::new(Value::from(list))?
        };
        self.target.set(env, list.value())
    }
}
