//! Walks a request, opens its messages to the rewriter, and records the changes.

use super::children::Nest;
use super::open::{Base, OpenMessages, SCHEMA_URL};
use super::{Level, Rewriter};
use crate::body::tally;
use crate::field::{Field, fields, pieces};
use crate::schema::Message;
use crate::signal::{BELOW_RESOURCE, HEADER, RESOURCES};
use crate::splice::Splices;
use crate::wire::put_len_delimited;
use crate::{Count, Decision, EditError, Items, Signal};
use bytes::Bytes;

/// Walk of a rewriter through a body.
pub(super) struct Walk<'a, R: ?Sized> {
    body: &'a [u8],
    rewriter: &'a mut R,
    /// Levels that the rewriter wants to see.
    shown: [bool; Level::ALL.len()],
    messages: OpenMessages,
    items: Items,
    /// Message types of resource, scope and entry.
    schemas: [Option<&'static Message>; 3],
    nest: Option<Nest>,
    counted: Counted,
}

/// The changes to a body, and what the changes count.
pub(super) struct Counted {
    pub(super) splices: Splices,
    /// Items and entries that the rewriter dropped.
    pub(super) dropped: Count,
    /// Items and entries of the entries that were replaced or dropped.
    pub(super) removed: Count,
    /// Items and entries of the new entries.
    pub(super) added: Count,
}

/// Result of the visit of a message and its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Kept, with its changes in [`OpenMessages`].
    Kept,
    Dropped,
    /// All of its items were dropped, one by one.
    Emptied,
}

/// Numbers of an envelope's children.
#[derive(Default)]
struct Tally {
    all: u64,
    dropped: u64,
}

// === impl Walk ===

impl<'a, R: Rewriter + ?Sized> Walk<'a, R> {
    pub(super) fn new(
        signal: Signal,
        body: &'a Bytes,
        rewriter: &'a mut R,
        max_bytes: usize,
    ) -> Result<Self, EditError> {
        let [resource, scope, entry] = signal.levels();
        let header = |envelope: Option<&'static Message>| envelope?.field(HEADER)?.message();
        Ok(Self {
            body,
            shown: Level::ALL.map(|level| rewriter.shows(level)),
            rewriter,
            messages: OpenMessages::new(signal, body.clone(), max_bytes),
            items: signal.items,
            schemas: [header(resource), header(scope), entry],
            nest: Nest::of_entry(signal.items, entry),
            counted: Counted {
                splices: Splices::new(body.len(), max_bytes)?,
                dropped: Count::default(),
                removed: Count::default(),
                added: Count::default(),
            },
        })
    }

