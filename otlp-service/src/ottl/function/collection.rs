//! Functions of lists and maps.

use super::call::{binary, prepared, unary};
use super::{Function, Kind, Parameter};
use crate::ottl::error::EvalError;
use crate::ottl::value::{Comparison, List, Value};
use std::borrow::Cow;
use std::cmp::Ordering;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::converter(
        "ContainsValue",
        &[Parameter::required("target", Kind::List), Parameter::required("item", Kind::Any)],
        |arguments| {
            binary(arguments, |list, item| Ok(Value::Bool(position(&list.into_list()?, &item).is_some())))
        },
    ),
    Function::converter(
        "Index",
        &[Parameter::required("target", Kind::Any), Parameter::required("value", Kind::Any)],
        |arguments| binary(arguments, index),
    ),
    Function::converter("Keys", &[Parameter::required("target", Kind::Map)], |arguments| {
        unary(arguments, |map| {
            let keys = map.into_map()?.into_vec().into_iter().map(|(key, _)| Value::Text(key));
            Ok(Value::from(keys.collect::<Vec<_>>()))
        })
    }),
    Function::converter("Len", &[Parameter::required("target", Kind::Any)], |arguments| {
        unary(arguments, len)
    }),
    Function::converter(
        "Sort",
        &[
            Parameter::required("target", Kind::List),
            Parameter::optional("order", Kind::Word(&["asc", "desc"])),
        ],
        |arguments| {
            let is_descending = arguments.literal_text(1)?.as_deref() == Some("desc");
            prepared(arguments, is_descending, |list, is_descending| {
                Ok(Value::from(sort(list.into_list()?, *is_descending)?))
            })
        },
    ),
    Function::converter("Values", &[Parameter::required("target", Kind::Map)], |arguments| {
        unary(arguments, |map| {
            let values = map.into_map()?.into_vec().into_iter().map(|(_, value)| value);
            Ok(Value::from(values.collect::<Vec<_>>()))
        })
    }),
];

fn position(list: &List<'_>, item: &Value<'_>) -> Option<usize> {
    list.iter().position(|value| Comparison::Equal.holds(&value, item))
}

/// Returns the index of the first occurrence, in bytes of a string; -1 if there is none.
fn index<'a>(target: Value<'a>, value: Value<'a>) -> Result<Value<'a>, EvalError> {
    let index = match &target {
        Value::Text(text) => text.find(&*value.into_text()?),
        Value::List(list) => position(list, &value),
        _ => return Err(EvalError::wrong_type("a string or a list", &target)),
    };
    Ok(Value::Int(index.map_or(-1, |index| index as i64)))
}

fn len(value: Value<'_>) -> Result<Value<'_>, EvalError> {
    let count = match &value {
        Value::Bytes(bytes) => Some(bytes.len()),
        Value::List(list) => Some(list.len()),
        Value::Map(map) => Some(map.len()),
        Value::Messages(messages) => messages.count(),
        Value::Text(text) => Some(text.len()),
        _ => None,
    };
    let count = count.ok_or_else(|| EvalError::wrong_type("a string, bytes, a list or a map", &value))?;
    Ok(Value::Int(count as i64))
}

/// Sorts numbers by size, and other scalars by their text. Lists with a list, a map or bytes stay as they are. The order of
/// equal elements stays.
fn sort<'a>(list: List<'a>, is_descending: bool) -> Result<Vec<Value<'a>>, EvalError> {
    let values = list.into_vec();
    let is_number = |value: &Value<'_>| matches!(value, Value::Int(_) | Value::Double(_));
    let is_other = |value: &Value<'_>| {
        !is_number(value) && !matches!(value, Value::Nil | Value::Bool(_) | Value::Text(_))
    };
    if values.iter().any(is_other) {
        return Ok(values);
    }
    let by_order = |order: Ordering| if is_descending { order.reverse() } else { order };
    if values.iter().all(is_number) {
        let mut values = values;
        values.sort_by(|left, right| by_order(compare_numbers(left, right)));
        return Ok(values);
    }
    let keyed: Result<Vec<_>, EvalError> =
        values.into_iter().map(|value| Ok((text_of(&value)?, value))).collect();
    let mut keyed = keyed?;
    keyed.sort_by(|(left, _), (right, _)| by_order(left.cmp(right)));
    Ok(keyed.into_iter().map(|(_, value)| value).collect())
}

fn text_of(value: &Value<'_>) -> Result<String, EvalError> {
    Ok(value.borrow().into_text_like()?.map_or_else(String::new, Cow::into_owned))
}

/// Compares numbers; NaN is in front.
fn compare_numbers(left: &Value<'_>, right: &Value<'_>) -> Ordering {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        _ => {
            let double = |value: &Value<'_>| match value {
                Value::Int(value) => *value as f64,
                Value::Double(value) => *value,
                _ => f64::NAN,
            };
            let (left, right) = (double(left), double(right));
            left.partial_cmp(&right).unwrap_or_else(|| right.is_nan().cmp(&left.is_nan()))
        }
    }
}

#[cfg(test)]
mod tests;
