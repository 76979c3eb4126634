//! Masks of secrets in encoded requests: values of attributes by their keys, and parts of any string.
//!
//! One walk over [the schema table](crate::schema) reaches every string of a request: attributes of resources, scopes, items,
//! events, links and exemplars, values inside lists and maps, bodies of log records, and the tables of profiles. The lengths
//! around a changed string follow, and all else stays as it came.

use crate::attribute::{ANY_VALUE, KEY_VALUE};
use crate::field::{Field, fields};
use crate::schema::{self, Kind, Message};
use crate::splice::Splices;
use crate::view::RequestView;
use crate::wire::{Cursor, put_len_delimited, put_varint};
use crate::{Body, EditError, MAX_STRINGS};
use std::collections::HashSet;
use std::ops::Range;

/// Decides which attributes and strings of a request [`redact()`] masks.
pub trait Redactor {
    /// Returns true if the value of an attribute with this key is a secret, of whatever type the value is.
    fn hides(&self, key: &str) -> bool;

    /// Returns a string with its secrets masked; `None` if the string has none.
    fn masked(&self, text: &str) -> Option<String>;
}

/// Masks the secrets of a body. The redacted body may have up to `max_bytes`; it counts as many items as before.
///
/// The value of an attribute that is hidden by its key becomes the string `****`. In profiles the strings that such values
/// refer to become `****`. Messages nested more than 128 deep are removed.
///
/// ```
/// use otlp_protocol::encode::LogRecords;
/// use otlp_protocol::view::RequestView;
/// use otlp_protocol::{Body, Redactor, redact};
///
/// struct Passwords;
///
/// impl Redactor for Passwords {
///     fn hides(&self, key: &str) -> bool {
///         key == "password"
///     }
///
///     fn masked(&self, text: &str) -> Option<String> {
///         text.contains("hunter2").then(|| text.replace("hunter2", "****"))
///     }
/// }
///
/// let body = Body::write::<LogRecords>(|request| {
///     request.resource_group(|group| {
///         group.scope_group(|scope| {
///             scope.log_record(|record| {
///                 record.body("login with hunter2").attribute("password", 42);
///             });
///         });
///     });
/// });
/// let bytes = redact(&body, &Passwords, 1 << 20)?.to_bytes();
/// let record = RequestView::new(body.signal(), &bytes).log_records().next().unwrap();
/// assert_eq!(record.body().as_str(), Some("login with ****"));
/// assert_eq!(record.attributes().get("password"), Some("****".into()));
/// # Ok::<(), otlp_protocol::EditError>(())
/// ```
///
/// # Errors
/// If the redacted body would be larger than `max_bytes`, or the dictionary of a profiles request has more than
/// [`MAX_STRINGS`] strings.
pub fn redact(body: &Body, redactor: &dyn Redactor, max_bytes: usize) -> Result<Body, EditError> {
    let bytes = body.to_bytes();
    let strings: Vec<&str> =
        RequestView::new(body.signal(), &bytes).dictionary().strings().take(MAX_STRINGS + 1).collect();
    if strings.len() > MAX_STRINGS {
        return Err(EditError::TooManyStrings { limit: MAX_STRINGS });
    }
    let splices = Splices::new(bytes.len(), max_bytes)?;
    let mut walk = Walk { body: &bytes, redactor, strings, hidden: HashSet::new(), splices, string_index: 0 };
    let (request, all) = (body.signal().request, 0..bytes.len());
    if !walk.strings.is_empty() {
        walk.find_hidden(request, all.clone(), 0, false);
    }
    walk.message(request, all, 0)?;
    let changed = walk.splices.copy(&bytes)?;
    Ok(changed.map_or_else(|| body.clone(), |bytes| body.with(bytes.into(), body.count())))
}

struct Walk<'a> {
    body: &'a [u8],
    redactor: &'a dyn Redactor,
    /// The strings of the dictionary of a profiles request.
    strings: Vec<&'a str>,
    /// Indices of strings that the values of hidden attributes refer to.
    hidden: HashSet<u64>,
    splices: Splices,
    /// Number of strings of the dictionary so far.
    string_index: u64,
}

// === impl Walk ===

