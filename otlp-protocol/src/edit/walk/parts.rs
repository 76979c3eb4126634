//! Records the changes of messages, and walks the parts of items.

use super::{Count, Decision, EditError, Editable, Editor, Field, ITEM, Item, PART, Slice, Walk};
use crate::edit::Part;
use crate::field::fields;

// === impl Walk ===

impl<E: Editor + ?Sized> Walk<'_, E> {
    /// Records the changes of the list of attributes and of other fields, which belong to the message in these pieces.
    pub(super) fn note(&mut self, pieces: &[Field]) {
        let mut from = 0;
        for (index, piece) in pieces.iter().enumerate() {
            let mark = self.splices.open(piece.prefix(), piece.value.len());
            from = self.note_piece(piece, index == 0, index + 1 == pieces.len(), from);
            self.splices.close(mark);
        }
    }

    /// Records the changes inside a piece of a message. `from` is the first attribute that is not in an earlier piece; returns that
    /// of the next piece.
    fn note_piece(&mut self, piece: &Field, is_first: bool, is_last: bool, from: usize) -> usize {
        let mut list = self.list.iter().skip(from).peekable();
        let mut next = from;
        if !self.fields.is_empty() {
            // At the start, since strings mostly are in front of the attributes: changes are cheapest in order.
            let start = Slice::new(piece.value.start..piece.value.start);
            self.fields.iter().filter(|_| is_first).for_each(|(_, field)| self.splices.put(start, *field));
            let is_set = |field: &Field| self.fields.iter().any(|(number, _)| *number == field.number);
            let old = piece.fields(self.body).filter(is_set);
            old.for_each(|field| self.splices.cut(field.whole));
        }
        let end = Slice::new(piece.value.end..piece.value.end);
        while let Some(attribute) =
            list.next_if(|attribute| is_last || (attribute.whole.len() > 0 && attribute.whole.end <= end.end))
        {
            next += 1;
            match (attribute.is_live, attribute.whole.len()) {
                (true, 0) => self.splices.put(end, attribute.written),
                (true, _) if attribute.written.len() > 0 => {
                    self.splices.put(attribute.whole, attribute.written);
                }
                (true, _) | (false, 0) => {}
                (false, _) => self.splices.cut(attribute.whole.range()),
            }
        }
        next
    }

    /// Shows the parts of an item, then the item. The parts are inside the item: both change its length. The parts come first, since
    /// new attributes of a part that ends the item are in front of new attributes of the item.
    pub(super) fn item_with_parts(
        &mut self,
        field: &Field,
        piece: &[Field; 1],
        edited: Editable,
        count: Count,
        item: &Item<'_>,
    ) -> Result<Decision, EditError> {
        let mark = self.splices.open(field.prefix(), field.value.len());
        self.parts(field, edited, item)?;
        if self.shown.has(ITEM) {
            let (asked, changed) = self.ask(piece, edited, |editor, edits| editor.item(item, edits))?;
            if self.shown.settle(ITEM, asked) == Decision::Drop {
                self.dropped += count;
                self.splices.drop_message(mark, field.whole.clone());
                return Ok(Decision::Drop);
            }
            if changed {
                self.note_piece(field, true, true, 0);
            }
        }
        self.splices.close(mark);
        self.splices.check()?;
        Ok(Decision::Keep)
    }

    fn parts(&mut self, whole: &Field, edited: Editable, item: &Item<'_>) -> Result<(), EditError> {
        let lists = self.numbers.parts(edited);
        if lists.is_empty() {
            return Ok(());
        }
        let message = item.point.unwrap_or(item.entry);
        for field in fields(message, whole.value.start).filter(|field| field.is_len) {
            let Some(list) = lists.iter().find(|list| list.number == field.number) else { continue };
            let part = Part { field: list.name, message: field.bytes(self.body) };
            let piece = std::slice::from_ref(&field);
            let asked =
                self.change(&field, piece, list.part, |editor, edits| editor.part(item, part, edits))?;
            if self.shown.settle(PART, asked) == Decision::Drop {
                self.splices.cut(field.whole);
            }
            if !self.shown.has(PART) {
                break;
            }
        }
        Ok(())
    }
}
