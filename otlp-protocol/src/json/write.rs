//! Protobuf to JSON: one walker over [the table](crate::schema) for all messages.
//!
//! Each message is looked over once to bring its fields in order ([`occurrence`]), then written. The walker keeps its own
//! stack, so nesting costs no machine stack; what it notes of the messages that it is in is no more than a few words for
//! each field.

mod attribute;
mod occurrence;
mod scalar;
mod text;

pub(crate) use text::put_string;

use super::Written;
use crate::DecodeError;
use crate::error::Fault;
use crate::schema::{Field, Label, Message};
use crate::wire::Cursor;
use occurrence::{Occurrence, arrange, survey};

/// Appends the JSON of `body`, which is `message`.
pub(super) fn write(
    message: &'static Message,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Result<Written, DecodeError> {
    let start = out.len();
    // JSON is two to three times as long.
    out.reserve(body.len() * 2);
    let mut writer =
        Writer { body, out, outer: Vec::with_capacity(16), found: Vec::new(), unknown_fields: 0 };
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
    /// The messages around the one being written.
    outer: Vec<Frame>,
    /// What stands in them, and in that one: the innermost message's fields last.
    found: Vec<Occurrence>,
    unknown_fields: u64,
}

/// A message being written.
struct Frame {
    message: &'static Message,
    /// Where its occurrences start.
    first: usize,
    /// The next one to be written.
    next: usize,
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
                None => return Ok(()),
            }
        }
    }

    /// Begins the object of a message whose fields have been added from `first` on.
    #[inline(always)]
    fn begin(&mut self, message: &'static Message, first: usize) -> Frame {
        arrange(message, &mut self.found, first);
        self.out.push(b'{');
        Frame { message, first, next: first, is_empty: true, array: None }
    }

    /// Writes fields up to the next message, whose own fields are added from the returned place on; `None` if there is
    /// none.
    #[inline(always)]
    fn fields(&mut self, frame: &mut Frame) -> Result<Option<(&'static Message, usize)>, Fault> {
        while let Some(&occurrence) = self.found.get(frame.next) {
            let Some(field) = frame.message.fields.get(usize::from(occurrence.place)) else { break };
            let child = field.message();
            if frame.array == Some(occurrence.place) {
                self.out.push(b',');
            } else {
                self.end_array(frame);
                match child {
                    None if field.is_repeated() => self.elements(frame, field, occurrence.place)?,
                    None => self.singular(frame, field, occurrence)?,
                    Some(_) => self.key(frame, field),
                }
                if child.is_none() {
                    continue;
                }
                if field.is_repeated() {
                    self.out.push(b'[');
                    frame.array = Some(occurrence.place);
                }
            }
            let Some(child) = child else { break };
            frame.next += 1;
            if std::ptr::eq(child, attribute::KEY_VALUE)
                && attribute::put(self.out, &self.body[occurrence.start..occurrence.end])
            {
                continue;
            }
            let from = self.found.len();
            self.survey(child, occurrence)?;
            // A singular message in several pieces is their merge.
            while let Some(&more) = self.found.get(frame.next).filter(|_| frame.next < from)
                && more.place == occurrence.place
                && !field.is_repeated()
            {
                self.survey(child, more)?;
                frame.next += 1;
            }
            return Ok(Some((child, from)));
        }
        self.end_array(frame);
        Ok(None)
    }

    #[inline(always)]
    fn survey(&mut self, message: &'static Message, at: Occurrence) -> Result<(), Fault> {
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

    #[inline(always)]
    fn singular(&mut self, frame: &mut Frame, field: &Field, at: Occurrence) -> Result<(), Fault> {
        frame.next += 1;
        let has_presence = field.label != Label::Single;
        let value = &self.body[at.start..at.end];
        if field.kind.is_text() {
            if has_presence || !value.is_empty() {
                self.key(frame, field);
                scalar::put_text(self.out, field, value).map_err(|fault| fault.behind(at.start))?;
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
        while let Some(&at) = self.found.get(frame.next).filter(|occurrence| occurrence.place == place) {
            frame.next += 1;
            let value = &self.body[at.start..at.end];
            let mut values = Cursor::new(value);
            // A string may be empty, a run of packed values as well.
            let mut has_value = !at.is_packed || !value.is_empty();
            while has_value {
                if std::mem::take(&mut is_empty) {
                    self.key(frame, field);
                    self.out.push(b'[');
                } else {
                    self.out.push(b',');
                }
                if field.kind.is_text() {
                    scalar::put_text(self.out, field, value).map_err(|fault| fault.behind(at.start))?;
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
