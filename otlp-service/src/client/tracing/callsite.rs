//! Callsites: everything of a span's or an event's metadata that is encoded once.
//!
//! tracing has no room for data of subscribers in a callsite, so the data are found by the address of the metadata: first in a
//! table of the thread, then in a map of the process. Metadata live as long as the program, and so do [`Callsite`]s.

use super::key::{Extras, FieldKey, Role};
use super::sink::ScopeCache;
use crate::client::key::{AttributeKey as _, Key};
use otlp_protocol::wire::{put_len_delimited, put_uint};
use parking_lot::RwLock;
use std::cell::Cell;
use std::collections::BTreeMap;
use tracing::field::Field;
use tracing::{Level, Metadata};

/// The encoded metadata of a span or an event.
pub(super) struct Callsite {
    /// The metadata.
    pub(super) metadata: &'static Metadata<'static>,
    /// The scope of log records, with the engine that knows the scope; see [`ScopeCache`].
    pub(super) scope: ScopeCache,
    /// True if the level is ERROR.
    pub(super) is_error: bool,
    /// Attributes of the metadata, as attributes of a span or a span event.
    pub(super) extras: Extras,
    /// Attributes of the metadata, as attributes of a log record.
    pub(super) log_extras: Extras,
    /// The fields severity number, severity text and event name of a log record.
    pub(super) log_head: Box<[u8]>,
    /// Fingerprints of the fields' keys.
    pub(super) fingerprints: u64,
    fields: Box<[FieldKey]>,
}

// === impl Callsite ===

impl Callsite {
    /// Returns the callsite of the metadata. `None` if it is new and there are [`MAX_CALLSITES`] already.
    #[inline]
    pub(super) fn of(metadata: &'static Metadata<'static>) -> Option<&'static Self> {
        let slot = slot(metadata);
        let near = NEAR.try_with(|near| near.get(slot).and_then(Cell::get)).ok().flatten();
        match near {
            Some(callsite) if std::ptr::eq(callsite.metadata, metadata) => Some(callsite),
            _ => Self::look_up(metadata, slot),
        }
    }

    /// Returns the key of a field, and the field's role.
    #[inline]
    pub(super) fn field(&self, index: usize) -> Option<(&Key, Role)> {
        self.fields.get(index).map(|field| (&field.key, field.role))
    }

    #[inline(never)]
    fn look_up(metadata: &'static Metadata<'static>, slot: usize) -> Option<&'static Self> {
        let address = std::ptr::from_ref(metadata).addr();
        let known = ALL.read().get(&address).copied();
        let callsite = match known {
            Some(callsite) => callsite,
            None => Self::add(metadata, address)?,
        };
        let _ = NEAR.try_with(|near| {
            if let Some(cell) = near.get(slot) {
                cell.set(Some(callsite));
            }
        });
        Some(callsite)
    }

    fn add(metadata: &'static Metadata<'static>, address: usize) -> Option<&'static Self> {
        let mut all = ALL.write();
        if let Some(callsite) = all.get(&address) {
            return Some(callsite);
        }
        if all.len() >= MAX_CALLSITES {
            return None;
        }
        let callsite: &'static Self = Box::leak(Box::new(Self::new(metadata)));
        all.insert(address, callsite);
        Some(callsite)
    }

    fn new(metadata: &'static Metadata<'static>) -> Self {
        let names = names(metadata);
        let fields = FieldKey::encode_all(&names, metadata.is_span());
        Self {
            metadata,
            scope: ScopeCache::default(),
            is_error: *metadata.level() == Level::ERROR,
            extras: Extras::new(metadata, attribute_tag(metadata), &names),
            log_extras: Extras::new(metadata, LOG_ATTRIBUTE, &names),
            log_head: log_head(metadata),
            fingerprints: fields.iter().fold(0, |all, field| all | field.key.fingerprint()),
            fields,
        }
    }
}

/// Returns the names of the attributes that the fields are.
fn names(metadata: &'static Metadata<'static>) -> Vec<&'static str> {
    let is_bridged = metadata.is_event() && metadata.target() == "log";
    let name = |field: Field| if is_bridged { bridged(field.name()) } else { field.name() };
    metadata.fields().iter().map(name).collect()
}

fn attribute_tag(metadata: &Metadata<'_>) -> u8 {
    if metadata.is_span() { SPAN_ATTRIBUTE } else { EVENT_ATTRIBUTE }
}

/// Returns the attribute for a field of a record of the `log` crate, as the bridge `tracing-log` makes events of records.
fn bridged(field: &'static str) -> &'static str {
    match field {
        "log.target" => "target",
        "log.module_path" => "code.module.name",
        "log.file" => "code.file.path",
        "log.line" => "code.line.number",
        other => other,
    }
}

fn log_head(metadata: &Metadata<'_>) -> Box<[u8]> {
    let severity = match *metadata.level() {
        Level::TRACE => 1,
        Level::DEBUG => 5,
        Level::INFO => 9,
        Level::WARN => 13,
        Level::ERROR => 17,
    };
    let mut out = Vec::new();
    put_uint(&mut out, 2, severity);
    put_len_delimited(&mut out, 3, metadata.level().as_str().as_bytes());
    put_len_delimited(&mut out, 12, metadata.name().as_bytes());
    out.into_boxed_slice()
}

/// Returns the position of the metadata in the table of a thread.
#[inline]
fn slot(metadata: &'static Metadata<'static>) -> usize {
    // Metadata are 8-byte aligned and over 100 bytes long; the multiplication spreads neighbours.
    let address = std::ptr::from_ref(metadata).addr() as u64;
    ((address >> 3).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55) as usize
}

/// The most callsites that are encoded.
pub(super) const MAX_CALLSITES: usize = 65_536;

/// Tags of an attribute: in a span, in an event of a span, in a log record.
pub(super) const SPAN_ATTRIBUTE: u8 = 0x4a;
pub(super) const EVENT_ATTRIBUTE: u8 = 0x1a;
pub(super) const LOG_ATTRIBUTE: u8 = 0x32;

/// Entries of a thread's table; a power of two.
const NEAR_CALLSITES: usize = 512;

static ALL: RwLock<BTreeMap<usize, &'static Callsite>> = RwLock::new(BTreeMap::new());

thread_local! {
    static NEAR: [Cell<Option<&'static Callsite>>; NEAR_CALLSITES] = const { [const { Cell::new(None) }; NEAR_CALLSITES] };
}
