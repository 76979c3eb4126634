//! Replacements of what a regular expression matches, and the results of functions in them.

use super::text::check_len;
use super::{Argument, ArgumentError, Arguments, Build, Function, Kind, PatternArgument};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::value::Value;
use crate::processor::Pattern;

/// Replacement of matches: a text, which may go through a function and into a format.
#[derive(Debug)]
pub(super) struct Replacement {
    text: Expression,
    function: Option<&'static Function>,
    format: Option<Frame>,
}

/// A format with one `%s`: the text before and behind.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Frame {
    before: Box<str>,
    behind: Box<str>,
}

/// A part of a replacement with groups of the match.
#[derive(Debug, PartialEq, Eq)]
enum Part<'t> {
    Group(&'t str),
    Text(&'t str),
}

// === impl Replacement ===

impl Replacement {
    /// Takes the arguments from `index` on: the replacement, the function and the format.
    ///
    /// # Errors
    /// If the function does not take a string alone, or the format has not one `%s`.
    pub(super) fn new(arguments: &mut Arguments, index: usize) -> Result<Self, ArgumentError> {
        let text = arguments.expression(index)?;
        let function = arguments.function(index + 1)?;
        if let Some(function) = function
            && !takes_a_string(function)
        {
            let problem = format!("`{}` does not take a string alone", function.name);
            return Err(ArgumentError::new(index + 1, problem));
        }
        let format = match arguments.literal_text(index + 2)? {
            None => None,
            // Without a function the format has no effect, as in the Collector.
            Some(_) if function.is_none() => None,
            Some(format) => {
                let problem = "the format must have one %s, and no other %";
                Some(Frame::new(&format).ok_or_else(|| ArgumentError::new(index + 2, problem))?)
            }
        };
        Ok(Self { text, function, format })
    }

    /// Returns the replacement, without the groups of a match.
    ///
    /// # Errors
    /// If the replacement is not a string, or the function fails.
    pub(super) fn plain(&self, env: &Environment<'_>) -> Result<String, EvalError> {
        let text = self.text.value(env)?.into_text()?.into_owned();
        self.finished(text, env)
    }

    /// Returns a text with all matches replaced; `None` if there is no match.
    ///
    /// # Errors
    /// As of [`plain`](Self::plain), and if the result is longer than 16 MiB.
    pub(super) fn replace(
        &self,
        pattern: &PatternArgument,
        text: &str,
        env: &Environment<'_>,
    ) -> Result<Option<String>, EvalError> {
        let template = self.text.value(env)?.into_text()?;
        pattern.with(env, |pattern| self.replaced(pattern, text, &template, env))?
    }

    fn replaced(
        &self,
        pattern: &Pattern,
        text: &str,
        template: &str,
        env: &Environment<'_>,
    ) -> Result<Option<String>, EvalError> {
        // Most texts do not match.
        if !pattern.matches(text) {
            return Ok(None);
        }
        let parts = parts(template);
        let (mut out, mut copied) = (String::with_capacity(text.len()), 0);
        for captures in pattern.captures_iter(text) {
            let Some(whole) = captures.get(0) else { continue };
            out.push_str(text.get(copied..whole.start()).unwrap_or_default());
            copied = whole.end();
            let mut expanded = String::new();
            for part in &parts {
                expanded.push_str(match part {
                    Part::Text(text) => text,
                    Part::Group(name) => group(&captures, name),
                });
                check_len(out.len() + expanded.len())?;
            }
            out.push_str(&self.finished(expanded, env)?);
            check_len(out.len())?;
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Ok(Some(out))
    }

    /// Calls the function and fills the format.
    fn finished(&self, text: String, env: &Environment<'_>) -> Result<String, EvalError> {
        let text = match self.function {
            Some(function) => called(function, text, env)?,
            None => text,
        };
        Ok(match &self.format {
            Some(frame) => format!("{}{text}{}", frame.before, frame.behind),
            None => text,
        })
    }
}

// === impl Frame ===

impl Frame {
    fn new(format: &str) -> Option<Self> {
        let (before, behind) = format.split_once("%s")?;
        let is_plain = !before.contains('%') && !behind.contains('%');
        is_plain.then(|| Self { before: before.into(), behind: behind.into() })
    }
}

/// Returns true for converters whose first parameter is a string, and whose other parameters are optional.
fn takes_a_string(function: &Function) -> bool {
    let Some((first, rest)) = function.parameters.split_first() else { return false };
    matches!(first.kind, Kind::Text | Kind::TextLike) && rest.iter().all(|parameter| parameter.is_optional)
}

/// Calls a converter with a string, for a string.
fn called(function: &'static Function, text: String, env: &Environment<'_>) -> Result<String, EvalError> {
    let Build::Converter(build) = function.build else {
        return Err(EvalError::new("an editor gives no value"));
    };
    let mut given = vec![Some(Argument::Expression(Expression::Literal(Value::text(text))))];
    given.resize_with(function.parameters.len(), || None);
    let call =
        build(&mut Arguments::new(given)).map_err(|error| EvalError::detail(error.problem.into_owned()))?;
    let value = call.call(env).map_err(|error| error.within(function.name))?;
    value.into_text().map(std::borrow::Cow::into_owned)
}

/// Splits a replacement at its groups, by Go's rules: `$1`, `${1}`, `$name`, `${name}`, and `$$` for a dollar sign. A name has
/// as many letters, digits and underscores as there are: `$1s` is the group `1s`.
fn parts(template: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('$') {
        parts.push(Part::Text(before));
        rest = match behind.strip_prefix('$') {
            Some(behind) => {
                parts.push(Part::Text("$"));
                behind
            }
            None => match group_name(behind) {
                Some((name, behind)) => {
                    parts.push(Part::Group(name));
                    behind
                }
                // A dollar sign without a name is a dollar sign.
                None => {
                    parts.push(Part::Text("$"));
                    behind
                }
            },
        };
    }
    parts.push(Part::Text(rest));
    parts
}

/// Returns the name behind a dollar sign, and the rest.
fn group_name(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{');
    let start = inner.unwrap_or(text);
    let is_name = |char: char| char == '_' || char.is_alphabetic() || char.is_numeric();
    let (name, rest) = start.split_at(start.find(|char| !is_name(char)).unwrap_or(start.len()));
    if name.is_empty() {
        return None;
    }
    let rest = if inner.is_some() { rest.strip_prefix('}')? } else { rest };
    Some((name, rest))
}

/// Returns the text of a group: by its number, which has no leading zeros, or by its name; empty if there is none.
fn group<'t>(captures: &regex::Captures<'t>, name: &str) -> &'t str {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    let group = match name.parse() {
        Ok(index) if is_number => captures.get(index).map(|group| group.as_str()),
        _ => Pattern::group_named(captures, name),
    };
    group.unwrap_or_default()
}

#[cfg(test)]
mod tests;
