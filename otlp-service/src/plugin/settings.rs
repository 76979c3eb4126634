//! What a factory is given beside its settings, and how it says what is wrong with them.

use std::cell::RefCell;
use std::fmt;

/// What a factory knows of the component that it makes, beside the settings.
#[derive(Debug)]
pub struct BuildContext<'a> {
    id: &'a str,
    reported: RefCell<Vec<SettingsError>>,
}

/// Something wrong with a component's settings: where, what, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingsError {
    /// The setting's path below the component, keys and list indices joined by dots: `headers.0.key`. Of several the
    /// first one that is given counts, else the first. None: the whole component.
    pub paths: Vec<String>,
    /// What is wrong, in words.
    pub problem: String,
    /// The values there are.
    pub choice: Option<Box<Choice>>,
    /// Lines of help: what would be right.
    pub help: Vec<String>,
}

/// The values that a setting can have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// What the values are, if the one that is given is none of them: `action`.
    pub unknown: Option<String>,
    /// The value that is given; empty: none.
    pub given: String,
    /// The values there are.
    pub known: Vec<String>,
}

// === impl BuildContext ===

impl<'a> BuildContext<'a> {
    /// Of the component of that id.
    pub fn new(id: &'a str) -> Self {
        Self { id, reported: RefCell::default() }
    }

    /// The Collector's component id: `type` or `type/name`.
    pub fn id(&self) -> &str {
        self.id
    }

    /// Says that something is wrong and goes on, so that more can be found in one go. The component is not used.
    pub fn report(&self, error: SettingsError) {
        self.reported.borrow_mut().push(error);
    }

    /// Reports all of `wrong` but the last, which is the error.
    ///
    /// # Errors
    /// If there is any.
    pub fn check(&self, wrong: impl IntoIterator<Item = SettingsError>) -> Result<(), SettingsError> {
        let mut last = Ok(());
        for error in wrong {
            if let Err(before) = std::mem::replace(&mut last, Err(error)) {
                self.report(before);
            }
        }
        last
    }

    /// All that was reported.
    pub fn into_reported(self) -> Vec<SettingsError> {
        self.reported.into_inner()
    }
}

// === impl SettingsError ===

impl SettingsError {
    /// Something wrong with the component as a whole.
    pub fn new(problem: impl Into<String>) -> Self {
        Self { paths: Vec::new(), problem: problem.into(), choice: None, help: Vec::new() }
    }

    /// Something wrong with the setting at a dotted path; one that is missing is shown at what is there of its path.
    pub fn at(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { paths: vec![path.into()], ..Self::new(problem) }
    }

    /// The same of a setting that has several names.
    pub fn at_any(paths: Vec<String>, problem: impl Into<String>) -> Self {
        Self { paths, ..Self::new(problem) }
    }

    /// The value `given` is not among the `known` ones; `what` says what they are: `action`. Help names the nearest one.
    pub fn unknown(path: impl Into<String>, what: &str, given: &str, known: &[&str]) -> Self {
        let problem = match given {
            "" => format!("the {what} is empty"),
            given => format!("unknown {what} `{}`", given.escape_debug()),
        };
        let choice = Choice {
            unknown: Some(what.to_owned()),
            given: given.to_owned(),
            known: known.iter().map(|&known| known.to_owned()).collect(),
        };
        Self { choice: Some(Box::new(choice)), ..Self::at(path, problem) }
    }

    /// The same with a line of help that lists the values there are.
    #[must_use]
    pub fn one_of(self, known: &[&str]) -> Self {
        let known = known.iter().map(|&known| known.to_owned()).collect();
        Self { choice: Some(Box::new(Choice { unknown: None, given: String::new(), known })), ..self }
    }

    /// The same with one more line of help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.paths.first() {
            Some(path) => write!(f, "{path}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for SettingsError {}
