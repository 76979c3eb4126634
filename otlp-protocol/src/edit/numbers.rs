//! Field numbers of attributes, looked up in the schema.

use crate::attribute::KEY_VALUE;
use crate::schema::{Field, Message};
use crate::signal::HEADER;
use crate::{Items, Signal};

/// Field number of the attributes in each message of a signal; 0 for messages without attributes.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) resource: u32,
    pub(super) scope: u32,
    pub(super) entry: u32,
    /// Pairs of a container's field number (0: the entry itself) and the number of the attributes of the points in it.
    points: Vec<(u32, u32)>,
}

// === impl Numbers ===

impl Numbers {
    pub(super) fn of(signal: Signal) -> Self {
        let [resource, scope, entry] = signal.levels();
        let points = match signal.items {
            Items::Entries => Vec::new(),
            Items::Inside { containers, field } => {
                let points = |&arm: &u32| (arm, attributes(child(child(entry, arm), field)));
                containers.iter().map(points).collect()
            }
            Items::Repeated { field } => vec![(0, attributes(child(entry, field)))],
        };
        Self {
            resource: attributes(child(resource, HEADER)),
            scope: attributes(child(scope, HEADER)),
            entry: attributes(entry),
            points,
        }
    }

    /// Returns the number for the points in `container`.
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
