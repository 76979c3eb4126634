//! The children of an entry or a data point: found, visited one by one, and written into their message.

use crate::Items;
use crate::encode::{MEDIUM, nested};
use crate::field::{Field, LastArm, fields};
use crate::schema::Message;
use crate::wire::put_len_delimited;
use std::ops::Range;

/// Position of the children in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nest {
    /// Field numbers of the containers, arms of one `oneof`; empty if the children are fields of the message itself.
    containers: &'static [u32],
    /// Field number of the children.
    pub(super) number: u32,
}

/// The children of one message, and what becomes of each child.
#[derive(Debug, Default)]
pub(super) struct Children {
    /// Index of the child that is open.
    pub(super) current: usize,
    list: Vec<Child>,
    /// New encodings of changed children, with tag and length.
    text: Vec<u8>,
    /// The container that counts; number 0 without containers.
    pub(super) arm: LastArm,
    is_changed: bool,
}

/// Place of a child in its message.
#[derive(Clone, Debug)]
struct Child {
    whole: Range<usize>,
    value: Range<usize>,
    fate: Fate,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Dropped,
    /// Replaced by this range of the text.
    Replaced(Range<usize>),
}

// === impl Nest ===

impl Nest {
    /// Returns the position of data points in a metric, or of events in a span.
    pub(super) fn of_entry(items: Items, entry: Option<&'static Message>) -> Option<Self> {
        match items {
            Items::Inside { containers, field } => Some(Self { containers, number: field }),
            Items::Entries => Self::named(entry, "events"),
            Items::Repeated { .. } => None,
        }
    }

    /// Returns the position of exemplars in a data point.
    pub(super) fn of_point(point: Option<&'static Message>) -> Option<Self> {
        Self::named(point, "exemplars")
    }

    fn named(message: Option<&'static Message>, name: &str) -> Option<Self> {
        let field = message?.fields.iter().find(|field| field.name == name && field.is_repeated())?;
        field.message().map(|_| Self { containers: &[], number: field.number })
    }

    /// True if the children are items: their message is dropped with the last child.
    pub(super) fn has_items(self) -> bool {
        !self.containers.is_empty()
    }

    /// Returns the message type of the children in a container.
    pub(super) fn schema(self, message: Option<&'static Message>, arm: u32) -> Option<&'static Message> {
        let parent = if self.containers.is_empty() { message } else { message?.field(arm)?.message() };
        parent?.field(self.number)?.message()
    }

    /// Finds the container that counts.
    fn arm(self, message: &[u8]) -> LastArm {
        let mut last = LastArm::default();
        if !self.containers.is_empty() {
            for field in fields(message, 0) {
                if field.is_len && self.containers.contains(&field.number) {
                    last.see(field.number, field.whole.start);
                }
            }
        }
        last
    }

    /// Copies a message without its children.
    pub(super) fn copy_without(self, message: &[u8], out: &mut Vec<u8>) {
        let arm = self.arm(message);
        for field in fields(message, 0) {
            if field.is(self.number) && self.containers.is_empty() {
                continue;
            }
            if field.is_len && arm.counts(field.number, field.whole.start) {
                let mut content = Vec::new();
                for inner in field.fields(message).filter(|inner| !inner.is(self.number)) {
                    content.extend_from_slice(message.get(inner.whole).unwrap_or_default());
                }
                put_len_delimited(out, field.number, &content);
                continue;
            }
            out.extend_from_slice(message.get(field.whole).unwrap_or_default());
        }
    }
}

// === impl Children ===

impl Children {
    /// Finds the children of a message.
    pub(super) fn find(&mut self, nest: Nest, message: &[u8]) {
        self.list.clear();
        self.text.clear();
        self.is_changed = false;
        self.arm = nest.arm(message);
        let mut add = |field: Field| {
            if field.is(nest.number) {
                self.list.push(Child { whole: field.whole, value: field.value, fate: Fate::Kept });
            }
        };
        if nest.containers.is_empty() {
            return fields(message, 0).for_each(add);
        }
        for container in fields(message, 0) {
            if container.is_len && self.arm.counts(container.number, container.whole.start) {
                container.fields(message).for_each(&mut add);
            }
        }
    }

