//! Questions about the types of values, and conversions between types.

use super::call::unary;
use super::{ArgumentError, Arguments, Call, Function, Kind, Parameter};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::converter("Bool", &[Parameter::required("target", Kind::BoolLike)], |arguments| {
        unary(arguments, |value| Ok(value.into_bool_like()?.map_or(Value::Nil, Value::Bool)))
    }),
    Function::converter("Coalesce", &[Parameter::required("values", Kind::Elements)], coalesce),
    Function::converter("Double", &[Parameter::required("target", Kind::DoubleLike)], |arguments| {
        unary(arguments, |value| Ok(value.into_double_like()?.map_or(Value::Nil, Value::Double)))
    }),
    Function::converter("Int", &[Parameter::required("target", Kind::IntLike)], |arguments| {
        unary(arguments, |value| Ok(value.into_int_like()?.map_or(Value::Nil, Value::Int)))
    }),
    Function::converter("IsBool", &TARGET, |arguments| {
        unary(arguments, |value| Ok(Value::Bool(matches!(value, Value::Bool(_)))))
    }),
    Function::converter("IsDouble", &TARGET, |arguments| {
        unary(arguments, |value| Ok(Value::Bool(matches!(value, Value::Double(_)))))
    }),
    Function::converter("IsEmpty", &TARGET, |arguments| {
        unary(arguments, |value| Ok(Value::Bool(is_empty(&value))))
    }),
    Function::converter("IsInt", &TARGET, |arguments| {
        unary(arguments, |value| Ok(Value::Bool(matches!(value, Value::Int(_)))))
    }),
    Function::converter("IsList", &TARGET, |arguments| {
        unary(arguments, |value| {
            Ok(Value::Bool(match &value {
                Value::List(_) => true,
                Value::Messages(messages) => messages.count().is_some(),
                _ => false,
            }))
        })
    }),
    Function::converter("IsMap", &TARGET, |arguments| {
        unary(arguments, |value| Ok(Value::Bool(matches!(value, Value::Map(_)))))
    }),
    Function::converter("IsString", &TARGET, |arguments| {
        unary(arguments, |value| Ok(Value::Bool(matches!(value, Value::Text(_)))))
    }),
    Function::converter("ProfileID", &[Parameter::required("target", Kind::BytesLike)], |arguments| {
        unary(arguments, |value| id(value).map(Value::ProfileId))
    }),
    Function::converter("SpanID", &[Parameter::required("target", Kind::BytesLike)], |arguments| {
        unary(arguments, |value| id(value).map(Value::SpanId))
    }),
    Function::converter("String", &[Parameter::required("target", Kind::TextLike)], |arguments| {
        unary(arguments, |value| Ok(value.into_text_like()?.map_or(Value::Nil, Value::Text)))
    }),
    Function::converter("TraceID", &[Parameter::required("target", Kind::BytesLike)], |arguments| {
        unary(arguments, |value| id(value).map(Value::TraceId))
    }),
];

const TARGET: [Parameter; 1] = [Parameter::required("target", Kind::Any)];

/// Returns true for nil and for the zero of each type.
fn is_empty(value: &Value<'_>) -> bool {
    match value {
        Value::Nil => true,
        Value::Bool(value) => !value,
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Double(value) => *value == 0.0,
        Value::Duration(value) | Value::Int(value) => *value == 0,
        Value::List(list) => list.len() == 0,
        Value::Map(map) => map.len() == 0,
        Value::Messages(messages) => messages.count() == Some(0),
        Value::SpanId(id) => id.iter().all(|byte| *byte == 0),
        Value::Text(text) => text.is_empty(),
        // The zero of Go's times is in the year 1, which no time of telemetry is.
        Value::Time(_) => false,
        Value::ProfileId(id) | Value::TraceId(id) => id.iter().all(|byte| *byte == 0),
    }
}

/// Reads an id: its bytes, or these in hex.
fn id<const N: usize>(value: Value<'_>) -> Result<[u8; N], EvalError> {
    let Some(bytes) = value.into_bytes_like()? else {
        return Err(EvalError::new("an id is required, not nil"));
    };
    if let Ok(id) = <[u8; N]>::try_from(&*bytes) {
        return Ok(id);
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut id = [0; N];
    let (pairs, rest) = bytes.as_chunks::<2>();
    let is_hex = pairs.len() == N && rest.is_empty();
    for (byte, [high, low]) in id.iter_mut().zip(pairs).filter(|_| is_hex) {
        match (digit(*high), digit(*low)) {
            (Some(high), Some(low)) => *byte = high << 4 | low,
            _ => return Err(EvalError::new("the id has characters that are not hex digits")),
        }
    }
    if is_hex {
        Ok(id)
    } else {
        Err(EvalError::detail(format!(
            "an id of {N} bytes or {} hex digits is required, not {} bytes",
            2 * N,
            bytes.len()
        )))
    }
}

/// The call of `Coalesce`: values behind the first that is not nil are not evaluated.
#[derive(Debug)]
struct Coalesce(Vec<Expression>);

fn coalesce(arguments: &mut Arguments) -> Result<Box<dyn Call>, ArgumentError> {
    let values = arguments.elements(0)?;
    if values.is_empty() {
        return Err(ArgumentError::new(0, "at least one value is required"));
    }
    Ok(Box::new(Coalesce(values)))
}

impl Call for Coalesce {
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        for expression in &self.0 {
            let value = expression.value(env)?;
            if !value.is_nil() {
                return Ok(value);
            }
        }
        Ok(Value::Nil)
    }
}

#[cfg(test)]
mod tests;
