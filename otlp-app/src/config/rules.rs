//! Keys of the Collector that this gateway knows but does not use: ignored with a note, or refused with a reason.
//!
//! The classification is data: each component type has a table of [`KeyRule`]s (see [`registry`](crate::registry)).

use super::node::{Node, Value};
use super::problem::{Problem, Problems};
use super::source::{Sources, Span};

/// What to do about one key.
pub(crate) struct KeyRule {
    /// Dotted path below the component; `*` is any key; lists are looked into.
    pub(crate) path: &'static str,
    /// Whether it may stand there.
    pub(crate) verdict: Verdict,
    /// Why it changes nothing, or why that would be wrong.
    pub(crate) reason: &'static str,
}

/// Whether a key that is not used may stand in a file.
#[derive(Clone, Copy)]
pub(crate) enum Verdict {
    /// Ignoring it does no harm: a note.
    Ignored,
    /// This value, or an empty one, says what happens anyway; any other is refused.
    Only(&'static str),
    /// Ignoring it would do harm.
    Refused,
    /// It has the keys of another component, with their rules.
    Like(&'static [&'static [KeyRule]]),
}

/// Something worth knowing that is not wrong.
#[derive(Debug)]
pub(crate) struct Note {
    /// What it is about.
    pub(crate) span: Span,
    /// One line.
    pub(crate) text: String,
}

impl Note {
    /// The note with its place, as a line.
    pub(crate) fn render(&self, sources: &Sources) -> String {
        let Some(source) = sources.get(self.span.source) else {
            return self.text.clone();
        };
        let line = source.text.chars().take(self.span.start).filter(|&c| c == '\n').count() + 1;
        format!("{}:{line}: {}", source.name, self.text)
    }
}

/// A rule that ignores.
pub(crate) const fn ignored(path: &'static str, reason: &'static str) -> KeyRule {
    KeyRule { path, verdict: Verdict::Ignored, reason }
}

/// A rule that takes one value only.
pub(crate) const fn only(path: &'static str, value: &'static str, reason: &'static str) -> KeyRule {
    KeyRule { path, verdict: Verdict::Only(value), reason }
}

/// A rule that refuses.
pub(crate) const fn refused(path: &'static str, reason: &'static str) -> KeyRule {
    KeyRule { path, verdict: Verdict::Refused, reason }
}

/// A key whose value has the keys of another component; `reason` says of which. A plain path.
pub(crate) const fn like(
    path: &'static str,
    rules: &'static [&'static [KeyRule]],
    reason: &'static str,
) -> KeyRule {
    KeyRule { path, verdict: Verdict::Like(rules), reason }
}

/// Takes every key that has a rule out of `node`, which stands at `at`.
pub(crate) fn apply(
    rules: &[KeyRule],
    at: &str,
    node: &mut Node,
    problems: &mut Problems,
    notes: &mut Vec<Note>,
) {
    for rule in rules {
        if let Verdict::Like(tables) = rule.verdict {
            let below = rule.path.split('.').try_fold(&mut *node, |node, key| node.get_mut(key));
            if let Some(below) = below {
                let at = format!("{at}.{}", rule.path);
                tables.iter().for_each(|rules| apply(rules, &at, below, problems, notes));
            }
            continue;
        }
        take(rule.path, at, node, &mut |path, span, value| match rule.verdict {
            Verdict::Ignored => {
                notes.push(Note { span, text: format!("{path} is ignored: {}", rule.reason) })
            }
            Verdict::Only(only) if says(value, only) => {}
            Verdict::Only(only) => {
                let only = if only.is_empty() { "none" } else { only };
                let problem = Problem::at(span, format!("{path}: {}", rule.reason));
                problems.push(problem.help(format!("the only value it takes is: {only}")));
            }
            // Nothing to take.
            Verdict::Like(_) => {}
            Verdict::Refused => problems.push(
                Problem::at(span, format!("{path} is not supported: {}", rule.reason))
                    .help("ignoring it could lose or expose data; remove it"),
            ),
        });
    }
}

/// Removes what `path` leads to, telling `found` about each.
fn take(path: &str, at: &str, node: &mut Node, found: &mut dyn FnMut(&str, Span, &Node)) {
    let (key, below) = match path.split_once('.') {
        Some((key, below)) => (key, Some(below)),
        None => (path, None),
    };
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::List(nodes) => nodes.iter_mut().for_each(|node| take(path, at, node, found)),
        Value::Map(entries) => entries.retain_mut(|entry| {
            if key != "*" && entry.key != key {
                return true;
            }
            let at = format!("{at}.{}", entry.key);
            match below {
                Some(below) => take(below, &at, &mut entry.value, found),
                None => found(&at, entry.key_span, &entry.value),
            }
            below.is_some()
        }),
    }
}

/// Whether a value is empty or says exactly `only`, as a text or as a list of it.
fn says(value: &Node, only: &str) -> bool {
    match &value.value {
        Value::Scalar(scalar) => value.is_null() || scalar.text.is_empty() || scalar.text == only,
        Value::List(nodes) => nodes.iter().all(|node| says(node, only)),
        Value::Map(entries) => entries.is_empty(),
    }
}
