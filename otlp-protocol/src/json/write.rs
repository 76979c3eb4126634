//! Protobuf to JSON: one walk over [the schema table](crate::schema) for all messages.
//!
//! Each message is scanned once to sort its fields ([`run`]), then written. The walk keeps its own stack: nesting costs no
//! machine stack.

mod attribute;
mod run;
mod scalar;
mod scan;
mod text;

pub(crate) use text::put_string;

use super::Written;
use crate::DecodeError;
use crate::attribute::KEY_VALUE;
use crate::error::{DecodeErrorKind, Fault};
use crate::schema::{Field, Label, Message};
use crate::wire::Cursor;
use run::{FieldValue, MAX_RUNS, Run, arrange, survey};
use scan::{PathStep, Scan};
use std::ops::Range;

/// Appends the JSON of `body`, an encoded `message`, at most `max_bytes`.
pub(super) fn write(
    message: &'static Message,
    body: &[u8],
    max_bytes: usize,
    out: &mut Vec<u8>,
) -> Result<Written, DecodeError> {
    write_noting(message, body, max_bytes, MAX_RUNS, out)
}

/// Writes as [`write`] does, and records at most `max_runs` runs.
fn write_noting(
    message: &'static Message,
    body: &[u8],
    max_bytes: usize,
    max_runs: usize,
    out: &mut Vec<u8>,
) -> Result<Written, DecodeError> {
    let start = out.len();
    // JSON is two to three times as long.
    out.reserve(body.len().saturating_mul(2).min(max_bytes));
    let mut writer = Writer {
        body,
        out,
        end: start.saturating_add(max_bytes),
        max_bytes,
        max_runs,
        outer: Vec::with_capacity(16),
        found: Vec::new(),
        unknown_fields: 0,
    };
    match writer.walk(message) {
        Ok(()) => Ok(Written { unknown_fields: writer.unknown_fields }),
        Err(fault) => {
            out.truncate(start);
            Err(DecodeError::locate(message, body, fault))
        }
    }
}

struct Writer<'a, 'o> {
    body: &'a [u8],
    out: &'o mut Vec<u8>,
    /// The largest length of the output buffer.
    end: usize,
    max_bytes: usize,
    max_runs: usize,
    /// The messages around the current one.
    outer: Vec<Frame>,
    /// Runs of the open messages, those of the innermost message last.
    found: Vec<Run>,
    unknown_fields: u64,
}

/// A message being written.
struct Frame {
    message: &'static Message,
    /// Index of the message's first run.
    first: usize,
    /// Index of the current run.
    next: usize,
    /// End of the message's runs.
    last: usize,
    /// Position of the next field in the run; before the start of the run for its first field.
    at: usize,
    /// True while the object has no members.
    is_empty: bool,
    /// Index of the repeated field whose array is open.
    array: Option<u8>,
    position: Position,
    /// Scan of a message with too many runs, in place of runs.
    scan: Option<Box<Scan>>,
}

/// Position of a message in the body.
#[derive(Clone)]
struct Position {
    /// Index of the field in the parent message.
    place: u8,
    /// Range of the message, or of its first piece.
    at: Range<usize>,
    /// True if the message is in one piece.
    is_whole: bool,
}

/// The next message to write.
struct Child {
    message: &'static Message,
    position: Position,
    /// Index of the first run; `None` if there are too many runs.
    runs: Option<usize>,
}

// === impl Writer ===

impl Writer<'_, '_> {
    fn walk(&mut self, root: &'static Message) -> Result<(), Fault> {
        let at = FieldValue { start: 0, end: self.body.len(), is_packed: false };
        let runs = self.survey(root, at)?.then_some(0);
        let position = Position { place: 0, at: 0..self.body.len(), is_whole: true };
        let mut frame = self.begin(Child { message: root, position, runs }, None)?;
        loop {
            if let Some(child) = self.fields(&mut frame)? {
                let inner = self.begin(child, Some(&frame))?;
                self.outer.push(std::mem::replace(&mut frame, inner));
                continue;
            }
            self.out.push(b'}');
            self.found.truncate(frame.first);
            match self.outer.pop() {
                Some(outer) => frame = outer,
                None => return self.room(0, 0),
            }
        }
    }

