//! Parses YAML text into [`Node`]s, within limits on size, depth and unfolded aliases.
//!
//! saphyr-parser reads the text as a flat sequence of parts; the tree is built here without recursion.

use super::node::{Entry, Node, Value};
use super::problem::Problem;
use super::source::{SourceId, Span};
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::collections::HashMap;

/// Parses one document; an empty text is null.
///
/// Aliases and merge keys (`<<`) are unfolded, keys must differ.
pub(crate) fn parse(text: &str, source: SourceId) -> Result<Node, Problem> {
    let whole = Span { source, start: 0, len: 0 };
    if text.len() > MAX_TEXT_BYTES {
        return Err(Problem::at(whole, format!("the configuration is larger than {MAX_TEXT_BYTES} bytes")));
    }
    let mut builder = Builder { source, open: Vec::new(), anchors: HashMap::new(), nodes: 0, root: None };
    for part in Parser::new_from_str(text) {
        let (event, place) = part.map_err(|error| {
            let span = Span { source, start: error.marker().index(), len: 1 };
            Problem::at(span, format!("invalid YAML: {}", error.info()))
        })?;
        let span = Span {
            source,
            start: place.start.index(),
            len: place.end.index().saturating_sub(place.start.index()),
        };
        builder.take(event, span)?;
    }
    Ok(builder.root.unwrap_or_else(|| Node::scalar("", true, whole)))
}

/// The tree so far: the complete value in `root`, open lists and maps on a stack.
struct Builder {
    source: SourceId,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, Size)>,
    nodes: usize,
    root: Option<Node>,
}

/// A list or map whose end has not come yet.
struct Open {
    anchor: usize,
    start: Span,
    nodes_before: usize,
    height: usize,
    parts: Parts,
}

enum Parts {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, Span)>, merges: Vec<Node> },
}

/// Size of an anchored value, counted each time an alias uses the value.
#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    height: usize,
}

// === impl Builder ===

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Problem::at(span, "a second YAML document begins here; a configuration is one document"))
            }
            Event::DocumentStart(_) => Ok(()),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                let nodes = 1 + text.len() / TEXT_BYTES_PER_NODE;
                self.count(nodes, span)?;
                let node = Node::scalar(text, style == ScalarStyle::Plain && !quoted, span);
                self.complete(node, anchor, Size { nodes, height: 1 })
            }
            Event::SequenceStart(anchor, _) => self.open(anchor, span, Parts::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.open(anchor, span, Parts::Map { entries: Vec::new(), key: None, merges: Vec::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Problem> {
        let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
            return Err(Problem::at(span, "the alias refers to a value that contains the alias"));
        };
        self.count(size.nodes, span)?;
        self.complete(node, NO_ANCHOR, size)
    }

    fn open(&mut self, anchor: usize, start: Span, parts: Parts) -> Result<(), Problem> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Problem::at(
                start,
                format!("lists and maps are nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        self.count(1, start)?;
        self.open.push(Open { anchor, start, nodes_before: self.nodes - 1, height: 1, parts });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Problem> {
        let Some(Open { anchor, start, nodes_before, height, parts }) = self.open.pop() else {
            return Err(Problem::at(end, "invalid YAML: the end of a list or map without its start"));
        };
        let value = match parts {
            Parts::List(nodes) => Value::List(nodes),
            Parts::Map { mut entries, merges, .. } => {
                merge_into(&mut entries, merges)?;
                Value::Map(entries)
            }
        };
        let span = Span { len: (end.start + end.len).saturating_sub(start.start), ..start };
        self.complete(Node::new(value, span), anchor, Size { nodes: self.nodes - nodes_before, height })
    }

    /// Adds a complete value to the innermost open list or map.
    fn complete(&mut self, node: Node, anchor: usize, size: Size) -> Result<(), Problem> {
        if self.open.len() + size.height > MAX_DEPTH {
            return Err(Problem::at(
                node.span,
                format!("lists and maps are nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        if anchor != NO_ANCHOR {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        parent.height = parent.height.max(size.height + 1);
        match &mut parent.parts {
            Parts::List(nodes) => nodes.push(node),
            Parts::Map { entries, key, merges } => match key.take() {
                None => *key = Some(key_of(node, entries)?),
                Some((name, _)) if name == MERGE_KEY => merges.push(node),
                Some((name, key_span)) => entries.push(Entry { key: name, key_span, value: node }),
            },
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Problem> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            let span = Span { source: self.source, ..span };
            return Err(Problem::at(
                span,
                format!("more than {MAX_NODES} values, those of aliases included"),
            ));
        }
        Ok(())
    }
}

fn key_of(node: Node, entries: &[Entry]) -> Result<(String, Span), Problem> {
    let Value::Scalar(scalar) = node.value else {
        return Err(Problem::at(node.span, "a key must be a single value, not a list or a map"));
    };
    if entries.len() >= MAX_KEYS {
        return Err(Problem::at(node.span, format!("more than {MAX_KEYS} keys in one map")));
    }
    if entries.iter().any(|entry| entry.key == scalar.text) {
        return Err(Problem::at(node.span, format!("duplicate key `{}`", scalar.text.escape_debug())));
    }
    Ok((scalar.text, node.span))
}

/// YAML merge keys: adds the keys of the merged maps that the map itself does not have. Of several merged maps the first wins.
fn merge_into(entries: &mut Vec<Entry>, merges: Vec<Node>) -> Result<(), Problem> {
    let mut maps = Vec::new();
    for node in merges {
        match node.value {
            Value::List(nodes) => maps.extend(nodes),
            _ => maps.push(node),
        }
    }
    for map in maps {
        let Value::Map(merged) = map.value else {
            return Err(Problem::at(map.span, "`<<` takes a map, or a list of maps"));
        };
        for entry in merged {
            if entries.len() >= MAX_KEYS {
                return Err(Problem::at(entry.key_span, format!("more than {MAX_KEYS} keys in one map")));
            }
            if entries.iter().all(|present| present.key != entry.key) {
                entries.push(entry);
            }
        }
    }
    Ok(())
}

const NO_ANCHOR: usize = 0;
const MERGE_KEY: &str = "<<";
const MAX_TEXT_BYTES: usize = 1 << 20;
const MAX_NODES: usize = 100_000;
/// Long texts count as several values, so that aliases cannot multiply them.
const TEXT_BYTES_PER_NODE: usize = 16;
/// Keys are compared pairwise.
const MAX_KEYS: usize = 1000;
/// Functions that walk a tree may recurse this deep.
const MAX_DEPTH: usize = 64;
