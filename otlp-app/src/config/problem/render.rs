//! Problems for people: message, `file:line:column`, the line with a caret, what would be right.

use super::Problem;
use crate::config::source::Sources;
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};
use std::fmt;

/// [`Problem`] with the text it is about, as miette wants it.
struct Shown<'a> {
    problem: &'a Problem,
    place: Option<(Line, LabeledSpan)>,
}

/// The one line of a source that is shown: its neighbours may say what errors must not.
struct Line {
    source: String,
    text: String,
    /// Bytes before it in the source.
    offset: usize,
    /// Lines before it in the source.
    number: usize,
}

impl Problem {
    /// The problem for people; in colour and Unicode, or plain.
    pub(crate) fn render(&self, sources: &Sources, color: bool) -> String {
        let source = self.span.and_then(|span| Some((span, sources.get(span.source)?)));
        let place = source.map(|(span, source)| {
            let text = source.shown();
            let (start, end) = (byte_at(&text, span.start), byte_at(&text, span.start + span.len));
            let line = Line::of(&source.name, &text, start);
            // A caret under a whole block would hide it.
            let end = end.min(line.offset + line.text.len()).max(start);
            (line, LabeledSpan::new(None, start, end - start))
        });
        let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::none() };
        let handler = GraphicalReportHandler::new_themed(theme).with_context_lines(1).with_width(120);
        let mut out = String::new();
        match handler.render_report(&mut out, &Shown { problem: self, place }) {
            Ok(()) => out,
            Err(fmt::Error) => format!("{self}\n"),
        }
    }
}

// === impl Shown ===

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.problem, f)
    }
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|(line, _)| line as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.place.as_ref().map(|(_, label)| Box::new(std::iter::once(label.clone())) as _)
    }
}

// === impl Line ===

impl Line {
    /// The line around byte `at` of a text.
    fn of(source: &str, text: &str, at: usize) -> Self {
        let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
        let offset = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = at + after.find(['\n', '\r']).unwrap_or(after.len());
        let line = text.get(offset..end).unwrap_or_default();
        Self { source: source.into(), text: line.into(), offset, number: before.matches('\n').count() }
    }
}

impl SourceCode for Line {
    /// miette asks without context for the place, and with context for what to show.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let start = span.offset().saturating_sub(self.offset);
        let (before, from) = self.text.split_at_checked(start).ok_or(MietteError::OutOfBounds)?;
        let (text, start, column) = if lines_before > 0 && self.text.len() <= MAX_LINE_BYTES {
            (self.text.as_str(), 0, 0)
        } else {
            let text = from.get(..span.len()).filter(|text| text.len() <= MAX_LINE_BYTES).unwrap_or_default();
            (text, start, before.chars().count())
        };
        let span = SourceSpan::from((self.offset + start, text.len()));
        let name = self.source.clone();
        Ok(Box::new(MietteSpanContents::new_named(name, text.as_bytes(), span, self.number, column, 1)))
    }
}

fn byte_at(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(byte, _)| byte)
}

const MAX_LINE_BYTES: usize = 500;
