//! JSON texts one after the other: lines, or texts of several lines. Only strings and braces are looked at; the reader of
//! OTLP/JSON checks the rest.

use super::MAX_REQUEST_BYTES;
use super::framing::{Fault, Found, too_large, unreadable};
use std::io::BufRead;

/// Finds the ends of JSON texts.
pub(super) struct JsonTexts<'a> {
    source: &'a mut dyn BufRead,
}

/// Position in a text.
#[derive(Default)]
struct State {
    /// Braces and brackets that are open.
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
}

/// Result of a byte.
#[derive(PartialEq)]
enum Step {
    Inside,
    /// The text ends with this byte.
    End,
    /// A line ends inside a string: the rest of the text is missing.
    CutOff,
}

// === impl JsonTexts ===

impl<'a> JsonTexts<'a> {
    pub(super) fn new(source: &'a mut dyn BufRead) -> Self {
        Self { source }
    }

    /// Reads the next text.
    pub(super) fn next(&mut self, offset: &mut u64) -> Found {
        let Some(first) = self.skip(offset, |byte| byte.is_ascii_whitespace())? else { return Ok(None) };
        let start = *offset;
        if first != b'{' {
            self.skip(offset, |byte| byte != b'\n')?;
            let problem =
                format!("expected a JSON object (at byte {start}); the rest of the line is left out");
            return Err(Fault { problem, can_go_on: true });
        }
        let (mut text, mut state) = (Vec::new(), State::default());
        loop {
            let chunk = self.source.fill_buf().map_err(|error| unreadable(&error))?;
            if chunk.is_empty() {
                let problem = format!("the file ends inside the JSON object that begins at byte {start}");
                return Err(Fault { problem, can_go_on: false });
            }
            let end = chunk.iter().position(|&byte| state.step(byte) != Step::Inside);
            let taken = end.map_or(chunk.len(), |end| end + 1);
            text.extend_from_slice(chunk.get(..taken).unwrap_or_default());
            self.source.consume(taken);
            *offset += taken as u64;
            if text.len() > MAX_REQUEST_BYTES {
                return Err(too_large(start));
            }
            if end.is_some() && state.is_in_string {
                let problem =
                    format!("a line ends inside a string of the JSON object that begins at byte {start}");
                return Err(Fault { problem, can_go_on: true });
            }
            if end.is_some() {
                return Ok(Some((start, text.into())));
            }
        }
    }

    /// Skips bytes, and returns the first other byte, which is not consumed; `None` at the end.
    fn skip(&mut self, offset: &mut u64, is_skipped: fn(u8) -> bool) -> Result<Option<u8>, Fault> {
        loop {
            let chunk = self.source.fill_buf().map_err(|error| unreadable(&error))?;
            let other = chunk.iter().position(|&byte| !is_skipped(byte));
            let (taken, byte) = match other {
                Some(at) => (at, chunk.get(at).copied()),
                None => (chunk.len(), None),
            };
            self.source.consume(taken);
            *offset += taken as u64;
            if byte.is_some() || taken == 0 {
                return Ok(byte);
            }
        }
    }
}

// === impl State ===

impl State {
    fn step(&mut self, byte: u8) -> Step {
        if self.is_in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_in_string = false,
                b'\n' => return Step::CutOff,
                _ => {}
            }
            return Step::Inside;
        }
        match byte {
            b'"' => self.is_in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return Step::End;
                }
            }
            _ => {}
        }
        Step::Inside
    }
}
