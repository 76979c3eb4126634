//! Removal of messages from encoded requests: resources, scopes, entries, and the parts of entries (data points, span events).
//!
//! [`retain()`] asks a [`Keeper`] for each message, from the outside in, and removes the messages that do not stay. Envelopes and
//! metrics without any content are removed as well, also those that came so: a metric of no kind and a span without events stay.
//! Nothing is decoded, and what stays keeps its bytes.

use crate::body::tally;
use crate::field::{Field, LastArm, fields, joined, pieces};
use crate::schema::Message;
use crate::signal::{BELOW_RESOURCE, HEADER, RESOURCES};
use crate::splice::Splices;
use crate::{Body, Count, EditError, Edited, Items, Signal};
use bytes::Bytes;
use std::borrow::Cow;

/// Decides which messages of a request stay. Messages come as the sender encoded them.
///
/// The methods of the levels below [`depth`](Self::depth) are not called.
pub trait Keeper<'a> {
    /// Returns the innermost level that the keeper decides on. Envelopes below are not searched for empty ones.
    fn depth(&self) -> Depth;

    /// Returns true if a resource stays. `group` is the envelope, with all its content.
    fn resource(&mut self, group: &'a [u8], resource: Cow<'a, [u8]>) -> bool;

    /// Returns true if a scope stays. `group` is the envelope, with all its content.
    fn scope(&mut self, group: &'a [u8], scope: Cow<'a, [u8]>) -> bool;

    /// Returns true if an entry stays: a span, log record, metric or profile.
    fn entry(&mut self, entry: &'a [u8]) -> bool;

    /// Returns true if a part of the entry stays: a data point of a metric, or an event of a span.
    fn part(&mut self, part: &'a [u8]) -> bool;

    /// Receives the number of items and entries in the resource, scope or entry that the last answer removed. Default: ignores the
    /// number.
    fn removed(&mut self, count: Count) {
        let _ = count;
    }
}

/// The innermost level of messages that a [`Keeper`] decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Resources.
    Resource,
    /// Resources and scopes.
    Scope,
    /// Resources, scopes and entries.
    Entry,
    /// All, with the parts of entries.
    Part,
}

struct Walk<'a, 'k, K> {
    body: &'a [u8],
    keeper: &'k mut K,
    depth: Depth,
    items: Items,
    /// Field number of the events in an entry, for entries with events.
    events: Option<u32>,
    splices: Splices,
    dropped: Count,
}

/// Removes the messages of a body that do not stay. `bytes` are the bytes of the body in one piece, to which the keeper may
/// hold references. The list of changes may have up to `max_bytes`.
///
/// ```
/// use bytes::Bytes;
/// use otlp_protocol::encode::Spans;
/// use otlp_protocol::retain::{Depth, Keeper, retain};
/// use otlp_protocol::view::Span;
/// use otlp_protocol::Body;
/// use std::borrow::Cow;
///
/// struct NoHealthChecks;
///
/// impl<'a> Keeper<'a> for NoHealthChecks {
///     fn depth(&self) -> Depth {
///         Depth::Entry
///     }
///     fn resource(&mut self, _: &'a [u8], _: Cow<'a, [u8]>) -> bool {
///         true
///     }
///     fn scope(&mut self, _: &'a [u8], _: Cow<'a, [u8]>) -> bool {
///         true
///     }
///     fn entry(&mut self, entry: &'a [u8]) -> bool {
///         Span::new(entry).name() != "GET /health"
///     }
///     fn part(&mut self, _: &'a [u8]) -> bool {
///         true
///     }
/// }
///
/// let body = Body::write::<Spans>(|request| {
///     request.resource_group(|group| {
///         group.scope_group(|scope| {
///             scope.span(|span| {
///                 span.name("GET /health");
///             });
///         });
///     });
/// });
/// let bytes = body.to_bytes();
/// let retained = retain(&body, &bytes, &mut NoHealthChecks, 1 << 20)?;
/// assert_eq!((retained.dropped.items, retained.body.len()), (1, 0));
/// # Ok::<(), otlp_protocol::EditError>(())
/// ```
///
/// # Errors
/// If the list of changes would be too large; then no message is removed.
pub fn retain<'a>(
    body: &Body,
    bytes: &'a Bytes,
    keeper: &mut impl Keeper<'a>,
    max_bytes: usize,
) -> Result<Edited, EditError> {
    let mut walk = Walk::new(body.signal(), bytes, keeper, max_bytes)?;
    for field in fields(bytes, 0).filter(|field| field.is(RESOURCES)) {
        walk.resource(&field)?;
    }
    let (splices, dropped) = (walk.splices, walk.dropped);
    let mut count = body.count();
    count -= dropped;
    let edited = splices.link(bytes)?.map(|plain| body.with(plain, count));
    let changed = edited.is_some();
    Ok(Edited { body: edited.unwrap_or_else(|| body.clone()), dropped, changed })
}

