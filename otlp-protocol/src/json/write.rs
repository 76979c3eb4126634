//! Protobuf to JSON: one walker over [the table](crate::schema) for all messages.
//!
//! Each message is looked over once to bring its fields in order ([`run`]), then written. The walker keeps its own
//! stack, so nesting costs no machine stack.

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
use run::{MAX_RUNS, Run, Value, arrange, survey};
use scan::{Scan, Step};
use std::ops::Range;

/// Appends the JSON of `body`, which is `message`; at most `max_bytes`.
pub(super) fn write(
    message: &'static Message,
    body: &[u8],
    max_bytes: usize,
    out: &mut Vec<u8>,
) -> Result<Written, DecodeError> {
    write_noting(message, body, max_bytes, MAX_RUNS, out)
}

/// [`write`], of which at most `max_runs` runs are noted.
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
    /// Where the text ends at the latest.
    end: usize,
    max_bytes: usize,
    max_runs: usize,
    /// The messages around the one being written.
    outer: Vec<Frame>,
    /// What is in them, and in that one: the innermost message's fields last.
    found: Vec<Run>,
    unknown_fields: u64,
}

/// A message being written.
struct Frame {
    message: &'static Message,
    /// Where its runs start.
    first: usize,
    /// The run being written.
    next: usize,
    /// Where they end.
    last: usize,
    /// Where the next field in the run stands; before its start if it is the first.
    at: usize,
    /// Whether nothing is in its object yet.
    is_empty: bool,
    /// Place of the repeated message whose array is open.
    array: Option<u8>,
    origin: Origin,
    /// How it is read if it has too many runs: then it has none.
    scan: Option<Box<Scan>>,
}

/// Where a message is in the body.
#[derive(Clone)]
struct Origin {
    /// Its place in the message around it.
    place: u8,
    /// Its value, or that of its first piece.
    at: Range<usize>,
    /// Whether it is in one piece.
    is_whole: bool,
}

/// A message that is to be written next.
struct Child {
    message: &'static Message,
    origin: Origin,
    /// Where its runs start; `None` if there are too many to note them.
    runs: Option<usize>,
}

// === impl Writer ===

impl Writer<'_, '_> {
    fn walk(&mut self, root: &'static Message) -> Result<(), Fault> {
        let at = Value { start: 0, end: self.body.len(), is_packed: false };
        let runs = self.survey(root, at)?.then_some(0);
        let origin = Origin { place: 0, at: 0..self.body.len(), is_whole: true };
        let mut frame = self.begin(Child { message: root, origin, runs }, None)?;
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

    /// Begins the object of a message; `around` is the message that it is in.
    #[inline(always)]
    fn begin(&mut self, child: Child, around: Option<&Frame>) -> Result<Frame, Fault> {
        let Child { message, origin, runs } = child;
        let scan = match runs {
            Some(first) => {
                arrange(message, &mut self.found, first);
                None
            }
            None => Some(self.scan(message, &origin, around)?),
        };
        self.out.push(b'{');
        let last = self.found.len();
        let first = runs.unwrap_or(last);
        Ok(Frame { message, first, next: first, last, at: 0, is_empty: true, array: None, origin, scan })
    }

    /// A scan of a message that has too many runs. One in pieces is found through the messages around it, up to the first
    /// that is whole.
    #[cold]
    fn scan(
        &mut self,
        message: &'static Message,
        origin: &Origin,
        around: Option<&Frame>,
    ) -> Result<Box<Scan>, Fault> {
        let mut path = Vec::new();
        let mut inner = origin;
        let mut outer = around.into_iter().chain(self.outer.iter().rev());
        while !inner.is_whole
            && let Some(frame) = outer.next()
        {
            path.push(Step { message: frame.message, place: inner.place, from: inner.at.start });
            inner = &frame.origin;
        }
        path.reverse();
        let (scan, unknown) = Scan::new(message, self.body, inner.at.clone(), path)?;
        self.unknown_fields += unknown;
        Ok(Box::new(scan))
    }

    /// Writes fields up to the next message, whose own runs are noted; `None` if there is none.
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
                    let origin = Origin { place, at: value.start..value.end, is_whole: true };
                    return Ok(Some(Child { message: child, origin, runs }));
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

    /// Notes the runs of a singular message: in several pieces it is their merge.
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
        let mut origin: Option<Origin> = None;
        while let Some(value) = self.take(frame, field, place)? {
            match &mut origin {
                Some(origin) => origin.is_whole = false,
                None => origin = Some(Origin { place, at: value.start..value.end, is_whole: true }),
            }
            if runs.is_some() && !self.survey(message, value)? {
                // The pieces that were noted are read again.
                runs = None;
                self.found.truncate(from);
                self.unknown_fields = unknown;
            }
        }
        Ok(origin.map(|origin| Child { message, origin, runs }))
    }

    /// The place of the next value.
    #[inline(always)]
    fn peek(&self, frame: &Frame) -> Option<u8> {
        match &frame.scan {
            None => self.found.get(frame.next).filter(|_| frame.next < frame.last).map(|run| run.place),
            Some(scan) => scan.peek(),
        }
    }

    /// The next value of the field at `place`, if there is one.
    #[inline(always)]
    fn take(&self, frame: &mut Frame, field: &Field, place: u8) -> Result<Option<Value>, Fault> {
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

    /// Notes the runs of a message, or of a piece of one; whether there are few enough.
    #[inline(always)]
    fn survey(&mut self, message: &'static Message, at: Value) -> Result<bool, Fault> {
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

    /// Writes a text that stands at `at`. One that is long enough to matter is measured first.
    #[inline(always)]
    fn text(&mut self, field: &Field, value: &[u8], at: usize) -> Result<(), Fault> {
        if value.len() > LONG_TEXT_BYTES {
            self.room(scalar::text_len(field, value), at)?;
        }
        scalar::put_text(self.out, field, value).map_err(|fault| fault.behind(at))
    }

    /// Whether there is room for what was written and this much more; `offset` is where it comes from. What is short is
    /// written before it is asked for.
    #[inline(always)]
    fn room(&self, more: usize, offset: usize) -> Result<(), Fault> {
        match self.out.len().saturating_add(more) <= self.end {
            true => Ok(()),
            false => Err(Fault { kind: DecodeErrorKind::TooLarge { limit: self.max_bytes }, offset }),
        }
    }

    /// Writes the last value of a field, unless it is the default and presence does not matter.
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

    /// Writes all values of a repeated field, one by one and packed.
    fn elements(&mut self, frame: &mut Frame, field: &Field, place: u8) -> Result<(), Fault> {
        let mut is_empty = true;
        while let Some(at) = self.take(frame, field, place)? {
            let value = &self.body[at.start..at.end];
            let mut values = Cursor::new(value);
            // A string may be empty, a run of packed values as well.
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

/// A text may be six times as long in JSON.
const LONG_TEXT_BYTES: usize = 4 << 10;

#[cfg(test)]
mod tests;