    /// Returns the place of a child in the message.
    pub(super) fn place(&self, index: usize) -> Option<Range<usize>> {
        self.list.get(index).map(|child| child.value.clone())
    }

    /// Returns the length of the new encodings.
    pub(super) fn text_len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// True if there were children, and all are dropped.
    pub(super) fn are_all_dropped(&self) -> bool {
        self.is_changed && self.list.iter().all(|child| child.fate == Fate::Dropped)
    }

    pub(super) fn drop_child(&mut self, index: usize) {
        self.is_changed = true;
        if let Some(child) = self.list.get_mut(index) {
            child.fate = Fate::Dropped;
        }
    }

    pub(super) fn replace(&mut self, index: usize, number: u32, message: &[u8]) {
        self.is_changed = true;
        let start = self.text.len();
        put_len_delimited(&mut self.text, number, message);
        if let Some(child) = self.list.get_mut(index) {
            child.fate = Fate::Replaced(start..self.text.len());
        }
    }

    /// Writes a message with its children. `message` is the message as it was when the children were found; `copy` is the copy
    /// without children, if the message was changed since.
    pub(super) fn write(&self, nest: Nest, message: &[u8], copy: Option<&[u8]>, out: &mut Vec<u8>) {
        match (copy, nest.containers) {
            (None, []) => self.put_range(message, 0..message.len(), out),
            (Some(copy), []) => {
                out.extend_from_slice(copy);
                self.put_all(message, out);
            }
            (None, _) => {
                for field in fields(message, 0) {
                    if field.is_len && self.arm.counts(field.number, field.whole.start) {
                        nested(out, field.number, MEDIUM, |out| self.put_range(message, field.value, out));
                    } else {
                        out.extend_from_slice(message.get(field.whole).unwrap_or_default());
                    }
                }
            }
            (Some(copy), _) => {
                let arm = nest.arm(copy);
                let is_ours = |field: &Field| {
                    field.is_len
                        && arm.number == self.arm.number
                        && arm.counts(field.number, field.whole.start)
                };
                let last = fields(copy, 0).filter(is_ours).last().map(|field| field.whole.start);
                for field in fields(copy, 0) {
                    if last == Some(field.whole.start) {
                        nested(out, field.number, MEDIUM, |out| {
                            out.extend_from_slice(field.bytes(copy));
                            self.put_all(message, out);
                        });
                    } else {
                        out.extend_from_slice(copy.get(field.whole).unwrap_or_default());
                    }
                }
            }
        }
    }

    /// Writes a range of the message, with what became of the children in the range.
    fn put_range(&self, message: &[u8], range: Range<usize>, out: &mut Vec<u8>) {
        let mut at = range.start;
        let from = self.list.partition_point(|child| child.whole.start < range.start);
        for child in self.list.iter().skip(from).take_while(|child| child.whole.end <= range.end) {
            if child.fate == Fate::Kept {
                continue;
            }
            out.extend_from_slice(message.get(at..child.whole.start).unwrap_or_default());
            out.extend_from_slice(self.bytes(child, message));
            at = child.whole.end;
        }
        out.extend_from_slice(message.get(at..range.end).unwrap_or_default());
    }

    /// Writes the children alone.
    fn put_all(&self, message: &[u8], out: &mut Vec<u8>) {
        self.list.iter().for_each(|child| out.extend_from_slice(self.bytes(child, message)));
    }

    fn bytes<'m>(&'m self, child: &Child, message: &'m [u8]) -> &'m [u8] {
        match &child.fate {
            Fate::Kept => message.get(child.whole.clone()),
            Fate::Dropped => None,
            Fate::Replaced(range) => self.text.get(range.clone()),
        }
        .unwrap_or_default()
    }
}