    /// Begins the object of a message. `around` is the parent message.
    #[inline(always)]
    fn begin(&mut self, child: Child, around: Option<&Frame>) -> Result<Frame, Fault> {
        let Child { message, position, runs } = child;
        let scan = match runs {
            Some(first) => {
                arrange(message, &mut self.found, first);
                None
            }
            None => Some(self.scan(message, &position, around)?),
        };
        self.out.push(b'{');
        let last = self.found.len();
        let first = runs.unwrap_or(last);
        Ok(Frame { message, first, next: first, last, at: 0, is_empty: true, array: None, position, scan })
    }

    /// Makes the scan of a message that has too many runs. A message in pieces is scanned through the messages around it, from
    /// the innermost that is whole.
    #[cold]
    fn scan(
        &mut self,
        message: &'static Message,
        position: &Position,
        around: Option<&Frame>,
    ) -> Result<Box<Scan>, Fault> {
        let mut path = Vec::new();
        let mut inner = position;
        let mut outer = around.into_iter().chain(self.outer.iter().rev());
        while !inner.is_whole
            && let Some(frame) = outer.next()
        {
            path.push(PathStep { message: frame.message, place: inner.place, from: inner.at.start });
            inner = &frame.position;
        }
        path.reverse();
        let (scan, unknown) = Scan::new(message, self.body, inner.at.clone(), path)?;
        self.unknown_fields += unknown;
        Ok(Box::new(scan))
    }

    /// Writes fields up to the next message, and records the runs of that message. `None` if there is no further message.
    #[inline(always)]
    fn fields(&mut self, frame: &mut Frame) -> Result<Option<Child>, Fault> {
        let from = frame.last;
        while let Some(place) = self.peek(frame) {
            let Some(field) = frame.message.fields.get(usize::from(place)) else { break };
            self.room(0, frame.at)?;
            if frame.array != Some(place) {
                self.end_array(frame);
            }
            match (field.message(), field.is_repeated()) {
                (None, true) => self.elements(frame, field, place)?,
                (None, false) => self.singular(frame, field, place)?,
                (Some(child), true) => {
                    let Some(value) = self.take(frame, field, place)? else { continue };
                    if frame.array.replace(place).is_some() {
                        self.out.push(b',');
                    } else {
                        self.key(frame, field);
                        self.out.push(b'[');
                    }
                    if std::ptr::eq(child, KEY_VALUE)
                        && attribute::put(self.out, &self.body[value.start..value.end])
                    {
                        continue;
                    }
                    let runs = self.survey(child, value)?.then_some(from);
                    let position = Position { place, at: value.start..value.end, is_whole: true };
                    return Ok(Some(Child { message: child, position, runs }));
                }
                (Some(child), false) => {
                    self.key(frame, field);
                    return self.merged(frame, field, place, child);
                }
            }
        }
        self.end_array(frame);
        Ok(None)
    }

    /// Records the runs of a singular message. The pieces of a message are merged.
    #[inline(always)]
    fn merged(
        &mut self,
        frame: &mut Frame,
        field: &Field,
        place: u8,
        message: &'static Message,
    ) -> Result<Option<Child>, Fault> {
        let (from, unknown) = (frame.last, self.unknown_fields);
        let mut runs = Some(from);
        let mut position: Option<Position> = None;
        while let Some(value) = self.take(frame, field, place)? {
            match &mut position {
                Some(position) => position.is_whole = false,
                None => position = Some(Position { place, at: value.start..value.end, is_whole: true }),
            }
            if runs.is_some() && !self.survey(message, value)? {
                // The recorded pieces are read again by the scan.
                runs = None;
                self.found.truncate(from);
                self.unknown_fields = unknown;
            }
        }
        Ok(position.map(|position| Child { message, position, runs }))
    }

    /// Returns the field index of the next value.
    #[inline(always)]
    fn peek(&self, frame: &Frame) -> Option<u8> {
        match &frame.scan {
            None => self.found.get(frame.next).filter(|_| frame.next < frame.last).map(|run| run.place),
            Some(scan) => scan.peek(),
        }
    }

    /// Takes the next value of the field with index `place`.
    #[inline(always)]
    fn take(&self, frame: &mut Frame, field: &Field, place: u8) -> Result<Option<FieldValue>, Fault> {
        if let Some(scan) = &mut frame.scan {
            return scan.take(self.body, place);
        }
        let run = self.found.get(frame.next).filter(|run| frame.next < frame.last && run.place == place);
        let Some(run) = run else { return Ok(None) };
        let at = frame.at.max(run.start);
        let value = run::value(field, self.body, at).map_err(|kind| Fault { kind, offset: at })?;
        frame.at = value.end;
        if value.end >= run.end {
            (frame.next, frame.at) = (frame.next + 1, 0);
        }
        Ok(Some(value))
    }

