//! Functions of strings.

mod case;

use super::call::{binary, prepared, unary};
use super::{ArgumentError, Arguments, Call, Function, Kind, MAX_ELEMENTS, MAX_TEXT_BYTES, Parameter};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::go::format::Format;
use crate::ottl::value::Value;
use std::borrow::Cow;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::converter(
        "Concat",
        &[Parameter::required("vals", Kind::List), Parameter::required("delimiter", Kind::Text)],
        |arguments| binary(arguments, concat),
    ),
    Function::converter(
        "ConvertCase",
        &[Parameter::required("target", Kind::Text), Parameter::required("to_case", Kind::Word(&CASES))],
        |arguments| match arguments.literal_text(1)?.as_deref() {
            Some("lower") => unary(arguments, lower),
            Some("upper") => unary(arguments, upper),
            Some("snake") => unary(arguments, snake),
            _ => unary(arguments, camel),
        },
    ),
    Function::converter(
        "Format",
        &[Parameter::required("format", Kind::LiteralText), Parameter::required("vals", Kind::List)],
        format,
    ),
    Function::converter("HasPrefix", &[TARGET, Parameter::required("prefix", Kind::Text)], |arguments| {
        binary(arguments, |text, prefix| {
            Ok(Value::Bool(text.into_text()?.starts_with(&*prefix.into_text()?)))
        })
    }),
    Function::converter("HasSuffix", &[TARGET, Parameter::required("suffix", Kind::Text)], |arguments| {
        binary(arguments, |text, suffix| Ok(Value::Bool(text.into_text()?.ends_with(&*suffix.into_text()?))))
    }),
    Function::converter("Split", &[TARGET, Parameter::required("delimiter", Kind::Text)], |arguments| {
        binary(arguments, split)
    }),
    Function::converter(
        "Substring",
        &[
            TARGET,
            Parameter::required("start", Kind::Int),
            Parameter::required("length", Kind::Int),
            Parameter::optional("utf8_safe", Kind::LiteralBool),
        ],
        |arguments| {
            let [text, start, length] =
                [arguments.expression(0)?, arguments.expression(1)?, arguments.expression(2)?];
            Ok(Box::new(Substring { text, start, length }))
        },
    ),
    Function::converter("ToCamelCase", &[TARGET], |arguments| unary(arguments, camel)),
    Function::converter("ToLowerCase", &[TARGET], |arguments| unary(arguments, lower)),
    Function::converter("ToSnakeCase", &[TARGET], |arguments| unary(arguments, snake)),
    Function::converter("ToUpperCase", &[TARGET], |arguments| unary(arguments, upper)),
    Function::converter(
        "Trim",
        &[TARGET, Parameter::optional("replacement", Kind::LiteralText)],
        |arguments| {
            let characters = arguments.literal_text(1)?.unwrap_or_else(|| " ".into());
            prepared(arguments, characters, |text, characters| {
                part(text, |text| text.trim_matches(|char| characters.contains(char)))
            })
        },
    ),
    Function::converter("TrimPrefix", &[TARGET, Parameter::required("prefix", Kind::Text)], |arguments| {
        binary(arguments, |text, prefix| {
            let prefix = prefix.into_text()?;
            part(text, |text| text.strip_prefix(&*prefix).unwrap_or(text))
        })
    }),
    Function::converter("TrimSuffix", &[TARGET, Parameter::required("suffix", Kind::Text)], |arguments| {
        binary(arguments, |text, suffix| {
            let suffix = suffix.into_text()?;
            part(text, |text| text.strip_suffix(&*suffix).unwrap_or(text))
        })
    }),
];

const TARGET: Parameter = Parameter::required("target", Kind::Text);

const CASES: [&str; 4] = ["lower", "upper", "snake", "camel"];

fn concat<'a>(values: Value<'a>, delimiter: Value<'a>) -> Result<Value<'a>, EvalError> {
    let delimiter = delimiter.into_text()?;
    let mut text = String::new();
    let values = if values.is_nil() { Vec::new() } else { values.into_list()?.into_vec() };
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            text.push_str(&delimiter);
        }
        text.push_str(&value.into_text_like()?.unwrap_or(Cow::Borrowed("<nil>")));
        check_len(text.len())?;
    }
    Ok(Value::text(text))
}

