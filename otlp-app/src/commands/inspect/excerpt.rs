//! The bytes around a fault.

use crate::commands::input::Format;
use std::fmt::Write as _;

/// Writes the text or the bytes around `offset`.
pub(super) fn excerpt(bytes: &[u8], format: Format, offset: usize) -> String {
    match format {
        Format::Json => text(bytes, offset),
        Format::Protobuf => hex(bytes, offset),
    }
}

/// Writes a part of a text, with a mark below the fault.
fn text(bytes: &[u8], offset: usize) -> String {
    let start = offset.saturating_sub(TEXT_BEFORE);
    let end = bytes.len().min(offset.saturating_add(TEXT_BEHIND));
    let part = |range: std::ops::Range<usize>| {
        let text = String::from_utf8_lossy(bytes.get(range).unwrap_or_default()).into_owned();
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>()
    };
    let (before, behind) = (part(start..offset.min(end)), part(offset.min(end)..end));
    format!("    {before}{behind}\n    {}^\n", " ".repeat(before.chars().count()))
}

/// Writes lines of 16 bytes in hex, with the fault in brackets.
fn hex(bytes: &[u8], offset: usize) -> String {
    let row_of = |at: usize| at / ROW * ROW;
    let first = row_of(offset).saturating_sub(ROW);
    let end = bytes.len().min(row_of(offset) + 3 * ROW);
    let mut text = String::new();
    for row in (first..end.max(first + 1)).step_by(ROW) {
        let _ = write!(text, "    {row:08x} ");
        let cells = bytes.get(row..end.min(row + ROW)).unwrap_or_default();
        for (index, byte) in cells.iter().enumerate() {
            let (open, close) = match row + index {
                at if at == offset => ("[", "]"),
                at if at == offset + 1 && index > 0 => ("", ""),
                _ => (" ", ""),
            };
            let _ = write!(text, "{open}{byte:02x}{close}");
        }
        text.push('\n');
    }
    if offset >= bytes.len() {
        text.truncate(text.trim_end().len());
        text.push_str(" [end]\n");
    }
    text
}

const ROW: usize = 16;
const TEXT_BEFORE: usize = 48;
const TEXT_BEHIND: usize = 24;
