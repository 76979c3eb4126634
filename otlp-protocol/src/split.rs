//! Cutting a body to fit a number of items or bytes, on the encoding itself.
//!
//! A part is made of slices of the body and new length prefixes. What an envelope says of its entries (resource, scope,
//! schema URL, fields unknown to us: its *header*) is repeated in each part that holds some of them, wherever it stood.
//! What fits is never opened, so the common case is one slice. A cut goes down only as far as it must: request,
//! resource, scope, entry, and inside a metric to its data points.

mod part;

use self::part::Part;
use crate::count::{BELOW_RESOURCE, survey, tally};
use crate::wire::{Cursor, WireError, WireType};
use crate::{Count, Items, Payload, Signal};
use bytes::Bytes;
use std::ops::Range;

/// How much a part may hold; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SplitLimits {
    /// Items: spans, data points, log records, samples.
    pub max_items: Option<u64>,
    /// Bytes of the encoding.
    pub max_bytes: Option<usize>,
}

/// Cuts a body into parts within the limits, in order. Together they hold what the body holds; each is a body of its
/// own. Items add up; a metric whose points are cut apart is an entry of each part that has some.
///
/// A part is over a limit only if it cannot be cut: one entry (or data point) too large by itself, a metric that has
/// points of several types, or a body that is not mergeable (it has more than resources, like a profiles' dictionary),
/// which comes back whole. Where headers alone take more than half of `max_bytes`, bytes are not a reason to cut:
/// repeating those would multiply the data.
///
/// A body that fits comes back as it is. A body in several segments is copied into one.
///
/// # Errors
/// If a level that must be read is not protobuf: never for a body that [`validate`](crate::validate()) found sound.
pub fn split(
    signal: Signal,
    payload: &Payload,
    limits: SplitLimits,
) -> Result<Vec<(Payload, Count)>, WireError> {
    let body = payload.to_contiguous();
    let survey = survey(signal, &body)?;
    if !survey.mergeable || limits.admit(body.len(), survey.count.items) {
        return Ok(vec![(payload.clone(), survey.count)]);
    }
    let mut cut = Cut { body: &body, items: signal.items, part: Part::new(&body, limits), parts: Vec::new() };
    for resource in fields(&body, 0) {
        cut.envelope(&resource?, &BELOW_RESOURCE)?;
    }
    cut.flush();
    Ok(cut.parts)
}

// === impl SplitLimits ===

impl SplitLimits {
    fn admit(&self, bytes: usize, items: u64) -> bool {
        self.max_bytes.is_none_or(|max| bytes <= max) && self.max_items.is_none_or(|max| items <= max)
    }
}

/// The work: the part being filled and those that are full.
struct Cut<'a> {
    body: &'a Bytes,
    items: Items,
    part: Part<'a>,
    parts: Vec<(Payload, Count)>,
}

// === impl Cut ===

impl<'a> Cut<'a> {
    /// Places an envelope whole, or its children one by one; `below` are the field numbers of the levels below it.
    fn envelope(&mut self, field: &Field, below: &[u32]) -> Result<(), WireError> {
        let count = tally(self.items, self.value(field), below)?;
        if self.part.fits(field.whole.len(), count.items) {
            self.part.place(field.whole.clone(), count);
            return Ok(());
        }
        let Some((&number, below)) = below.split_first() else {
            return self.entry(field, count);
        };
        let Some(header) = self.header(self.fields(field), |child| child.is(number))? else {
            self.place_alone(field.whole.clone(), count);
            return Ok(());
        };
        self.part.open(field.number, header, false);
        for child in self.fields(field) {
            let child = child?;
            if child.is(number) {
                self.envelope(&child, below)?;
            }
        }
        self.part.close();
        Ok(())
    }

    /// Places the data points of a metric that does not fit; any other entry whole.
    fn entry(&mut self, entry: &Field, count: Count) -> Result<(), WireError> {
        let Some((arm, number)) = self.only_arm(entry)? else {
            self.place_alone(entry.whole.clone(), count);
            return Ok(());
        };
        let outer = self.header(self.fields(entry), |field| field.is(arm))?;
        // To a decoder, several occurrences of the arm are one container: its header is that of all of them.
        let inner = self.header(self.fields_of_arm(entry, arm), |field| field.is(number))?;
        let (Some(outer), Some(inner)) = (outer, inner) else {
            self.place_alone(entry.whole.clone(), count);
            return Ok(());
        };
        self.part.open(entry.number, outer, true);
        self.part.open(arm, inner, false);
        for point in self.fields_of_arm(entry, arm) {
            let point = point?;
            if point.is(number) {
                self.place_alone(point.whole, Count { items: 1, entries: 0 });
            }
        }
        self.part.close();
        self.part.close();
        Ok(())
    }

