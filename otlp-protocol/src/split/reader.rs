//! Reader of the envelopes of a body that is split: headers, and items that can be separated.

use crate::Items;
use crate::field::Field;
use bytes::Bytes;

/// The body that is split.
#[derive(Clone, Copy)]
pub(crate) struct BodyReader<'a> {
    pub(crate) body: &'a Bytes,
    pub(crate) items: Items,
}

// === impl BodyReader ===

impl<'a> BodyReader<'a> {
    /// Returns the field number of the only container in an entry, and of the items in it. `None` if the items of the entry
    /// cannot be separated.
    pub(crate) fn only_arm(&self, entry: &Field) -> Option<(u32, u32)> {
        let Items::Inside { containers, field: number } = self.items else { return None };
        let mut only = None;
        for field in entry.fields(self.body) {
            if !field.is_len || !containers.contains(&field.number) {
                continue;
            }
            if only.is_some_and(|only| only != field.number) {
                return None;
            }
            only = Some(field.number);
        }
        only.map(|arm| (arm, number))
    }

    /// Returns the fields that are not children, concatenated: a slice of the body if they are adjacent. `None` if there are
    /// no children.
    pub(crate) fn header(
        &self,
        fields: impl Iterator<Item = Field>,
        is_child: impl Fn(&Field) -> bool,
    ) -> Option<Bytes> {
        let mut gathered = Vec::new();
        let mut run = 0..0;
        let mut has_children = false;
        for field in fields {
            if is_child(&field) {
                has_children = true;
            } else if run.end == field.whole.start {
                run.end = field.whole.end;
            } else {
                crate::wire::count_work(run.len());
                gathered.extend_from_slice(self.body.get(run).unwrap_or_default());
                run = field.whole;
            }
        }
        if !has_children {
            return None;
        }
        if gathered.is_empty() {
            return Some(self.body.slice(run));
        }
        gathered.extend_from_slice(self.body.get(run).unwrap_or_default());
        Some(gathered.into())
    }

    /// Iterates over the fields of all occurrences of an entry's container.
    pub(crate) fn fields_of_arm(&self, entry: &Field, arm: u32) -> impl Iterator<Item = Field> + use<'a> {
        let body = self.body;
        let containers = entry.fields(body).filter(move |field| field.is(arm));
        containers.flat_map(move |container| container.fields(body))
    }
}
