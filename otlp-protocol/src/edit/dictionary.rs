//! The strings that attributes of a profiles request may refer to by index.

use super::{EditError, MAX_STRINGS};
use crate::field::fields;
use crate::schema::Message;
use crate::splice::Slice;

/// String table of a request, read when first needed; empty for requests without a dictionary.
#[derive(Debug)]
pub(super) struct Dictionary {
    /// Field numbers of the dictionary in the request and of the string table in the dictionary.
    table: Option<(u32, u32)>,
    is_read: bool,
    strings: Vec<Slice>,
}

// === impl Dictionary ===

impl Dictionary {
    pub(super) fn new(request: &'static Message) -> Self {
        let table = request.fields.iter().find_map(|field| {
            let table = field.message()?.fields.iter().find(|table| table.name == STRING_TABLE)?;
            Some((field.number, table.number))
        });
        Self { table, is_read: table.is_none(), strings: Vec::new() }
    }

    /// Reads the string table, unless it was read before. The table may be anywhere in the request and in several pieces.
    #[inline]
    pub(super) fn read(&mut self, body: &[u8]) -> Result<(), EditError> {
        if self.is_read { Ok(()) } else { self.read_table(body) }
    }

    #[cold]
    fn read_table(&mut self, body: &[u8]) -> Result<(), EditError> {
        let Some((dictionary, table)) = self.table else { return Ok(()) };
        let mut strings = Vec::new();
        for field in fields(body, 0) {
            if !field.is(dictionary) {
                continue;
            }
            for string in field.fields(body) {
                if string.is(table) {
                    if strings.len() == MAX_STRINGS {
                        return Err(EditError::TooManyStrings { limit: MAX_STRINGS });
                    }
                    strings.push(Slice::new(string.value));
                }
            }
        }
        (self.strings, self.is_read) = (strings, true);
        Ok(())
    }

    /// True if the request has no strings to refer to.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.strings.is_empty()
    }

    /// Returns the string at `index`. Index 0 means no string.
    pub(super) fn string(&self, index: u64) -> Option<Slice> {
        let index = usize::try_from(index).ok().filter(|&index| index > 0)?;
        self.strings.get(index).copied()
    }
}

const STRING_TABLE: &str = "string_table";
