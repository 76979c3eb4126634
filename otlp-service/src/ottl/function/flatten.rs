//! Nested maps and lists as one map, with keys such as `a.b.0`.

use super::MAX_TEXT_BYTES;
use super::entries::Entries;
use crate::ottl::error::EvalError;
use crate::ottl::value::Value;
use std::borrow::Cow;
use std::collections::HashMap;

/// Options of `flatten`.
#[derive(Debug)]
pub(super) struct Flattening {
    /// Key in front of all keys; none if empty.
    pub(super) prefix: Box<str>,
    /// The most levels that are flattened.
    pub(super) depth: usize,
    /// Keys that exist get a number behind. Values in lists get the key of their list.
    pub(super) resolves_conflicts: bool,
}

/// Entries that are flat.
#[derive(Debug, Default)]
struct Flat<'a> {
    entries: Entries<'a>,
    /// The number of the next entry with this key that exists.
    numbers: HashMap<String, usize>,
    /// Bytes of all keys: nested keys repeat the keys around them.
    key_bytes: usize,
}

// === impl Flattening ===

impl Flattening {
    /// Flattens a map. A key may come up several times, unless conflicts are resolved.
    ///
    /// # Errors
    /// If the keys have more than 16 MiB in all.
    pub(super) fn flatten<'a>(&self, entries: Entries<'a>) -> Result<Entries<'a>, EvalError> {
        let mut flat = Flat::default();
        self.map(entries, &self.prefix, 0, &mut flat)?;
        Ok(flat.entries)
    }

    fn map<'a>(
        &self,
        entries: Entries<'a>,
        prefix: &str,
        depth: usize,
        flat: &mut Flat<'a>,
    ) -> Result<(), EvalError> {
        for (key, value) in entries {
            let key = if prefix.is_empty() { key.into_owned() } else { format!("{prefix}.{key}") };
            self.value(key, value, depth, flat)?;
        }
        Ok(())
    }

    fn value<'a>(
        &self,
        key: String,
        value: Value<'a>,
        depth: usize,
        flat: &mut Flat<'a>,
    ) -> Result<(), EvalError> {
        match value {
            Value::Map(map) if depth < self.depth => self.map(map.into_vec(), &key, depth + 1, flat),
            Value::List(list) if depth < self.depth => {
                for (index, value) in list.into_vec().into_iter().enumerate() {
                    let is_nested = depth + 1 < self.depth && matches!(value, Value::Map(_) | Value::List(_));
                    if self.resolves_conflicts && !is_nested {
                        flat.put(key.clone(), value, true)?;
                    } else {
                        self.value(format!("{key}.{index}"), value, depth + 1, flat)?;
                    }
                }
                Ok(())
            }
            value => flat.put(key, value, self.resolves_conflicts),
        }
    }
}

// === impl Flat ===

impl<'a> Flat<'a> {
    fn put(&mut self, key: String, value: Value<'a>, resolves_conflicts: bool) -> Result<(), EvalError> {
        let mut key = key;
        if resolves_conflicts {
            match self.numbers.get_mut(&key) {
                Some(number) => {
                    let numbered = format!("{key}.{number}");
                    *number += 1;
                    self.numbers.entry(numbered.clone()).or_insert(0);
                    key = numbered;
                }
                None => drop(self.numbers.insert(key.clone(), 0)),
            }
        }
        self.key_bytes += key.len();
        if self.key_bytes > MAX_TEXT_BYTES {
            return Err(EvalError::new("the flat keys have more than 16 MiB"));
        }
        self.entries.push((Cow::Owned(key), value));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
