//! Functions: converters give a value, editors change messages.

mod append;
mod arguments;
mod call;
mod checks;
mod clear;
mod collection;
mod csv;
mod date;
mod edit;
mod encoding;
mod entries;
mod flatten;
mod glob;
mod hash;
mod keys;
mod merge;
mod metrics;
mod parameter;
mod parse;
mod pattern;
mod replace;
mod replace_editors;
mod semconv;
mod set;
mod span;
mod structure;
mod text;
mod time;
mod types;
mod url;
mod uuid;

pub(crate) use arguments::{Argument, ArgumentError, Arguments, PatternArgument};
pub(crate) use parameter::{Kind, Parameter};

use super::context::Contexts;
use super::environment::Environment;
use super::error::EvalError;
use super::value::Value;
use std::fmt;

/// A function: its name and parameters, and the maker of its calls.
pub(crate) struct Function {
    /// Starts with an upper-case letter for a converter, a lower-case letter for an editor.
    pub(crate) name: &'static str,
    /// Required parameters in front of optional ones.
    pub(crate) parameters: &'static [Parameter],
    /// Contexts that have the function.
    pub(crate) contexts: Contexts,
    pub(crate) build: Build,
    /// True if the result depends on the arguments alone: a call with constant arguments is evaluated once.
    pub(crate) is_pure: bool,
}

/// Makes a call of a function from checked arguments.
#[derive(Clone, Copy)]
pub(crate) enum Build {
    Converter(fn(&mut Arguments) -> Result<Box<dyn Call>, ArgumentError>),
    Editor(fn(&mut Arguments) -> Result<Box<dyn Edit>, ArgumentError>),
}

/// A call of a converter with its arguments.
pub(crate) trait Call: fmt::Debug + Send + Sync {
    /// # Errors
    /// If the function does not take a value of its arguments.
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError>;
}

/// A call of an editor with its arguments.
pub(crate) trait Edit: fmt::Debug + Send + Sync {
    /// # Errors
    /// If the function does not take a value of its arguments; then nothing was changed.
    fn edit(&self, env: &mut Environment<'_>) -> Result<(), EvalError>;
}

// === impl Function ===

impl Function {
    /// A converter of all contexts whose result depends on its arguments alone.
    pub(crate) const fn converter(
        name: &'static str,
        parameters: &'static [Parameter],
        build: fn(&mut Arguments) -> Result<Box<dyn Call>, ArgumentError>,
    ) -> Self {
        Self { name, parameters, contexts: Contexts::ALL, build: Build::Converter(build), is_pure: true }
    }

    /// An editor of all contexts.
    pub(crate) const fn editor(
        name: &'static str,
        parameters: &'static [Parameter],
        build: fn(&mut Arguments) -> Result<Box<dyn Edit>, ArgumentError>,
    ) -> Self {
        Self { name, parameters, contexts: Contexts::ALL, build: Build::Editor(build), is_pure: false }
    }

    /// Limits the function to some contexts.
    pub(crate) const fn only_in(self, contexts: Contexts) -> Self {
        Self { contexts, ..self }
    }

    /// Says that the result depends on more than the arguments.
    pub(crate) const fn impure(self) -> Self {
        Self { is_pure: false, ..self }
    }

    pub(crate) fn is_editor(&self) -> bool {
        matches!(self.build, Build::Editor(_))
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Groups of functions: a converter or an editor is an entry in one of these.
static GROUPS: &[&[Function]] = &[
    append::FUNCTIONS,
    checks::FUNCTIONS,
    clear::FUNCTIONS,
    collection::FUNCTIONS,
    csv::FUNCTIONS,
    date::FUNCTIONS,
    encoding::FUNCTIONS,
    hash::FUNCTIONS,
    keys::FUNCTIONS,
    merge::FUNCTIONS,
    metrics::FUNCTIONS,
    parse::FUNCTIONS,
    pattern::FUNCTIONS,
    replace_editors::FUNCTIONS,
    semconv::FUNCTIONS,
    set::FUNCTIONS,
    span::FUNCTIONS,
    structure::FUNCTIONS,
    text::FUNCTIONS,
    time::FUNCTIONS,
    types::FUNCTIONS,
    url::FUNCTIONS,
    uuid::FUNCTIONS,
];

/// The longest string that a function makes. Larger strings would come of statements that double a value again and again.
pub(crate) const MAX_TEXT_BYTES: usize = 16 << 20;

/// The most values that a function makes of a text. A value takes many times the memory of a separator in a text.
pub(crate) const MAX_ELEMENTS: usize = 1 << 17;

/// Returns all functions.
pub(crate) fn functions() -> impl Iterator<Item = &'static Function> {
    GROUPS.iter().flat_map(|group| group.iter())
}

/// Returns the function with a name.
pub(crate) fn function(name: &str) -> Option<&'static Function> {
    functions().find(|function| function.name == name)
}

#[cfg(test)]
mod tests;
