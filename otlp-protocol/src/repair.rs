//! Repair of bodies with invalid strings or ids, so that one bad byte does not cost the thousands of items around it.
//!
//! A valid body is validated once and kept. A body with invalid strings or ids is walked a second time, to collect the
//! replacements and the new lengths of the messages around them. All other bytes stay unchanged.

mod envelope;

use self::envelope::{Envelope, Levels};
use crate::body::tally;
use crate::error::Fault;
use crate::schema::Message;
use crate::splice::{Splices, TooLarge};
use crate::validate::{Extent, Visitor, check};
use crate::wire::put_varint;
use crate::{Body, Count, DecodeError, DecodeErrorKind, Payload, Signal, ValidateLimits};
use bytes::Bytes;

/// Faults that [`repair`] corrects. Other faults are errors. Default: all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repairs {
    /// Strings that are not UTF-8: U+FFFD replaces invalid bytes, as in [`String::from_utf8_lossy`].
    pub utf8: bool,
    /// Ids of the wrong length. A span with a wrong id, its own or in a link, is rejected. From log records, exemplars and
    /// profiles the wrong id is removed.
    pub ids: bool,
}

/// Result of [`repair`].
#[derive(Clone, Debug)]
pub struct Repaired {
    /// The valid body: the received bytes, if they were valid.
    pub body: Body,
    /// Number of strings that were repaired, without those of rejected items.
    pub strings: u64,
    /// Number of ids that were removed.
    pub ids: u64,
    /// Items that were removed from the body, if any.
    pub rejected: Option<Rejected>,
}

/// Items that were removed from a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Number of removed items.
    pub count: Count,
    /// Fault of the first removed item.
    pub first: DecodeError,
}

/// Validates received bytes as [`validate`](crate::validate()) does, and corrects the faults that `repairs` selects, at any
/// depth. An envelope whose entries were all rejected is removed.
///
/// A repaired string is at most three times as long. The body may grow to `max_bytes`.
///
/// ```
/// use otlp_protocol::encode::LogRecords;
/// use otlp_protocol::{Body, Repairs, Signal, ValidateLimits, repair};
///
/// let body = Body::write::<LogRecords>(|request| {
///     request.resource_group(|group| {
///         group.schema_url("?");
///     });
/// });
/// // The same request with a byte that is not UTF-8.
/// let received: Vec<u8> = body.to_bytes().iter().map(|&byte| if byte == b'?' { 0xff } else { byte }).collect();
/// let repaired = repair(Signal::LOGS, received, &ValidateLimits::default(), Repairs::default(), 1 << 20)?;
/// assert_eq!(repaired.strings, 1);
/// # Ok::<(), otlp_protocol::DecodeError>(())
/// ```
///
/// # Errors
/// The first fault that is not corrected, with its path. [`DecodeErrorKind::TooLarge`] if the body or the list of changes
/// would be larger than `max_bytes`.
pub fn repair(
    signal: Signal,
    bytes: impl Into<Payload>,
    limits: &ValidateLimits,
    repairs: Repairs,
    max_bytes: usize,
) -> Result<Repaired, DecodeError> {
    let bytes = bytes.into().to_contiguous();
    match Body::check(signal, bytes.clone(), limits) {
        Ok(body) => Ok(Repaired { body, strings: 0, ids: 0, rejected: None }),
        Err(error) if repairs.puts_right(error.kind) => rewrite(signal, &bytes, limits, repairs, max_bytes),
        Err(error) => Err(error),
    }
}

