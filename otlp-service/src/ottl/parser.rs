//! Parser: makes trees of texts. Limits bound the length of a text and the depth of its nesting.

mod condition;
mod value;

use super::ast::{Condition, Statement};
use super::fault::Fault;
use super::token::{Token, TokenKind, tokens};
use std::ops::Range;

/// Parses a statement: an editor, and a condition after `where`.
///
/// # Errors
/// The fault at which the text stops to be a statement.
pub(crate) fn parse_statement(text: &str) -> Result<Statement, Fault> {
    let mut parser = Parser::new(text)?;
    let editor = parser.editor()?;
    let condition = if parser.take_word("where") { Some(parser.condition()?) } else { None };
    parser.end()?;
    Ok(Statement { editor, condition })
}

/// Parses a condition.
///
/// # Errors
/// The fault at which the text stops to be a condition.
pub(crate) fn parse_condition(text: &str) -> Result<Condition, Fault> {
    let mut parser = Parser::new(text)?;
    let condition = parser.condition()?;
    parser.end()?;
    Ok(condition)
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// Number of operators of arithmetic so far.
    operators: usize,
}

/// Longest text, in bytes.
pub(crate) const MAX_TEXT_BYTES: usize = 64 << 10;

/// Deepest nesting of brackets.
pub(crate) const MAX_NESTING: usize = 64;

/// Most operators of arithmetic in a text: each is a level of the tree.
pub(crate) const MAX_OPERATORS: usize = 256;

// === impl Parser ===

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Result<Self, Fault> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(Fault::new(0..0, format!("the text is longer than {MAX_TEXT_BYTES} bytes")));
        }
        Ok(Self { text, tokens: tokens(text)?, at: 0, depth: 0, operators: 0 })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        self.is_symbol_at(0, symbol)
    }

    fn is_symbol_at(&self, ahead: usize, symbol: &str) -> bool {
        let token = self.tokens.get(self.at + ahead);
        token.is_some_and(|token| matches!(token.kind, TokenKind::Symbol(found) if found == symbol))
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let is_it = self.is_symbol(symbol);
        self.at += usize::from(is_it);
        is_it
    }

    /// Takes a bracket that must be there.
    fn expect(&mut self, symbol: &'static str) -> Result<Range<usize>, Fault> {
        let range = self.range();
        if self.take_symbol(symbol) { Ok(range) } else { Err(self.unexpected(&format!("`{symbol}`"))) }
    }

    /// Returns the word at the current place.
    fn word(&self) -> Option<&'t str> {
        self.word_at(0)
    }

    fn word_at(&self, ahead: usize) -> Option<&'t str> {
        let token = self.tokens.get(self.at + ahead)?;
        if token.kind == TokenKind::Word { self.text.get(token.range.clone()) } else { None }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_it = self.word() == Some(word);
        self.at += usize::from(is_it);
        is_it
    }

    /// Returns the place of the current token, or the end of the text.
    fn range(&self) -> Range<usize> {
        self.peek().map_or(self.text.len()..self.text.len(), |token| token.range.clone())
    }

    /// Returns the end of the last token.
    fn last_end(&self) -> usize {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        last.map_or(0, |token| token.range.end)
    }

    /// Enters a level of nesting; `leave` ends the level.
    fn enter(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(Fault::new(self.range(), format!("brackets nest deeper than {MAX_NESTING} levels")));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    fn end(&self) -> Result<(), Fault> {
        if self.peek().is_none() { Ok(()) } else { Err(self.unexpected("the end")) }
    }

    /// The fault of a token in place of `expected`.
    fn unexpected(&self, expected: &str) -> Fault {
        let range = self.range();
        let Some(found) = self.text.get(range.clone()).filter(|found| !found.is_empty()) else {
            return Fault::new(range, format!("the text ends where {expected} is expected"));
        };
        let fault = Fault::new(range, format!("expected {expected}, found `{found}`"));
        match found {
            "AND" | "OR" | "NOT" | "NIL" | "TRUE" | "FALSE" | "WHERE" => {
                fault.help(format!("words are in lower case: `{}`", found.to_ascii_lowercase()))
            }
            "==" | "!=" | "<" | "<=" | ">" | ">=" if expected == "the end" => {
                fault.help("comparisons do not chain: join two with `and`")
            }
            "=" => fault.help("a comparison is written `==`"),
            "==" | "!=" | "<" | "<=" | ">" | ">=" => fault.help("a comparison is no value"),
            _ => fault,
        }
    }
}
