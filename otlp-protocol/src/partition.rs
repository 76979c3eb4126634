//! Divides a request into parts by the content of its items: by trace to choose an endpoint, by tenant for quotas.
//!
//! As in [`split`](crate::split()), parts consist of slices of the body and new length prefixes, and repeat the headers of
//! their envelopes.

use crate::body::{has_resources_alone, tally};
use crate::field::{Field, fields, joined, pieces};
use crate::signal::{BELOW_RESOURCE, HEADER, RESOURCES};
use crate::split::BodyReader;
use crate::split::writer::{ENVELOPE_BYTES, PartWriter};
use crate::{Body, Count, Item, SplitLimits};
use bytes::Bytes;
use std::ops::Range;

/// The most parts that [`partition`] makes.
pub const MAX_PARTS: usize = 4096;

/// The most bytes of one body's headers that [`partition`] and [`split`](crate::split()) repeat, each header counted with 64
/// more bytes.
///
/// Without this limit, a body of many envelopes with an item for every part would be multiplied by the number of parts.
pub const MAX_REPEATED_BYTES: usize = 64 << 20;

/// Divides a body into `parts` parts (at least 1, at most [`MAX_PARTS`]). `choose` returns the index of the part for each
/// item; an index that is too large means the last part. The result has one element for each part, `None` for a part without
/// items. Items keep their order. A metric whose points go to several parts is an entry of each.
///
/// `choose` is called once for each data point, span, log record and profile, in order. It is also called for an entry
/// without points and an envelope without entries. Two things are not divided: a metric with points of several types, and a
/// body that is not mergeable (because of a profiles' dictionary, for example), which goes whole to the part of its first
/// item.
///
/// If all items go to one part, the body is not copied. Headers are repeated in each part that needs them: long headers are
/// linked, but count in the length of each part. After [`MAX_REPEATED_BYTES`], an item goes to the part of the item before
/// it in the same resource.
///
/// ```
/// use otlp_protocol::encode::LogRecords;
/// use otlp_protocol::{Body, SeverityNumber, partition, view::LogRecord};
///
/// let body = Body::write::<LogRecords>(|request| {
///     request.resource_group(|group| {
///         group.scope_group(|scope| {
///             for severity in [SeverityNumber::Info, SeverityNumber::Error, SeverityNumber::Info] {
///                 scope.log_record(|record| {
///                     record.severity_number(severity);
///                 });
///             }
///         });
///     });
/// });
/// let is_error = |entry: &[u8]| LogRecord::new(entry).severity_number() >= SeverityNumber::Error;
/// let parts = partition(&body, 2, |item| usize::from(is_error(item.entry)));
/// let items: Vec<u64> = parts.iter().flatten().map(|part| part.count().items).collect();
/// assert_eq!(items, [2, 1]);
/// ```
pub fn partition(body: &Body, parts: usize, choose: impl FnMut(&Item<'_>) -> usize) -> Vec<Option<Body>> {
    let whole = body.contiguous();
    let bytes = whole.plain().to_contiguous();
    let can_be_cut = whole.is_mergeable() || has_resources_alone(&bytes);
    let mut shares = Vec::new();
    shares.resize_with(parts.clamp(1, MAX_PARTS), || None);
    let mut partition = Partition {
        whole: &whole,
        reader: BodyReader { body: &bytes, items: whole.signal().items },
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

/// The parts, and the open envelopes around the next item.
struct Partition<'a, C> {
    /// The body that is divided, in one segment.
    whole: &'a Body,
    reader: BodyReader<'a>,
    choose: C,
    shares: Vec<Option<OpenPart>>,
    path: Vec<Envelope>,
    /// Number of resources before the current one.
    resource_index: usize,
    /// Number of envelopes opened so far.
    opened: u64,
    /// Bytes of headers that were repeated in further parts.
    repeated: usize,
    /// Parts of the first item and of the last item.
    first: Option<usize>,
    last: usize,
}

/// A part, and the ids of the envelopes that are open in it: those around its last item.
struct OpenPart {
    part: PartWriter,
    open: Vec<u64>,
}

struct Envelope {
    /// Number of the envelope among all that were opened.
    id: u64,
    number: u32,
    header: Bytes,
    is_entry: bool,
    /// True once the envelope is in a part.
    is_placed: bool,
}

// === impl Partition ===

impl<C: FnMut(&Item<'_>) -> usize> Partition<'_, C> {
    fn resource(&mut self, envelope: &Field) {
        let resource = joined(self.reader.body, &pieces(self.reader.body, envelope, HEADER));
        let item = Item { resource_index: self.resource_index, resource: &resource, ..Item::default() };
        let Some(group) = self.open(envelope, BELOW_RESOURCE[0]) else {
            let item = Item { resource_group: envelope.bytes(self.reader.body), ..item };
            return self.place_whole(envelope, &BELOW_RESOURCE, &item);
        };
        let item = Item { resource_group: &group, ..item };
        for scope in envelope.fields(self.reader.body) {
            if scope.is(BELOW_RESOURCE[0]) {
                self.scope(&scope, &item);
            }
        }
        self.path.pop();
    }

    fn scope(&mut self, envelope: &Field, item: &Item<'_>) {
        let scope = joined(self.reader.body, &pieces(self.reader.body, envelope, HEADER));
        let item = Item { scope: &scope, ..*item };
        let Some(group) = self.open(envelope, BELOW_RESOURCE[1]) else {
            let item = Item { scope_group: envelope.bytes(self.reader.body), ..item };
            return self.place_whole(envelope, &BELOW_RESOURCE[1..], &item);
        };
        let item = Item { scope_group: &group, ..item };
        for entry in envelope.fields(self.reader.body) {
            if entry.is(BELOW_RESOURCE[1]) {
                let item = Item { entry: entry.bytes(self.reader.body), ..item };
                self.entry(&entry, &item);
            }
        }
        self.path.pop();
    }

    /// Places the points of a metric one by one. Places any other entry whole.
    fn entry(&mut self, entry: &Field, item: &Item<'_>) {
        let reader = self.reader;
        let Some((arm, number)) = reader.only_arm(entry) else {
            return self.place_whole(entry, &[], item);
        };
        let outer = reader.header(entry.fields(reader.body), |field| field.is(arm));
        let inner = reader.header(reader.fields_of_arm(entry, arm), |field| field.is(number));
        let (Some(outer), Some(inner)) = (outer, inner) else {
            return self.place_whole(entry, &[], item);
        };
        self.push(entry.number, outer, true);
        self.push(arm, inner, false);
        for point in reader.fields_of_arm(entry, arm) {
            if point.is(number) {
                let item = Item { point: Some(point.bytes(reader.body)), ..*item };
                self.place(&item, point.whole, Count { items: 1, entries: 0 });
            }
        }
        self.path.truncate(self.path.len().saturating_sub(2));
    }

    /// Opens an envelope. Returns the fields that are not children; `None` if there are no children with the field number.
    fn open(&mut self, envelope: &Field, number: u32) -> Option<Bytes> {
        let header = self.reader.header(envelope.fields(self.reader.body), |child| child.is(number))?;
        self.push(envelope.number, header.clone(), false);
        Some(header)
    }

    fn push(&mut self, number: u32, header: Bytes, is_entry: bool) {
        self.opened += 1;
        self.path.push(Envelope { id: self.opened, number, header, is_entry, is_placed: false });
    }

    fn place_whole(&mut self, field: &Field, below: &[u32], item: &Item<'_>) {
        let count = tally(self.reader.items, field.bytes(self.reader.body), below);
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
        let share = share.get_or_insert_with(|| OpenPart::new(self.whole));
        self.repeated += share.place(&mut self.path, raw, count);
    }

    /// True if the resource of the next item is open in the part of the last item.
    fn is_open_where_last(&self) -> bool {
        let share = self.shares.get(self.last).and_then(Option::as_ref);
        let open = share.and_then(|share| share.open.first());
        open.is_some() && open == self.path.first().map(|resource| &resource.id)
    }

    /// Returns the index of the part that has all items, if one part has them all.
    fn only_part(&self) -> Option<usize> {
        let mut used = self.shares.iter().enumerate().filter(|(_, share)| share.is_some());
        used.next().filter(|_| used.next().is_none()).map(|(index, _)| index)
    }

    fn finish(self) -> Vec<Option<Body>> {
        let part = |share: Option<OpenPart>| share?.part.take().map(|part| part.body);
        self.shares.into_iter().map(part).collect()
    }
}

// === impl OpenPart ===

impl OpenPart {
    fn new(whole: &Body) -> Self {
        Self { part: PartWriter::new(whole.clone(), SplitLimits::default()), open: Vec::with_capacity(4) }
    }

    /// Places a slice of the body inside the envelopes of the path. Returns the number of header bytes that were repeated.
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
