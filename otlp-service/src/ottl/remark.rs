//! Remarks on statements that do something else than they did, or than is likely meant.

use super::ast::{Condition, Node, NodeKind, Statement};
use super::value::Comparison;

/// Returns what is strange about a statement; `None`: nothing. `text` is the text that the statement was parsed of.
///
/// `set` of nil empties its target since v0.161 of the Collector; before, it did nothing. Of a missing attribute it makes an empty one.
pub(crate) fn remark(statement: &Statement, text: &str) -> Option<&'static str> {
    let editor = &statement.editor;
    if editor.name != "set" {
        return None;
    }
    let named = editor
        .arguments
        .iter()
        .find(|argument| argument.name.as_ref().is_some_and(|(name, _)| name == "value"));
    let value = &named.or_else(|| editor.arguments.get(1))?.value;
    match &value.kind {
        NodeKind::Nil => Some(NIL),
        NodeKind::Path(path) if path.segments.last().is_some_and(|segment| !segment.keys.is_empty()) => {
            let path = shown(value, text);
            let is_guarded =
                statement.condition.as_ref().is_some_and(|condition| names(condition, path, text));
            (!is_guarded).then_some(MISSING)
        }
        _ => None,
    }
}

/// Returns true if a condition says something about a path.
fn names(condition: &Condition, path: &str, text: &str) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| names(part, path, text)),
        Condition::Not(inner) => names(inner, path, text),
        Condition::Constant(_) => false,
        Condition::Test(node) => has(node, path, text),
        // `== nil` is not a guard.
        Condition::Compare(_, Comparison::Equal, right) if matches!(right.kind, NodeKind::Nil) => false,
        Condition::Compare(left, _, right) => has(left, path, text) || has(right, path, text),
    }
}

/// Returns true if the text of a value has a path in it.
fn has(node: &Node, path: &str, text: &str) -> bool {
    shown(node, text).contains(path)
}

fn shown<'t>(node: &Node, text: &'t str) -> &'t str {
    text.get(node.range.clone()).unwrap_or_default()
}

const NIL: &str = "a nil value empties the target; before v0.161 of the Collector it did nothing, as it does here with ignore_nil";
const MISSING: &str = "if the value is missing, the target becomes empty; before v0.161 of the Collector it stayed as it was. \
                       Add `where` with `!= nil`, or set ignore_nil";
