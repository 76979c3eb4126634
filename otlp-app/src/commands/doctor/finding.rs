//! A finding: what was checked, where, the outcome, and what to do.

use crate::commands::json::JsonWriter;
use std::fmt::Write as _;

/// Outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Ok,
    /// The check is not possible.
    Skipped,
    Warning,
    Problem,
}

/// One finding.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// Name of the check.
    check: &'static str,
    /// Place: an address, a component, a variable. Empty: the whole process.
    place: String,
    text: String,
    /// Steps that help, a line each.
    help: Vec<String>,
}

// === impl Level ===

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

// === impl Finding ===

impl Finding {
    pub(super) fn ok(check: &'static str, place: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Level::Ok, check, place, text)
    }

    pub(super) fn warning(check: &'static str, place: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Level::Warning, check, place, text)
    }

    pub(super) fn problem(check: &'static str, place: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Level::Problem, check, place, text)
    }

    pub(super) fn new(
        level: Level,
        check: &'static str,
        place: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self { level, check, place: place.into(), text: text.into(), help: Vec::new() }
    }

    /// Adds a step that helps.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Returns the finding as lines for people.
    pub(super) fn text(&self) -> String {
        let colon = if self.place.is_empty() { "" } else { ": " };
        let (level, check) = (self.level.name(), self.check);
        let mut lines = self.text.trim_end().lines();
        let first = lines.next().unwrap_or_default();
        let mut text = format!("{level:<8} {check:<9} {}{colon}{first}\n", self.place);
        for line in lines {
            let _ = writeln!(text, "{:19}{line}", "");
        }
        for help in &self.help {
            let _ = writeln!(text, "{:19}-> {help}", "");
        }
        text
    }

    /// Returns the finding as a line of JSON.
    pub(super) fn json(&self) -> String {
        let mut json = JsonWriter::default();
        json.object(|json| {
            json.string("level", self.level.name());
            json.string("check", self.check);
            json.string("place", &self.place);
            json.string("text", self.text.trim_end());
            json.string("help", &self.help.join("\n"));
        });
        json.finish() + "\n"
    }
}
