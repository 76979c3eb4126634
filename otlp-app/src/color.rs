//! Chooses whether text on stdout or stderr is coloured: `NO_COLOR`, `CLICOLOR_FORCE`, `TERM`, terminal or not.

use crate::config::Lookup;

/// `NO_COLOR` turns colours off, then `CLICOLOR_FORCE` turns them on; else terminals have them, unless `TERM` is `dumb`.
pub(crate) fn is_wanted(lookup: &dyn Lookup, is_terminal: bool) -> bool {
    if lookup.env("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        return false;
    }
    if lookup.env("CLICOLOR_FORCE").is_some_and(|value| !matches!(value.as_str(), "" | "0")) {
        return true;
    }
    is_terminal && lookup.env("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests;
