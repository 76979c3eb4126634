//! Splits a body into parts of a number of items or bytes, without decoding it.
//!
//! A part consists of slices of the body and new length prefixes. The *header* of an envelope (its resource or scope, its
//! schema URL and its unknown fields) is repeated in each part that holds some of its entries. An envelope that fits is not
//! opened, so that it is one slice. A split descends only as far as needed: request, resource, scope, entry, and inside a
//! metric to its data points.

mod reader;
pub(crate) mod writer;

pub(crate) use self::reader::BodyReader;
use self::writer::PartWriter;
use crate::body::{has_resources_alone, tally};
use crate::field::{Field, fields};
use crate::signal::{BELOW_RESOURCE, RESOURCES};
use crate::{Body, Count, Items, MAX_REPEATED_BYTES};
use bytes::Bytes;
use std::fmt;
use std::ops::Range;

/// Limits on a part; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SplitLimits {
    /// The most items: spans, data points, log records, samples.
    pub max_items: Option<u64>,
    /// The most bytes of the encoding.
    pub max_bytes: Option<usize>,
}

/// A part of a body, with its memory costs.
#[derive(Clone, Debug)]
pub struct SplitPart {
    /// The part, a complete request.
    pub body: Body,
    /// Memory that was allocated for the part, in bytes. Charge it if the part is kept.
    pub copied_bytes: usize,
    /// True if the part has slices of the original body, which pin all of its memory: then the part needs a share of the
    /// original body's charge.
    pub is_linked: bool,
}

/// Iterator over the parts of a body. Each part is made when it is asked for: if parts are passed on one by one, one part is
/// in memory at a time.
pub struct Parts {
    /// The original body, if it is returned whole.
    whole: Option<SplitPart>,
    body: Bytes,
    copied_bytes: usize,
    items: Items,
    part: PartWriter,
    /// The open envelopes around the next field.
    open: Vec<Open>,
    /// First field of the next part.
    pending: Option<(Range<usize>, Count)>,
    /// Bytes of repeated headers from which on parts may have more items.
    allowed: usize,
}

/// A message that is being read field by field.
struct Open {
    rest: Range<usize>,
    /// Field number of the children.
    number: u32,
    children: Children,
    /// Number of envelopes that end with this message.
    closes: usize,
}

/// Kind of a message's children.
#[derive(Clone, Copy)]
enum Children {
    /// Envelopes or entries, with the field numbers of the levels below.
    Envelopes(&'static [u32]),
    /// Containers of a metric's points, with the field number of the points.
    Containers(u32),
    Points,
}

/// Splits a body into parts within the limits, in order. Each part is a complete request, and the parts together hold the
/// items of the body. A metric whose points are split is an entry of each part that has some of the points. [`parts`] makes
/// one part at a time, and tells what each part costs.
///
/// A part exceeds a limit only if it cannot be split: one entry (or data point) that is too large by itself, a metric with
/// points of several types, or a body that is not mergeable (because of a profiles' dictionary, for example), which is
/// returned whole.
///
/// Headers are repeated in each part, which must not multiply the data. If headers alone take more than half of `max_bytes`,
/// `max_bytes` is ignored. When half of [`MAX_REPEATED_BYTES`] of headers (each counted with 64 more bytes) have been
/// repeated, parts may have twice as many items; after half of the rest, four times as many, and so on.
///
/// A body within the limits is returned unchanged. A body in several segments is copied into one segment.
///
/// ```
/// use otlp_protocol::encode::LogRecords;
/// use otlp_protocol::{Body, SplitLimits, split};
///
/// let body = Body::write::<LogRecords>(|request| {
///     request.resource_group(|group| {
///         group.scope_group(|scope| {
///             for text in ["first", "second", "third"] {
///                 scope.log_record(|record| {
///                     record.body(text);
///                 });
///             }
///         });
///     });
/// });
/// let parts = split(&body, SplitLimits { max_items: Some(2), max_bytes: None });
/// assert_eq!(parts.iter().map(|part| part.count().items).collect::<Vec<_>>(), [2, 1]);
/// ```
pub fn split(body: &Body, limits: SplitLimits) -> Vec<Body> {
    parts(body, limits).map(|part| part.body).collect()
}

/// Splits a body as [`split`] does, one part at a time.
///
/// ```
/// use otlp_protocol::encode::LogRecords;
/// use otlp_protocol::{Body, SplitLimits, parts};
///
/// let body = Body::write::<LogRecords>(|request| {
///     request.resource_group(|group| {
///         group.scope_group(|scope| {
///             for text in ["first", "second"] {
///                 scope.log_record(|record| {
///                     record.body(text);
///                 });
///             }
///         });
///     });
/// });
/// for part in parts(&body, SplitLimits { max_items: Some(1), max_bytes: None }) {
///     assert_eq!(part.body.count().items, 1);
///     // Short parts are copies: the original body can be freed.
///     assert!(!part.is_linked);
/// }
/// ```
pub fn parts(body: &Body, limits: SplitLimits) -> Parts {
    let contiguous = body.contiguous();
    let bytes = contiguous.plain().to_contiguous();
    let copied_bytes = if body.plain().segments().nth(1).is_some() { bytes.len() } else { 0 };
    let is_whole = limits.admit(bytes.len(), body.count().items)
        || !(body.is_mergeable() || has_resources_alone(&bytes));
    let whole = is_whole.then(|| SplitPart { body: body.clone(), copied_bytes: 0, is_linked: true });
    let rest = if is_whole { 0..0 } else { 0..bytes.len() };
    let children = Children::Envelopes(&BELOW_RESOURCE);
    let open = vec![Open { rest, number: RESOURCES, children, closes: 0 }];
    let part = PartWriter::new(contiguous, limits);
    let (items, allowed) = (body.signal().items, MAX_REPEATED_BYTES / 2);
    Parts { whole, body: bytes, copied_bytes, items, part, open, pending: None, allowed }
}

// === impl SplitLimits ===

impl SplitLimits {
    fn admit(&self, bytes: usize, items: u64) -> bool {
        self.max_bytes.is_none_or(|max| bytes <= max) && self.max_items.is_none_or(|max| items <= max)
    }
}

// === impl Parts ===

impl Parts {
    /// Returns the memory that all parts share besides the original body, in bytes: the copy of a body in several segments.
    pub fn copied_bytes(&self) -> usize {
        self.copied_bytes
    }

