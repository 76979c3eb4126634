//! The order of spans that came together: each trace as a tree.

use super::entry::ShownEntry;
use otlp_protocol::view::Span;
use std::collections::HashMap;

/// A span, and what stands before its name.
pub(super) struct Branch {
    /// Its place in the list.
    pub(super) index: usize,
    /// Nothing for a span whose parent did not come along; else lines that lead to the parent.
    pub(super) branch: String,
}

/// Spans in the order of a tree: a parent before its children, siblings by their start. Every span stands there once, also
/// if parents go in a circle.
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
            Some(&parent_index) if !parent.is_empty() && parent_index != index => {
                children.entry(parent_index).or_default().push(index);
            }
            _ => roots.push(index),
        }
    }
    let start = |index: &usize| spans.get(*index).map_or(0, |(_, span)| span.start_time_unix_nano());
    children.values_mut().for_each(|children| children.sort_by_cached_key(start));
    let mut walk = Walk { children, is_placed: vec![false; spans.len()], placed: Vec::new() };
    roots.into_iter().for_each(|root| walk.place(root));
    // Those in circles have no root.
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
    /// Places a root and all below it that are not placed yet. The stack holds spans with their depth, whether they are
    /// the last of their siblings, and what stands before the siblings.
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

/// What stands before the children: at some depth they move no further to the right.
fn deeper(before: &str, step: &str, depth: usize) -> String {
    if depth > MAX_INDENT { before.to_owned() } else { format!("{before}{step}") }
}

const MAX_INDENT: usize = 12;
