//! How much a body holds, by skipping: items are counted, never looked into.

use crate::field::{LastArm, fields};
use crate::signal::{BELOW_RESOURCE, RESOURCES};
use crate::wire::{Cursor, WireError, WireType};
use crate::{Count, Items, Signal};

/// Counts a body's items and entries without checking it: a few nanoseconds an entry.
///
/// The figures are those of a decoder, also for unusual encodings: of several arms of a metric's `oneof data` the last
/// one counts, and one arm given twice is the sum of both.
///
/// # Errors
/// If a level that must be read to count (request, resource, scope; for points and samples the entry) is not
/// protobuf. What lies deeper is not read.
pub fn count(signal: Signal, body: &[u8]) -> Result<Count, WireError> {
    survey(signal, body).map(|survey| survey.count)
}

/// What one look over the envelope tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Survey {
    pub(crate) count: Count,
    /// The top level holds field 1 alone.
    pub(crate) mergeable: bool,
}

pub(crate) fn survey(signal: Signal, body: &[u8]) -> Result<Survey, WireError> {
    let mut count = Count::default();
    let mut mergeable = true;
    let mut top = Cursor::new(body);
    while !top.is_at_end() {
        match top.tag()? {
            (RESOURCES, WireType::Len) => {
                count += try_tally(signal.items, top.len_delimited()?, &BELOW_RESOURCE)?
            }
            (number, wire_type) => {
                mergeable = false;
                top.skip_value(number, wire_type)?;
            }
        }
    }
    Ok(Survey { count, mergeable })
}

/// The same of a body that was made sound.
pub(crate) fn survey_sound(signal: Signal, body: &[u8]) -> Survey {
    survey(signal, body).unwrap_or(Survey { count: Count::default(), mergeable: false })
}

/// Whether the top level holds resources alone: only then a body can be cut.
pub(crate) fn has_resources_alone(body: &[u8]) -> bool {
    fields(body, 0).all(|field| field.is(RESOURCES))
}

/// What one envelope or entry of a sound body holds; `below` are the field numbers of the levels below it. Of what is not
/// sound, nothing.
pub(crate) fn tally(items: Items, message: &[u8], below: &[u32]) -> Count {
    try_tally(items, message, below).unwrap_or_default()
}

fn try_tally(items: Items, message: &[u8], below: &[u32]) -> Result<Count, WireError> {
    let mut count = Count::default();
    match *below {
        [] => count = Count { items: entry_items(items, message)?, entries: 1 },
        [number] => each(message, number, |entry| {
            count.entries += 1;
            count.items += entry_items(items, entry)?;
            Ok(())
        })?,
        [number, ref below @ ..] => each(message, number, |envelope| {
            count += try_tally(items, envelope, below)?;
            Ok(())
        })?,
    }
    Ok(count)
}

#[inline]
fn entry_items(items: Items, entry: &[u8]) -> Result<u64, WireError> {
    match items {
        Items::Entries => Ok(1),
        Items::Repeated { field } => repeated(entry, field),
        Items::Inside { containers, field } => inside(entry, containers, field),
    }
}

fn repeated(message: &[u8], number: u32) -> Result<u64, WireError> {
    let mut found = 0;
    each(message, number, |_| {
        found += 1;
        Ok(())
    })?;
    Ok(found)
}

fn inside(entry: &[u8], containers: &[u32], number: u32) -> Result<u64, WireError> {
    let mut found = 0;
    let mut last = LastArm::default();
    let mut fields = Cursor::new(entry);
    while !fields.is_at_end() {
        match fields.tag()? {
            (container, WireType::Len) if containers.contains(&container) => {
                if last.see(container, fields.position()) {
                    found = 0;
                }
                found += repeated(fields.len_delimited()?, number)?;
            }
            (other, wire_type) => fields.skip_value(other, wire_type)?,
        }
    }
    Ok(found)
}

/// Calls `visit` with each length-delimited field `number` of a message.
#[inline]
fn each<'a>(
    message: &'a [u8],
    number: u32,
    mut visit: impl FnMut(&'a [u8]) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let mut fields = Cursor::new(message);
    while !fields.is_at_end() {
        match fields.tag()? {
            (found, WireType::Len) if found == number => visit(fields.len_delimited()?)?,
            (other, wire_type) => fields.skip_value(other, wire_type)?,
        }
    }
    Ok(())
}
