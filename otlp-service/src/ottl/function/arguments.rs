//! Checked arguments of a call, from which the call is made.

use super::Function;
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::target::Target;
use crate::ottl::value::Value;
use crate::processor::Pattern;
use std::borrow::Cow;

/// The arguments of a call, one for each parameter: the checker made sure of their kinds, and that the required ones are there.
#[derive(Debug)]
pub(crate) struct Arguments {
    given: Vec<Option<Argument>>,
}

/// An argument.
#[derive(Debug)]
pub(crate) enum Argument {
    Elements(Vec<Expression>),
    Expression(Expression),
    Function(&'static Function),
    Target(Target),
}

/// A fault of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArgumentError {
    /// Index of the parameter.
    pub(crate) index: usize,
    pub(crate) problem: Cow<'static, str>,
}

/// A regular expression: compiled before, or for each item.
#[derive(Debug)]
pub(crate) enum PatternArgument {
    Computed(Expression),
    Fixed(Pattern),
}

// === impl Arguments ===

impl Arguments {
    pub(crate) fn new(given: Vec<Option<Argument>>) -> Self {
        Self { given }
    }

    /// Returns true if the parameter has an argument.
    pub(crate) fn has(&self, index: usize) -> bool {
        self.given.get(index).is_some_and(Option::is_some)
    }

    /// Returns true if all arguments are the same for all items.
    pub(crate) fn are_constant(&self) -> bool {
        self.given.iter().flatten().all(|argument| match argument {
            Argument::Elements(elements) => elements.iter().all(|element| element.literal().is_some()),
            Argument::Expression(expression) => expression.literal().is_some(),
            Argument::Function(_) => true,
            Argument::Target(_) => false,
        })
    }

    /// Takes the argument of a required parameter.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn expression(&mut self, index: usize) -> Result<Expression, ArgumentError> {
        match self.take(index) {
            Some(Argument::Expression(expression)) => Ok(expression),
            _ => Err(ArgumentError::new(index, "a value is required")),
        }
    }

    /// Takes the argument of an optional parameter.
    ///
    /// # Errors
    /// If the argument is not a value.
    pub(crate) fn optional(&mut self, index: usize) -> Result<Option<Expression>, ArgumentError> {
        if self.has(index) { self.expression(index).map(Some) } else { Ok(None) }
    }

    /// Takes the elements of a list that is written in the statement; none if it is absent.
    ///
    /// # Errors
    /// If the argument is not such a list.
    pub(crate) fn elements(&mut self, index: usize) -> Result<Vec<Expression>, ArgumentError> {
        match self.take(index) {
            None => Ok(Vec::new()),
            Some(Argument::Elements(elements)) => Ok(elements),
            Some(_) => Err(ArgumentError::new(index, "a list is required")),
        }
    }

    /// Takes a constant.
    ///
    /// # Errors
    /// If the argument is not constant.
    pub(crate) fn literal(&mut self, index: usize) -> Result<Option<Value<'static>>, ArgumentError> {
        match self.take(index) {
            None => Ok(None),
            Some(Argument::Expression(Expression::Literal(value))) => Ok(Some(value)),
            Some(_) => Err(ArgumentError::new(index, "a constant is required")),
        }
    }

    /// Takes a constant string.
    ///
    /// # Errors
    /// If the argument is not a constant string.
    pub(crate) fn literal_text(&mut self, index: usize) -> Result<Option<Box<str>>, ArgumentError> {
        let value = self.literal(index)?;
        let text = value.map(|value| value.into_text().map(|text| text.into_owned().into()));
        text.transpose().map_err(|error| ArgumentError::new(index, error.to_string()))
    }

    /// Takes a constant int.
    ///
    /// # Errors
    /// If the argument is not a constant int.
    pub(crate) fn literal_int(&mut self, index: usize) -> Result<Option<i64>, ArgumentError> {
        let value = self.literal(index)?.map(Value::into_int);
        value.transpose().map_err(|error| ArgumentError::new(index, error.to_string()))
    }

    /// Takes a constant double; an int is converted.
    ///
    /// # Errors
    /// If the argument is not a constant number.
    pub(crate) fn literal_double(&mut self, index: usize) -> Result<Option<f64>, ArgumentError> {
        let value = self.literal(index)?.map(|value| match value {
            Value::Int(value) => Ok(value as f64),
            other => other.into_double(),
        });
        value.transpose().map_err(|error| ArgumentError::new(index, error.to_string()))
    }

    /// Takes a constant bool.
    ///
    /// # Errors
    /// If the argument is not a constant bool.
    pub(crate) fn literal_bool(&mut self, index: usize) -> Result<Option<bool>, ArgumentError> {
        let value = self.literal(index)?.map(Value::into_bool);
        value.transpose().map_err(|error| ArgumentError::new(index, error.to_string()))
    }

    /// Takes a list of constant strings.
    ///
    /// # Errors
    /// If the argument is not such a list.
    pub(crate) fn literal_texts(&mut self, index: usize) -> Result<Option<Vec<Box<str>>>, ArgumentError> {
        if !self.has(index) {
            return Ok(None);
        }
        let text = |element: Expression| match element {
            Expression::Literal(Value::Text(text)) => Ok(text.into_owned().into()),
            _ => Err(ArgumentError::new(index, "a list of constant strings is required")),
        };
        self.elements(index)?.into_iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// Takes a regular expression.
    ///
    /// # Errors
    /// If it is constant and does not compile.
    pub(crate) fn pattern(&mut self, index: usize) -> Result<PatternArgument, ArgumentError> {
        match self.expression(index)? {
            Expression::Literal(value) => {
                let text = value.into_text().map_err(|error| ArgumentError::new(index, error.to_string()))?;
                Pattern::new(&text)
                    .map(PatternArgument::Fixed)
                    .map_err(|error| ArgumentError::new(index, error))
            }
            computed => Ok(PatternArgument::Computed(computed)),
        }
    }

    /// Takes the name of a converter; `None` if it is absent.
    ///
    /// # Errors
    /// If the argument is not a converter's name.
    pub(crate) fn function(&mut self, index: usize) -> Result<Option<&'static Function>, ArgumentError> {
        match self.take(index) {
            None => Ok(None),
            Some(Argument::Function(function)) => Ok(Some(function)),
            Some(_) => Err(ArgumentError::new(index, "the name of a converter is required")),
        }
    }

    /// Takes the path that the function changes.
    ///
    /// # Errors
    /// If the argument is not a path.
    pub(crate) fn target(&mut self, index: usize) -> Result<Target, ArgumentError> {
        match self.take(index) {
            Some(Argument::Target(target)) => Ok(target),
            _ => Err(ArgumentError::new(index, "a path is required")),
        }
    }

    fn take(&mut self, index: usize) -> Option<Argument> {
        self.given.get_mut(index)?.take()
    }
}

// === impl ArgumentError ===

impl ArgumentError {
    pub(crate) fn new(index: usize, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { index, problem: problem.into() }
    }
}

// === impl PatternArgument ===

impl PatternArgument {
    /// Calls `with` with the compiled expression.
    ///
    /// # Errors
    /// If a computed expression is not a string or does not compile.
    pub(crate) fn with<R>(
        &self,
        env: &Environment<'_>,
        with: impl FnOnce(&Pattern) -> R,
    ) -> Result<R, EvalError> {
        match self {
            Self::Fixed(pattern) => Ok(with(pattern)),
            Self::Computed(expression) => {
                let text = expression.value(env)?.into_text()?;
                Pattern::new(&text).map(|pattern| with(&pattern)).map_err(EvalError::detail)
            }
        }
    }
}
