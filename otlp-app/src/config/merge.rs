//! Merges configurations: files from left to right, then the `--set` arguments.

use super::node::{Entry, Node, Value};
use super::parse::parse;
use super::problem::Problem;
use super::source::{Sources, Span};

/// Merges `over` into `under`: maps merge, any other value, lists and null included, replaces.
pub(crate) fn merge(under: &mut Node, over: Node) {
    // After a merge the value is not the text of one variable any more.
    under.written = None;
    match (&mut under.value, over.value) {
        (Value::Map(under), Value::Map(over)) => {
            for entry in over {
                match under.iter_mut().find(|present| present.key == entry.key) {
                    Some(present) => merge(&mut present.value, entry.value),
                    None => under.push(entry),
                }
            }
        }
        (_, value) => *under = Node { value, span: over.span, written: over.written },
    }
}

/// Unfolds outermost keys such as `exporters::debug::verbosity`, which the Collector takes, too.
pub(crate) fn unfold(node: &mut Node) {
    let parts = |key: &str| key.split(KEY_DELIMITER).count();
    let is_path = |key: &str| {
        (2..=MAX_SET_KEYS).contains(&parts(key)) && key.split(KEY_DELIMITER).all(|part| !part.is_empty())
    };
    let Value::Map(entries) = &mut node.value else { return };
    if !entries.iter().any(|entry| is_path(&entry.key)) {
        return;
    }
    let mut unfolded = Node::empty_map(node.span);
    for entry in std::mem::take(entries) {
        let Entry { key, key_span, value } = entry;
        let keys: Vec<&str> = if is_path(&key) { key.split(KEY_DELIMITER).collect() } else { vec![&key] };
        let nested = keys.iter().rev().fold(value, |value, key| {
            let entry = Entry { key: (*key).into(), key_span, value };
            let mut map = Node::empty_map(key_span);
            map.value = Value::Map(vec![entry]);
            map
        });
        merge(&mut unfolded, nested);
    }
    *node = unfolded;
}

/// Parses `a.b.c=value` or `a::b::c=value`; the value is YAML. Errors do not show the argument, which may hold a secret.
pub(crate) fn parse_set(argument: &str, sources: &mut Sources) -> Result<Node, Problem> {
    let Some((path, value)) = argument.split_once('=') else {
        return Err(Problem::new("`=` is missing between key and value")
            .help("such as --set exporters.otlp.endpoint=localhost:4317"));
    };
    let keys = keys(path);
    if keys.len() > MAX_SET_KEYS || keys.iter().any(|(_, key)| key.is_empty()) {
        return Err(Problem::new("invalid key before `=`: write keys joined by `.` or `::`"));
    }
    // Places count from the start of the argument, which begins with the path.
    let source = sources.add("--set", argument);
    let offset = path.chars().count() + 1;
    let mut node = parse(value, source).map_err(Problem::without_place)?;
    sources.was_read(source);
    shift(&mut node, offset);
    for (start, key) in keys.into_iter().rev() {
        let key_span = Span { source, start, len: key.chars().count() };
        let entry = Entry { key: key.into(), key_span, value: node };
        node = Node::new(Value::Map(vec![entry]), key_span);
    }
    Ok(node)
}

/// Returns the keys of a path without spaces around them, each with the number of characters before the key.
fn keys(path: &str) -> Vec<(usize, &str)> {
    let mut keys = Vec::new();
    let mut start = 0;
    for part in path.split(KEY_DELIMITER) {
        for key in part.split('.') {
            let spaces = key.len() - key.trim_start().len();
            keys.push((start + spaces, key.trim()));
            start += key.chars().count() + 1;
        }
        start += 1;
    }
    keys
}

fn shift(node: &mut Node, offset: usize) {
    node.span.start += offset;
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::List(nodes) => nodes.iter_mut().for_each(|node| shift(node, offset)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| {
            entry.key_span.start += offset;
            shift(&mut entry.value, offset);
        }),
    }
}

const MAX_SET_KEYS: usize = 32;
const KEY_DELIMITER: &str = "::";
