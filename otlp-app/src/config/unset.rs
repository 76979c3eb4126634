//! Environment variables of a configuration that are not set.

use super::problem::Problem;
use super::rules::Note;
use super::source::{Sources, Span};

/// A reference to a variable that is not set and has no default.
pub(crate) struct Unset {
    /// The variable.
    pub(crate) name: String,
    /// The place of the reference.
    pub(crate) span: Span,
}

/// Makes a problem for each variable, at its first reference.
pub(crate) fn problems(unset: &[Unset], sources: &Sources) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, Unset { name, span }) in unset.iter().enumerate() {
        let is_same = |other: &&Unset| other.name == *name;
        if unset.iter().take(index).any(|other| is_same(&other)) {
            continue;
        }
        let mut problem = Problem::at(*span, format!("the environment variable `{name}` is not set"));
        let others = unset.iter().skip(index + 1).filter(is_same);
        let others: Vec<_> = others.filter_map(|other| sources.place(other.span)).collect();
        if !others.is_empty() {
            problem = problem.help(format!("also at {}", others.join(", ")));
        }
        problems.push(problem.help(format!(
            "set the variable, give a default (`${{env:{name}:-default}}`), or start with --allow-unset, which makes \
             all such variables empty"
        )));
    }
    problems
}

/// Makes a note for each reference.
pub(crate) fn notes(unset: &[Unset]) -> impl Iterator<Item = Note> {
    unset.iter().map(|Unset { name, span }| Note {
        span: *span,
        text: format!("the environment variable `{name}` is not set: empty, because of --allow-unset"),
    })
}
