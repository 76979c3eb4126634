//! Checker: makes expressions of trees. Names are looked up, types of constants are checked, and constant parts are evaluated.

mod call;
mod path;

use super::ast;
use super::ast::{Node, NodeKind};
use super::constant::{constant, names};
use super::context::Context;
use super::environment::Environment;
use super::expression::{Expression, Math};
use super::fault::Fault;
use super::function::{Edit, Function, function};
use super::test::Test;
use super::value::Value;
use crate::component::Needs;
use std::borrow::Cow;

/// Checks trees of one context, and collects all faults.
pub(super) struct Checker {
    context: Context,
    /// Paths without a context belong to the context.
    is_implied: bool,
    faults: Vec<Fault>,
    needs: Needs,
    /// A target is in a message around the messages of the context.
    pub(super) reaches_up: bool,
}

// === impl Checker ===

impl Checker {
    pub(super) fn new(context: Context, is_implied: bool) -> Self {
        Self { context, is_implied, faults: Vec::new(), needs: Needs::default(), reaches_up: false }
    }

    /// Returns the faults, and the properties of requests that the trees read.
    pub(super) fn finish(self) -> (Vec<Fault>, Needs) {
        (self.faults, self.needs)
    }

    pub(super) fn statement(
        &mut self,
        statement: &ast::Statement,
    ) -> Option<(&'static Function, Box<dyn Edit>, Option<Test>)> {
        let editor = self.editor(&statement.editor);
        let condition = statement.condition.as_ref().map(|condition| self.condition(condition));
        let (function, editor) = editor?;
        Some((function, editor, condition.map_or(Some(None), |condition| condition.map(Some))?))
    }

    pub(super) fn condition(&mut self, condition: &ast::Condition) -> Option<Test> {
        match condition {
            ast::Condition::All(parts) => self.conditions(parts).map(Test::all),
            ast::Condition::Any(parts) => self.conditions(parts).map(Test::any),
            ast::Condition::Constant(holds) => Some(Test::Constant(*holds)),
            ast::Condition::Not(inner) => self.condition(inner).map(Test::not),
            ast::Condition::Test(node) => match self.expression(node)? {
                Expression::Literal(Value::Bool(holds)) => Some(Test::Constant(holds)),
                Expression::Literal(other) => {
                    let problem = format!("a condition must give a bool, this gives {}", other.type_name());
                    self.fault(Fault::new(node.range.clone(), problem))
                }
                expression => Some(Test::Value(expression)),
            },
            ast::Condition::Compare(left, comparison, right) => {
                let (left, right) = (self.expression(left), self.expression(right));
                let (left, right) = (left?, right?);
                Some(match (left.literal(), right.literal()) {
                    (Some(left), Some(right)) => Test::Constant(comparison.holds(left, right)),
                    _ => Test::Compare(left, *comparison, right),
                })
            }
        }
    }

    fn conditions(&mut self, parts: &[ast::Condition]) -> Option<Vec<Test>> {
        // All parts are checked, so that all faults are found.
        let parts: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
        parts.into_iter().collect()
    }

    fn expression(&mut self, node: &Node) -> Option<Expression> {
        let value = match &node.kind {
            NodeKind::Bool(value) => Value::Bool(*value),
            NodeKind::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.clone())),
            NodeKind::Double(value) => Value::Double(*value),
            NodeKind::Int(value) => Value::Int(*value),
            NodeKind::Nil => Value::Nil,
            NodeKind::Text(text) => Value::Text(Cow::Owned(text.clone())),
            NodeKind::Name(name) => Value::Int(self.constant(node, name)?),
            NodeKind::Binary(left, operator, right) => {
                let (left, right) = (self.expression(left), self.expression(right));
                return Some(folded(Math::Binary(left?, *operator, right?)));
            }
            NodeKind::Negate(inner) => return Some(folded(Math::Negate(self.expression(inner)?))),
            NodeKind::Call(call) => return self.converter(call),
            NodeKind::List(nodes) => return self.elements(nodes).map(list),
            NodeKind::Map(entries) => {
                let entry =
                    |(key, node): &(String, Node)| Some((key.as_str().into(), self.expression(node)?));
                let entries: Vec<_> = entries.iter().map(entry).collect();
                return entries.into_iter().collect::<Option<_>>().map(map);
            }
            NodeKind::Path(path) => return self.path(path).map(Expression::Path),
        };
        Some(Expression::Literal(value))
    }

    /// Checks the elements of a list.
    fn elements(&mut self, nodes: &[Node]) -> Option<Vec<Expression>> {
        let elements: Vec<_> = nodes.iter().map(|node| self.expression(node)).collect();
        elements.into_iter().collect()
    }

    fn constant(&mut self, node: &Node, name: &str) -> Option<i64> {
        if let Some(value) = constant(name, self.context) {
            return Some(value);
        }
        let fault = Fault::new(
            node.range.clone(),
            format!("unknown constant `{name}` in the context {}", self.context.name()),
        );
        if function(name).is_some() {
            return self.fault(fault.help(format!("the converter is called `{name}(…)`")));
        }
        let known = names(self.context);
        self.fault(fault.nearest(name, known.iter().map(String::as_str)))
    }

    /// Notes a fault.
    fn fault<T>(&mut self, fault: Fault) -> Option<T> {
        self.faults.push(fault);
        None
    }
}

/// Returns arithmetic, or its result if it is constant. Constants that fail, fail for each item.
fn folded(math: Math) -> Expression {
    let is_constant = match &math {
        Math::Binary(left, _, right) => left.literal().is_some() && right.literal().is_some(),
        Math::Negate(inner) => inner.literal().is_some(),
    };
    let expression = Expression::Math(Box::new(math));
    if is_constant { evaluated(expression) } else { expression }
}

/// Returns the result of a constant expression. If it fails, the expression itself.
fn evaluated(expression: Expression) -> Expression {
    let value = expression.value(&Environment::new(None, 0)).map(Value::into_owned);
    value.map_or(expression, Expression::Literal)
}

fn list(values: Vec<Expression>) -> Expression {
    let is_constant = values.iter().all(|value| value.literal().is_some());
    let list = Expression::List(values);
    if is_constant { evaluated(list) } else { list }
}

fn map(entries: Vec<(Box<str>, Expression)>) -> Expression {
    let is_constant = entries.iter().all(|(_, value)| value.literal().is_some());
    let map = Expression::Map(entries);
    if is_constant { evaluated(map) } else { map }
}
