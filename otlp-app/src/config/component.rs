//! A component as the file has it: its id, its place and its settings.

use super::node::Node;
use super::problem::Problem;
use super::source::Span;
use otlp_transport::ConfigError;

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

    /// A setting that a layer below refuses, at the key of the file. `at` is what stands before the key: nothing, or a path
    /// with a dot at its end.
    pub(crate) fn refused(&self, at: &str, error: &ConfigError) -> Problem {
        let names = KEYS.iter().find(|(field, _)| *field == error.key).map_or(&[][..], |(_, keys)| *keys);
        let paths = names.iter().map(|key| format!("{at}{key}"));
        let given = paths.clone().find(|path| self.settings.has(path));
        let path = given.or_else(|| paths.clone().next()).unwrap_or_else(|| format!("{at}{}", error.key));
        self.problem(&path, &error.problem)
    }

    /// A problem with the setting at a dotted path, or with the whole component if it has no such setting.
    pub(crate) fn problem(&self, path: &str, problem: &str) -> Problem {
        let place = self.settings.span_of(path);
        let span = if place == self.settings.span { self.span } else { place };
        Problem::at(span, format!("{}: {path}: {problem}", self.id))
    }
}

/// Settings of the layers whose keys in the file have other names; of several, the one that the file has.
const KEYS: &[(&str, &[&str])] = &[
    ("client_auth.password", &["client_auth.password", "client_auth.password_file"]),
    ("client_auth.username", &["client_auth.username", "client_auth.username_file"]),
    ("encodings", &["compression_algorithms"]),
    ("htpasswd.inline", &["htpasswd.inline", "htpasswd"]),
    ("tls.cert_pem", &["tls.cert_pem", "tls.cert_file"]),
    ("tls.key_pem", &["tls.key_pem", "tls.key_file"]),
    ("tokens", &["tokens", "token"]),
];
