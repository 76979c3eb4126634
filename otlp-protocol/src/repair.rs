//! Making bodies sound: one bad byte in one attribute, or one bad id, must not cost the thousands of items around it.
//!
//! A sound body is only checked, as [`validate`](crate::validate()) does it. A body with bad strings or ids is walked a
//! second time, to note what to put in their place and the lengths of all messages around them; the rest stays byte for
//! byte.

mod envelope;

use self::envelope::{Envelope, Levels};
use crate::body::tally;
use crate::error::Fault;
use crate::schema::Message;
use crate::splice::{Splices, TooLarge};
use crate::validate::{Companion, Place, check};
use crate::wire::put_varint;
use crate::{Body, Count, DecodeError, DecodeErrorKind, Signal, ValidateLimits};
use bytes::Bytes;

/// What [`repair`] puts right; what it does not is a fault of the body. Default all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repairs {
    /// Strings that are not UTF-8: U+FFFD replaces what is not, as [`String::from_utf8_lossy`] does.
    pub utf8: bool,
    /// Ids of the wrong length: a span with such an id, its own or of a link, is rejected; of log records, exemplars and
    /// profiles the id is removed.
    pub ids: bool,
}

/// What [`repair`] made of a body.
#[derive(Clone, Debug)]
pub struct Repaired {
    /// The body; with the bytes that came in, if those were sound.
    pub body: Body,
    /// How many strings were not UTF-8; those of rejected items are not counted.
    pub strings: u64,
    /// How many ids were removed.
    pub ids: u64,
    /// The items that are no longer in the body, if any.
    pub rejected: Option<Rejected>,
}

/// Items that were taken out of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// How many.
    pub count: Count,
    /// What is wrong with the first of them, and where.
    pub first: DecodeError,
}

/// Checks bytes that somebody sent as [`validate`](crate::validate()) does, but puts right what `repairs` names, at any depth. Everything
/// else is left as it stands. An envelope whose entries have all been rejected is removed as well.
///
/// A repaired string is at most three times as long; the body may grow to `max_bytes`.
///
/// ```
/// use otlp_protocol::{Repairs, Signal, ValidateLimits, repair};
///
/// let body = bytes::Bytes::from_static(b"\x0a\x03\x1a\x01\xff");
/// let repaired = repair(Signal::LOGS, &body, &ValidateLimits::default(), Repairs::default(), 1 << 20)?;
/// assert_eq!(repaired.body.plain().to_contiguous(), "\x0a\x05\x1a\x03\u{fffd}");
/// assert_eq!(repaired.strings, 1);
/// # Ok::<(), otlp_protocol::DecodeError>(())
/// ```
///
/// # Errors
/// The first fault that is not put right, with its path, as `validate` has it; [`DecodeErrorKind::TooLarge`] if the body
/// would be larger than `max_bytes`, or the notes on what to change would.
pub fn repair(
    signal: Signal,
    body: &Bytes,
    limits: &ValidateLimits,
    repairs: Repairs,
    max_bytes: usize,
) -> Result<Repaired, DecodeError> {
    match Body::check(signal, body.clone(), limits) {
        Ok(body) => Ok(Repaired { body, strings: 0, ids: 0, rejected: None }),
        Err(error) if repairs.puts_right(error.kind) => rewrite(signal, body, limits, repairs, max_bytes),
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

/// Notes what is to be put in place of strings, and what is cut out.
struct Repair<'a> {
    signal: Signal,
    body: &'a [u8],
    repairs: Repairs,
    levels: Levels,
    splices: Splices,
    /// The messages around the field being read.
    open: Vec<Envelope>,
    strings: u64,
    ids: u64,
    rejected: Count,
    /// What is wrong with the first rejected item.
    first: Option<Fault>,
}

// === impl Repairs ===

impl Repairs {
    /// Whether a fault of that kind is put right.
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
    /// The entry around the field being read, if the signal rejects entries with bad ids.
    fn entry(&mut self) -> Option<&mut Envelope> {
        let entry = self.open.get_mut(Levels::ENTRY)?;
        (self.signal.needs_ids && entry.is_level).then_some(entry)
    }

    fn check_size(&self) -> Result<(), DecodeErrorKind> {
        self.splices.check().map_err(|TooLarge { limit }| DecodeErrorKind::TooLarge { limit })
    }
}

impl Companion for Repair<'_> {
    fn enter(&mut self, message: &'static Message, place: &Place) {
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

    fn invalid_utf8(&mut self, place: &Place, text: &[u8]) -> Result<(), DecodeErrorKind> {
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

    fn invalid_id(&mut self, place: &Place, kind: DecodeErrorKind) -> Result<(), DecodeErrorKind> {
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
