//! Several configurations made one: files from left to right, then the `--set` arguments.

use super::node::{Entry, Node, Value};
use super::parse::parse;
use super::problem::Problem;
use super::source::{Sources, Span};

/// Lays `over` on `under`: maps merge, anything else (lists and null, too) replaces.
pub(crate) fn merge(under: &mut Node, over: Node) {
    match (&mut under.value, over.value) {
        (Value::Map(under), Value::Map(over)) => {
            for entry in over {
                match under.iter_mut().find(|present| present.key == entry.key) {
                    Some(present) => merge(&mut present.value, entry.value),
                    None => under.push(entry),
                }
            }
        }
        (_, value) => *under = Node { value, span: over.span },
    }
}

/// The configuration that `a.b.c=value` is; the value is YAML. Errors do not show the argument.
pub(crate) fn parse_set(argument: &str, sources: &mut Sources) -> Result<Node, Problem> {
    let Some((path, value)) = argument.split_once('=') else {
        return Err(
            Problem::new("there is no `=`").help("write --set exporters.otlp.endpoint=localhost:4317")
        );
    };
    let keys: Vec<&str> = path.split('.').collect();
    if keys.len() > MAX_SET_KEYS || keys.iter().any(|key| key.is_empty()) {
        return Err(Problem::new("the path must be keys joined by `.`"));
    }
    // Before the value there is as much space as the path takes, so that places are right.
    let source = sources.add("--set", argument);
    let offset = path.chars().count() + 1;
    let mut node = parse(value, source).map_err(Problem::without_place)?;
    sources.was_read(source);
    shift(&mut node, offset);
    let mut end = offset - 1;
    for key in keys.iter().rev() {
        let len = key.chars().count();
        let key_span = Span { source, start: end - len, len };
        end = key_span.start.saturating_sub(1);
        let entry = Entry { key: (*key).into(), key_span, value: node };
        node = Node { span: key_span, value: Value::Map(vec![entry]) };
    }
    Ok(node)
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
