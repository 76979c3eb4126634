//! The tree of a parsed statement, with the places of its parts.

use super::expression::Operator;
use super::value::Comparison;
use std::ops::Range;

/// A statement: an editor, and the condition under which it runs.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) editor: Invocation,
    pub(crate) condition: Option<Condition>,
}

/// A condition.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Compare(Box<Node>, Comparison, Box<Node>),
    Constant(bool),
    Not(Box<Condition>),
    /// The result of a converter.
    Test(Box<Node>),
}

/// A value, with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) range: Range<usize>,
    pub(crate) kind: NodeKind,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Binary(Box<Node>, Operator, Box<Node>),
    Bool(bool),
    Bytes(Vec<u8>),
    Call(Invocation),
    Double(f64),
    Int(i64),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    /// A constant, or the bare name of a converter.
    Name(String),
    Negate(Box<Node>),
    Nil,
    Path(PathNode),
    Text(String),
}

/// A call of a function.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    pub(crate) name: String,
    pub(crate) name_range: Range<usize>,
    pub(crate) range: Range<usize>,
    pub(crate) arguments: Vec<ArgumentNode>,
    pub(crate) keys: Vec<Node>,
}

/// An argument, with its name if it is named.
#[derive(Clone, Debug)]
pub(crate) struct ArgumentNode {
    pub(crate) name: Option<(String, Range<usize>)>,
    pub(crate) value: Node,
}

/// A path: names, with keys after them.
#[derive(Clone, Debug)]
pub(crate) struct PathNode {
    pub(crate) segments: Vec<Segment>,
}

#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) range: Range<usize>,
    pub(crate) keys: Vec<Node>,
}

/// The names that a tree uses, from which its context is inferred.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names<'n> {
    /// First names of paths.
    pub(crate) prefixes: Vec<&'n str>,
    pub(crate) functions: Vec<&'n str>,
    pub(crate) constants: Vec<&'n str>,
}

// === impl Names ===

impl<'n> Names<'n> {
    pub(crate) fn add_statement(&mut self, statement: &'n Statement) {
        self.add_call(&statement.editor);
        if let Some(condition) = &statement.condition {
            self.add_condition(condition);
        }
    }

    pub(crate) fn add_condition(&mut self, condition: &'n Condition) {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| self.add_condition(part));
            }
            Condition::Compare(left, _, right) => {
                self.add_node(left);
                self.add_node(right);
            }
            Condition::Constant(_) => {}
            Condition::Not(inner) => self.add_condition(inner),
            Condition::Test(node) => self.add_node(node),
        }
    }

    pub(crate) fn add_node(&mut self, node: &'n Node) {
        match &node.kind {
            NodeKind::Binary(left, _, right) => {
                self.add_node(left);
                self.add_node(right);
            }
            NodeKind::Call(call) => self.add_call(call),
            NodeKind::List(nodes) => nodes.iter().for_each(|node| self.add_node(node)),
            NodeKind::Map(entries) => entries.iter().for_each(|(_, node)| self.add_node(node)),
            NodeKind::Name(name) => self.constants.push(name),
            NodeKind::Negate(inner) => self.add_node(inner),
            NodeKind::Path(path) => {
                if let [first, _, ..] = &path.segments[..] {
                    self.prefixes.push(&first.name);
                }
                let keys = path.segments.iter().flat_map(|segment| &segment.keys);
                keys.for_each(|key| self.add_node(key));
            }
            _ => {}
        }
    }

    fn add_call(&mut self, call: &'n Invocation) {
        self.functions.push(&call.name);
        call.arguments.iter().for_each(|argument| self.add_node(&argument.value));
        call.keys.iter().for_each(|key| self.add_node(key));
    }
}
