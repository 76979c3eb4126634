//! Conditions: comparisons and converters, joined by `not`, `and` and `or`.

use super::Parser;
use crate::ottl::ast::{Condition, NodeKind};
use crate::ottl::fault::Fault;
use crate::ottl::token::TokenKind;
use crate::ottl::value::Comparison;

impl Parser<'_> {
    /// Parses terms that are joined by `or`.
    pub(super) fn condition(&mut self) -> Result<Condition, Fault> {
        let mut parts = vec![self.term()?];
        while self.take_word("or") {
            parts.push(self.term()?);
        }
        Ok(join(parts, Condition::Any))
    }

    /// Parses operands that are joined by `and`.
    fn term(&mut self) -> Result<Condition, Fault> {
        let mut parts = vec![self.operand()?];
        while self.take_word("and") {
            parts.push(self.operand()?);
        }
        Ok(join(parts, Condition::All))
    }

    fn operand(&mut self) -> Result<Condition, Fault> {
        if self.take_word("not") {
            if self.word() == Some("not") {
                return Err(Fault::new(self.range(), "an operand takes one `not`"));
            }
            return Ok(Condition::Not(Box::new(self.positive()?)));
        }
        self.positive()
    }

    /// Parses an operand without `not`. A bracket may open a condition or a value: a value comes with a comparison behind it.
    fn positive(&mut self) -> Result<Condition, Fault> {
        if !self.is_symbol("(") {
            return self.comparison();
        }
        let start = self.at;
        let depth = self.depth;
        let as_value = self.comparison();
        let Err(fault) = as_value else { return as_value };
        let reached = self.at;
        (self.at, self.depth) = (start, depth);
        let as_condition = self.bracketed();
        match as_condition {
            // The reading that came farther names the fault.
            Err(_) if reached > self.at => Err(fault),
            as_condition => as_condition,
        }
    }

    fn bracketed(&mut self) -> Result<Condition, Fault> {
        self.enter()?;
        self.expect("(")?;
        let condition = self.condition()?;
        self.expect(")")?;
        self.leave();
        Ok(condition)
    }

    fn comparison(&mut self) -> Result<Condition, Fault> {
        let left = self.value()?;
        if let Some(comparison) = self.comparing() {
            self.at += 1;
            let right = self.value()?;
            return Ok(Condition::Compare(Box::new(left), comparison, Box::new(right)));
        }
        match left.kind {
            NodeKind::Bool(value) => Ok(Condition::Constant(value)),
            NodeKind::Call(_) => Ok(Condition::Test(Box::new(left))),
            _ => {
                let text = self.text.get(left.range.clone()).unwrap_or_default();
                let fault = Fault::new(left.range, "a value alone is no condition");
                let range = self.range();
                match &left.kind {
                    _ if self.is_symbol("=") => Err(self.unexpected("a comparison")),
                    NodeKind::Path(_) => {
                        Err(fault.help(format!("compare it: `{text} == true`, or `{text} != nil`")))
                    }
                    _ if range.start < self.text.len() => Err(self.unexpected("a comparison")),
                    _ => Err(fault.help("compare it with `==` and another value")),
                }
            }
        }
    }

    fn comparing(&self) -> Option<Comparison> {
        let TokenKind::Symbol(symbol) = self.peek()?.kind else { return None };
        Some(match symbol {
            "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }
}

fn join(mut parts: Vec<Condition>, all: impl FnOnce(Vec<Condition>) -> Condition) -> Condition {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            all(parts)
        }
    }
}
