//! Routing keys made of attributes.

use crate::balance::consistent_hash::hash_key;
use otlp_protocol::wire::{Cursor, WireError, WireType};
use otlp_protocol::{Item, Signal};

/// Names of the attributes that form the key, and the fields of a signal's entries that hold attributes.
#[derive(Clone, Debug)]
pub(super) struct AttributeKeys {
    names: Vec<String>,
    /// The entry's field that holds attributes; `None`: entries have no attributes.
    entry: Option<u32>,
    /// The fields of `span.name` and `span.kind`, if entries are spans.
    name_and_kind: Option<(u32, u32)>,
}

// === impl AttributeKeys ===

impl AttributeKeys {
    pub(super) fn new(names: &[String], signal: Signal) -> Self {
        let fields = signal.levels()[2].map_or(&[][..], |entry| entry.fields);
        let number = |name: &str| fields.iter().find(|field| field.name == name).map(|field| field.number);
        // Metrics have names too, but no kinds.
        let name_and_kind = number("name").zip(number("kind"));
        Self { names: names.to_vec(), entry: number("attributes"), name_and_kind }
    }

    /// Returns the key of an item; `None` if the item has none of the attributes.
    pub(super) fn key(&self, item: &Item<'_>) -> Option<u64> {
        let mut found = false;
        let key = self.names.iter().fold(0, |before: u64, name| {
            let value = self.value(item, name).ok().flatten().map(hash_key);
            found |= value.is_some();
            let both = u128::from(before) << 64 | u128::from(value.unwrap_or_default());
            hash_key(&both.to_le_bytes())
        });
        found.then_some(key)
    }

    /// Returns an encoded value: the resource's, else the scope's, else the entry's.
    fn value<'a>(&self, item: &Item<'a>, name: &str) -> Result<Option<&'a [u8]>, WireError> {
        let of_entry = match (self.name_and_kind, name) {
            (Some((number, _)), "span.name") => field(item.entry, number)?,
            (Some((_, number)), "span.kind") => field(item.entry, number)?,
            _ => None,
        };
        if of_entry.is_some() {
            return Ok(of_entry);
        }
        for (message, number) in [
            (item.resource, Some(RESOURCE_ATTRIBUTES)),
            (item.scope, Some(SCOPE_ATTRIBUTES)),
            (item.entry, self.entry),
        ] {
            let Some(number) = number else { continue };
            if let Some(value) = attribute(message, number, name)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

/// Returns the value of an attribute in the field `number` of a message.
fn attribute<'a>(message: &'a [u8], number: u32, name: &str) -> Result<Option<&'a [u8]>, WireError> {
    let mut cursor = Cursor::new(message);
    while !cursor.is_at_end() {
        let (found, wire_type) = cursor.tag()?;
        if found != number || wire_type != WireType::Len {
            cursor.skip_value(found, wire_type)?;
            continue;
        }
        let pair = cursor.len_delimited()?;
        if field(pair, KEY)? == Some(name.as_bytes()) {
            return field(pair, VALUE);
        }
    }
    Ok(None)
}

/// Returns the last value of a field, as encoded.
pub(super) fn field(message: &[u8], number: u32) -> Result<Option<&[u8]>, WireError> {
    let mut cursor = Cursor::new(message);
    let mut value = None;
    while !cursor.is_at_end() {
        let (found, wire_type) = cursor.tag()?;
        let start = cursor.position();
        if found == number && wire_type == WireType::Len {
            value = Some(cursor.len_delimited()?);
        } else {
            cursor.skip_value(found, wire_type)?;
            if found == number {
                value = message.get(start..cursor.position());
            }
        }
    }
    Ok(value)
}

/// `Resource.attributes`, `InstrumentationScope.attributes`, `KeyValue.key`, `KeyValue.value`.
const RESOURCE_ATTRIBUTES: u32 = 1;
const SCOPE_ATTRIBUTES: u32 = 3;
const KEY: u32 = 1;
const VALUE: u32 = 2;