    /// The number of the one container in an entry, and of the items in it; `None` if its items cannot be cut apart.
    fn only_arm(&self, entry: &Field) -> Result<Option<(u32, u32)>, WireError> {
        let Items::Inside { containers, field: number } = self.items else { return Ok(None) };
        let mut only = None;
        for field in self.fields(entry) {
            let field = field?;
            if !field.is_len || !containers.contains(&field.number) {
                continue;
            }
            if only.is_some_and(|only| only != field.number) {
                return Ok(None);
            }
            only = Some(field.number);
        }
        Ok(only.map(|arm| (arm, number)))
    }

    /// All of the fields that are not children, in one piece: a slice of the body if they stand together. `None` if
    /// there are no children.
    fn header(
        &self,
        fields: impl Iterator<Item = Result<Field, WireError>>,
        is_child: impl Fn(&Field) -> bool,
    ) -> Result<Option<Bytes>, WireError> {
        let mut gathered = Vec::new();
        let mut run = 0..0;
        let mut has_children = false;
        for field in fields {
            let field = field?;
            if is_child(&field) {
                has_children = true;
            } else if run.end == field.whole.start {
                run.end = field.whole.end;
            } else {
                gathered.extend_from_slice(self.body.get(run).unwrap_or_default());
                run = field.whole;
            }
        }
        if !has_children {
            return Ok(None);
        }
        if gathered.is_empty() {
            return Ok(Some(self.body.slice(run)));
        }
        gathered.extend_from_slice(self.body.get(run).unwrap_or_default());
        Ok(Some(gathered.into()))
    }

    /// The fields of a message.
    fn fields(&self, message: &Field) -> Fields<'a> {
        fields(self.value(message), message.value.start)
    }

    fn value(&self, field: &Field) -> &'a [u8] {
        self.body.get(field.value.clone()).unwrap_or_default()
    }

    /// The fields of all occurrences of an entry's container.
    fn fields_of_arm(
        &self,
        entry: &Field,
        arm: u32,
    ) -> impl Iterator<Item = Result<Field, WireError>> + use<'a> {
        let body = self.body;
        self.fields(entry).flat_map(move |field| {
            let (error, container) = match field {
                Ok(field) => (None, field.is(arm).then_some(field)),
                Err(error) => (Some(Err(error)), None),
            };
            let value = container.map_or(0..0, |container| container.value);
            error.into_iter().chain(fields(body.get(value.clone()).unwrap_or_default(), value.start))
        })
    }

    /// Places what cannot be cut: in a new part unless it fits this one.
    fn place_alone(&mut self, raw: Range<usize>, count: Count) {
        if !self.part.fits(raw.len(), count.items) {
            self.flush();
        }
        self.part.place(raw, count);
    }

    fn flush(&mut self) {
        self.parts.extend(self.part.take());
    }
}

/// A field: where it stands in the body, and where its value does.
struct Field {
    number: u32,
    /// Whether it is length-delimited.
    is_len: bool,
    whole: Range<usize>,
    value: Range<usize>,
}

// === impl Field ===

impl Field {
    /// Whether it is the message of that number.
    fn is(&self, number: u32) -> bool {
        self.is_len && self.number == number
    }
}

/// The fields of a message that stands at `base` in the body; ends after an error.
struct Fields<'a> {
    cursor: Cursor<'a>,
    base: usize,
    failed: bool,
}

fn fields(message: &[u8], base: usize) -> Fields<'_> {
    Fields { cursor: Cursor::new(message), base, failed: false }
}

// === impl Fields ===

impl Iterator for Fields<'_> {
    type Item = Result<Field, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.cursor.is_at_end() {
            return None;
        }
        let field = self.read();
        self.failed = field.is_err();
        Some(field)
    }
}

impl Fields<'_> {
    #[inline]
    fn read(&mut self) -> Result<Field, WireError> {
        let start = self.base + self.cursor.position();
        let (number, wire_type) = self.cursor.tag()?;
        let is_len = wire_type == WireType::Len;
        let len = if is_len {
            self.cursor.len_delimited()?.len()
        } else {
            self.cursor.skip_value(number, wire_type)?;
            0
        };
        let end = self.base + self.cursor.position();
        Ok(Field { number, is_len, whole: start..end, value: end - len..end })
    }
}
