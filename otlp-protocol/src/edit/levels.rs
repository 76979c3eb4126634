//! Where the attributes of each level stand: as the schema has it.

use crate::attribute::KEY_VALUE;
use crate::schema::{Field, Message};
use crate::signal::HEADER;
use crate::{Items, Signal};

/// The number of the field that holds the attributes, for each message that may have some; 0 for none.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) resource: u32,
    pub(super) scope: u32,
    pub(super) entry: u32,
    /// By the number of the container that the points are in; 0 for the entry itself.
    points: Vec<(u32, u32)>,
}

// === impl Numbers ===

impl Numbers {
    pub(super) fn of(signal: Signal) -> Self {
        let [envelope, below, entry] = signal.levels();
        let points = match signal.items {
            Items::Entries => Vec::new(),
            Items::Inside { containers, field } => {
                let points = |&arm: &u32| (arm, attributes(child(child(entry, arm), field)));
                containers.iter().map(points).collect()
            }
            Items::Repeated { field } => vec![(0, attributes(child(entry, field)))],
        };
        Self {
            resource: attributes(child(envelope, HEADER)),
            scope: attributes(child(below, HEADER)),
            entry: attributes(entry),
            points,
        }
    }

    /// Whether items have attributes of their own.
    pub(super) fn have_items(&self) -> bool {
        self.entry != 0 || self.points.iter().any(|(_, number)| *number != 0)
    }

    /// For the points in that container.
    pub(super) fn point(&self, container: u32) -> u32 {
        self.points.iter().find(|(arm, _)| *arm == container).map_or(0, |(_, number)| *number)
    }
}

fn child(message: Option<&'static Message>, number: u32) -> Option<&'static Message> {
    message?.field(number)?.message()
}

fn attributes(message: Option<&'static Message>) -> u32 {
    let is_list = |field: &&Field| {
        field.name == ATTRIBUTES
            && field.is_repeated()
            && field.message().is_some_and(|message| std::ptr::eq(message, KEY_VALUE))
    };
    message.and_then(|message| message.fields.iter().find(is_list)).map_or(0, |field| field.number)
}

const ATTRIBUTES: &str = "attributes";
