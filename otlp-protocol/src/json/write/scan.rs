//! A message whose fields are in too many pieces to note them all: it is passed over once for each field that it has.
//!
//! A message that is itself in pieces is read through the message around it: its pieces are the fields of one place
//! there. So nothing is noted but a position for each message on the way, and the time is that of a few passes.

use super::run::{UNKNOWN, Value, pass, value};
use crate::error::Fault;
use crate::field::LastArm;
use crate::schema::{Label, Message};
use std::ops::Range;

/// The way from a message to its pieces of one singular field.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) message: &'static Message,
    /// Place of the field.
    pub(super) place: u8,
    /// Where the value of the first piece starts: earlier pieces gave way to another arm of their oneof.
    pub(super) from: usize,
}

/// The values of a message's fields, in the order of their places.
pub(super) struct Scan {
    message: &'static Message,
    /// The part of the body that all pieces are in: a whole message, from which `path` leads to the pieces.
    region: Range<usize>,
    path: Vec<Step>,
    /// What has not been read of the message, or of its current piece, and of those around it: the innermost last.
    rest: Vec<Range<usize>>,
    /// The place whose values are being read, and the next of them; `None` if all has been read.
    place: u8,
    next: Option<Value>,
    /// A bit for each place that is still to come.
    present: u32,
    /// Of each oneof the arm that counts.
    arms: [LastArm; 8],
}

// === impl Scan ===

impl Scan {
    /// A scan before the first value, and how many fields of the message are unknown.
    pub(super) fn new(
        message: &'static Message,
        body: &[u8],
        region: Range<usize>,
        path: Vec<Step>,
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

    /// The place of the next value.
    pub(super) fn peek(&self) -> Option<u8> {
        self.next.map(|_| self.place)
    }

    /// The next value, if it is of that place.
    pub(super) fn take(&mut self, body: &[u8], place: u8) -> Result<Option<Value>, Fault> {
        let Some(value) = self.next.filter(|_| self.place == place) else { return Ok(None) };
        self.next = self.next_value(body)?;
        if self.next.is_none() {
            self.next_place(body)?;
        }
        Ok(Some(value))
    }

    /// Finds out which places there are. Returns how many fields are unknown.
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

    /// Goes on to the first value of the next place that there is.
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

    /// The next value of the place.
    fn next_value(&mut self, body: &[u8]) -> Result<Option<Value>, Fault> {
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

    /// The next field of the message in any of its pieces: its place, where it starts and where it ends.
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