    /// Walks all resources of the request.
    pub(super) fn request(&mut self) -> Result<(), EditError> {
        for field in fields(self.body, 0) {
            if !self.shows_from(Level::Resource) {
                break;
            }
            if field.is(RESOURCES) {
                self.envelope(Level::Resource, &field)?;
                self.messages.resource_index += 1;
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Counted {
        self.counted
    }

    /// True if a level from `level` down is shown.
    #[inline]
    fn shows_from(&self, level: Level) -> bool {
        self.shown[level as usize..].contains(&true)
    }

    /// Shows the message of a level, if the rewriter wants to see it.
    #[inline]
    fn visit(&mut self, level: Level) -> Result<Decision, EditError> {
        if !self.shown[level as usize] {
            return Ok(Decision::Keep);
        }
        let decision = self.rewriter.visit(level, &mut self.messages);
        match (self.messages.failed, decision) {
            (Some(error), _) => Err(error),
            (None, Decision::SkipLevel) => {
                self.shown[level as usize] = false;
                Ok(Decision::Keep)
            }
            (None, decision) => Ok(decision),
        }
    }

    /// Walks the envelope of a resource or a scope, and its children.
    fn envelope(&mut self, level: Level, envelope: &Field) -> Result<Decision, EditError> {
        let body = self.body;
        let below = BELOW_RESOURCE.get(level as usize..).unwrap_or_default();
        let mark = self.counted.splices.open(envelope.prefix(), envelope.value.len());
        self.messages.close_below(level);
        self.messages.open_header(level, self.schemas[level as usize], envelope);
        let mut decision = self.visit(level)?;
        if decision == Decision::Drop {
            let count = tally(self.items, envelope.bytes(body), below);
            self.counted.dropped += count;
            self.counted.removed += count;
        } else if let Some(&number) = below.first() {
            let mut children = Tally::default();
            let mut fields = envelope.fields(body).filter(|field| field.is(number));
            while self.shows_below(level)
                && let Some(field) = fields.next()
            {
                children.add(match level {
                    Level::Resource => self.envelope(Level::Scope, &field)?,
                    _ => self.entry(&field)?,
                });
            }
            if level == Level::Scope {
                self.added_entries(envelope, number, &mut children)?;
            }
            decision = children.decision();
        }
        if decision == Decision::Drop {
            self.counted.splices.drop_message(mark, envelope.whole.clone());
        } else {
            self.write_header(level, envelope);
            self.counted.splices.close(mark);
        }
        self.counted.splices.check()?;
        Ok(decision)
    }

    #[inline]
    fn shows_below(&self, level: Level) -> bool {
        self.shown[level as usize + 1..].contains(&true)
    }

    /// Writes the resource or scope, and its schema URL, if they were changed.
    fn write_header(&mut self, level: Level, envelope: &Field) {
        let body = self.body;
        let splices = &mut self.counted.splices;
        let at = envelope.value.start;
        let mut put = |number: u32, new: &[u8], old: &[Field]| {
            let cut = old.first().map_or(at..at, |field| field.whole.clone());
            splices.replace(cut, |text| put_len_delimited(text, number, new));
            old.iter().skip(1).for_each(|field| splices.cut(field.whole.clone()));
        };
        if let Some(new) = self.messages.changed_header(level) {
            put(HEADER, new, &pieces(body, envelope, HEADER));
        }
        if let Some(new) = self.messages.changed_schema_url(level) {
            put(SCHEMA_URL, new.as_bytes(), &pieces(body, envelope, SCHEMA_URL));
        }
    }

    /// Walks an entry of the body.
    fn entry(&mut self, entry: &Field) -> Result<Decision, EditError> {
        let before = entry.bytes(self.body);
        let fate = self.message(
            Level::Entry,
            self.schemas[Level::Entry as usize],
            Base::in_body(entry.value.clone()),
        )?;
        match fate {
            Fate::Kept => {
                let Some(now) = self.messages.changed(Level::Entry, before) else {
                    return Ok(Decision::Keep);
                };
                self.counted.removed += tally(self.items, before, &[]);
                self.counted.added += tally(self.items, now, &[]);
                let number = BELOW_RESOURCE[1];
                self.counted
                    .splices
                    .replace(entry.whole.clone(), |text| put_len_delimited(text, number, now));
                self.counted.splices.check()?;
                return Ok(Decision::Keep);
            }
            Fate::Dropped => self.counted.dropped += tally(self.items, before, &[]),
            Fate::Emptied => self.counted.dropped.entries += 1,
        }
        self.counted.removed += tally(self.items, before, &[]);
        self.counted.splices.cut(entry.whole.clone());
        Ok(Decision::Drop)
    }

    /// Walks the entries that were added to the open scope, also those that are added meanwhile, and writes them.
    fn added_entries(
        &mut self,
        envelope: &Field,
        number: u32,
        children: &mut Tally,
    ) -> Result<(), EditError> {
        let mut index = 0;
        let end = envelope.value.end;
        while let Some(base) = self.messages.added(index) {
            index += 1;
            let fate = self.message(Level::Entry, self.schemas[Level::Entry as usize], base)?;
            if fate == Fate::Kept {
                let entry = self.messages.bytes(Level::Entry);
                self.counted.added += tally(self.items, entry, &[]);
                self.counted.splices.replace(end..end, |text| put_len_delimited(text, number, entry));
                self.counted.splices.check()?;
                children.all += 1;
            }
        }
        Ok(())
    }

    /// Shows a message and its children.
    fn message(
        &mut self,
        level: Level,
        schema: Option<&'static Message>,
        base: Base,
    ) -> Result<Fate, EditError> {
        self.messages.open(level, schema, base);
        if self.visit(level)? == Decision::Drop {
            return Ok(Fate::Dropped);
        }
        let (nest, below) = match level {
            Level::Entry => (self.nest, Level::Child),
            Level::Child => (Nest::of_point(schema), Level::Exemplar),
            _ => return Ok(Fate::Kept),
        };
        match nest.filter(|_| self.shows_from(below)) {
            Some(nest) => self.children(level, nest, below),
            None => Ok(Fate::Kept),
        }
    }

    fn children(&mut self, level: Level, nest: Nest, below: Level) -> Result<Fate, EditError> {
        let base = self.messages.open_children(level, nest);
        let arm = self.messages.children(level).arm.number;
        let schema = nest.schema(self.messages.schema(level), arm);
        let mut index = 0;
        while self.shows_from(below)
            && let Some(range) = self.messages.children(level).place(index)
        {
            self.messages.children(level).current = index;
            let child = base.child(range);
            if self.message(below, schema, child.clone())? == Fate::Dropped {
                self.counted.dropped.items += u64::from(nest.has_items());
                self.messages.children(level).drop_child(index);
            } else {
                self.messages.replace_child(level, index, nest, &child)?;
            }
            index += 1;
        }
        self.messages.close_below(level);
        if nest.has_items() && self.messages.children(level).are_all_dropped() {
            return Ok(Fate::Emptied);
        }
        self.messages.close_children(level, nest);
        Ok(Fate::Kept)
    }
}

// === impl Tally ===

impl Tally {
    fn add(&mut self, decision: Decision) {
        self.all += 1;
        self.dropped += u64::from(decision == Decision::Drop);
    }

    /// Decision on the envelope: it is dropped if all of its children were.
    fn decision(&self) -> Decision {
        if self.dropped > 0 && self.dropped == self.all { Decision::Drop } else { Decision::Keep }
    }
}