    /// Reads one field, and places it, opens it, or keeps it as pending if the part is full. Returns false at the end.
    fn step(&mut self) -> bool {
        let Some(open) = self.open.last_mut() else { return false };
        let message = self.body.get(open.rest.clone()).unwrap_or_default();
        let Some(field) = fields(message, open.rest.start).next() else {
            let closes = open.closes;
            self.open.pop();
            (0..closes).for_each(|_| self.part.close());
            return true;
        };
        open.rest.start = field.whole.end;
        if field.is(open.number) {
            match open.children {
                Children::Envelopes(below) => self.envelope(&field, below),
                Children::Containers(number) => {
                    let children = Children::Points;
                    self.open.push(Open { rest: field.value, number, children, closes: 0 });
                }
                Children::Points => self.place_alone(field.whole, Count { items: 1, entries: 0 }),
            }
        }
        true
    }

    /// Places an envelope whole, or opens it. `below` are the field numbers of the levels below.
    fn envelope(&mut self, field: &Field, below: &'static [u32]) {
        let reader = BodyReader { body: &self.body, items: self.items };
        let count = tally(self.items, field.bytes(&self.body), below);
        if self.part.fits(field.whole.len(), count.items) {
            self.part.place(field.whole.clone(), count);
            return;
        }
        let Some((&number, below)) = below.split_first() else {
            return self.entry(field, count);
        };
        let Some(header) = reader.header(field.fields(&self.body), |child| child.is(number)) else {
            self.place_alone(field.whole.clone(), count);
            return;
        };
        self.part.open(field.number, header, false);
        let children = Children::Envelopes(below);
        self.open.push(Open { rest: field.value.clone(), number, children, closes: 1 });
    }

    /// Opens a metric that does not fit, to place its data points. Places any other entry whole.
    fn entry(&mut self, entry: &Field, count: Count) {
        let reader = BodyReader { body: &self.body, items: self.items };
        let Some((arm, number)) = reader.only_arm(entry) else {
            self.place_alone(entry.whole.clone(), count);
            return;
        };
        let outer = reader.header(entry.fields(&self.body), |field| field.is(arm));
        // A decoder merges several occurrences of the arm: the header has the fields of all of them.
        let inner = reader.header(reader.fields_of_arm(entry, arm), |field| field.is(number));
        let (Some(outer), Some(inner)) = (outer, inner) else {
            self.place_alone(entry.whole.clone(), count);
            return;
        };
        self.part.open(entry.number, outer, true);
        self.part.open(arm, inner, false);
        let children = Children::Containers(number);
        self.open.push(Open { rest: entry.value.clone(), number: arm, children, closes: 2 });
    }

    /// Places a field that cannot be split: in the next part, unless it fits the current part.
    fn place_alone(&mut self, raw: Range<usize>, count: Count) {
        if self.part.fits(raw.len(), count.items) {
            self.part.place(raw, count);
        } else {
            self.pending = Some((raw, count));
        }
    }

    /// Takes the full part, if anything is in it. If many headers have been repeated, the next part may have more items.
    fn take(&mut self) -> Option<SplitPart> {
        if self.part.repeated > self.allowed {
            self.allowed += MAX_REPEATED_BYTES.saturating_sub(self.allowed) / 2;
            let max_items = &mut self.part.limits.max_items;
            *max_items = max_items.map(|items| items.max(1).saturating_mul(2));
        }
        self.part.take()
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("len", &self.body.len()).finish_non_exhaustive()
    }
}

impl Iterator for Parts {
    type Item = SplitPart;

    fn next(&mut self) -> Option<SplitPart> {
        if let Some(whole) = self.whole.take() {
            return Some(whole);
        }
        loop {
            if let Some((raw, count)) = self.pending.take() {
                self.part.place(raw, count);
            }
            if !self.step() {
                return self.part.take();
            }
            if self.pending.is_some()
                && let Some(part) = self.take()
            {
                return Some(part);
            }
        }
    }
}
