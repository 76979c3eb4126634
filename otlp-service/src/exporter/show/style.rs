//! Columns of a line, and terminal colours.

use super::text::{Hex, TimeOfDay, put, put_text};

/// Style of lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// Writes terminal colours.
    pub(super) has_color: bool,
}

/// Colour of a part of a line, by meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Error,
    Faint,
    Plain,
    Service,
    Warning,
}

// === impl Style ===

impl Style {
    /// Appends the first columns of all lines: time, service, signal, kind.
    pub(super) fn begin(
        self,
        out: &mut String,
        time: TimeOfDay,
        service: &str,
        signal: &str,
        kind: &str,
        look: Look,
    ) {
        self.paint(out, Look::Faint, |out| put(out, format_args!("{time}")));
        out.push(' ');
        self.paint(out, Look::Service, |out| put_column(out, service, SERVICE_COLUMNS));
        put(out, format_args!(" {signal:<7} "));
        self.paint(out, look, |out| put_column(out, kind, KIND_COLUMNS));
        out.push(' ');
    }

    /// Appends the text that `write` appends, in the colour of `look`.
    pub(super) fn paint(self, out: &mut String, look: Look, write: impl FnOnce(&mut String)) {
        let code = match look {
            _ if !self.has_color => "",
            Look::Error => "\x1b[1;31m",
            Look::Faint => "\x1b[2m",
            Look::Plain => "",
            Look::Service => "\x1b[36m",
            Look::Warning => "\x1b[33m",
        };
        out.push_str(code);
        write(out);
        if !code.is_empty() {
            out.push_str("\x1b[0m");
        }
    }

    /// Appends the start of a trace id, if there is one.
    pub(super) fn put_trace(self, out: &mut String, trace_id: Option<&[u8; 16]>) {
        if let Some(start) = trace_id.and_then(|id| id.get(..4)) {
            out.push_str("  ");
            self.paint(out, Look::Faint, |out| put(out, format_args!("trace={}", Hex(start))));
        }
    }
}

/// Appends a text and spaces up to a width in characters; a longer text is cut to the width.
fn put_column(out: &mut String, text: &str, columns: usize) {
    let start = out.len();
    match text.char_indices().nth(columns) {
        Some((end, _)) => {
            let end =
                text.get(..end).and_then(|text| text.char_indices().next_back()).map_or(0, |(at, _)| at);
            put_text(out, text.get(..end).unwrap_or_default(), end);
            out.push('…');
        }
        None => put_text(out, text, text.len()),
    }
    let shown = out.get(start..).unwrap_or_default().chars().count();
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(shown)));
}

const SERVICE_COLUMNS: usize = 14;
const KIND_COLUMNS: usize = 9;
