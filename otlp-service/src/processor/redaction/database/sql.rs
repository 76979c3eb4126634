//! Statements in SQL.
//!
//! Keywords, names, operators and white space stay; values become `?`, digits in names, too. What a statement is cut into is what the
//! Collector's lexer, Datadog's go-sqllexer 0.2.4, makes of it, so that the results are equal byte for byte. The exceptions are texts in
//! which that lexer lets values stay: see [`Dialect::of`], [`Kind::Comment`], [`Kind::Value`] and [`sanitize`].
//!
//! A statement is read once, in time proportional to its length, and no result is longer than its statement.

mod character;
mod extract;
mod keyword;
mod scanner;

use extract::Extract;
use scanner::{Kind, Scanner};

/// The rules of a database for quotes and comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// MySQL and MariaDB: text in double quotes is a value, names are in backticks, `#` begins a comment.
    MySql,
    /// Text in double quotes is a name.
    Standard,
}

/// Values of `db.system.name` and `db.system` that stand for SQL, as in the Collector.
pub(super) const SYSTEMS: &[&str] = &["other_sql", "mysql", "postgresql", "mariadb", "sqlite"];

/// Replaces the values in a statement by `?`. White space around the statement is removed. A statement ends at a NUL.
///
/// Some databases read a backslash in quotes as an escape of the next character, others as any other character. Backslashes are read as
/// escapes here. If the text then ends within quotes after an escaped quote, that reading may have been wrong: what looks like a name may
/// be a value. Then everything becomes one `?` from the first text with an escaped quote on.
pub(super) fn sanitize(text: &str, dialect: Dialect) -> String {
    let mut out = String::with_capacity(text.len());
    Statement { text, dialect, is_comment: false }.put(&mut out);
    trim(&mut out, 0);
    out
}

/// A text with statements: all of an attribute, the body of a function, or a comment.
#[derive(Clone, Copy)]
struct Statement<'a> {
    text: &'a str,
    dialect: Dialect,
    is_comment: bool,
}

// === impl Dialect ===

impl Dialect {
    /// Returns the dialect of a value of `db.system.name` in lower case. In the Collector, `mariadb` has the rules of the standard, and
    /// an attribute is read by the rules for the span name that was sanitized before, on any span.
    pub(super) fn of(system: &str) -> Self {
        match system {
            "mysql" | "mariadb" => Self::MySql,
            _ => Self::Standard,
        }
    }
}

// === impl Statement ===

impl Statement<'_> {
    fn put(self, out: &mut String) {
        let mut scanner = Scanner::new(self.text, self.dialect, self.is_comment);
        let mut extract = Extract::default();
        // What is behind `kept` is not yet in `out`. The length of `out` before the first text with an escaped quote.
        let (mut kept, mut doubtful, mut is_open) = (0, None, false);
        while let Some(token) = scanner.next() {
            let part = self.text.get(token.start..token.end).unwrap_or_default();
            let is_replaced = match token.kind {
                Kind::Function | Kind::Other | Kind::Parenthesis | Kind::Space => false,
                Kind::Name => extract.is_field(part) || has_digit(part),
                Kind::QuotedName => has_digit(part),
                Kind::Comment { .. } | Kind::DollarFunction | Kind::Text { .. } | Kind::Value => true,
            };
            if is_replaced {
                out.push_str(self.text.get(kept..token.start).unwrap_or_default());
                kept = token.end;
            }
            is_open = false;
            match token.kind {
                Kind::Text { is_closed, has_escaped_quote } => {
                    is_open = !is_closed;
                    doubtful = doubtful.or(has_escaped_quote.then_some(out.len()));
                    out.push('?');
                }
                Kind::Value => out.push('?'),
                Kind::Name if extract.is_field(part) => out.push('?'),
                Kind::Name | Kind::QuotedName if is_replaced => put_without_digits(part, out),
                Kind::Comment { open, close } => self.put_within(part, open, close, true, out),
                Kind::DollarFunction => {
                    let tag = scanner::FUNCTION_TAG.len();
                    self.put_within(part, tag, tag, self.is_comment, out);
                }
                _ => {}
            }
            extract = extract.after(token.kind, part);
        }
        out.push_str(self.text.get(kept..scanner.position()).unwrap_or_default());
        if let Some(len) = doubtful.filter(|_| is_open) {
            out.truncate(len);
            out.push('?');
        }
    }

    /// Writes a text in delimiters of `open` and `close` bytes. A comment may have values, too; in the Collector they stay.
    fn put_within(self, part: &str, open: usize, close: usize, is_comment: bool, out: &mut String) {
        let end = part.len().saturating_sub(close);
        out.push_str(part.get(..open).unwrap_or_default());
        let start = out.len();
        let text = part.get(open..end).unwrap_or_default();
        Statement { text, is_comment, ..self }.put(out);
        if !is_comment {
            trim(out, start);
        }
        out.push_str(part.get(end..).unwrap_or_default());
    }
}

fn has_digit(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_digit())
}

/// Writes a name with a `?` for each row of digits.
fn put_without_digits(name: &str, out: &mut String) {
    let mut rest = name;
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, digits) = rest.split_at(at);
        out.push_str(before);
        out.push('?');
        rest = digits.trim_start_matches(|letter: char| letter.is_ascii_digit());
    }
    out.push_str(rest);
}

/// Removes white space around what `out` has from `start` on.
fn trim(out: &mut String, start: usize) {
    let end = start + out.get(start..).unwrap_or_default().trim_end().len();
    out.truncate(end);
    let written = out.get(start..).unwrap_or_default();
    let spaces = written.len() - written.trim_start().len();
    out.drain(start..start + spaces);
}

#[cfg(test)]
mod tests;
