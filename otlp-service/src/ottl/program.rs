//! Statements and conditions that were checked, and the groups in which they stand.

use super::ast::{self, Names};
use super::check::Checker;
use super::context::Context;
use super::environment::Environment;
use super::error::EvalError;
use super::fault::{Fault, OttlError};
use super::function::{Edit, Function};
use super::infer::infer;
use super::parser::{parse_condition, parse_statement};
use super::remark::remark;
use super::test::Test;
use crate::component::Needs;

/// A condition with its text.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) text: Box<str>,
    pub(crate) test: Test,
}

/// A statement with its text.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) text: Box<str>,
    pub(crate) condition: Option<Test>,
    /// A remark on the statement, if it is strange.
    pub(crate) remark: Option<&'static str>,
    function: &'static Function,
    editor: Box<dyn Edit>,
}

/// Conditions and statements of one context.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) context: Context,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) statements: Vec<Statement>,
    /// The properties of requests that the group reads.
    pub(crate) needs: Needs,
    /// True if a statement changes a message around the messages of the context.
    pub(crate) reaches_up: bool,
}

/// The texts of a group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts<'t> {
    /// The context, to which paths without a context belong; `None`: inferred from the paths, all of which have a context.
    pub(crate) context: Option<Context>,
    /// The contexts of the signal.
    pub(crate) allowed: &'t [Context],
    pub(crate) conditions: &'t [String],
    pub(crate) statements: &'t [String],
}

/// The fault of a text of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupError {
    pub(crate) place: Place,
    pub(crate) error: OttlError,
}

/// A text of a group, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Condition(usize),
    Statement(usize),
}

// === impl Statement ===

impl Statement {
    /// Runs the editor if the condition holds. True if it ran.
    ///
    /// # Errors
    /// Of the condition or the editor.
    pub(crate) fn run(&self, env: &mut Environment<'_>) -> Result<bool, EvalError> {
        if let Some(condition) = &self.condition
            && !condition.holds(env)?
        {
            return Ok(false);
        }
        self.editor.edit(env).map_err(|error| error.within(self.function.name))?;
        Ok(true)
    }
}

// === impl Group ===

impl Group {
    /// Parses and checks the texts of a group.
    ///
    /// # Errors
    /// The faults of all texts.
    pub(crate) fn new(texts: Texts<'_>) -> Result<Self, Vec<GroupError>> {
        let mut errors = Vec::new();
        let conditions: Vec<_> = texts
            .conditions
            .iter()
            .enumerate()
            .map(|(index, text)| keep(parse_condition(text), text, Place::Condition(index), &mut errors))
            .collect();
        let statements: Vec<_> = texts
            .statements
            .iter()
            .enumerate()
            .map(|(index, text)| keep(parse_statement(text), text, Place::Statement(index), &mut errors))
            .collect();
        let context =
            context_of(texts, conditions.iter().flatten(), statements.iter().flatten(), &mut errors);
        let Some(context) = context else { return Err(errors) };
        let mut group = Self {
            context,
            conditions: Vec::new(),
            statements: Vec::new(),
            needs: Needs::default(),
            reaches_up: false,
        };
        for (index, (text, tree)) in texts.conditions.iter().zip(&conditions).enumerate() {
            let Some(tree) = tree else { continue };
            let checked = group.check(texts, |checker| checker.condition(tree));
            if let Some(test) = keep_all(checked, text, Place::Condition(index), &mut errors) {
                group.conditions.push(Condition { text: text.as_str().into(), test });
            }
        }
        for (index, (text, tree)) in texts.statements.iter().zip(&statements).enumerate() {
            let Some(tree) = tree else { continue };
            let checked = group.check(texts, |checker| checker.statement(tree));
            if let Some((function, editor, condition)) =
                keep_all(checked, text, Place::Statement(index), &mut errors)
            {
                let remark = remark(tree, text);
                let text = text.as_str().into();
                group.statements.push(Statement { text, condition, remark, function, editor });
            }
        }
        if errors.is_empty() { Ok(group) } else { Err(errors) }
    }

    fn check<T>(
        &mut self,
        texts: Texts<'_>,
        check: impl FnOnce(&mut Checker) -> Option<T>,
    ) -> Result<T, Vec<Fault>> {
        let mut checker = Checker::new(self.context, texts.context.is_some());
        let checked = check(&mut checker);
        self.reaches_up |= checker.reaches_up;
        let (faults, needs) = checker.finish();
        self.needs.add(&needs);
        checked.filter(|_| faults.is_empty()).ok_or(faults)
    }
}

/// Returns the context that is given, or infers the context.
fn context_of<'n>(
    texts: Texts<'_>,
    conditions: impl Iterator<Item = &'n ast::Condition>,
    statements: impl Iterator<Item = &'n ast::Statement>,
    errors: &mut Vec<GroupError>,
) -> Option<Context> {
    if texts.context.is_some() {
        return texts.context;
    }
    let mut names = Names::default();
    conditions.for_each(|condition| names.add_condition(condition));
    statements.for_each(|statement| names.add_statement(statement));
    match infer(&names, texts.allowed) {
        Ok(context) => Some(context),
        // Texts that could not be parsed may have the paths.
        Err(_) if !errors.is_empty() => None,
        Err(problem) => {
            let (place, text) = match (texts.conditions.first(), texts.statements.first()) {
                (_, Some(text)) => (Place::Statement(0), text),
                (Some(text), None) => (Place::Condition(0), text),
                (None, None) => return texts.allowed.last().copied(),
            };
            errors.push(GroupError {
                place,
                error: OttlError::new(text, vec![Fault::new(0..text.len(), problem)]),
            });
            None
        }
    }
}

fn keep<T>(parsed: Result<T, Fault>, text: &str, place: Place, errors: &mut Vec<GroupError>) -> Option<T> {
    keep_all(parsed.map_err(|fault| vec![fault]), text, place, errors)
}

fn keep_all<T>(
    checked: Result<T, Vec<Fault>>,
    text: &str,
    place: Place,
    errors: &mut Vec<GroupError>,
) -> Option<T> {
    match checked {
        Ok(value) => Some(value),
        Err(faults) => {
            errors.push(GroupError { place, error: OttlError::new(text, faults) });
            None
        }
    }
}
