//! Keys of the Collector that this gateway knows but does not use: ignored with a note, or refused with a reason.
//!
//! The classification is data: each component type has tables of [`KeyRule`]s (see [`shipped`](crate::shipped)).

use super::node::{Node, Value};
use super::problem::{Problem, Problems};
use super::source::{Sources, Span};
use otlp_service::{KeyRule, RuleKind};

/// A remark on the configuration that is no error.
#[derive(Debug)]
pub(crate) struct Note {
    /// Place of the key.
    pub(crate) span: Span,
    /// One line.
    pub(crate) text: String,
}

impl Note {
    /// Renders the note with its place, as a line.
    pub(crate) fn render(&self, sources: &Sources) -> String {
        let Some(source) = sources.get(self.span.source) else {
            return self.text.clone();
        };
        let line = source.text.chars().take(self.span.start).filter(|&c| c == '\n').count() + 1;
        format!("{}:{line}: {}", source.name, self.text)
    }
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
        match (rule.kind, rule.path) {
            (RuleKind::AnyCase, key) => {
                let Value::Map(entries) = &mut node.value else { continue };
                if let Some(entry) = entries.iter_mut().find(|entry| entry.key.eq_ignore_ascii_case(key)) {
                    key.clone_into(&mut entry.key);
                }
            }
            (RuleKind::Like(tables), path) => {
                let below = path.split('.').try_fold(&mut *node, |node, key| node.get_mut(key));
                if let Some(below) = below {
                    let at = format!("{at}.{path}");
                    tables.iter().for_each(|rules| apply(rules, &at, below, problems, notes));
                }
            }
            (RuleKind::OldName, _) => {
                notes.push(Note { span: node.span, text: format!("{at} is called `{}` now", rule.reason) })
            }
            (_, "") => {
                let component = Found { path: at, span: node.span, disabled: false };
                if !judge(rule, component, node, problems, notes) {
                    node.value = Value::Map(Vec::new());
                }
            }
            (_, path) => {
                walk(path, at, node, false, &mut |found, value| judge(rule, found, value, problems, notes))
            }
        }
    }
}

/// A key that a rule is about.
struct Found<'a> {
    path: &'a str,
    span: Span,
    /// True if a map around the key has `enabled: false`.
    disabled: bool,
}

/// Applies a rule to a key. Returns true if the key stays.
fn judge(
    rule: &KeyRule,
    Found { path, span, disabled }: Found<'_>,
    value: &mut Node,
    problems: &mut Problems,
    notes: &mut Vec<Note>,
) -> bool {
    match rule.kind {
        RuleKind::Optional => {
            if value.is_disabled() {
                return false;
            }
            if value.get("enabled").is_some_and(Node::is_true) {
                value.remove("enabled");
            }
            return true;
        }
        RuleKind::OnIfThere => {
            if value.is_null() {
                value.value = Value::Map(Vec::new());
            }
            return true;
        }
        RuleKind::IgnoredUnless(known) if disabled || says(value, known) => {}
        RuleKind::Ignored | RuleKind::IgnoredUnless(_) => {
            notes.push(Note { span, text: format!("{path} is ignored: {}", rule.reason) })
        }
        RuleKind::Only(only) if disabled || says(value, only) => {}
        RuleKind::Refused if disabled || value.is_off() || value.is_false() => {}
        RuleKind::Only(only) => {
            let only = if only.is_empty() { "none" } else { only };
            let problem = Problem::at(span, format!("{path}: {}", rule.reason));
            problems.push(problem.help(format!("the only value it takes is: {only}")));
        }
        RuleKind::Refused => problems.push(
            Problem::at(span, format!("{path} is not supported: {}", rule.reason))
                .help("ignoring it could lose or expose data; remove it"),
        ),
        // The other verdicts are not about the value of a key.
        _ => {}
    }
    false
}

/// Calls `found` for each key that matches `path`, and removes the keys for which `found` returns false.
fn walk(
    path: &str,
    at: &str,
    node: &mut Node,
    disabled: bool,
    found: &mut dyn FnMut(Found<'_>, &mut Node) -> bool,
) {
    let (key, below) = match path.split_once('.') {
        Some((key, below)) => (key, Some(below)),
        None => (path, None),
    };
    // `enabled: false` does not disable the key `enabled` itself.
    let disabled = disabled || (key != "enabled" && node.is_disabled());
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::List(nodes) => nodes.iter_mut().for_each(|node| walk(path, at, node, disabled, found)),
        Value::Map(entries) => entries.retain_mut(|entry| {
            if key != "*" && entry.key != key {
                return true;
            }
            let at = format!("{at}.{}", entry.key);
            match below {
                Some(below) => {
                    walk(below, &at, &mut entry.value, disabled, found);
                    true
                }
                None => found(Found { path: &at, span: entry.key_span, disabled }, &mut entry.value),
            }
        }),
    }
}

/// Returns true if a value is off, or is exactly `only`, as a text or as a list of that text.
fn says(value: &Node, only: &str) -> bool {
    match &value.value {
        Value::Scalar(scalar) => value.is_off() || scalar.text == only,
        Value::List(nodes) => nodes.iter().all(|node| says(node, only)),
        Value::Map(_) => value.is_off(),
    }
}
