//! Editors by what they change: a map, or a string.

use super::Edit;
use super::entries::Entries;
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::target::{Detached, Target};
use crate::ottl::value::Value;
use std::fmt;

/// An editor of a map.
pub(super) trait EditMap: fmt::Debug + Send + Sync {
    fn target(&self) -> &Target;

    /// Changes the entries. Returns false if nothing was changed.
    ///
    /// # Errors
    /// If an argument does not fit; then the map stays as it is.
    fn change<'a>(&'a self, entries: &mut Entries<'a>, env: &'a Environment<'_>) -> Result<bool, EvalError>;
}

/// An editor of a string; other values stay as they are.
pub(super) trait EditText: fmt::Debug + Send + Sync {
    fn target(&self) -> &Target;

    /// Returns the new string; `None` if the string stays.
    ///
    /// # Errors
    /// If an argument does not fit.
    fn changed(&self, text: &str, env: &Environment<'_>) -> Result<Option<String>, EvalError>;
}

/// The call of an editor of a map.
#[derive(Debug)]
pub(super) struct OfMap<T>(pub(super) T);

/// The call of an editor of a string.
#[derive(Debug)]
pub(super) struct OfText<T>(pub(super) T);

impl<T: EditMap> Edit for OfMap<T> {
    fn edit(&self, env: &mut Environment<'_>) -> Result<(), EvalError> {
        let map = {
            let mut entries = self.0.target().value(env)?.into_map()?.into_vec();
            if !self.0.change(&mut entries, env)? {
                return Ok(());
            }
            Detached::new(Value::from(entries))?
        };
        self.0.target().set(env, map.value())
    }
}

impl<T: EditText> Edit for OfText<T> {
    fn edit(&self, env: &mut Environment<'_>) -> Result<(), EvalError> {
        let changed = match self.0.target().value(env)? {
            Value::Text(text) => self.0.changed(&text, env)?,
            _ => None,
        };
        match changed {
            Some(text) => self.0.target().set(env, Value::text(text)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
