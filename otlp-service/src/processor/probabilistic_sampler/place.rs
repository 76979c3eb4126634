//! Places of sampling information in the entries of a signal, and the one pass that finds them.

use otlp_protocol::Signal;
use otlp_protocol::wire::{Cursor, WireType};

/// Field numbers in an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    trace_id: u32,
    /// The trace state; `None`: sampling information is in attributes.
    pub(super) trace_state: Option<u32>,
    attributes: u32,
    /// Noun of the items in the names of metrics.
    pub(super) noun: &'static str,
}

/// The fields of an entry that a sampler needs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found<'a> {
    /// The trace id; `None` if absent or zero.
    pub(super) trace_id: Option<&'a [u8; 16]>,
    pub(super) trace_state: &'a [u8],
    /// False if no attribute has one of the keys.
    pub(super) may_have_keys: bool,
}

// === impl Place ===

impl Place {
    /// Returns the places in the entries of a signal; `None` if the entries belong to no trace.
    pub(super) fn of(signal: Signal) -> Option<Self> {
        let [_, _, entry] = signal.levels();
        let number =
            |name: &str| entry?.fields.iter().find(|field| field.name == name).map(|field| field.number);
        let (trace_id, attributes) = (number("trace_id")?, number("attributes")?);
        let trace_state = number("trace_state");
        // The Collector's names: spans are counted as traces.
        let noun = if trace_state.is_some() { "traces" } else { "logs" };
        Some(Self { trace_id, trace_state, attributes, noun })
    }

    /// Finds the fields in an encoded entry. Of a field that is there several times the last counts, as in a decoder.
    #[inline]
    pub(super) fn find<'a>(&self, entry: &'a [u8], has_key: impl Fn(&[u8]) -> bool) -> Found<'a> {
        let mut found = Found::default();
        let mut cursor = Cursor::new(entry);
        while let Ok((number, wire_type)) = cursor.tag() {
            if wire_type != WireType::Len {
                if cursor.skip_value(number, wire_type).is_err() {
                    break;
                }
                continue;
            }
            let Ok(bytes) = cursor.len_delimited() else { break };
            if number == self.attributes {
                found.may_have_keys = found.may_have_keys || first_key(bytes).is_none_or(&has_key);
            } else if number == self.trace_id {
                found.trace_id = bytes.try_into().ok().filter(|id: &&[u8; 16]| **id != [0; 16]);
            } else if Some(number) == self.trace_state {
                found.trace_state = bytes;
            }
        }
        found
    }
}

/// Returns the key of an attribute of the common form, key and value with lengths of one byte and nothing else.
#[inline]
fn first_key(attribute: &[u8]) -> Option<&[u8]> {
    let [KEY, key_len @ ..=0x7f, rest @ ..] = attribute else { return None };
    let (key, value) = rest.split_at_checked(usize::from(*key_len))?;
    let [VALUE, value_len @ ..=0x7f, value @ ..] = value else { return None };
    (value.len() == usize::from(*value_len)).then_some(key)
}

/// Tags in a `KeyValue`.
const KEY: u8 = 0x0a;
const VALUE: u8 = 0x12;
