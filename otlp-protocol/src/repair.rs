//! Making strings UTF-8: one bad byte in one attribute must not cost the thousands of items around it.
//!
//! A sound body is only checked, as [`validate`](crate::validate()) does it. One with bad strings is walked a second
//! time, to note what to put in their place and the lengths of all messages around them; the rest stays byte for byte.

use crate::splice::{Mark, Splices, TooLarge};
use crate::validate::{Companion, check};
use crate::wire::put_varint;
use crate::{Checked, DecodeError, DecodeErrorKind, Signal, ValidateLimits, validate};
use bytes::Bytes;
use std::ops::Range;

/// What [`repair_utf8`] made of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The body, all of whose strings are UTF-8; the one that came in, if they were before.
    pub body: Bytes,
    /// What [`validate`](crate::validate()) says of it.
    pub checked: Checked,
    /// How many strings were not UTF-8.
    pub strings: u64,
}

/// Checks a body as [`validate`](crate::validate()) does, but puts U+FFFD in place of what is not UTF-8 in its strings,
/// as [`String::from_utf8_lossy`] does; at any depth. Everything else is left as it stands.
///
/// A repaired string is at most three times as long; the body may grow to `max_bytes`.
///
/// ```
/// use otlp_protocol::{Signal, ValidateLimits, repair_utf8};
///
/// let body = bytes::Bytes::from_static(b"\x0a\x03\x1a\x01\xff");
/// let repaired = repair_utf8(Signal::LOGS, &body, &ValidateLimits::default(), 1 << 20)?;
/// assert_eq!(repaired.body, "\x0a\x05\x1a\x03\u{fffd}");
/// assert_eq!(repaired.strings, 1);
/// # Ok::<(), otlp_protocol::DecodeError>(())
/// ```
///
/// # Errors
/// The first fault other than strings, with its path, as `validate` has it; [`DecodeErrorKind::TooLarge`] if the body
/// would be larger than `max_bytes`, or the notes on what to change would.
pub fn repair_utf8(
    signal: Signal,
    body: &Bytes,
    limits: &ValidateLimits,
    max_bytes: usize,
) -> Result<Repaired, DecodeError> {
    match validate(signal, body, limits) {
        Ok(checked) => Ok(Repaired { body: body.clone(), checked, strings: 0 }),
        Err(error) if error.kind == DecodeErrorKind::Utf8 => repair(signal, body, limits, max_bytes),
        Err(error) => Err(error),
    }
}

fn repair(
    signal: Signal,
    body: &Bytes,
    limits: &ValidateLimits,
    max_bytes: usize,
) -> Result<Repaired, DecodeError> {
    let too_large = |TooLarge { limit }| DecodeError {
        kind: DecodeErrorKind::TooLarge { limit },
        path: String::new(),
        offset: 0,
    };
    let splices = Splices::new(body.len(), max_bytes).map_err(too_large)?;
    let mut repair = Repair { splices, open: Vec::with_capacity(16), strings: 0 };
    let checked = check(signal, body, limits, &mut repair)?;
    let repaired = repair.splices.copy(body).map_err(too_large)?;
    let body = repaired.unwrap_or_else(|| body.clone());
    Ok(Repaired { body, checked, strings: repair.strings })
}

/// Notes what is to be put in place of strings.
struct Repair {
    splices: Splices,
    /// The messages around the one being read.
    open: Vec<Mark>,
    strings: u64,
}

// === impl Repair ===

impl Companion for Repair {
    fn enter(&mut self, prefix: Range<usize>, len: usize) {
        self.open.push(self.splices.open(prefix, len));
    }

    fn leave(&mut self) {
        if let Some(mark) = self.open.pop() {
            self.splices.close(mark);
        }
    }

    fn invalid(&mut self, prefix: Range<usize>, text: &[u8]) -> Result<(), DecodeErrorKind> {
        let repaired = String::from_utf8_lossy(text);
        let end = prefix.end + text.len();
        self.splices.replace(prefix.start..end, |out| {
            put_varint(out, repaired.len() as u64);
            out.extend_from_slice(repaired.as_bytes());
        });
        self.strings += 1;
        self.splices.check().map_err(|TooLarge { limit }| DecodeErrorKind::TooLarge { limit })
    }
}
