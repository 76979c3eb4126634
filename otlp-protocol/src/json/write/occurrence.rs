//! What stands in a message, in the order in which JSON has it.
//!
//! Protobuf lets fields stand in any order, repeated ones in pieces, singular ones more than once. So a message is
//! looked over before it is written: where its fields are is noted, and, if they are not in order already, sorted.

use crate::DecodeErrorKind;
use crate::error::Fault;
use crate::schema::{Label, MAX_NUMBER, Message};
use crate::wire::{Cursor, WireType};
use std::ops::Range;

/// One field as it stands in a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occurrence {
    /// Its place among the message's fields.
    pub(super) place: u8,
    /// Whether it is a run of packed values.
    pub(super) is_packed: bool,
    /// Where its value starts in the body: after the tag, and after the length if it has one.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Adds the fields of the message at `at` in `body` to `found`, and returns how many are unknown.
#[inline(always)]
pub(super) fn survey(
    message: &'static Message,
    body: &[u8],
    at: Range<usize>,
    found: &mut Vec<Occurrence>,
) -> Result<u64, Fault> {
    let mut unknown = 0;
    let mut fields = Cursor::new(&body[..at.end]);
    let mut position = at.start;
    let skipped = fields.skip_bytes(position);
    debug_assert!(skipped.is_ok());
    while !fields.is_at_end() {
        let fault = |kind| Fault { kind, offset: position };
        let (number, wire_type) = fields.tag().map_err(|error| fault(error.into()))?;
        let place = message.places.get(number as usize).copied().unwrap_or(u8::MAX);
        match message.fields.get(usize::from(place)) {
            Some(field) if number <= MAX_NUMBER => {
                let is_packed = wire_type == WireType::Len && field.is_packable();
                if !is_packed && wire_type != field.kind.wire_type() {
                    return Err(fault(DecodeErrorKind::WrongWireType { found: wire_type }));
                }
                let mut start = fields.position();
                if wire_type == WireType::Len {
                    let value = fields.len_delimited().map_err(|error| fault(error.into()))?;
                    start = fields.position() - value.len();
                } else {
                    fields.skip_value(number, wire_type).map_err(|error| fault(error.into()))?;
                }
                found.push(Occurrence { place, is_packed, start, end: fields.position() });
            }
            _ => {
                unknown += 1;
                fields.skip_value(number, wire_type).map_err(|error| fault(error.into()))?;
            }
        }
        position = fields.position();
    }
    Ok(unknown)
}

/// Puts what [`survey`] added from `from` on in order: of a oneof the last arm alone stays, of a singular scalar the last
/// value.
#[inline(always)]
pub(super) fn arrange(message: &'static Message, found: &mut Vec<Occurrence>, from: usize) {
    let mut last = None;
    let mut has_arm = false;
    let in_order = found[from..].iter().all(|occurrence| {
        let before = last.replace(occurrence.place);
        let Some(field) = message.fields.get(usize::from(occurrence.place)) else { return false };
        let is_arm = matches!(field.label, Label::OneOf(_));
        let is_second_arm = is_arm && std::mem::replace(&mut has_arm, true);
        match before {
            Some(before) if before == occurrence.place => field.is_repeated(),
            Some(before) => before < occurrence.place && !is_second_arm,
            None => true,
        }
    });
    if !in_order {
        sort(message, found, from);
    }
}

#[cold]
fn sort(message: &'static Message, found: &mut Vec<Occurrence>, from: usize) {
    let mut kept = found.split_off(from);
    // From the last to the first: what came later wins.
    kept.reverse();
    let mut done = [None; 256];
    let mut seen = [false; 256];
    kept.retain(|occurrence| {
        let place = occurrence.place;
        let Some(field) = message.fields.get(usize::from(place)) else { return false };
        if let Label::OneOf(oneof) = field.label {
            // The arm that stands last, and no piece of it from before another arm.
            match &mut done[usize::from(oneof)] {
                Some((arm, is_over)) if *is_over || *arm != place => {
                    *is_over = true;
                    return false;
                }
                state => *state = Some((place, false)),
            }
        }
        let is_first_seen = !std::mem::replace(&mut seen[usize::from(place)], true);
        is_first_seen || field.is_repeated() || field.message().is_some()
    });
    kept.reverse();
    kept.sort_by_key(|occurrence| occurrence.place);
    found.append(&mut kept);
}
