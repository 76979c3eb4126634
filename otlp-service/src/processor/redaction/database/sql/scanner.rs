//! Cuts a statement into tokens.

use super::Dialect;
use super::character::{is_alphanumeric, is_letter, is_of_name, is_operator, is_punctuation, is_space};
use super::keyword::{is_keyword, is_value};
use memchr::{memchr, memmem};

/// A part of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A comment with delimiters of so many bytes. In the Collector a comment stays with its values, and no comment begins directly behind
    /// a name or an operator.
    Comment { open: usize, close: usize },
    /// `$func$ … $func$`.
    DollarFunction,
    /// A name directly in front of `(`. Digits in these names stay.
    Function,
    /// A name without quotes, or a keyword.
    Name,
    /// Operators, punctuation, parameters, and what no other kind describes.
    Other,
    /// `(`.
    Parenthesis,
    /// A name in quotes, or several that dots join.
    QuotedName,
    /// White space.
    Space,
    /// Text in quotes, up to the end of the statement if the closing quote is missing.
    Text { is_closed: bool, has_escaped_quote: bool },
    /// A number, a text in dollar quotes, a parameter `$1`, `TRUE`, `FALSE`, `NULL`. A quoted name and a text in dollar quotes that do not
    /// end are values as well; in the Collector they stay.
    Value,
}

/// Reads a statement. Within a comment no further comment begins.
pub(super) struct Scanner<'a> {
    text: &'a str,
    dialect: Dialect,
    is_comment: bool,
    /// Position of the next byte. May be within a character, as in the Collector.
    at: usize,
}

