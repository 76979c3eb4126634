//! Renders problems as text: message, `file:line:column`, the line with a caret, help.

use super::Problem;
use crate::config::source::Sources;
use std::fmt::Write;
use unicode_width::UnicodeWidthChar as _;

impl Problem {
    /// Renders the problem, in colour or plain. Only one line of the file is shown, since the lines around it may hold secrets.
    ///
    /// ```text
    /// error: unknown key `endpont`
    ///   --> gateway.yaml:5:9
    ///    |
    ///  5 |         endpont: localhost:4317
    ///    |         ^^^^^^^
    ///    = did you mean `endpoint`? available: endpoint, keepalive
    /// ```
    pub(crate) fn render(&self, sources: &Sources, color: bool) -> String {
        let (red, blue, plain) = if color { ("\x1b[1;31m", "\x1b[1;34m", "\x1b[0m") } else { ("", "", "") };
        let message = sources.masked(&self.to_string());
        let mut out = format!("{red}error{plain}: {message}\n");
        let mut margin = " ".repeat(3);
        if let Some((span, source)) = self.span.and_then(|span| Some((span, sources.get(span.source)?))) {
            let Shown { line, column, text, before, carets } =
                Shown::new(&source.shown(), span.start, span.len);
            let number = format!("{line:>2}");
            margin = " ".repeat(number.len() + 1);
            let arrow = " ".repeat(number.len());
            let bar = format!("{margin}{blue}|{plain}");
            let (before, carets) = (" ".repeat(before), "^".repeat(carets));
            // Writing to a String cannot fail.
            let _ = write!(
                out,
                "{arrow}{blue}-->{plain} {}:{line}:{column}\n{bar}\n{blue}{number} |{plain} {text}\n\
                 {bar} {before}{red}{carets}{plain}\n",
                source.name
            );
        }
        for help in &self.help {
            let _ = writeln!(out, "{margin}{blue}={plain} {}", sources.masked(help));
        }
        out
    }
}

/// A place in a text, with the line to show.
struct Shown {
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
    /// The line; of a long line, the part around the place.
    text: String,
    /// Width of the part of `text` before the place, in columns of a terminal.
    before: usize,
    /// Width of the place on this line, in columns of a terminal, at least 1.
    carets: usize,
}

impl Shown {
    /// Finds the line of the `len` characters from the character `start` on.
    fn new(text: &str, start: usize, len: usize) -> Self {
        let (mut line, mut line_start) = (1, 0);
        for (index, character) in text.chars().take(start).enumerate() {
            if character == '\n' {
                (line, line_start) = (line + 1, index + 1);
            }
        }
        let column = text.chars().count().min(start) - line_start;
        let cut = column.saturating_sub(MAX_LINE_CHARS / 2);
        let rest = text.chars().skip(line_start).take_while(|&c| c != '\n' && c != '\r');
        let shown: String =
            rest.skip(cut).take(MAX_LINE_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let width = |from: usize, len: usize| -> usize {
            shown.chars().skip(from).take(len).map(|c| c.width().unwrap_or_default()).sum()
        };
        let (before, carets) = (width(0, column - cut), width(column - cut, len).max(1));
        Self { line, column: column + 1, text: shown, before, carets }
    }
}

const MAX_LINE_CHARS: usize = 160;
