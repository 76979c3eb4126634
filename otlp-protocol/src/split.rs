//! Cutting a body to fit a number of items or bytes, on the encoding itself.
//!
//! A part is made of slices of the body and new length prefixes. What an envelope says of its entries (resource, scope,
//! schema URL, fields unknown to us: its *header*) is repeated in each part that holds some of them, wherever it stood.
//! What fits is never opened, so the common case is one slice. A cut goes down only as far as it must: request,
//! resource, scope, entry, and inside a metric to its data points.

pub(crate) mod part;
mod source;

use self::part::Part;
pub(crate) use self::source::Source;
use crate::count::{BELOW_RESOURCE, survey, tally};
use crate::field::{Field, fields};
use crate::wire::WireError;
use crate::{Count, Payload, Signal};
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
    let mut cut = Cut {
        source: Source { body: &body, items: signal.items },
        part: Part::new(&body, limits),
        parts: Vec::new(),
    };
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
    source: Source<'a>,
    part: Part<'a>,
    parts: Vec<(Payload, Count)>,
}

// === impl Cut ===

impl Cut<'_> {
    /// Places an envelope whole, or its children one by one; `below` are the field numbers of the levels below it.
    fn envelope(&mut self, field: &Field, below: &[u32]) -> Result<(), WireError> {
        let count = tally(self.source.items, field.bytes(self.source.body), below)?;
        if self.part.fits(field.whole.len(), count.items) {
            self.part.place(field.whole.clone(), count);
            return Ok(());
        }
        let Some((&number, below)) = below.split_first() else {
            return self.entry(field, count);
        };
        let Some(header) = self.source.header(field.fields(self.source.body), |child| child.is(number))?
        else {
            self.place_alone(field.whole.clone(), count);
            return Ok(());
        };
        self.part.open(field.number, header, false);
        for child in field.fields(self.source.body) {
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
        let Some((arm, number)) = self.source.only_arm(entry)? else {
            self.place_alone(entry.whole.clone(), count);
            return Ok(());
        };
        let outer = self.source.header(entry.fields(self.source.body), |field| field.is(arm))?;
        // To a decoder, several occurrences of the arm are one container: its header is that of all of them.
        let inner = self.source.header(self.source.fields_of_arm(entry, arm), |field| field.is(number))?;
        let (Some(outer), Some(inner)) = (outer, inner) else {
            self.place_alone(entry.whole.clone(), count);
            return Ok(());
        };
        self.part.open(entry.number, outer, true);
        self.part.open(arm, inner, false);
        for point in self.source.fields_of_arm(entry, arm) {
            let point = point?;
            if point.is(number) {
                self.place_alone(point.whole, Count { items: 1, entries: 0 });
            }
        }
        self.part.close();
        self.part.close();
        Ok(())
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
