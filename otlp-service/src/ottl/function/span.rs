//! Functions of one context.

use super::{Call, Function};
use crate::ottl::context::{Context, Contexts};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::value::Value;

pub(super) static FUNCTIONS: &[Function] =
    &[Function::converter("IsRootSpan", &[], |_| Ok(Box::new(IsRootSpan)))
        .only_in(Contexts::of(&[Context::Span]))
        .impure()];

/// The call of `IsRootSpan`: true if the id of the parent is empty or zeros.
#[derive(Debug)]
struct IsRootSpan;

impl Call for IsRootSpan {
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        Ok(Value::Bool(env.span().parent_span_id().is_none_or(|id| id.iter().all(|byte| *byte == 0))))
    }
}
