//! Cutting a request into requests by what is in it: by trace for a choice of endpoints, by tenant for their quotas.
//!
//! Like [`split`](crate::split()), parts are slices of the body and new length prefixes, and each repeats what its
//! envelopes say of their entries.

use crate::body::{has_resources_alone, tally};
use crate::field::{Field, fields, joined, pieces};
use crate::signal::{BELOW_RESOURCE, HEADER, RESOURCES};
use crate::split::Source;
use crate::split::part::{ENVELOPE_BYTES, Part};
use crate::{Body, Count, Item, SplitLimits};
use bytes::Bytes;
use std::ops::Range;

/// The most parts that [`partition`] makes.
pub const MAX_PARTS: usize = 4096;

/// How many bytes of one body's envelopes [`partition`] and [`split`](crate::split()) repeat, 64 for each besides what it
/// says.
///
/// A body of many envelopes, each with an item for every part, would otherwise become as many times as large.
pub const MAX_REPEATED_BYTES: usize = 64 << 20;

/// Cuts a body into at most `parts` (at least 1, at most [`MAX_PARTS`]),
/// each item going to the part that `choose` says; beyond the last is the last. What comes back has one place for each
/// part, `None` if nothing went there. Items keep their order; a metric whose points go to several parts is an entry of
/// each.
///
/// `choose` is asked once for each data point, span, log record and profile, in the order they stand. Where there is no
/// item to ask about, it is asked about what there is: an entry without points, an envelope without entries. Two things
/// are not cut apart: a metric that has points of several types, and a body that is not mergeable (it has more than
/// resources, like a profiles' dictionary), which goes whole to where the first of it does.
///
/// A body that goes to one part is not copied. What envelopes say is repeated in each part that needs it; if it is long,
/// it is linked, but each part has its length. Where [`MAX_REPEATED_BYTES`] have been repeated, an item goes where the
/// one before it in its resource went.
///
/// ```
/// use otlp_protocol::{Body, Signal, ValidateLimits, partition, view};
///
/// // Three log records of severity 1, 2 and 1.
/// let body = b"\x0a\x0e\x12\x0c\x12\x02\x10\x01\x12\x02\x10\x02\x12\x02\x10\x01".to_vec();
/// let body = Body::check(Signal::LOGS, body, &ValidateLimits::default())?;
/// let parts = partition(&body, 2, |item| {
///     usize::from(view::LogRecord::new(item.entry).severity_number() == 2)
/// });
/// let items: Vec<u64> = parts.iter().flatten().map(|part| part.count().items).collect();
/// assert_eq!(items, [2, 1]);
/// # Ok::<(), otlp_protocol::DecodeError>(())
/// ```
pub fn partition(body: &Body, parts: usize, choose: impl FnMut(&Item<'_>) -> usize) -> Vec<Option<Body>> {
    let whole = body.contiguous();
    let bytes = whole.plain().to_contiguous();
    let can_be_cut = whole.is_mergeable() || has_resources_alone(&bytes);
    let mut shares = Vec::new();
    shares.resize_with(parts.clamp(1, MAX_PARTS), || None);
    let mut partition = Partition {
        whole: &whole,
        source: Source { body: &bytes, items: whole.signal().items },
        choose,
        shares,
        path: Vec::with_capacity(4),
        resource_index: 0,
        opened: 0,
        repeated: 0,
        first: None,
        last: 0,
    };
    for resource in fields(&bytes, 0) {
        if resource.is(RESOURCES) {
            partition.resource(&resource);
            partition.resource_index += 1;
        }
        if !can_be_cut && partition.first.is_some() {
            break;
        }
    }
    let only = match partition.first {
        _ if can_be_cut => partition.only_part(),
        first => Some(first.unwrap_or_default()),
    };
    let Some(only) = only else { return partition.finish() };
    let number = partition.shares.len();
    (0..number).map(|index| (index == only && !whole.is_empty()).then(|| whole.clone())).collect()
}

/// The work: the parts, and the envelopes around the item that is next.
struct Partition<'a, C> {
    /// The body that is being cut, in one segment.
    whole: &'a Body,
    source: Source<'a>,
    choose: C,
    shares: Vec<Option<Share>>,
    path: Vec<Envelope>,
    /// Resources before the one being cut.
    resource_index: usize,
    /// How many envelopes have been opened so far.
    opened: u64,
    /// Bytes of envelopes that are in a further part.
    repeated: usize,
    /// Where the first item went, and the one before.
    first: Option<usize>,
    last: usize,
}

/// A part, and the envelopes that are open in it: those of the last item that went there.
struct Share {
    part: Part,
    open: Vec<u64>,
}

struct Envelope {
    /// Which it is of all that were opened.
    id: u64,
    number: u32,
    header: Bytes,
    is_entry: bool,
    /// Whether it is in a part.
    is_placed: bool,
}

// === impl Partition ===