// === impl Scanner ===

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, dialect: Dialect, is_comment: bool) -> Self {
        Self { text, dialect, is_comment, at: 0 }
    }

    /// Returns the end of what was read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Reads a token; `None` at the end of the statement.
    pub(super) fn next(&mut self) -> Option<Token> {
        let (start, first) = (self.at, self.peek(0));
        if first == END {
            return None;
        }
        let kind = self.token(first);
        Some(Token { kind, start, end: self.at })
    }

    fn token(&mut self, first: char) -> Kind {
        if let Some(open) = self.comment() {
            return self.rest_of_comment(open);
        }
        let second = self.peek(1);
        match first {
            first if is_space(first) => {
                self.skip_while(is_space);
                Kind::Space
            }
            first if is_letter(first) => self.name(first),
            '"' if self.dialect == Dialect::MySql => self.quoted_text(b'"'),
            '\'' => self.quoted_text(b'\''),
            '"' => self.quoted_name(b'"'),
            '`' if self.dialect == Dialect::MySql => self.quoted_name(b'`'),
            '+' | '-' if second.is_ascii_digit() || second == '.' => {
                self.at += 1;
                self.decimal()
            }
            '0'..='9' => self.number(),
            '$' if second.is_ascii_digit() => {
                self.at += 1;
                self.skip_while(|char| char.is_ascii_digit());
                Kind::Value
            }
            '$' => self.dollar_quoted(),
            '@' => self.at_sign(second),
            '*' => self.skip(1),
            first if is_operator(first) => self.operator(first),
            '(' => {
                self.at += 1;
                Kind::Parenthesis
            }
            _ => self.skip(1),
        }
    }

    // --- Characters ---

    /// Returns the character `ahead` bytes behind the next one: a NUL at the end, U+FFFD within a character.
    fn peek(&self, ahead: usize) -> char {
        let at = self.at + ahead;
        match self.text.as_bytes().get(at) {
            None => END,
            Some(byte) if byte.is_ascii() => char::from(*byte),
            Some(_) => {
                let rest = self.text.get(at..).and_then(|rest| rest.chars().next());
                rest.unwrap_or(char::REPLACEMENT_CHARACTER)
            }
        }
    }

    fn skip(&mut self, bytes: usize) -> Kind {
        self.at += bytes;
        Kind::Other
    }

    /// Skips characters of one byte that the test accepts; of longer characters only the first byte, as the Collector does.
    fn skip_while(&mut self, test: impl Fn(char) -> bool) {
        while test(self.peek(0)) {
            self.at += 1;
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    // --- Comments ---

    /// Returns the length of the delimiter of a comment that begins here.
    fn comment(&self) -> Option<usize> {
        match self.peek(0) {
            '-' if self.peek(1) == '-' && !self.is_comment => Some(2),
            '/' if self.peek(1) == '*' && !self.is_comment => Some(2),
            '#' if self.dialect == Dialect::MySql && !self.is_comment => Some(1),
            _ => None,
        }
    }

    fn rest_of_comment(&mut self, open: usize) -> Kind {
        let is_of_lines = self.peek(0) == '/';
        self.at += open;
        loop {
            match self.peek(0) {
                END => return Kind::Comment { open, close: 0 },
                '\n' if !is_of_lines => return Kind::Comment { open, close: 0 },
                '*' if is_of_lines && self.peek(1) == '/' => {
                    self.at += 2;
                    return Kind::Comment { open, close: 2 };
                }
                _ => self.at += 1,
            }
        }
    }

    // --- Names ---

    fn name(&mut self, first: char) -> Kind {
        let start = self.at;
        self.skip_while(|char| char.is_ascii_alphabetic() || char == '_');
        let word = self.text.get(start..self.at).unwrap_or_default();
        let next = self.peek(0);
        let is_end = is_punctuation(next) || is_space(next) || next == END || self.comment().is_some();
        if is_end && is_value(word) {
            return Kind::Value;
        }
        if next == '.' && is_keyword(word) {
            return Kind::Other;
        }
        loop {
            let next = self.peek(0);
            let is_quote = next == '"' && self.dialect == Dialect::MySql;
            if !is_of_name(next) || is_quote || self.comment().is_some() {
                let is_function = next == '(' && first.is_ascii();
                return if is_function { Kind::Function } else { Kind::Name };
            }
            self.at += next.len_utf8();
        }
    }

    fn quoted_name(&mut self, quote: u8) -> Kind {
        let quote = char::from(quote);
        self.at += 1;
        loop {
            match self.peek(0) {
                END => return Kind::Value,
                next if next != quote => self.at += next.len_utf8(),
                _ if self.peek(1) == '.' && self.peek(2) == quote => self.at += 3,
                _ => {
                    self.at += 1;
                    return Kind::QuotedName;
                }
            }
        }
    }

    // --- Values ---

    /// Reads a text in quotes. A doubled quote ends a text and begins another.
    fn quoted_text(&mut self, quote: u8) -> Kind {
        let quote = char::from(quote);
        let mut has_escaped_quote = false;
        self.at += 1;
        loop {
            match self.peek(0) {
                END => return Kind::Text { is_closed: false, has_escaped_quote },
                '\\' if self.peek(1) == END => self.at += 1,
                '\\' => {
                    has_escaped_quote |= self.peek(1) == quote;
                    self.at += 2;
                }
                next => {
                    self.at += 1;
                    if next == quote {
                        return Kind::Text { is_closed: true, has_escaped_quote };
                    }
                }
            }
        }
    }

    fn number(&mut self) -> Kind {
        let second = self.peek(1);
        match self.peek(0) {
            '0' if matches!(second, 'x' | 'X') => {
                self.at += 2;
                self.skip_while(|char| char.is_ascii_hexdigit());
            }
            '0' if matches!(second, '0'..='7') => {
                self.at += 2;
                self.skip_while(|char| matches!(char, '0'..='7'));
            }
            _ => return self.decimal(),
        }
        Kind::Value
    }

    /// Reads digits, dots and exponents, in any order.
    fn decimal(&mut self) -> Kind {
        loop {
            match (self.peek(0), self.peek(1)) {
                ('e' | 'E', '+' | '-') => self.at += 2,
                ('0'..='9' | '.' | 'e' | 'E', _) => self.at += 1,
                _ => return Kind::Value,
            }
        }
    }

    /// Reads a text between two equal tags: `$$ … $$`, `$tag$ … $tag$`. What is not closed is a value up to the end.
    fn dollar_quoted(&mut self) -> Kind {
        let rest = self.rest();
        let Some(len) = memchr(b'$', rest.get(1..).unwrap_or_default()).map(|at| at + 2) else {
            self.at = self.text.len();
            return Kind::Value;
        };
        let tag = self.text.get(self.at..self.at + len).unwrap_or_default();
        // Of each character of the closing tag, the Collector compares the low byte of the code point.
        let closing: Vec<u8> = tag.chars().map(|char| char as u32 as u8).collect();
        let Some(body) = memmem::find(rest.get(len..).unwrap_or_default(), &closing) else {
            self.at = self.text.len();
            return Kind::Value;
        };
        self.at += len + body + closing.len();
        if tag == FUNCTION_TAG { Kind::DollarFunction } else { Kind::Value }
    }

    // --- Operators ---

    /// Reads a parameter, a variable or an operator that begins with `@`.
    fn at_sign(&mut self, second: char) -> Kind {
        match second {
            '@' => {
                self.at += 2;
                self.skip_while(is_alphanumeric);
            }
            second if is_alphanumeric(second) => {
                self.at += 2;
                self.skip_while(is_alphanumeric);
            }
            '?' | '>' => self.at += 2,
            _ => return self.operator('@'),
        }
        Kind::Other
    }

    /// Reads a row of operators. Those of JSON end it, and `=` in front of a parameter.
    fn operator(&mut self, first: char) -> Kind {
        let of_json: &[&str] = &["->>", "->", "#>>", "#>", "#-", "?|", "?&", "<@"];
        if let Some(operator) = of_json.iter().find(|operator| self.rest().starts_with(operator.as_bytes())) {
            return self.skip(operator.len());
        }
        self.at += 1;
        let mut last = first;
        loop {
            let next = self.peek(0);
            let is_parameter = last == '=' && matches!(next, '?' | '@');
            if !is_operator(next) || is_parameter || self.comment().is_some() {
                return Kind::Other;
            }
            self.at += 1;
            last = next;
        }
    }
}

/// The tag of a text that is a statement.
pub(super) const FUNCTION_TAG: &str = "$func$";

/// The character that `peek` returns behind the end of the text. A NUL in a text ends the statement, too.
const END: char = '\0';
