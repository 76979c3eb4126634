//! Errors in a configuration: the message, the place, and how to correct the error.

mod render;

use super::files::NamedFile;
use super::rules::Note;
use super::source::{Sources, Span};
use otlp_service::DecodeError;

/// One error in the configuration.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{path}{message}")]
pub(crate) struct Problem {
    /// Path of keys to the value, as a prefix of the message: `tls.insecure: `.
    path: String,
    message: String,
    span: Option<Span>,
    /// Lines below the place: how to correct the error.
    help: Vec<String>,
}

/// The errors found so far: at most [`MAX_PROBLEMS`], further errors are counted.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<Problem>,
    omitted: usize,
    /// Files that the decoded settings name. They are read before the start, as a check.
    pub(super) files: Vec<NamedFile>,
}

// === impl Problem ===

impl Problem {
    /// Makes a problem without a place.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { path: String::new(), message: message.into(), span: None, help: Vec::new() }
    }

    /// Makes a problem at a place.
    pub(crate) fn at(span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::new(message) }
    }

    /// Makes a problem of a name that is not among `known`. The help suggests the nearest known name and lists all of them.
    pub(crate) fn unknown(span: Span, what: &str, name: &str, known: &[&str]) -> Self {
        let message = match name {
            "" => format!("the {what} is empty"),
            name => format!("unknown {what} `{}`", name.escape_debug()),
        };
        Self::at(span, message).choice(name, "available", known)
    }

    /// Makes a problem of an error of decoding, at its place.
    pub(super) fn of_decoding(error: &DecodeError) -> Self {
        let (span, help) = (error.place().map(Span::from), error.help().to_vec());
        Self { span, help, ..Self::new(error.to_string()) }
    }

    /// Returns the problem as an error of decoding. The deserializer adds path and place.
    pub(super) fn into_decoding(self) -> DecodeError {
        self.help.into_iter().fold(DecodeError::new(self.message), DecodeError::with_help)
    }

    /// Adds a line of help: the known name nearest to `name`, then `label` and all known names.
    #[must_use]
    pub(crate) fn choice(self, name: &str, label: &str, known: &[&str]) -> Self {
        self.choice_with(name, label, known, &[])
    }

    /// Adds the line of help of [`choice`](Self::choice); the nearest name may also be among `unlisted`.
    #[must_use]
    pub(crate) fn choice_with(self, name: &str, label: &str, known: &[&str], unlisted: &[&str]) -> Self {
        let known: Vec<_> = known.iter().copied().filter(|known| !known.is_empty()).collect();
        if known.is_empty() {
            return self;
        }
        let guess = suggest(name, &[&known, unlisted].concat());
        let guess = guess.map(|best| format!("did you mean `{best}`? ")).unwrap_or_default();
        self.help(format!("{guess}{label}: {}", known.join(", ")))
    }

    /// Adds a line of help: how to correct the error.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Sets the place to `span`, unless the problem has a place.
    #[must_use]
    pub(crate) fn or_at(mut self, span: Span) -> Self {
        self.span = self.span.or(Some(span));
        self
    }

    /// Removes the place.
    #[must_use]
    pub(crate) fn without_place(self) -> Self {
        Self { span: None, ..self }
    }

    /// Puts `key` before the path of the problem.
    #[must_use]
    pub(crate) fn below(mut self, key: &str) -> Self {
        let separator = if self.path.is_empty() { ": " } else { "." };
        self.path = format!("{key}{separator}{}", self.path);
        self
    }
}

// === impl Problems ===

impl Problems {
    /// Adds a problem.
    pub(crate) fn push(&mut self, problem: Problem) {
        match self.found.len() {
            MAX_PROBLEMS.. => self.omitted += 1,
            _ => self.found.push(problem),
        }
    }

    /// Adds a problem, unless one at the same place or within that place is known: the first cause is enough.
    pub(crate) fn push_unless_placed(&mut self, problem: Problem) {
        let holds = |span: Span| self.places().iter().any(|known| span == *known || span.is_around(*known));
        if !problem.span.is_some_and(holds) {
            self.push(problem);
        }
    }

    /// Adds the problems of a component, without those that follow from the refused keys at `refused`: a value that is missing
    /// because its key was taken out.
    pub(super) fn add_of_component(&mut self, others: Self, refused: &[Span]) {
        for problem in others.found {
            if !refused.iter().any(|refused| problem.span.is_some_and(|span| span.is_around(*refused))) {
                self.push(problem);
            }
        }
        self.omitted += others.omitted;
    }

    /// Returns the places of all problems.
    pub(super) fn places(&self) -> Vec<Span> {
        self.found.iter().filter_map(|problem| problem.span).collect()
    }

    /// Returns the first problem as one line of text: line and column of its place, and the message.
    pub(crate) fn first_line(&self, sources: &Sources) -> Option<String> {
        let problem = self.found.first()?;
        let place = problem.span.and_then(|span| sources.place(span));
        let place = place.as_deref().and_then(|place| place.split_once(':'));
        Some(place.map_or_else(|| problem.to_string(), |(_, place)| format!("{place}: {problem}")))
    }

    /// Returns true if there are no problems.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the problems that have a place, as notes that end with `consequence`.
    pub(crate) fn notes(&self, consequence: &str) -> impl Iterator<Item = Note> {
        self.found.iter().filter_map(move |problem| {
            problem.span.map(|span| Note { span, text: format!("{problem}; {consequence}") })
        })
    }

    /// Renders all problems as text, in the order of the files.
    pub(crate) fn render(&self, sources: &Sources, color: bool) -> String {
        let mut found: Vec<_> = self.found.iter().collect();
        found.sort_by_key(|problem| problem.span.map(|span| (span.source, span.start)));
        let mut out: String = found.iter().map(|problem| problem.render(sources, color)).collect();
        if self.omitted > 0 {
            out.push_str(&format!("and {} more\n", self.omitted));
        }
        out
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        vec![problem].into()
    }
}

impl From<Vec<Problem>> for Problems {
    /// Keeps all problems, without a limit.
    fn from(found: Vec<Problem>) -> Self {
        Self { found, ..Self::default() }
    }
}

/// Returns the known name nearest to `name`, if it differs from `name` by a third at most.
fn suggest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let length = name.chars().take(MAX_COMPARED_CHARS + 1).count();
    if length > MAX_COMPARED_CHARS {
        return None;
    }
    // Typing errors change a third of a name at most; beyond that a suggestion misleads.
    let limit = length / 3 + 1;
    let distances = known.iter().map(|known| (strsim::damerau_levenshtein(name, known), *known));
    distances.min().filter(|(distance, _)| *distance <= limit).map(|(_, known)| known)
}

const MAX_PROBLEMS: usize = 20;
const MAX_COMPARED_CHARS: usize = 64;
