//! Protobuf to JSON: one walker over [the table](crate::schema) for all messages.
//!
//! Each message is looked over once to bring its fields in order ([`run`]), then written. The walker keeps its own
//! stack, so nesting costs no machine stack.

mod attribute;
mod run;
mod scalar;
mod text;

pub(crate) use text::put_string;

use super::Written;
use crate::DecodeError;
use crate::attribute::KEY_VALUE;
use crate::error::{DecodeErrorKind, Fault};
use crate::schema::{Field, Label, Message};
use crate::wire::Cursor;
use run::{Run, Value, arrange, survey};

/// Appends the JSON of `body`, which is `message`; at most `max_bytes`.
pub(super) fn write(
    message: &'static Message,
    body: &[u8],
    max_bytes: usize,
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
    /// The messages around the one being written.
    outer: Vec<Frame>,
    /// What stands in them, and in that one: the innermost message's fields last.
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
    /// Whether nothing stands in its object yet.
    is_empty: bool,
    /// Place of the repeated message whose array is open.
    array: Option<u8>,
}

// === impl Writer ===

impl Writer<'_, '_> {
    fn walk(&mut self, root: &'static Message) -> Result<(), Fault> {
        self.unknown_fields += survey(root, self.body, 0..self.body.len(), &mut self.found)?;
        let mut frame = self.begin(root, 0);
        loop {
            if let Some((child, from)) = self.fields(&mut frame)? {
                let inner = self.begin(child, from);
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

    /// Begins the object of a message whose runs have been added from `first` on.
    #[inline(always)]
    fn begin(&mut self, message: &'static Message, first: usize) -> Frame {
        arrange(message, &mut self.found, first);
        self.out.push(b'{');
        Frame { message, first, next: first, last: self.found.len(), at: 0, is_empty: true, array: None }
    }

    /// Writes fields up to the next message, whose own runs are added from the returned place on; `None` if there is
    /// none.
    #[inline(always)]
    fn fields(&mut self, frame: &mut Frame) -> Result<Option<(&'static Message, usize)>, Fault> {
        let from = frame.last;
        while let Some(&Run { place, .. }) = self.found.get(frame.next).filter(|_| frame.next < frame.last) {
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
                    self.survey(child, value)?;
                    return Ok(Some((child, from)));
                }
                (Some(child), false) => {
                    self.key(frame, field);
                    // In several pieces it is their merge.
                    while let Some(value) = self.take(frame, field, place)? {
                        self.survey(child, value)?;
                    }
                    return Ok(Some((child, from)));
                }
            }
        }
        self.end_array(frame);
        Ok(None)
    }

    /// The next value of the field at `place`, if there is one.
    #[inline(always)]
    fn take(&self, frame: &mut Frame, field: &Field, place: u8) -> Result<Option<Value>, Fault> {
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

    #[inline(always)]
    fn survey(&mut self, message: &'static Message, at: Value) -> Result<(), Fault> {
        self.unknown_fields += survey(message, self.body, at.start..at.end, &mut self.found)?;
        Ok(())
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
