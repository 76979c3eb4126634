//! A request that is known to be sound: the type that says so, and how much it holds. Items are counted by skipping, never
//! looked into.

use crate::encode::{Entries, RequestWriter};
use crate::field::{LastArm, fields};
use crate::json::{self, JsonError, JsonLimits};
use crate::signal::{BELOW_RESOURCE, RESOURCES};
use crate::wire::{Cursor, WireError, WireType};
use crate::{Count, DecodeError, Items, Payload, Signal, ValidateLimits, validate};
use bytes::Bytes;

/// An encoded request of a signal that is sound, as [`validate`] has it, with how much it holds.
///
/// Whatever cuts, joins or edits requests takes a `Body` and gives a `Body`: behind the check nobody asks any more whether
/// bytes are what they should be.
///
/// | a `Body` comes from | |
/// |---|---|
/// | bytes that somebody sent | [`check`](Self::check), [`repair`](crate::repair()) |
/// | JSON | [`from_json`](Self::from_json) |
/// | fields and values | [`write`](Self::write) |
/// | other bodies | [`edit`](crate::edit), [`split`](crate::split()), [`partition`](crate::partition), [`Merge`](crate::Merge) |
/// | the caller's word | [`unchecked`](Self::unchecked) |
///
/// ```
/// use otlp_protocol::encode::LogRecords;
/// use otlp_protocol::{Body, Signal, ValidateLimits};
///
/// let written = Body::write::<LogRecords>(|request| {
///     request.resource_group(|group| {
///         group.scope_group(|scope| {
///             scope.log_record(|record| {
///                 record.body("checked out");
///             });
///         });
///     });
/// });
/// let received = Body::check(Signal::LOGS, written.plain().clone(), &ValidateLimits::default())?;
/// assert_eq!(received.count(), written.count());
/// # Ok::<(), otlp_protocol::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Body {
    signal: Signal,
    plain: Payload,
    count: Count,
    mergeable: bool,
}

/// What one look over the envelope tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Survey {
    pub(crate) count: Count,
    /// The top level holds field 1 alone.
    pub(crate) mergeable: bool,
}

// === impl Body ===

impl Body {
    /// Checks bytes that somebody sent, and keeps them as they are. Bytes in several segments are copied into one to be
    /// read.
    ///
    /// # Errors
    /// The first fault that [`validate`] finds.
    pub fn check(
        signal: Signal,
        bytes: impl Into<Payload>,
        limits: &ValidateLimits,
    ) -> Result<Self, DecodeError> {
        let plain = bytes.into();
        let checked = validate(signal, &plain.to_contiguous(), limits)?;
        Ok(Self::sound(signal, plain, checked.count, checked.mergeable))
    }

    /// Reads OTLP/JSON, as [`to_protobuf`](json::to_protobuf) does; but ids of the wrong length are refused. What comes out
    /// is sound by how it is made: it is not checked once more.
    ///
    /// # Errors
    /// The first fault.
    pub fn from_json(signal: Signal, text: &[u8], limits: &JsonLimits) -> Result<Self, JsonError> {
        let mut out = Vec::new();
        json::to_sound(signal.request, text, limits, &mut out)?;
        Ok(Self::made(signal, out))
    }

    /// Writes a request. It may be nested deeper than [`ValidateLimits`] have it, if `write` nests that deep.
    pub fn write<E: Entries>(write: impl FnOnce(&mut RequestWriter<'_, E>)) -> Self {
        let mut out = Vec::new();
        write(&mut RequestWriter::new(&mut out));
        Self::made(E::SIGNAL, out)
    }

    /// A body by the caller's word: `plain` is a sound request of `signal`, holds `count`, and is `mergeable` only if it is
    /// [so](Self::is_mergeable). Nothing is checked. Of a body that is not sound, what is made of it has an unknown content;
    /// but nothing panics.
    pub fn unchecked(signal: Signal, plain: impl Into<Payload>, count: Count, mergeable: bool) -> Self {
        Self::sound(signal, plain.into(), count, mergeable)
    }

    /// Which signal it is a request of.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// The protobuf encoding.
    pub fn plain(&self) -> &Payload {
        &self.plain
    }

    /// How much it holds.
    pub fn count(&self) -> Count {
        self.count
    }

    /// Length of the protobuf encoding, in bytes.
    pub fn len(&self) -> usize {
        self.plain.len()
    }

    /// Whether the encoding is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether concatenating it with another one is the merge of the two: its top level holds resources alone, and it has
    /// no unknown groups.
    pub fn is_mergeable(&self) -> bool {
        self.mergeable
    }

    /// The same body in one segment. Free if it is so already; copies otherwise.
    #[must_use]
    pub fn contiguous(&self) -> Self {
        self.with(self.plain.to_contiguous().into(), self.count)
    }

    /// A body whose soundness the caller has just seen to.
    pub(crate) fn sound(signal: Signal, plain: Payload, count: Count, mergeable: bool) -> Self {
        Self { signal, plain, count, mergeable }
    }

    /// What was made of this body: as mergeable as it, since what is not is either at the top level, which is kept, or may
    /// be anywhere.
    pub(crate) fn with(&self, plain: Payload, count: Count) -> Self {
        Self { plain, count, ..*self }
    }

    /// What a writer or an encoder has made.
    pub(crate) fn made(signal: Signal, out: Vec<u8>) -> Self {
        let survey = survey_sound(signal, &out);
        Self::sound(signal, Bytes::from(out).into(), survey.count, survey.mergeable)
    }
}

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
