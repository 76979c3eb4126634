//! Messages of a request that can be edited, and field numbers of their attributes, looked up in the schema.

use crate::attribute::KEY_VALUE;
use crate::schema::{Field, Message};
use crate::signal::HEADER;
use crate::{Items, Signal};
use std::rc::Rc;

/// The messages of a signal that can be edited.
#[derive(Debug)]
pub(crate) struct Numbers {
    pub(crate) resource: Editable,
    pub(crate) scope: Editable,
    pub(crate) entry: Editable,
    /// Pairs of a container's field number (0: the entry itself) and the points in it.
    points: Vec<(u32, Editable)>,
    /// The lists of parts of the messages that are items.
    parts: Vec<(&'static Message, Rc<[Parts]>)>,
}

/// A message that can be edited.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Editable {
    pub(crate) message: Option<&'static Message>,
    /// Field number of the attributes; 0 for messages without attributes.
    pub(crate) attributes: u32,
}

/// A list of parts in an item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    pub(super) number: u32,
    pub(super) name: &'static str,
    pub(super) part: Editable,
}

// === impl Numbers ===

impl Numbers {
    pub(crate) fn of(signal: Signal) -> Self {
        let [resource, scope, entry] = signal.levels();
        let points = match signal.items {
            Items::Entries => Vec::new(),
            Items::Inside { containers, field } => {
                let points = |&arm: &u32| (arm, Editable::new(child(child(entry, arm), field)));
                containers.iter().map(points).collect()
            }
            Items::Repeated { field } => vec![(0, Editable::new(child(entry, field)))],
        };
        let points: Vec<(u32, Editable)> = points;
        let items = points.iter().filter_map(|(_, point)| point.message).chain(entry);
        let parts = items.map(|message| (message, Editable::new(Some(message)).lists())).collect();
        Self {
            resource: Editable::new(child(resource, HEADER)),
            scope: Editable::new(child(scope, HEADER)),
            entry: Editable::new(entry),
            points,
            parts,
        }
    }

    /// Returns the lists of parts of an item.
    pub(super) fn parts(&self, item: Editable) -> Rc<[Parts]> {
        let is_it = |known: &Message| item.message.is_some_and(|message| std::ptr::eq(message, known));
        let found = self.parts.iter().find(|(known, _)| is_it(known));
        found.map(|(_, parts)| parts.clone()).unwrap_or_default()
    }

    /// Returns the points in `container`.
    pub(crate) fn point(&self, container: u32) -> Editable {
        self.points
            .iter()
            .find(|(arm, _)| *arm == container)
            .map_or_else(Editable::default, |(_, point)| *point)
    }
}

impl Editable {
    fn new(message: Option<&'static Message>) -> Self {
        Self { message, attributes: attributes(message) }
    }

    /// Returns the lists of parts of the message.
    fn lists(self) -> Rc<[Parts]> {
        let fields = self.message.map_or(&[][..], |message| message.fields);
        let parts = fields.iter().filter(|field| field.is_repeated()).filter_map(|field| {
            let part = Editable::new(field.message());
            (part.attributes > 0).then_some(Parts { number: field.number, name: field.name, part })
        });
        parts.collect()
    }
}

fn child(message: Option<&'static Message>, number: u32) -> Option<&'static Message> {
    message?.field(number)?.message()
}

fn attributes(message: Option<&'static Message>) -> u32 {
    let is_list = |field: &&Field| {
        [ATTRIBUTES, FILTERED_ATTRIBUTES].contains(&field.name)
            && field.is_repeated()
            && field.message().is_some_and(|message| std::ptr::eq(message, KEY_VALUE))
    };
    message.and_then(|message| message.fields.iter().find(is_list)).map_or(0, |field| field.number)
}

const ATTRIBUTES: &str = "attributes";
/// The attributes of exemplars.
const FILTERED_ATTRIBUTES: &str = "filtered_attributes";
