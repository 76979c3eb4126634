//! Reading of environment variables, by the rules that the specification has for all of them.

use super::{ConfigWarning, Pem};
use otlp_transport::parse_headers;
use std::time::Duration;

/// Environment variables, with the warnings about values that cannot be used.
pub(super) struct Variables<'l> {
    lookup: &'l dyn Fn(&str) -> Option<String>,
    pub(super) warnings: Vec<ConfigWarning>,
}

// === impl Variables ===

impl<'l> Variables<'l> {
    pub(super) fn new(lookup: &'l dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, warnings: Vec::new() }
    }

    /// Returns a variable's value. An empty variable counts as not set.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Adds a warning. A variable that is read for several settings has one.
    pub(super) fn warn(&mut self, name: &str, value: Option<&str>, problem: impl Into<String>) {
        let warning = ConfigWarning::new(name, value, problem);
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Adds warnings of the form `VARIABLE=value: problem`.
    pub(super) fn adopt(&mut self, problems: Vec<String>) {
        for text in problems {
            let (name, rest) = text.split_once('=').unwrap_or(("", &text));
            let value = self.text(name);
            let shown = value.as_deref().and_then(|value| rest.strip_prefix(value));
            let problem = shown.and_then(|rest| rest.strip_prefix(": ")).unwrap_or(rest);
            self.warn(name, value.as_deref(), problem);
        }
    }

    /// Reads a boolean. Only `true`, in any case, is true.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.text(name)?;
        let is_true = value.eq_ignore_ascii_case("true");
        if !is_true && !value.eq_ignore_ascii_case("false") {
            self.warn(name, Some(&value), "neither `true` nor `false`; counts as false");
        }
        Some(is_true)
    }

    /// Reads one of several names, in any case.
    pub(super) fn choice<T: Clone>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.text(name)?;
        let found = choices.iter().find(|(known, _)| value.eq_ignore_ascii_case(known));
        if found.is_none() {
            let known: Vec<_> = choices.iter().map(|(known, _)| *known).collect();
            let problem = format!("unknown value; available: {}; the variable is ignored", known.join(", "));
            self.warn(name, Some(&value), problem);
        }
        found.map(|(_, choice)| choice.clone())
    }

    /// Reads a number of at least `min`.
    pub(super) fn number(&mut self, name: &str, min: u64) -> Option<u64> {
        let value = self.text(name)?;
        let number = value.parse().ok().filter(|number| *number >= min);
        if number.is_none() {
            let problem = format!("not an integer of at least {min}; the variable is ignored");
            self.warn(name, Some(&value), problem);
        }
        number
    }

    /// Reads a number of milliseconds of at least `min`.
    pub(super) fn millis(&mut self, name: &str, min: u64) -> Option<Duration> {
        let value = self.text(name)?;
        let millis = value.parse().ok().filter(|millis| *millis >= min);
        if millis.is_none() {
            let problem = format!("not a number of milliseconds of at least {min}; the variable is ignored");
            self.warn(name, Some(&value), problem);
        }
        millis.map(Duration::from_millis)
    }

    /// Reads the path of a PEM file.
    pub(super) fn pem(&self, name: &str) -> Option<Pem> {
        self.text(name).map(|path| Pem::File(path.into()))
    }

    /// Reads headers. Warnings do not quote pairs, which may hold secrets.
    pub(super) fn headers(&mut self, name: &str) -> Vec<(String, String)> {
        let (headers, problems) = parse_headers(&self.text(name).unwrap_or_default());
        for problem in problems {
            self.warn(name, None, problem);
        }
        headers
    }
}
