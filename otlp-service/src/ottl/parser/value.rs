//! Values: constants, paths, calls, lists, maps, arithmetic.

use super::{MAX_OPERATORS, Parser};
use crate::ottl::ast::{ArgumentNode, Invocation, Node, NodeKind, PathNode, Segment};
use crate::ottl::expression::Operator;
use crate::ottl::fault::Fault;
use crate::ottl::token::TokenKind;
use std::ops::Range;

impl Parser<'_> {
    /// Parses the call of an editor at the start of a statement.
    pub(super) fn editor(&mut self) -> Result<Invocation, Fault> {
        let Some(name) = self.word().filter(|_| self.is_symbol_at(1, "(")) else {
            return Err(self.unexpected("an editor such as `set(…)`"));
        };
        if name.starts_with(|first: char| first.is_ascii_uppercase()) {
            let fault = Fault::new(self.range(), format!("`{name}` is a converter, which is no statement"));
            return Err(fault.help(format!("use its value: `set(target, {name}(…))`")));
        }
        let editor = self.call()?;
        match editor.keys.first() {
            Some(key) => Err(Fault::new(key.range.clone(), "an editor has no value, so it takes no keys")),
            None => Ok(editor),
        }
    }

    /// Parses a value, with sums and products.
    pub(super) fn value(&mut self) -> Result<Node, Fault> {
        self.enter()?;
        let mut left = self.product()?;
        while let Some(operator) = self.operator(&[("+", Operator::Add), ("-", Operator::Subtract)]) {
            left = self.binary(left, operator, Self::product)?;
        }
        self.leave();
        Ok(left)
    }

    fn product(&mut self) -> Result<Node, Fault> {
        let mut left = self.signed()?;
        while let Some(operator) = self.operator(&[("*", Operator::Multiply), ("/", Operator::Divide)]) {
            left = self.binary(left, operator, Self::signed)?;
        }
        Ok(left)
    }

    /// Parses the right side of an operator.
    fn binary(
        &mut self,
        left: Node,
        operator: Operator,
        right: fn(&mut Self) -> Result<Node, Fault>,
    ) -> Result<Node, Fault> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            let problem = format!("there are more than {MAX_OPERATORS} operators of arithmetic");
            return Err(Fault::new(self.range(), problem));
        }
        let right = right(self)?;
        check_number(&left)?;
        check_number(&right)?;
        let range = left.range.start..right.range.end;
        Ok(Node { range, kind: NodeKind::Binary(Box::new(left), operator, Box::new(right)) })
    }

    /// Takes one of these operators.
    fn operator(&mut self, operators: &[(&str, Operator)]) -> Option<Operator> {
        let (_, operator) = operators.iter().find(|(symbol, _)| self.is_symbol(symbol))?;
        self.at += 1;
        Some(*operator)
    }

    fn signed(&mut self) -> Result<Node, Fault> {
        let start = self.range().start;
        let is_negative = self.is_symbol("-");
        if !is_negative && !self.is_symbol("+") {
            return self.operand_value();
        }
        self.at += 1;
        let inner = self.operand_value()?;
        check_number(&inner)?;
        let range = start..inner.range.end;
        let kind = match inner.kind {
            kind if !is_negative => kind,
            NodeKind::Int(value) => NodeKind::Int(value.wrapping_neg()),
            NodeKind::Double(value) => NodeKind::Double(-value),
            _ => NodeKind::Negate(Box::new(inner)),
        };
        Ok(Node { range, kind })
    }

    fn operand_value(&mut self) -> Result<Node, Fault> {
        let Some(token) = self.peek().cloned() else { return Err(self.unexpected("a value")) };
        let kind = match token.kind {
            TokenKind::Bytes(bytes) => NodeKind::Bytes(bytes),
            TokenKind::Double(value) => NodeKind::Double(value),
            TokenKind::Int(value) => NodeKind::Int(value),
            TokenKind::Text(text) => NodeKind::Text(text),
            TokenKind::Word => return self.word_value(token.range),
            TokenKind::Symbol("(") => return self.bracketed_value(),
            TokenKind::Symbol("[") => return self.list(),
            TokenKind::Symbol("{") => return self.map(),
            TokenKind::Symbol(_) => return Err(self.unexpected("a value")),
        };
        self.at += 1;
        Ok(Node { range: token.range, kind })
    }

    fn word_value(&mut self, range: Range<usize>) -> Result<Node, Fault> {
        let word = self.word().unwrap_or_default();
        let kind = match word {
            "nil" => NodeKind::Nil,
            "true" => NodeKind::Bool(true),
            "false" => NodeKind::Bool(false),
            "and" | "or" | "not" | "where" => return Err(self.unexpected("a value")),
            _ if self.is_symbol_at(1, "(") => {
                if word.starts_with(|first: char| first.is_ascii_lowercase()) {
                    let fault = Fault::new(range, format!("`{word}` is an editor, which has no value"));
                    return Err(fault.help("editors stand at the start of a statement"));
                }
                let call = self.call()?;
                return Ok(Node { range: call.range.clone(), kind: NodeKind::Call(call) });
            }
            _ if word.starts_with(|first: char| first.is_ascii_uppercase()) => {
                NodeKind::Name(word.to_owned())
            }
            _ => return self.path(),
        };
        self.at += 1;
        Ok(Node { range, kind })
    }

    fn bracketed_value(&mut self) -> Result<Node, Fault> {
        let open = self.expect("(")?;
        let inner = self.value()?;
        check_number(&inner)?;
        let close = self.expect(")")?;
        Ok(Node { range: open.start..close.end, kind: inner.kind })
    }

    fn list(&mut self) -> Result<Node, Fault> {
        let open = self.expect("[")?;
        let mut values = Vec::new();
        if !self.is_symbol("]") {
            values.push(self.value()?);
            while self.take_symbol(",") {
                values.push(self.value()?);
            }
        }
        let close = self.expect("]")?;
        Ok(Node { range: open.start..close.end, kind: NodeKind::List(values) })
    }

    fn map(&mut self) -> Result<Node, Fault> {
        let open = self.expect("{")?;
        let mut entries: Vec<(String, Node)> = Vec::new();
        while !self.is_symbol("}") {
            let Some(TokenKind::Text(key)) = self.peek().map(|token| token.kind.clone()) else {
                return Err(self.unexpected("a key in quotes or `}`"));
            };
            self.at += 1;
            self.expect(":")?;
            let value = self.value()?;
            match entries.iter_mut().find(|(known, _)| *known == key) {
                Some((_, known)) => *known = value,
                None => entries.push((key, value)),
            }
            self.take_symbol(",");
        }
        let close = self.expect("}")?;
        Ok(Node { range: open.start..close.end, kind: NodeKind::Map(entries) })
    }

    fn path(&mut self) -> Result<Node, Fault> {
        let start = self.range().start;
        let mut segments = Vec::new();
        loop {
            let range = self.range();
            let Some(name) = self.word() else { return Err(self.unexpected("a name")) };
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                return Err(Fault::new(range, "names of paths are in lower case"));
            }
            self.at += 1;
            segments.push(Segment { name: name.to_owned(), range, keys: self.keys()? });
            if !self.take_symbol(".") {
                break;
            }
        }
        Ok(Node { range: start..self.last_end(), kind: NodeKind::Path(PathNode { segments }) })
    }

    fn keys(&mut self) -> Result<Vec<Node>, Fault> {
        let mut keys = Vec::new();
        while self.take_symbol("[") {
            let key = self.value()?;
            match key.kind {
                NodeKind::Text(_)
                | NodeKind::Int(_)
                | NodeKind::Path(_)
                | NodeKind::Call(_)
                | NodeKind::Binary(..)
                | NodeKind::Negate(_) => keys.push(key),
                _ => return Err(Fault::new(key.range, "a key must be a string or an int")),
            }
            self.expect("]")?;
        }
        Ok(keys)
    }

    fn call(&mut self) -> Result<Invocation, Fault> {
        let name_range = self.range();
        let name = self.word().unwrap_or_default().to_owned();
        self.at += 1;
        self.expect("(")?;
        let mut arguments: Vec<ArgumentNode> = Vec::new();
        if !self.is_symbol(")") {
            arguments.push(self.argument()?);
            while self.take_symbol(",") {
                arguments.push(self.argument()?);
            }
        }
        if !self.take_symbol(")") {
            return Err(self.unexpected("`,` or `)`"));
        }
        let keys = self.keys()?;
        Ok(Invocation { name, range: name_range.start..self.last_end(), name_range, arguments, keys })
    }

    fn argument(&mut self) -> Result<ArgumentNode, Fault> {
        let mut name = None;
        if self.is_symbol_at(1, "=")
            && let Some(word) = self.word()
        {
            name = Some((word.to_owned(), self.range()));
            self.at += 2;
        }
        Ok(ArgumentNode { name, value: self.value()? })
    }
}

/// Refuses constants that are no numbers as operands of arithmetic.
fn check_number(node: &Node) -> Result<(), Fault> {
    match node.kind {
        NodeKind::Binary(..)
        | NodeKind::Call(_)
        | NodeKind::Double(_)
        | NodeKind::Int(_)
        | NodeKind::Negate(_)
        | NodeKind::Path(_) => Ok(()),
        _ => Err(Fault::new(node.range.clone(), "arithmetic takes numbers, paths and converters")),
    }
}
