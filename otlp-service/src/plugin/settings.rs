//! Context of a factory, and errors of settings.

use super::parts::ExtensionRef;
use crate::key_value::ComponentStorage;
use std::cell::RefCell;
use std::fmt;

/// Context of a factory: the id of the component, and a place to report several errors at once.
#[derive(Debug)]
pub struct BuildContext<'a> {
    id: &'a str,
    reported: RefCell<Vec<SettingsError>>,
    noted: RefCell<Vec<SettingsError>>,
    storages: RefCell<Vec<ComponentStorage>>,
}

/// An error of a component's settings, with the setting's path and help.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingsError {
    /// The setting's path below the component, keys and list indices joined by dots: `headers.0.key`. Several paths are other
    /// names of one setting: the first path that the file has is shown, else the first path. Empty: the whole component.
    pub paths: Vec<String>,
    /// The problem, as text.
    pub problem: String,
    /// The valid values.
    pub choice: Option<Box<Choice>>,
    /// Lines of help: how to correct the setting.
    pub help: Vec<String>,
}

/// The valid values of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// Noun for the values, if the given value is not valid: `action`.
    pub unknown: Option<String>,
    /// The given value; empty: none.
    pub given: String,
    /// The valid values.
    pub known: Vec<String>,
}

// === impl BuildContext ===

impl<'a> BuildContext<'a> {
    /// Creates the context of the component of that id.
    pub fn new(id: &'a str) -> Self {
        Self { id, reported: RefCell::default(), noted: RefCell::default(), storages: RefCell::default() }
    }

    /// Returns the component id: `type` or `type/name`.
    pub fn id(&self) -> &str {
        self.id
    }

    /// Returns the stored state of the component in the storage extension of that id. `path` is the dotted path of the setting with the
    /// id. The application checks that there is such an extension, and sets its directory.
    pub fn storage(&self, path: impl Into<String>, extension: impl Into<String>) -> ComponentStorage {
        let extension = ExtensionRef { id: extension.into(), path: path.into() };
        let storage = ComponentStorage::new(self.id, extension);
        self.storages.borrow_mut().push(storage.clone());
        storage
    }

    /// Returns the stored states that the component asked for, and forgets them.
    pub fn take_storages(&self) -> Vec<ComponentStorage> {
        self.storages.take()
    }

    /// Reports an error without ending the factory, so that one run reports several errors. The component is not used.
    pub fn report(&self, error: SettingsError) {
        self.reported.borrow_mut().push(error);
    }

    /// Adds a remark for the operator, in the form of an error: the component is used all the same.
    pub fn note(&self, note: SettingsError) {
        self.noted.borrow_mut().push(note);
    }

    /// Returns the remarks so far, and forgets them.
    pub fn take_notes(&self) -> Vec<SettingsError> {
        self.noted.take()
    }

    /// Reports all of `wrong` but the last, and returns the last as the error.
    ///
    /// # Errors
    /// The last of `wrong`, if there is any.
    pub fn check(&self, wrong: impl IntoIterator<Item = SettingsError>) -> Result<(), SettingsError> {
        let mut last = Ok(());
        for error in wrong {
            if let Err(before) = std::mem::replace(&mut last, Err(error)) {
                self.report(before);
            }
        }
        last
    }

    /// Returns the reported errors.
    pub fn into_reported(self) -> Vec<SettingsError> {
        self.reported.into_inner()
    }
}

// === impl SettingsError ===

impl SettingsError {
    /// Creates an error of the component as a whole.
    pub fn new(problem: impl Into<String>) -> Self {
        Self { paths: Vec::new(), problem: problem.into(), choice: None, help: Vec::new() }
    }

    /// Creates an error of the setting at a dotted path. The error of a missing setting is shown at the existing part of the path.
    pub fn at(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { paths: vec![path.into()], ..Self::new(problem) }
    }

    /// Creates an error of a setting with several names.
    pub fn at_any(paths: Vec<String>, problem: impl Into<String>) -> Self {
        Self { paths, ..Self::new(problem) }
    }

    /// Creates an error of a value that is not among the `known` values. `what` is the noun for the values: `action`. The help
    /// names the nearest known value.
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

    /// Adds a line of help with the valid values.
    #[must_use]
    pub fn one_of(self, known: &[&str]) -> Self {
        let known = known.iter().map(|&known| known.to_owned()).collect();
        Self { choice: Some(Box::new(Choice { unknown: None, given: String::new(), known })), ..self }
    }

    /// Adds a line of help.
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
