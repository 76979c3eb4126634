//! A component of the file: id, place and settings.

use super::node::Node;
use super::problem::Problem;
use super::rules::Note;
use super::source::Span;
use otlp_service::{Choice, SettingsError};
use otlp_transport::ConfigError;

/// One entry of `receivers`, `processors`, `exporters` or `extensions`.
#[derive(Clone)]
pub(crate) struct Component {
    /// `type` or `type/name`.
    pub(crate) id: String,
    /// The place of the id.
    pub(crate) span: Span,
    /// Settings, without the keys that have a rule.
    pub(crate) settings: Node,
}

impl Component {
    /// Returns the part of an id before the `/`.
    pub(crate) fn type_of(id: &str) -> &str {
        id.split_once('/').map_or(id, |(component_type, _)| component_type)
    }

    /// Makes a problem, with its place in the file, of a factory's error.
    pub(crate) fn wrong(&self, error: &SettingsError) -> Problem {
        let SettingsError { paths, problem, choice, help, .. } = error;
        let path = paths.iter().find(|path| self.settings.has(path)).or(paths.first());
        let is_unknown = choice.as_ref().is_some_and(|choice| choice.unknown.is_some());
        let mut told = match path {
            Some(path) if is_unknown => Problem::at(self.settings.span_of(path), problem).below(path),
            Some(path) => self.problem(path, problem),
            None => Problem::at(self.span, format!("{}: {problem}", self.id)),
        };
        if let Some(Choice { given, known, .. }) = choice.as_deref() {
            let known: Vec<_> = known.iter().map(String::as_str).collect();
            told = told.choice(given, "available", &known);
        }
        help.iter().fold(told, Problem::help)
    }

    /// Makes a note, with its place in the file, of a factory's remark.
    pub(crate) fn note(&self, SettingsError { paths, problem, .. }: &SettingsError) -> Note {
        let path = paths.iter().find(|path| self.settings.has(path)).or(paths.first());
        let (id, place) = (&self.id, path.map_or(self.settings.span, |path| self.settings.span_of(path)));
        let span = if place == self.settings.span { self.span } else { place };
        let text = match path {
            Some(path) => format!("{id}: {path}: {problem}"),
            None => format!("{id}: {problem}"),
        };
        Note { span, text }
    }

    /// A problem with the setting at a dotted path, or with the whole component if it has no such setting.
    fn problem(&self, path: &str, problem: &str) -> Problem {
        let place = self.settings.span_of(path);
        let span = if place == self.settings.span { self.span } else { place };
        Problem::at(span, format!("{}: {path}: {problem}", self.id))
    }
}

/// Turns the error of a lower layer into an error at the key of the file. `at` is the path before the key: empty, or with a
/// dot at its end.
pub(crate) fn refused(at: &str, error: &ConfigError) -> SettingsError {
    let own = [error.key];
    let keys = KEYS.iter().find(|(field, _)| *field == error.key).map_or(&own[..], |(_, keys)| *keys);
    let paths = keys.iter().map(|key| format!("{at}{key}")).collect();
    SettingsError::at_any(paths, error.without_key())
}

/// Fields of the lower layers whose keys in the file have other names; of several keys, the key that the file has.
const KEYS: &[(&str, &[&str])] = &[
    ("client_auth.password", &["client_auth.password", "client_auth.password_file"]),
    ("client_auth.username", &["client_auth.username", "client_auth.username_file"]),
    ("encodings", &["compression_algorithms"]),
    ("htpasswd.inline", &["htpasswd.inline", "htpasswd"]),
    ("tls.cert_pem", &["tls.cert_pem", "tls.cert_file"]),
    ("tls.key_pem", &["tls.key_pem", "tls.key_file"]),
    ("tokens", &["tokens", "token"]),
];
