//! Faults of a statement's text, shown with the line and a mark under the place.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// A fault at a place of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) range: Range<usize>,
    pub(crate) problem: Cow<'static, str>,
    /// The way to correct the fault.
    pub(crate) help: Option<Cow<'static, str>>,
}

/// The faults of a statement or condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OttlError {
    text: String,
    faults: Vec<Fault>,
}

// === impl Fault ===

impl Fault {
    pub(crate) fn new(range: Range<usize>, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { range, problem: problem.into(), help: None }
    }

    pub(crate) fn help(self, help: impl Into<Cow<'static, str>>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Adds the nearest of the known names to the help, if one is near.
    pub(crate) fn nearest<'n>(self, given: &str, known: impl IntoIterator<Item = &'n str>) -> Self {
        match nearest(given, known) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }
}

// === impl OttlError ===

impl OttlError {
    pub(crate) fn new(text: &str, mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| fault.range.start);
        Self { text: text.into(), faults }
    }

    /// A fault of a text as a whole.
    pub(crate) fn of_all(text: &str, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::new(text, vec![Fault::new(0..text.len(), problem)])
    }

    /// True if the fault is of the text as a whole: its paths belong to no context that is served.
    pub fn is_of_all(&self) -> bool {
        self.faults.iter().any(|fault| fault.range == (0..self.text.len()))
    }

    /// Iterates over the faults: each a problem in one line, `1:5: unknown path`, and the lines that explain it: the line of the
    /// text, marks under the place, help.
    pub fn explained(&self) -> impl Iterator<Item = (String, Vec<String>)> {
        self.faults.iter().map(|fault| {
            let (line, column, text) = self.place(fault.range.start);
            let marked = self.text.get(fault.range.clone()).unwrap_or_default();
            let left = text.chars().count().saturating_sub(column - 1);
            let marks = marked.lines().next().unwrap_or_default().chars().count().clamp(1, left.max(1));
            let mut lines = vec![text.to_owned(), format!("{:1$}{2}", "", column - 1, "^".repeat(marks))];
            lines.extend(fault.help.as_deref().map(str::to_owned));
            (format!("{line}:{column}: {}", fault.problem), lines)
        })
    }

    /// Returns line and column, both from 1, and the text of the line.
    fn place(&self, at: usize) -> (usize, usize, &str) {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let rest = self.text.get(start..).unwrap_or_default();
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        (before.matches('\n').count() + 1, column, rest.lines().next().unwrap_or_default())
    }
}

impl fmt::Display for OttlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (problem, lines)) in self.explained().enumerate() {
            f.write_str(if index > 0 { "\n" } else { "" })?;
            f.write_str(&problem)?;
            for (index, line) in lines.iter().enumerate() {
                let label = if index < 2 { "" } else { "help: " };
                write!(f, "\n    {label}{line}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for OttlError {}

/// Returns the known name that is nearest to the given one, if it is near.
fn nearest<'n>(given: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let given = given.to_ascii_lowercase();
    let near = known.into_iter().map(|name| (distance(&given, &name.to_ascii_lowercase()), name));
    let (distance, name) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= given.len().div_ceil(3).min(MAX_DISTANCE)).then_some(name)
}

/// Returns the least number of changed, added and removed bytes between two names.
fn distance(left: &str, right: &str) -> usize {
    if left.len() > MAX_NAME || right.len() > MAX_NAME {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, byte) in left.bytes().enumerate() {
        let mut diagonal = index;
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
        for (column, other) in right.bytes().enumerate() {
            let before = row.get(column).copied().unwrap_or_default();
            if let Some(cell) = row.get_mut(column + 1) {
                let least = (diagonal + usize::from(byte != other)).min(before + 1).min(*cell + 1);
                diagonal = std::mem::replace(cell, least);
            }
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Names that differ in more places are not near.
const MAX_DISTANCE: usize = 3;

/// Longest name that is compared.
const MAX_NAME: usize = 64;
