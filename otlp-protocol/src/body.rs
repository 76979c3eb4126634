//! Valid requests and the number of items in them. Items are counted by skipping over them.

use crate::encode::{Entries, RequestWriter};
use crate::field::{LastArm, fields};
use crate::json::{self, JsonError, JsonLimits};
use crate::signal::{BELOW_RESOURCE, RESOURCES};
use crate::wire::{Cursor, WireError, WireType};
use crate::{Count, DecodeError, Items, Payload, Signal, ValidateLimits, validate};
use bytes::Bytes;
use std::fmt;

/// A valid encoded request of a signal, with the number of items in it.
///
/// Functions that split, merge or edit requests take and return bodies: a body is validated once, when it is made.
///
/// | a body is made of | by |
/// |---|---|
/// | received bytes | [`check`](Self::check), [`repair`](crate::repair()) |
/// | JSON | [`from_json`](Self::from_json), [`json::from_str`] |
/// | fields and values | [`write`](Self::write) |
/// | other bodies | [`edit`](crate::edit()), [`split`](crate::split()), [`partition`](crate::partition()), [`Merge`](crate::Merge) |
/// | bytes that the caller knows to be valid | [`unchecked`](Self::unchecked) |
///
/// Functions that keep bytes take `impl Into<Payload>` ([`Bytes`], `Vec<u8>`, [`Payload`]). Functions that only read take
/// `&[u8]`: [`to_bytes`](Self::to_bytes) gives a body in one slice. `Debug` shows lengths and counts, not the content.
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
#[derive(Clone)]
pub struct Body {
    signal: Signal,
    plain: Payload,
    count: Count,
    mergeable: bool,
}

/// Properties of a request, from one pass over its envelopes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Survey {
    pub(crate) count: Count,
    /// True if the top level holds field 1 alone.
    pub(crate) mergeable: bool,
}

// === impl Body ===

impl Body {
    /// Validates received bytes and keeps them unchanged. Bytes in several segments are copied into one segment to be read.
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

    /// Reads OTLP/JSON, as [`to_protobuf`](json::to_protobuf) does, and refuses ids of the wrong length. The reader writes
    /// valid protobuf, so that no second pass validates it.
    ///
    /// # Errors
    /// The first fault in the text.
    pub fn from_json(signal: Signal, text: &[u8], limits: &JsonLimits) -> Result<Self, JsonError> {
        let mut out = Vec::new();
        json::to_sound(signal.request, text, limits, &mut out)?;
        Ok(Self::made(signal, out))
    }

    /// Writes a request: [`encode`](crate::encode) describes the writers. A request whose values are nested deeper than
    /// [`ValidateLimits::max_depth`] is written as well.
    pub fn write<E: Entries>(write: impl FnOnce(&mut RequestWriter<'_, E>)) -> Self {
        let mut out = Vec::new();
        write(&mut RequestWriter::new(&mut out));
        Self::made(E::SIGNAL, out)
    }

    /// Makes a body without validation. The caller guarantees that `plain` is a valid request of `signal`, that it holds
    /// `count`, and that `mergeable` is true only if the request [is mergeable](Self::is_mergeable). If that is wrong,
    /// functions on the body return wrong results, but do not panic.
    pub fn unchecked(signal: Signal, plain: impl Into<Payload>, count: Count, mergeable: bool) -> Self {
        Self::sound(signal, plain.into(), count, mergeable)
    }

    /// Returns the signal of the request.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Returns the protobuf encoding.
    pub fn plain(&self) -> &Payload {
        &self.plain
    }

    /// Returns the number of items and entries.
    pub fn count(&self) -> Count {
        self.count
    }

    /// Returns the length of the protobuf encoding, in bytes.
    pub fn len(&self) -> usize {
        self.plain.len()
    }

    /// True if the encoding is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True if the concatenation with another mergeable body is the merge of the two: the top level holds resources alone,
    /// and there are no unknown groups.
    pub fn is_mergeable(&self) -> bool {
        self.mergeable
    }

    /// Returns the protobuf encoding in one slice. Copies only if the body has several segments.
    pub fn to_bytes(&self) -> Bytes {
        self.plain.to_contiguous()
    }

    /// Returns the same body in one segment. Copies only if the body has several segments.
    #[must_use]
    pub fn contiguous(&self) -> Self {
        self.with(self.plain.to_contiguous().into(), self.count)
    }

    /// Makes a body of bytes that were just validated or written.
    pub(crate) fn sound(signal: Signal, plain: Payload, count: Count, mergeable: bool) -> Self {
        Self { signal, plain, count, mergeable }
    }

    /// Makes a body of bytes that were derived from this body. It is mergeable if this body is: derived bytes keep the
    /// fields of the top level, and unknown groups may be in any part.
    pub(crate) fn with(&self, plain: Payload, count: Count) -> Self {
        Self { plain, count, ..*self }
    }

    /// Makes a body of the output of a writer or an encoder.
    pub(crate) fn made(signal: Signal, out: Vec<u8>) -> Self {
        let survey = survey_sound(signal, &out);
        Self::sound(signal, Bytes::from(out).into(), survey.count, survey.mergeable)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("signal", &self.signal)
            .field("len", &self.len())
            .field("count", &self.count)
            .field("mergeable", &self.mergeable)
            .finish()
    }
}

/// Counts the items and entries of a request without validating it: a few nanoseconds per entry.
///
/// The result is what a decoder would count, also for unusual encodings: of several arms of a metric's `oneof data` the last
/// arm counts, and an arm that is given twice counts with the points of both.
///
/// # Errors
/// If a message that must be read to count (request, resource, scope; for points and samples the entry) is not protobuf.
/// Deeper messages are not read.
pub fn count(signal: Signal, body: &[u8]) -> Result<Count, WireError> {
    survey(signal, body).map(|survey| survey.count)
}

/// Counts the items and entries of a request, and finds out if it is mergeable.
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

/// Surveys a body that is known to be valid.
pub(crate) fn survey_sound(signal: Signal, body: &[u8]) -> Survey {
    survey(signal, body).unwrap_or(Survey { count: Count::default(), mergeable: false })
}

/// True if the top level holds resources alone: only such a body can be split.
pub(crate) fn has_resources_alone(body: &[u8]) -> bool {
    fields(body, 0).all(|field| field.is(RESOURCES))
}

/// Counts the items and entries of one envelope or entry of a valid body. `below` are the field numbers of the levels below.
/// An invalid message counts as empty.
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
