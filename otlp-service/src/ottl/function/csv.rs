//! A row of CSV as a map.

use super::entries::last_of_each;
use super::{ArgumentError, Arguments, Call, Function, Kind, Parameter};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::value::Value;
use std::borrow::Cow;

pub(super) static FUNCTIONS: &[Function] = &[Function::converter(
    "ParseCSV",
    &[
        Parameter::required("target", Kind::Text),
        Parameter::required("header", Kind::Text),
        Parameter::optional("delimiter", Kind::LiteralText),
        Parameter::optional("header_delimiter", Kind::LiteralText),
        Parameter::optional("mode", Kind::Word(&["strict", "lazyQuotes", "ignoreQuotes"])),
    ],
    parse_csv,
)];

/// The call of `ParseCSV`.
#[derive(Debug)]
struct ParseCsv {
    target: Expression,
    header: Expression,
    delimiter: char,
    header_delimiter: char,
    quotes: Quotes,
}

/// The reading of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    /// Quotes are characters like others.
    Ignored,
    /// A quote that stands in the wrong place is a character.
    Lazy,
    Strict,
}

fn parse_csv(arguments: &mut Arguments) -> Result<Box<dyn Call>, ArgumentError> {
    let delimiter = delimiter(arguments, 2)?.unwrap_or(',');
    Ok(Box::new(ParseCsv {
        delimiter,
        header_delimiter: self::delimiter(arguments, 3)?.unwrap_or(delimiter),
        quotes: match arguments.literal_text(4)?.as_deref() {
            Some("lazyQuotes") => Quotes::Lazy,
            Some("ignoreQuotes") => Quotes::Ignored,
            _ => Quotes::Strict,
        },
        target: arguments.expression(0)?,
        header: arguments.expression(1)?,
    }))
}

fn delimiter(arguments: &mut Arguments, index: usize) -> Result<Option<char>, ArgumentError> {
    let Some(text) = arguments.literal_text(index)? else { return Ok(None) };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(char), None) => Ok(Some(char)),
        _ => Err(ArgumentError::new(index, "the delimiter must be one character")),
    }
}

impl Call for ParseCsv {
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        let row = self.target.value(env)?.into_text()?;
        let header = self.header.value(env)?.into_text()?;
        if header.is_empty() {
            return Err(EvalError::new("the header is empty"));
        }
        let fields = match self.quotes {
            Quotes::Ignored => row.split(self.delimiter).map(str::to_owned).collect(),
            quotes => fields(&row, self.delimiter, quotes == Quotes::Lazy)?,
        };
        let names: Vec<&str> = header.split(self.header_delimiter).collect();
        if names.len() != fields.len() {
            let problem = format!("the row has {} fields, the header {}", fields.len(), names.len());
            return Err(EvalError::detail(problem));
        }
        let entry = |(name, field): (&str, String)| (Cow::Owned(name.to_owned()), Value::text(field));
        Ok(Value::from(last_of_each(names.into_iter().zip(fields).map(entry).collect())))
    }
}

/// Reads a row. A new line outside of quotes is a part of its field; empty lines are passed over.
fn fields(row: &str, delimiter: char, is_lazy: bool) -> Result<Vec<String>, EvalError> {
    let mut fields: Vec<String> = Vec::new();
    let row = row.replace("\r\n", "\n");
    let mut rest = row.as_str();
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix('\n') {
            rest = behind;
            continue;
        }
        let mut is_first = true;
        loop {
            let (field, end, behind) = field(rest, delimiter, is_lazy)?;
            rest = behind;
            match fields.last_mut().filter(|_| is_first) {
                Some(last) => {
                    last.push('\n');
                    last.push_str(&field);
                }
                None => fields.push(field),
            }
            is_first = false;
            if end != Some(delimiter) {
                break;
            }
        }
    }
    if fields.is_empty() { Err(EvalError::new("the row is empty")) } else { Ok(fields) }
}

/// Reads a field, and returns the character that ends the field and the text behind.
fn field(text: &str, delimiter: char, is_lazy: bool) -> Result<(String, Option<char>, &str), EvalError> {
    let is_end = |char: char| char == delimiter || char == '\n';
    let Some(mut rest) = text.strip_prefix('"') else {
        let (field, behind) = text.split_at(text.find(is_end).unwrap_or(text.len()));
        if field.contains('"') && !is_lazy {
            return Err(EvalError::new("a quote stands in a field without quotes"));
        }
        let (end, behind) = pop(behind);
        return Ok((field.to_owned(), end, behind));
    };
    let mut field = String::new();
    loop {
        let Some((inside, behind)) = rest.split_once('"') else {
            field.push_str(rest);
            return if is_lazy {
                Ok((field, None, ""))
            } else {
                Err(EvalError::new("a quote is not closed"))
            };
        };
        field.push_str(inside);
        match pop(behind) {
            (Some('"'), behind) => {
                field.push('"');
                rest = behind;
            }
            (None, behind) => return Ok((field, None, behind)),
            (Some(char), behind) if is_end(char) => return Ok((field, Some(char), behind)),
            _ if is_lazy => {
                field.push('"');
                rest = behind;
            }
            _ => return Err(EvalError::new("text stands behind a closing quote")),
        }
    }
}

/// Splits a text behind its first character.
fn pop(text: &str) -> (Option<char>, &str) {
    let first = text.chars().next();
    (first, text.get(first.map_or(0, char::len_utf8)..).unwrap_or_default())
}

#[cfg(test)]
mod tests;
