//! Order of the spans of a request: each trace as a tree.

use super::entry::ShownEntry;
use otlp_protocol::view::Span;
use std::collections::HashMap;

/// A span, and the lines of the tree before its name.
pub(super) struct Branch {
    /// Index of the span in the list.
    pub(super) index: usize,
    /// Lines from the parent to the span; empty for a span whose parent is not in the request.
    pub(super) branch: String,
}

/// Returns all spans in the order of a tree, each once: a parent before its children, siblings by start time. Cycles of parents
/// are cut.
pub(super) fn order(spans: &[(ShownEntry<'_>, Span<'_>)]) -> Vec<Branch> {
    let mut by_id = HashMap::with_capacity(spans.len());
    for (index, (_, span)) in spans.iter().enumerate() {
        by_id.entry((span.trace_id(), span.span_id())).or_insert(index);
    }
    let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for (index, (_, span)) in spans.iter().enumerate() {
        let parent = span.parent_span_id();
        match by_id.get(&(span.trace_id(), parent)) {
            Some(&parent_index) if parent.is_some() && parent_index != index => {
                children.entry(parent_index).or_default().push(index);
            }
            _ => roots.push(index),
        }
    }
    let start = |index: &usize| spans.get(*index).map_or(0, |(_, span)| span.start_time_unix_nano());
    children.values_mut().for_each(|children| children.sort_by_cached_key(start));
    let mut walk = Walk { children, is_placed: vec![false; spans.len()], placed: Vec::new() };
    roots.into_iter().for_each(|root| walk.place(root));
    // Spans in cycles have no root.
    (0..spans.len()).for_each(|index| walk.place(index));
    walk.placed
}

struct Walk {
    children: HashMap<usize, Vec<usize>>,
    is_placed: Vec<bool>,
    placed: Vec<Branch>,
}

// === impl Walk ===

impl Walk {
    /// Places a root and all its descendants that are not placed yet. The stack holds spans with depth, a flag for the last sibling,
    /// and the lines before the siblings.
    fn place(&mut self, root: usize) {
        let mut open = vec![(root, 0, true, String::new())];
        while let Some((index, depth, is_last, before)) = open.pop() {
            let Some(is_placed) = self.is_placed.get_mut(index) else { continue };
            if std::mem::replace(is_placed, true) {
                continue;
            }
            let (branch, below) = match (depth, is_last) {
                (0, _) => (String::new(), String::new()),
                (_, true) => (format!("{before}└ "), deeper(&before, "  ", depth)),
                (_, false) => (format!("{before}├ "), deeper(&before, "│ ", depth)),
            };
            self.placed.push(Branch { index, branch });
            let children = self.children.remove(&index).unwrap_or_default();
            for (number, child) in children.into_iter().rev().enumerate() {
                open.push((child, depth + 1, number == 0, below.clone()));
            }
        }
    }
}

/// Returns the lines before the children. Beyond [`MAX_INDENT`] levels the indentation stays the same.
fn deeper(before: &str, step: &str, depth: usize) -> String {
    if depth > MAX_INDENT { before.to_owned() } else { format!("{before}{step}") }
}

const MAX_INDENT: usize = 12;
