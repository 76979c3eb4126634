//! A component as the file has it: its id, its place and its settings.

use super::node::Node;
use super::problem::Problem;
use super::source::Span;

/// One entry of `receivers`, `processors`, `exporters` or `extensions`.
#[derive(Clone)]
pub(crate) struct Component {
    /// `type` or `type/name`.
    pub(crate) id: String,
    /// The place of the id.
    pub(crate) span: Span,
    /// Its settings, without the keys that have a rule.
    pub(crate) settings: Node,
}

impl Component {
    /// The part of an id before its `/`.
    pub(crate) fn type_of(id: &str) -> &str {
        id.split_once('/').map_or(id, |(component_type, _)| component_type)
    }

    /// A name at a dotted path that is not among `known`.
    pub(crate) fn unknown(&self, path: &str, what: &str, name: &str, known: &[&str]) -> Problem {
        Problem::unknown(self.settings.span_of(path), what, name, known).below(path)
    }

    /// A problem with the setting at a dotted path, or with the whole component if it has no such setting.
    pub(crate) fn problem(&self, path: &str, problem: &str) -> Problem {
        let place = self.settings.span_of(path);
        let span = if place == self.settings.span { self.span } else { place };
        Problem::at(span, format!("{}: {path}: {problem}", self.id))
    }
}
