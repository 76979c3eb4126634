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
use crate::body::{has_resources_alone, tally};
use crate::field::{Field, fields};
use crate::signal::{BELOW_RESOURCE, RESOURCES};
use crate::{Body, Count, Items, MAX_REPEATED_BYTES};
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

/// A part of a body: a body of its own.
#[derive(Clone, Debug)]
pub struct SplitPart {
    /// What it holds.
    pub body: Body,
    /// Memory that the part takes for itself, in bytes: what was copied for it. To be charged when the part is kept.
    pub copied_bytes: usize,
    /// Whether the part has slices of the body that was cut, which keep all of that body from being freed: then the part
    /// needs a share of the body's charge.
    pub is_linked: bool,
}

/// The parts of a body, each cut when it is asked for: of parts that are handed on one by one, one is in memory at a time.
#[derive(Debug)]
pub struct Parts {
    /// The body, if it comes back as it is.
    whole: Option<SplitPart>,
    body: Bytes,
    copied_bytes: usize,
    items: Items,
    part: Part,
    /// The envelopes around the next field, and what has not been read of them.
    open: Vec<Open>,
    /// What begins the next part.
    pending: Option<(Range<usize>, Count)>,
    /// How many bytes of envelopes may have been repeated before parts get larger.
    allowed: usize,
}

/// A message that is being read field by field.
#[derive(Debug)]
struct Open {
    rest: Range<usize>,
    /// The number of the fields that are placed, or opened.
    number: u32,
    children: Children,
    /// How many envelopes end with it.
    closes: usize,
}

/// What the fields of that number are.
#[derive(Clone, Copy, Debug)]
enum Children {
    /// Envelopes or entries; the field numbers of the levels below them.
    Envelopes(&'static [u32]),
    /// The containers of a metric's points, and the points' number in them.
    Containers(u32),
    Points,
}

/// Cuts a body into parts within the limits, in order. Together they hold what the body holds; each is a body of its
/// own. Items add up; a metric whose points are cut apart is an entry of each part that has some. [`parts`] cuts one part
/// at a time, and says what each costs.
///
/// A part is over a limit only if it cannot be cut: one entry (or data point) too large by itself, a metric that has
/// points of several types, or a body that is not mergeable (it has more than resources, like a profiles' dictionary),
/// which comes back whole. Where headers alone take more than half of `max_bytes`, bytes are not a reason to cut:
/// repeating those would multiply the data. Nor may `max_items` multiply it: when half of [`MAX_REPEATED_BYTES`] of
/// envelopes (64 bytes for each besides what it says) have been repeated, parts may have twice as many items; when half of
/// the rest has, four times as many, and so on.
///
/// A body that fits comes back as it is. A body in several segments is copied into one.
pub fn split(body: &Body, limits: SplitLimits) -> Vec<Body> {
    parts(body, limits).map(|part| part.body).collect()
}

/// The parts that [`split`] makes, one at a time.
///
/// ```
/// use otlp_protocol::{Body, Signal, SplitLimits, ValidateLimits, parts};
///
/// // A request of one resource with one scope with two log records.
/// let body = b"\x0a\x06\x12\x04\x12\x00\x12\x00".to_vec();
/// let body = Body::check(Signal::LOGS, body, &ValidateLimits::default())?;
/// let limits = SplitLimits { max_items: Some(1), max_bytes: None };
/// for part in parts(&body, limits) {
///     assert_eq!(part.body.plain().to_contiguous(), &b"\x0a\x04\x12\x02\x12\x00"[..]);
///     assert!(!part.is_linked);
/// }
/// # Ok::<(), otlp_protocol::DecodeError>(())
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
    let part = Part::new(contiguous, limits);
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
    /// Memory that all parts share besides the body that was cut, in bytes: the copy of a body in several segments.
    pub fn copied_bytes(&self) -> usize {
        self.copied_bytes
    }

    /// Reads one field: places it, opens it, or notes it as pending if the part is full. `false` at the end.
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

    /// Places an envelope whole, or opens it; `below` are the field numbers of the levels below it.
    fn envelope(&mut self, field: &Field, below: &'static [u32]) {
        let source = Source { body: &self.body, items: self.items };
        let count = tally(self.items, field.bytes(&self.body), below);
        if self.part.fits(field.whole.len(), count.items) {
            self.part.place(field.whole.clone(), count);
            return;
        }
        let Some((&number, below)) = below.split_first() else {
            return self.entry(field, count);
        };
        let Some(header) = source.header(field.fields(&self.body), |child| child.is(number)) else {
            self.place_alone(field.whole.clone(), count);
            return;
        };
        self.part.open(field.number, header, false);
        let children = Children::Envelopes(below);
        self.open.push(Open { rest: field.value.clone(), number, children, closes: 1 });
    }

    /// Opens a metric that does not fit, to place its data points; places any other entry whole.
    fn entry(&mut self, entry: &Field, count: Count) {
        let source = Source { body: &self.body, items: self.items };
        let Some((arm, number)) = source.only_arm(entry) else {
            self.place_alone(entry.whole.clone(), count);
            return;
        };
        let outer = source.header(entry.fields(&self.body), |field| field.is(arm));
        // To a decoder, several occurrences of the arm are one container: its header is that of all of them.
        let inner = source.header(source.fields_of_arm(entry, arm), |field| field.is(number));
        let (Some(outer), Some(inner)) = (outer, inner) else {
            self.place_alone(entry.whole.clone(), count);
            return;
        };
        self.part.open(entry.number, outer, true);
        self.part.open(arm, inner, false);
        let children = Children::Containers(number);
        self.open.push(Open { rest: entry.value.clone(), number: arm, children, closes: 2 });
    }

    /// Places what cannot be cut: in a new part unless it fits this one.
    fn place_alone(&mut self, raw: Range<usize>, count: Count) {
        if self.part.fits(raw.len(), count.items) {
            self.part.place(raw, count);
        } else {
            self.pending = Some((raw, count));
        }
    }

    /// The part that is full, if there is something in it. Where much has been repeated, the next may have more items.
    fn take(&mut self) -> Option<SplitPart> {
        if self.part.repeated > self.allowed {
            self.allowed += MAX_REPEATED_BYTES.saturating_sub(self.allowed) / 2;
            let max_items = &mut self.part.limits.max_items;
            *max_items = max_items.map(|items| items.max(1).saturating_mul(2));
        }
        self.part.take()
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