    /// Records the runs of a message or of a piece. Returns false if there are too many.
    #[inline(always)]
    fn survey(&mut self, message: &'static Message, at: FieldValue) -> Result<bool, Fault> {
        let from = self.found.len();
        match survey(message, self.body, at.start..at.end, &mut self.found, self.max_runs)? {
            Some(unknown) => {
                self.unknown_fields += unknown;
                Ok(true)
            }
            None => {
                self.found.truncate(from);
                Ok(false)
            }
        }
    }

    #[inline(always)]
    fn end_array(&mut self, frame: &mut Frame) {
        if frame.array.take().is_some() {
            self.out.push(b']');
        }
    }

    #[inline(always)]
    fn key(&mut self, frame: &mut Frame, field: &Field) {
        if !std::mem::take(&mut frame.is_empty) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(field.json_name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// Writes the string or bytes at `at`. A long value is measured before it is written.
    #[inline(always)]
    fn text(&mut self, field: &Field, value: &[u8], at: usize) -> Result<(), Fault> {
        if value.len() > LONG_TEXT_BYTES {
            self.room(scalar::text_len(field, value), at)?;
        }
        scalar::put_text(self.out, field, value).map_err(|fault| fault.behind(at))
    }

    /// Checks that the output, with `more` bytes, is within the limit. `offset` is the position of the value in the body. Short
    /// values are written before the check.
    #[inline(always)]
    fn room(&self, more: usize, offset: usize) -> Result<(), Fault> {
        match self.out.len().saturating_add(more) <= self.end {
            true => Ok(()),
            false => Err(Fault { kind: DecodeErrorKind::TooLarge { limit: self.max_bytes }, offset }),
        }
    }

    /// Writes the last value of a field, unless the value is the default and the field has no presence.
    #[inline(always)]
    fn singular(&mut self, frame: &mut Frame, field: &Field, place: u8) -> Result<(), Fault> {
        let mut last = None;
        while let Some(at) = self.take(frame, field, place)? {
            last = Some(at);
        }
        let Some(at) = last else { return Ok(()) };
        let has_presence = field.label != Label::Single;
        let value = &self.body[at.start..at.end];
        if field.kind.is_text() {
            if has_presence || !value.is_empty() {
                self.key(frame, field);
                self.text(field, value, at.start)?;
            }
            return Ok(());
        }
        let bits = scalar::bits(field.kind, &mut Cursor::new(value));
        let bits = bits.map_err(|error| Fault { kind: error.into(), offset: at.start })?;
        if has_presence || !scalar::is_default(field.kind, bits) {
            self.key(frame, field);
            scalar::put_bits(self.out, field.kind, bits);
        }
        Ok(())
    }

    /// Writes all values of a repeated field, packed or not.
    fn elements(&mut self, frame: &mut Frame, field: &Field, place: u8) -> Result<(), Fault> {
        let mut is_empty = true;
        while let Some(at) = self.take(frame, field, place)? {
            let value = &self.body[at.start..at.end];
            let mut values = Cursor::new(value);
            // A string may be empty. A packed field may have no values.
            let mut has_value = !at.is_packed || !value.is_empty();
            while has_value {
                self.room(0, at.start)?;
                if std::mem::take(&mut is_empty) {
                    self.key(frame, field);
                    self.out.push(b'[');
                } else {
                    self.out.push(b',');
                }
                if field.kind.is_text() {
                    self.text(field, value, at.start)?;
                    break;
                }
                let bits = scalar::bits(field.kind, &mut values);
                let bits = bits.map_err(|error| Fault { kind: error.into(), offset: at.start })?;
                scalar::put_bits(self.out, field.kind, bits);
                has_value = !values.is_at_end();
            }
        }
        if !is_empty {
            self.out.push(b']');
        }
        Ok(())
    }
}

/// Values longer than this are measured before they are written: a text may be six times as long in JSON.
const LONG_TEXT_BYTES: usize = 4 << 10;

#[cfg(test)]
mod tests;
