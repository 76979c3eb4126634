//! Keys and values of a map that is being made or changed.

use crate::ottl::value::Value;
use std::borrow::Cow;
use std::collections::HashMap;

/// Keys and values in order.
pub(super) type Entries<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// Keeps the last value of each key, at the place of the first.
pub(super) fn last_of_each<'a>(entries: Entries<'a>) -> Entries<'a> {
    let mut places = HashMap::new();
    let mut kept: Entries<'a> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        match places.get(&key).and_then(|place: &usize| kept.get_mut(*place)) {
            Some(entry) => entry.1 = value,
            None => {
                places.insert(key.clone(), kept.len());
                kept.push((key, value));
            }
        }
    }
    kept
}