impl<C: FnMut(&Item<'_>) -> usize> Partition<'_, C> {
    fn resource(&mut self, envelope: &Field) {
        let resource = joined(self.source.body, &pieces(self.source.body, envelope, HEADER));
        let item = Item { resource_index: self.resource_index, resource: &resource, ..Item::default() };
        if !self.open(envelope, BELOW_RESOURCE[0]) {
            return self.place_whole(envelope, &BELOW_RESOURCE, &item);
        }
        for scope in envelope.fields(self.source.body) {
            if scope.is(BELOW_RESOURCE[0]) {
                self.scope(&scope, &item);
            }
        }
        self.path.pop();
    }

    fn scope(&mut self, envelope: &Field, item: &Item<'_>) {
        let scope = joined(self.source.body, &pieces(self.source.body, envelope, HEADER));
        let item = Item { scope: &scope, ..*item };
        if !self.open(envelope, BELOW_RESOURCE[1]) {
            return self.place_whole(envelope, &BELOW_RESOURCE[1..], &item);
        }
        for entry in envelope.fields(self.source.body) {
            if entry.is(BELOW_RESOURCE[1]) {
                let item = Item { entry: entry.bytes(self.source.body), ..item };
                self.entry(&entry, &item);
            }
        }
        self.path.pop();
    }

    /// Places the points of a metric one by one, any other entry whole.
    fn entry(&mut self, entry: &Field, item: &Item<'_>) {
        let source = self.source;
        let Some((arm, number)) = source.only_arm(entry) else {
            return self.place_whole(entry, &[], item);
        };
        let outer = source.header(entry.fields(source.body), |field| field.is(arm));
        let inner = source.header(source.fields_of_arm(entry, arm), |field| field.is(number));
        let (Some(outer), Some(inner)) = (outer, inner) else {
            return self.place_whole(entry, &[], item);
        };
        self.push(entry.number, outer, true);
        self.push(arm, inner, false);
        for point in source.fields_of_arm(entry, arm) {
            if point.is(number) {
                let item = Item { point: Some(point.bytes(source.body)), ..*item };
                self.place(&item, point.whole, Count { items: 1, entries: 0 });
            }
        }
        self.path.truncate(self.path.len().saturating_sub(2));
    }

    /// Opens an envelope; not if it has no children of that number.
    fn open(&mut self, envelope: &Field, number: u32) -> bool {
        let header = self.source.header(envelope.fields(self.source.body), |child| child.is(number));
        let has_children = header.is_some();
        if let Some(header) = header {
            self.push(envelope.number, header, false);
        }
        has_children
    }

    fn push(&mut self, number: u32, header: Bytes, is_entry: bool) {
        self.opened += 1;
        self.path.push(Envelope { id: self.opened, number, header, is_entry, is_placed: false });
    }

    fn place_whole(&mut self, field: &Field, below: &[u32], item: &Item<'_>) {
        let count = tally(self.source.items, field.bytes(self.source.body), below);
        self.place(item, field.whole.clone(), count);
    }

    fn place(&mut self, item: &Item<'_>, raw: Range<usize>, count: Count) {
        let mut part = (self.choose)(item).min(self.shares.len().saturating_sub(1));
        if self.repeated > MAX_REPEATED_BYTES && self.is_open_where_last() {
            part = self.last;
        }
        self.first.get_or_insert(part);
        self.last = part;
        let Some(share) = self.shares.get_mut(part) else { return };
        let share = share.get_or_insert_with(|| Share::new(self.whole));
        self.repeated += share.place(&mut self.path, raw, count);
    }

    /// Whether the resource of the next item is open in the part that the last one went to.
    fn is_open_where_last(&self) -> bool {
        let share = self.shares.get(self.last).and_then(Option::as_ref);
        let open = share.and_then(|share| share.open.first());
        open.is_some() && open == self.path.first().map(|resource| &resource.id)
    }

    /// The one part that has everything, if it is one.
    fn only_part(&self) -> Option<usize> {
        let mut used = self.shares.iter().enumerate().filter(|(_, share)| share.is_some());
        used.next().filter(|_| used.next().is_none()).map(|(index, _)| index)
    }

    fn finish(self) -> Vec<Option<Body>> {
        let part = |share: Option<Share>| share?.part.take().map(|part| part.body);
        self.shares.into_iter().map(part).collect()
    }
}

// === impl Share ===

impl Share {
    fn new(whole: &Body) -> Self {
        Self { part: Part::new(whole.clone(), SplitLimits::default()), open: Vec::with_capacity(4) }
    }

    /// Places a slice of the body inside the envelopes of that path; those that are open already stay so. How many bytes
    /// that repeats of what other parts have.
    fn place(&mut self, path: &mut [Envelope], raw: Range<usize>, count: Count) -> usize {
        let common =
            self.open.iter().zip(&*path).take_while(|(open, envelope)| **open == envelope.id).count();
        for _ in common..self.open.len() {
            self.part.close();
        }
        self.open.truncate(common);
        let mut repeated = 0;
        for envelope in path.iter_mut().skip(common) {
            self.part.open(envelope.number, envelope.header.clone(), envelope.is_entry);
            self.open.push(envelope.id);
            if std::mem::replace(&mut envelope.is_placed, true) {
                repeated += envelope.header.len() + ENVELOPE_BYTES;
            }
        }
        self.part.place(raw, count);
        repeated
    }
}