fn rewrite(
    signal: Signal,
    body: &Bytes,
    limits: &ValidateLimits,
    repairs: Repairs,
    max_bytes: usize,
) -> Result<Repaired, DecodeError> {
    let too_large = |TooLarge { limit }| DecodeError {
        kind: DecodeErrorKind::TooLarge { limit },
        path: String::new(),
        offset: 0,
    };
    let mut repair = Repair {
        signal,
        body,
        repairs,
        levels: Levels::of(signal),
        splices: Splices::new(body.len(), max_bytes).map_err(too_large)?,
        open: Vec::with_capacity(16),
        strings: 0,
        ids: 0,
        rejected: Count::default(),
        first: None,
    };
    let mut checked = check(signal, body, limits, &mut repair)?;
    let Repair { splices, strings, ids, rejected: count, first, .. } = repair;
    checked.count -= count;
    let rejected =
        first.map(|fault| Rejected { count, first: DecodeError::locate(signal.request, body, fault) });
    let bytes = splices.copy(body).map_err(too_large)?.unwrap_or_else(|| body.clone());
    let body = Body::sound(signal, bytes.into(), checked.count, checked.mergeable);
    Ok(Repaired { body, strings, ids, rejected })
}

/// Visitor that collects replacements and removals.
struct Repair<'a> {
    signal: Signal,
    body: &'a [u8],
    repairs: Repairs,
    levels: Levels,
    splices: Splices,
    /// The messages around the current field.
    open: Vec<Envelope>,
    strings: u64,
    ids: u64,
    rejected: Count,
    /// Fault of the first rejected item.
    first: Option<Fault>,
}

// === impl Repairs ===

impl Repairs {
    /// True if faults of this kind are corrected.
    pub fn puts_right(self, kind: DecodeErrorKind) -> bool {
        match kind {
            DecodeErrorKind::Utf8 => self.utf8,
            DecodeErrorKind::IdLength { .. } => self.ids,
            _ => false,
        }
    }
}

impl Default for Repairs {
    fn default() -> Self {
        Self { utf8: true, ids: true }
    }
}

// === impl Repair ===

impl Repair<'_> {
    /// Returns the entry around the current field, if the signal rejects entries with wrong ids.
    fn entry(&mut self) -> Option<&mut Envelope> {
        let entry = self.open.get_mut(Levels::ENTRY)?;
        (self.signal.needs_ids && entry.is_level).then_some(entry)
    }

    fn check_size(&self) -> Result<(), DecodeErrorKind> {
        self.splices.check().map_err(|TooLarge { limit }| DecodeErrorKind::TooLarge { limit })
    }
}

impl Visitor for Repair<'_> {
    fn enter(&mut self, message: &'static Message, place: &Extent) {
        let mark = self.splices.open(place.prefix.clone(), place.value().len());
        let is_level = self.levels.has(self.open.len(), message);
        self.open.push(Envelope::new(place.clone(), mark, is_level, self.strings));
    }

    fn leave(&mut self) {
        let Some(message) = self.open.pop() else { return };
        let goes = message.goes();
        if goes {
            self.strings = message.strings_before;
            self.splices.drop_message(message.mark, message.place.whole());
        } else {
            self.splices.close(message.mark);
        }
        if message.is_rejected {
            let entry = self.body.get(message.place.value()).unwrap_or_default();
            self.rejected += tally(self.signal.items, entry, &[]);
        }
        if let Some(around) = self.open.last_mut().filter(|_| message.is_level) {
            around.add_child(goes);
        }
    }

    fn invalid_utf8(&mut self, place: &Extent, text: &[u8]) -> Result<(), DecodeErrorKind> {
        if !self.repairs.utf8 {
            return Err(DecodeErrorKind::Utf8);
        }
        let repaired = String::from_utf8_lossy(text);
        self.splices.replace(place.prefix.start..place.end, |out| {
            put_varint(out, repaired.len() as u64);
            out.extend_from_slice(repaired.as_bytes());
        });
        self.strings += 1;
        self.check_size()
    }

    fn invalid_id(&mut self, place: &Extent, kind: DecodeErrorKind) -> Result<(), DecodeErrorKind> {
        if !self.repairs.ids {
            return Err(kind);
        }
        match self.entry() {
            Some(entry) => {
                entry.is_rejected = true;
                self.first.get_or_insert(Fault { kind, offset: place.start });
            }
            None => {
                self.splices.cut(place.whole());
                self.ids += 1;
            }
        }
        self.check_size()
    }
}
