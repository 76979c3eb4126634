//! What is wrong with a configuration, where, and what would be right.

mod render;

use super::files::NamedFile;
use super::rules::Note;
use super::source::{Sources, Span};

/// One thing wrong with the configuration.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{path}{message}")]
pub(crate) struct Problem {
    /// Keys that lead to it, as a prefix of the message: `tls.insecure: `.
    path: String,
    message: String,
    span: Option<Span>,
    /// Lines below the place: what would be right.
    help: Vec<String>,
}

/// Everything found wrong so far; at most [`MAX_PROBLEMS`], the rest is counted.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<Problem>,
    omitted: usize,
    /// The files that the decoded settings name. Whether they can be read is checked before the start.
    pub(super) files: Vec<NamedFile>,
}

// === impl Problem ===

impl Problem {
    /// A problem that has no place in a text.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { path: String::new(), message: message.into(), span: None, help: Vec::new() }
    }

    /// A problem at a place.
    pub(crate) fn at(span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::new(message) }
    }

    /// A name that is not among `known`. The help suggests the nearest known name and lists all of them.
    pub(crate) fn unknown(span: Span, what: &str, name: &str, known: &[&str]) -> Self {
        let message = match name {
            "" => format!("the {what} is empty"),
            name => format!("unknown {what} `{}`", name.escape_debug()),
        };
        Self::at(span, message).choice(name, "available", known)
    }

    /// The same with a line of help: the name nearest to `name`, and all that are `known`. `label` says what they are.
    #[must_use]
    pub(crate) fn choice(self, name: &str, label: &str, known: &[&str]) -> Self {
        self.choice_with(name, label, known, &[])
    }

    /// The same; the nearest name may also be among `unlisted`.
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

    /// The same with one more line of help: what would be right.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// The same, at `span` unless it has a place already.
    #[must_use]
    pub(crate) fn or_at(mut self, span: Span) -> Self {
        self.span = self.span.or(Some(span));
        self
    }

    /// The same, at no place.
    #[must_use]
    pub(crate) fn without_place(self) -> Self {
        Self { span: None, ..self }
    }

    /// The same, of the value of `key`.
    #[must_use]
    pub(crate) fn below(mut self, key: &str) -> Self {
        let separator = if self.path.is_empty() { ": " } else { "." };
        self.path = format!("{key}{separator}{}", self.path);
        self
    }
}

// === impl Problems ===

impl Problems {
    /// Adds one.
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

    /// Adds the problems of a component, but for those that only follow from the keys at `refused`: that something is
    /// missing around a key that was taken out.
    pub(super) fn add_of_component(&mut self, others: Self, refused: &[Span]) {
        for problem in others.found {
            if !refused.iter().any(|refused| problem.span.is_some_and(|span| span.is_around(*refused))) {
                self.push(problem);
            }
        }
        self.omitted += others.omitted;
    }

    /// The places of all problems.
    pub(super) fn places(&self) -> Vec<Span> {
        self.found.iter().filter_map(|problem| problem.span).collect()
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The problems that have a place, as notes that end with `consequence`.
    pub(crate) fn notes(&self, consequence: &str) -> impl Iterator<Item = Note> {
        self.found.iter().filter_map(move |problem| {
            problem.span.map(|span| Note { span, text: format!("{problem}; {consequence}") })
        })
    }

    /// All problems for people, in the order of the files.
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
    /// All of them, however many.
    fn from(found: Vec<Problem>) -> Self {
        Self { found, ..Self::default() }
    }
}

/// The known name nearest to `name`, if it is near enough to be meant.
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