// === impl Walk ===

impl<'a, 'k, K: Keeper<'a>> Walk<'a, 'k, K> {
    fn new(signal: Signal, body: &'a [u8], keeper: &'k mut K, max_bytes: usize) -> Result<Self, EditError> {
        let [.., entry] = signal.levels();
        Ok(Self {
            body,
            depth: keeper.depth(),
            keeper,
            items: signal.items,
            events: entry.and_then(events),
            splices: Splices::new(body.len(), max_bytes)?,
            dropped: Count::default(),
        })
    }

    fn resource(&mut self, group: &Field) -> Result<bool, EditError> {
        let header = joined(self.body, &pieces(self.body, group, HEADER));
        let stays = self.keeper.resource(group.bytes(self.body), header);
        self.envelope(group, stays, &BELOW_RESOURCE, Depth::Resource, Self::scope)
    }

    fn scope(&mut self, group: &Field) -> Result<bool, EditError> {
        let header = joined(self.body, &pieces(self.body, group, HEADER));
        let stays = self.keeper.scope(group.bytes(self.body), header);
        self.envelope(group, stays, &BELOW_RESOURCE[1..], Depth::Scope, Self::entry)
    }

    /// Removes an envelope that does not stay, or in which nothing stays. True if the envelope stays.
    fn envelope(
        &mut self,
        group: &Field,
        stays: bool,
        below: &'static [u32],
        level: Depth,
        child: impl Fn(&mut Self, &Field) -> Result<bool, EditError>,
    ) -> Result<bool, EditError> {
        let number = below.first().copied().unwrap_or_default();
        let mut children = group.fields(self.body).filter(|field| field.is(number));
        if !stays {
            self.remove(tally(self.items, group.bytes(self.body), below));
            self.splices.cut(group.whole.clone());
            return Ok(false);
        }
        if self.depth == level {
            let stays = children.next().is_some();
            if !stays {
                self.splices.cut(group.whole.clone());
            }
            return Ok(stays);
        }
        let mark = self.splices.open(group.prefix(), group.value.len());
        let mut stays = false;
        for field in children {
            stays |= child(self, &field)?;
        }
        match stays {
            true => self.splices.close(mark),
            false => self.splices.drop_message(mark, group.whole.clone()),
        }
        self.splices.check()?;
        Ok(stays)
    }

    fn remove(&mut self, count: Count) {
        self.dropped += count;
        self.keeper.removed(count);
    }

    #[inline]
    fn entry(&mut self, entry: &Field) -> Result<bool, EditError> {
        let bytes = entry.bytes(self.body);
        if !self.keeper.entry(bytes) {
            self.remove(tally(self.items, bytes, &[]));
            self.splices.cut(entry.whole.clone());
            self.splices.check()?;
            return Ok(false);
        }
        if self.depth < Depth::Part {
            return Ok(true);
        }
        let mark = self.splices.open(entry.prefix(), entry.value.len());
        let stays = match (self.items, self.events) {
            (Items::Inside { containers, field }, _) => self.points(entry, containers, field),
            (_, Some(events)) => {
                self.parts(entry, events);
                true
            }
            _ => true,
        };
        if stays {
            self.splices.close(mark);
        } else {
            self.dropped.entries += 1;
            self.splices.drop_message(mark, entry.whole.clone());
        }
        self.splices.check()?;
        Ok(stays)
    }

    /// Removes points from the last arm of a `oneof`: a decoder drops the arms before it. False if there are no points left.
    fn points(&mut self, entry: &Field, containers: &[u32], number: u32) -> bool {
        let mut last = LastArm::default();
        let arms =
            || entry.fields(self.body).filter(|field| field.is_len && containers.contains(&field.number));
        arms().for_each(|field| {
            last.see(field.number, field.whole.start);
        });
        let arms: Vec<Field> = arms().filter(|field| last.counts(field.number, field.whole.start)).collect();
        let mut left = 0;
        for arm in &arms {
            let mark = self.splices.open(arm.prefix(), arm.value.len());
            let (all, dropped) = self.parts(arm, number);
            left += all - dropped;
            self.dropped.items += dropped;
            self.splices.close(mark);
        }
        left > 0 || arms.is_empty()
    }

    /// Removes parts from a message. Returns the number of all and of removed parts.
    fn parts(&mut self, message: &Field, number: u32) -> (u64, u64) {
        let (mut all, mut dropped) = (0, 0);
        for part in message.fields(self.body).filter(|part| part.is(number)) {
            all += 1;
            if !self.keeper.part(part.bytes(self.body)) {
                dropped += 1;
                self.splices.cut(part.whole);
            }
        }
        (all, dropped)
    }
}

/// Returns the field number of the events in a message.
fn events(message: &Message) -> Option<u32> {
    message.fields.iter().find(|field| field.name == EVENTS).map(|field| field.number)
}

const EVENTS: &str = "events";
