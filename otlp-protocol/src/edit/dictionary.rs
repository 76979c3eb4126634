//! The strings that attributes of a profiles request may refer to instead of spelling them out.

use super::{EditError, MAX_STRINGS};
use crate::field::fields;
use crate::schema::Message;
use crate::splice::Slice;

/// Where the strings of a request's dictionary stand; none for requests that have no dictionary.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    strings: Vec<Slice>,
}

// === impl Dictionary ===

impl Dictionary {
    /// Reads the string table, wherever in the request it stands and in however many pieces.
    pub(super) fn read(request: &'static Message, body: &[u8]) -> Result<Self, EditError> {
        let table = request.fields.iter().find_map(|field| {
            let table = field.message()?.fields.iter().find(|table| table.name == STRING_TABLE)?;
            Some((field.number, table.number))
        });
        let Some((dictionary, table)) = table else { return Ok(Self::default()) };
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
        Ok(Self { strings })
    }

    /// Whether there is nothing to refer to.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.strings.is_empty()
    }

    /// The string of that index; index 0 stands for none.
    pub(super) fn string(&self, index: u64) -> Option<Slice> {
        let index = usize::try_from(index).ok().filter(|&index| index > 0)?;
        self.strings.get(index).copied()
    }
}

const STRING_TABLE: &str = "string_table";