/// # Errors
/// If a string of this length is longer than the limit.
pub(super) fn check_len(len: usize) -> Result<(), EvalError> {
    if len > MAX_TEXT_BYTES {
        Err(EvalError::new("the resulting string is longer than 16 MiB"))
    } else {
        Ok(())
    }
}

fn split<'a>(text: Value<'a>, delimiter: Value<'a>) -> Result<Value<'a>, EvalError> {
    let delimiter = delimiter.into_text()?;
    let owned = |part: &str| Value::text(part.to_owned());
    // One more than allowed, to see that there are too many.
    let most = MAX_ELEMENTS + 1;
    let parts: Vec<Value<'a>> = match (text.into_text()?, &*delimiter) {
        // Without a delimiter, into characters.
        (text, "") => text.chars().take(most).map(|char| Value::text(char.to_string())).collect(),
        (Cow::Borrowed(text), delimiter) => text.split(delimiter).take(most).map(Value::text).collect(),
        (Cow::Owned(text), delimiter) => text.split(delimiter).take(most).map(owned).collect(),
    };
    check_count(parts.len())?;
    Ok(Value::from(parts))
}

/// # Errors
/// If so many values are more than the limit.
pub(super) fn check_count(count: usize) -> Result<(), EvalError> {
    if count > MAX_ELEMENTS { Err(EvalError::new("the text has more than 131,072 values")) } else { Ok(()) }
}

/// Returns a part of a text, without a copy where the text is borrowed.
fn part<'a>(text: Value<'a>, part: impl for<'t> Fn(&'t str) -> &'t str) -> Result<Value<'a>, EvalError> {
    Ok(match text.into_text()? {
        Cow::Borrowed(text) => Value::text(part(text)),
        Cow::Owned(text) => Value::text(part(&text).to_owned()),
    })
}

fn lower(text: Value<'_>) -> Result<Value<'_>, EvalError> {
    text.into_text().map(|text| Value::text(case::lower(&text)))
}

fn upper(text: Value<'_>) -> Result<Value<'_>, EvalError> {
    text.into_text().map(|text| Value::text(case::upper(&text)))
}

fn snake(text: Value<'_>) -> Result<Value<'_>, EvalError> {
    text.into_text().map(|text| Value::text(case::snake(&text)))
}

fn camel(text: Value<'_>) -> Result<Value<'_>, EvalError> {
    text.into_text().map(|text| Value::text(case::camel(&text)))
}

/// The call of `Substring`. The borders move inwards to the next character, also without `utf8_safe`.
#[derive(Debug)]
struct Substring {
    text: Expression,
    start: Expression,
    length: Expression,
}

impl Call for Substring {
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        let start = self.start.value(env)?.into_int()?;
        let length = self.length.value(env)?.into_int()?;
        substring(self.text.value(env)?, start, length)
    }
}

fn substring(text: Value<'_>, start: i64, length: i64) -> Result<Value<'_>, EvalError> {
    let (Ok(start), Ok(length @ 1..)) = (usize::try_from(start), usize::try_from(length)) else {
        return Err(EvalError::new("the start must not be negative, and the length must be positive"));
    };
    let text = text.into_text()?;
    let end = start.saturating_add(length);
    if end > text.len() {
        return Err(EvalError::detail(format!(
            "bytes {start} to {end} are outside of a string of {} bytes",
            text.len()
        )));
    }
    let start = text.ceil_char_boundary(start);
    let range = start..text.floor_char_boundary(end).max(start);
    part(Value::Text(text), |text| text.get(range.clone()).unwrap_or_default())
}

/// The call of `Format`.
#[derive(Debug)]
struct Formatted {
    format: Format,
    values: Expression,
}

fn format(arguments: &mut Arguments) -> Result<Box<dyn Call>, ArgumentError> {
    let text = arguments.literal_text(0)?.unwrap_or_default();
    let format = Format::new(&text).map_err(|problem| ArgumentError::new(0, problem))?;
    Ok(Box::new(Formatted { format, values: arguments.expression(1)? }))
}

impl Call for Formatted {
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        let values = self.values.value(env)?.into_list()?.into_vec();
        self.format.fill(&values).map(Value::text)
    }
}

#[cfg(test)]
mod tests;
