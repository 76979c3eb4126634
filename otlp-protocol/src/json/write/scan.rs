//! Reader of messages with too many runs to record them: the message is read once for each of its fields.
//!
//! A message in pieces is read through its parent message, of which the pieces are fields. The reader keeps one position for
//! each message of the path, and takes the time of a few passes.

use super::run::{FieldValue, UNKNOWN, pass, value};
use crate::error::Fault;
use crate::field::LastArm;
use crate::schema::{Label, Message};
use std::ops::Range;

/// Step of the path from a message to the pieces of one singular field.
#[derive(Clone, Copy)]
pub(super) struct PathStep {
    pub(super) message: &'static Message,
    /// Index of the field.
    pub(super) place: u8,
    /// Start of the first piece that counts: another arm of the oneof replaced earlier pieces.
    pub(super) from: usize,
}

/// Iterator over the values of a message's fields, in the order of the fields' indices.
pub(super) struct Scan {
    message: &'static Message,
    /// Range of a whole message in the body, from which `path` leads to the pieces.
    region: Range<usize>,
    path: Vec<PathStep>,
    /// Unread ranges of the current piece and of the messages around it, the innermost last.
    rest: Vec<Range<usize>>,
    /// Index of the current field, and its next value; `None` after the last value.
    place: u8,
    next: Option<FieldValue>,
    /// A bit for each field that is still to be read.
    present: u32,
    /// The arm that counts, for each oneof.
    arms: [LastArm; 8],
}

// === impl Scan ===

impl Scan {
    /// Makes a scan before the first value. Also returns the number of unknown fields.
    pub(super) fn new(
        message: &'static Message,
        body: &[u8],
        region: Range<usize>,
        path: Vec<PathStep>,
    ) -> Result<(Self, u64), Fault> {
        let rest = Vec::with_capacity(path.len() + 1);
        let mut scan = Self {
            message,
            region,
            path,
            rest,
            place: 0,
            next: None,
            present: 0,
            arms: [LastArm::default(); 8],
        };
        let unknown = scan.look_over(body)?;
        scan.next_place(body)?;
        Ok((scan, unknown))
    }

    /// Returns the field index of the next value.
    pub(super) fn peek(&self) -> Option<u8> {
        self.next.map(|_| self.place)
    }

    /// Takes the next value, if it belongs to the field with index `place`.
    pub(super) fn take(&mut self, body: &[u8], place: u8) -> Result<Option<FieldValue>, Fault> {
        let Some(value) = self.next.filter(|_| self.place == place) else { return Ok(None) };
        self.next = self.next_value(body)?;
        if self.next.is_none() {
            self.next_place(body)?;
        }
        Ok(Some(value))
    }

    /// Finds the fields of the message. Returns the number of unknown fields.
    fn look_over(&mut self, body: &[u8]) -> Result<u64, Fault> {
        let mut unknown = 0;
        self.restart();
        while let Some((place, start, _)) = self.next_field(body)? {
            let Some(field) = self.message.fields.get(usize::from(place)) else {
                unknown += 1;
                continue;
            };
            self.present |= 1 << place;
            if let Label::OneOf(oneof) = field.label
                && let Some(arm) = self.arms.get_mut(usize::from(oneof))
            {
                arm.see(field.number, start);
            }
        }
        for (place, field) in (0..).zip(self.message.fields) {
            if let Label::OneOf(oneof) = field.label
                && self.arm(oneof).number != field.number
            {
                self.present &= !(1 << place);
            }
        }
        Ok(unknown)
    }

    fn arm(&self, oneof: u8) -> LastArm {
        self.arms.get(usize::from(oneof)).copied().unwrap_or_default()
    }

    /// Goes on to the first value of the next field.
    fn next_place(&mut self, body: &[u8]) -> Result<(), Fault> {
        if self.present == 0 {
            return Ok(());
        }
        self.place = self.present.trailing_zeros() as u8;
        self.present &= self.present - 1;
        self.restart();
        self.next = self.next_value(body)?;
        Ok(())
    }

    fn restart(&mut self) {
        self.rest.clear();
        self.rest.push(self.region.clone());
    }

    /// Reads the next value of the current field.
    fn next_value(&mut self, body: &[u8]) -> Result<Option<FieldValue>, Fault> {
        let Some(field) = self.message.fields.get(usize::from(self.place)) else { return Ok(None) };
        let from = match field.label {
            Label::OneOf(oneof) => self.arm(oneof).from,
            _ => 0,
        };
        while let Some((place, start, _)) = self.next_field(body)? {
            if place == self.place && start >= from {
                return value(field, body, start).map(Some).map_err(|kind| Fault { kind, offset: start });
            }
        }
        Ok(None)
    }

    /// Reads the next field in any piece of the message. Returns its index, start and end.
    fn next_field(&mut self, body: &[u8]) -> Result<Option<(u8, usize, usize)>, Fault> {
        loop {
            let depth = self.rest.len();
            let Some(rest) = self.rest.last_mut() else { return Ok(None) };
            if rest.start >= rest.end {
                self.rest.pop();
                continue;
            }
            let start = rest.start;
            let fault = |kind| Fault { kind, offset: start };
            let step = self.path.get(depth - 1).copied();
            let message = step.map_or(self.message, |step| step.message);
            let window = body.get(..rest.end).unwrap_or_default();
            let (place, end) = pass(message, window, start).map_err(fault)?;
            rest.start = end;
            let Some(step) = step else { return Ok(Some((place, start, end))) };
            if place != step.place || place == UNKNOWN {
                continue;
            }
            let Some(field) = message.fields.get(usize::from(place)) else { continue };
            let piece = value(field, body, start).map_err(fault)?;
            if piece.start >= step.from {
                self.rest.push(piece.start..piece.end);
            }
        }
    }
}
