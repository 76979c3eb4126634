//! The fields of a message in the order of JSON.
//!
//! Protobuf allows fields in any order, repeated fields in pieces, and singular fields more than once. A message is scanned
//! before it is written: the positions of its runs are recorded, and sorted if they are not in order. A message of an encoder
//! has one run for each field. A message with too many runs is read by [`Scan`](super::scan::Scan).

use crate::DecodeErrorKind;
use crate::error::Fault;
use crate::field::LastArm;
use crate::schema::{Field, Label, Message};
use crate::wire::{Cursor, WireType};
use std::ops::Range;

/// Position of one field in a body, or of several adjacent occurrences of one field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Index of the field in the message.
    pub(super) place: u8,
    /// Start of the first tag.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Position of a field's value in a body, after the tag and the length.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldValue {
    pub(super) start: usize,
    pub(super) end: usize,
    /// True for packed values.
    pub(super) is_packed: bool,
}

/// Adds the runs of the message at `at` in `body` to `found`. Returns the number of unknown fields; `None` if there would be
/// more than `max_runs` runs.
#[inline(always)]
pub(super) fn survey(
    message: &'static Message,
    body: &[u8],
    at: Range<usize>,
    found: &mut Vec<Run>,
    max_runs: usize,
) -> Result<Option<u64>, Fault> {
    let mut unknown = 0;
    let mut last = UNKNOWN;
    let window = &body[..at.end];
    let mut position = at.start;
    while position < window.len() {
        let start = position;
        let fault = |kind| Fault { kind, offset: start };
        let (place, end) = pass(message, window, position).map_err(fault)?;
        position = end;
        if place == UNKNOWN {
            unknown += 1;
        } else if place != last {
            if found.len() >= max_runs {
                return Ok(None);
            }
            found.push(Run { place, start, end });
        } else if let Some(run) = found.last_mut() {
            run.end = end;
        }
        last = place;
    }
    Ok(Some(unknown))
}

/// Reads the field at `at`, which [`survey`] has validated.
#[inline(always)]
pub(super) fn value(field: &Field, body: &[u8], at: usize) -> Result<FieldValue, DecodeErrorKind> {
    if let Some((_, start, end)) = short(body, at) {
        return Ok(FieldValue { start, end, is_packed: field.is_packable() });
    }
    let mut fields = Cursor::new(&body[at..]);
    let (number, wire_type) = fields.tag()?;
    let behind_tag = fields.position();
    let start = match wire_type {
        WireType::Len => {
            let len = fields.len_delimited()?.len();
            fields.position() - len
        }
        _ => {
            fields.skip_value(number, wire_type)?;
            behind_tag
        }
    };
    let is_packed = wire_type == WireType::Len && field.is_packable();
    Ok(FieldValue { start: at + start, end: at + fields.position(), is_packed })
}

/// Sorts the runs from `from` on. Of a oneof only the last arm is kept, of a singular scalar only the last run.
#[inline(always)]
pub(super) fn arrange(message: &'static Message, found: &mut Vec<Run>, from: usize) {
    let mut last = None;
    let mut has_arm = false;
    let in_order = found[from..].iter().all(|run| {
        let before = last.replace(run.place);
        let Some(field) = message.fields.get(usize::from(run.place)) else { return false };
        let is_arm = matches!(field.label, Label::OneOf(_));
        let is_second_arm = is_arm && std::mem::replace(&mut has_arm, true);
        match before {
            Some(before) if before == run.place => field.is_repeated(),
            Some(before) => before < run.place && !is_second_arm,
            None => true,
        }
    });
    if !in_order {
        sort(message, found, from);
    }
}

/// Returns the index and the end of the field at `at`.
#[inline(always)]
pub(super) fn pass(
    message: &'static Message,
    window: &[u8],
    at: usize,
) -> Result<(u8, usize), DecodeErrorKind> {
    crate::wire::count_work(1);
    let (number, wire_type, end) = match short(window, at) {
        Some((number, _, end)) => (number, WireType::Len, end),
        None => {
            let mut fields = Cursor::new(&window[at..]);
            let (number, wire_type) = fields.tag()?;
            fields.skip_value(number, wire_type)?;
            (number, wire_type, at + fields.position())
        }
    };
    let place = message.places.get(number as usize).copied().unwrap_or(UNKNOWN);
    if let Some(field) = message.fields.get(usize::from(place)) {
        let is_packed = wire_type == WireType::Len && field.is_packable();
        if !is_packed && wire_type != field.kind.wire_type() {
            return Err(DecodeErrorKind::WrongWireType { found: wire_type });
        }
    }
    Ok((place, end))
}

/// Returns the number of the field at `at`, and the start and end of its value, if tag and length have one byte each.
#[inline(always)]
fn short(window: &[u8], at: usize) -> Option<(u32, usize, usize)> {
    match window[at..] {
        [tag, len, ref rest @ ..]
            if tag & 0x87 == WireType::Len as u8
                && tag > 7
                && len < 0x80
                && usize::from(len) <= rest.len() =>
        {
            Some((u32::from(tag >> 3), at + 2, at + 2 + usize::from(len)))
        }
        _ => None,
    }
}

#[cold]
fn sort(message: &'static Message, found: &mut Vec<Run>, from: usize) {
    let mut kept = found.split_off(from);
    let mut arms = [LastArm::default(); 8];
    let label = |run: &Run| message.fields.get(usize::from(run.place)).map(|field| (field, field.label));
    for run in &kept {
        if let Some((field, Label::OneOf(oneof))) = label(run) {
            arms[usize::from(oneof)].see(field.number, run.start);
        }
    }
    // From the last to the first: the last occurrence counts.
    kept.reverse();
    let mut seen = [false; 256];
    kept.retain(|run| {
        let Some((field, label)) = label(run) else { return false };
        if let Label::OneOf(oneof) = label
            && !arms[usize::from(oneof)].counts(field.number, run.start)
        {
            return false;
        }
        let is_first_seen = !std::mem::replace(&mut seen[usize::from(run.place)], true);
        is_first_seen || field.is_repeated() || field.message().is_some()
    });
    kept.reverse();
    kept.sort_by_key(|run| run.place);
    found.append(&mut kept);
}

/// The index of an unknown field.
pub(super) const UNKNOWN: u8 = crate::schema::NOWHERE;

/// The most runs recorded for all open messages: 24 MiB.
pub(super) const MAX_RUNS: usize = 1 << 20;