impl Walk<'_> {
    /// Finds the strings of the dictionary that values of hidden attributes refer to, also in lists and maps. `is_hidden` is true
    /// within such a value.
    fn find_hidden(&mut self, message: &'static Message, place: Range<usize>, depth: usize, is_hidden: bool) {
        let is_hidden = is_hidden || self.is_hidden_attribute(message, place.clone());
        let is_value = std::ptr::eq(message, ANY_VALUE);
        let bytes = self.body.get(place.clone()).unwrap_or_default();
        for field in fields(bytes, place.start) {
            if is_hidden && is_value && field.number == STRING_INDEX {
                self.hidden.extend(number(self.body, &field).filter(|&index| index > 0));
            }
            let child = message.field(field.number).and_then(schema::Field::message);
            if let Some(child) = child.filter(|_| field.is_len && depth < MAX_DEPTH) {
                self.find_hidden(child, field.value, depth + 1, is_hidden);
            }
        }
    }

    /// Masks what a message holds.
    fn message(
        &mut self,
        message: &'static Message,
        place: Range<usize>,
        depth: usize,
    ) -> Result<(), EditError> {
        let is_hidden = self.is_hidden_attribute(message, place.clone());
        let is_dictionary = std::ptr::eq(message, DICTIONARY);
        let bytes = self.body.get(place.clone()).unwrap_or_default();
        for field in fields(bytes, place.start).filter(|field| field.is_len) {
            let Some(known) = message.field(field.number) else { continue };
            match known.kind {
                Kind::String => {
                    let is_in_table = is_dictionary && field.number == STRING_TABLE;
                    self.string(&field, is_in_table && self.hidden.contains(&self.string_index));
                    self.string_index += u64::from(is_in_table);
                }
                Kind::Message(_) if is_hidden => {
                    self.splices.replace(field.after_tag..field.value.end, |out| {
                        let mut value = Vec::with_capacity(MASK.len() + 2);
                        put_len_delimited(&mut value, 1, MASK.as_bytes());
                        put_varint(out, value.len() as u64);
                        out.extend_from_slice(&value);
                    })
                }
                Kind::Message(_) if depth >= MAX_DEPTH => self.splices.cut(field.whole),
                Kind::Message(_) => {
                    let Some(child) = known.message() else { continue };
                    let mark = self.splices.open(field.prefix(), field.value.len());
                    self.message(child, field.value, depth + 1)?;
                    self.splices.close(mark);
                }
                _ => {}
            }
            self.splices.check()?;
        }
        Ok(())
    }

    fn string(&mut self, field: &Field, is_hidden: bool) {
        let text = std::str::from_utf8(field.bytes(self.body)).unwrap_or_default();
        let masked = if is_hidden { Some(MASK.to_owned()) } else { self.redactor.masked(text) };
        if let Some(masked) = masked {
            self.splices.replace(field.after_tag..field.value.end, |out| {
                put_varint(out, masked.len() as u64);
                out.extend_from_slice(masked.as_bytes());
            });
        }
    }

    /// True if a message is an attribute with a key that the redactor hides. Of several keys, as text and by index, each counts.
    fn is_hidden_attribute(&self, message: &'static Message, place: Range<usize>) -> bool {
        let key_index = if std::ptr::eq(message, KEY_VALUE) {
            KEY_INDEX
        } else if std::ptr::eq(message, KEY_VALUE_AND_UNIT) {
            KEY_INDEX_WITH_UNIT
        } else {
            return false;
        };
        let bytes = self.body.get(place.clone()).unwrap_or_default();
        let mut keys = fields(bytes, place.start).filter_map(|field| {
            if field.number == key_index && !field.is_len {
                let index = usize::try_from(number(self.body, &field)?).ok()?;
                self.strings.get(index).copied()
            } else {
                std::str::from_utf8(field.bytes(self.body)).ok().filter(|_| field.is(KEY))
            }
        });
        keys.any(|key| !key.is_empty() && self.redactor.hides(key))
    }
}

/// Returns the value of a varint field.
fn number(body: &[u8], field: &Field) -> Option<u64> {
    Cursor::new(body.get(field.after_tag..field.whole.end)?).varint().ok().filter(|_| !field.is_len)
}

static KEY_VALUE_AND_UNIT: &Message =
    schema::constant("opentelemetry.proto.profiles.v1development.KeyValueAndUnit");
static DICTIONARY: &Message =
    schema::constant("opentelemetry.proto.profiles.v1development.ProfilesDictionary");

/// Numbers of fields: key and index of the key in a `KeyValue`, index of the key in a `KeyValueAndUnit`, index of a string
/// in an `AnyValue`, strings in a `ProfilesDictionary`.
const KEY: u32 = 1;
const KEY_INDEX: u32 = 3;
const KEY_INDEX_WITH_UNIT: u32 = 1;
const STRING_INDEX: u32 = 8;
const STRING_TABLE: u32 = 5;

const MASK: &str = "****";
/// Validation accepts 100 by default.
const MAX_DEPTH: usize = 128;

#[cfg(test)]
mod tests;
