//! Conversion of OTLP/JSON to protobuf.

mod surrogates;

use super::Intake;
use crate::ExportError;
use crate::counter;
use bytes::Bytes;
use otlp_protocol::json::{JsonError, JsonErrorKind, JsonLimits, to_protobuf};
use otlp_protocol::{Charge, ErrorKind, FieldViolation, Retry, Signal};

impl Intake {
    /// Converts a request to protobuf. `charge` holds `text` and nothing else.
    pub(super) fn rewrite(
        &self,
        signal: Signal,
        text: Bytes,
        charge: &mut Charge,
    ) -> Result<Bytes, ExportError> {
        let plain = match self.try_rewrite(signal, &text, charge)? {
            Err(error) if is_repairable(&error.kind) && self.replaces_utf8() => {
                let (text, replaced) = self.replace(&text, charge)?;
                let plain = self.try_rewrite(signal, &text, charge)?.map_err(refusal)?;
                self.count_repaired(replaced);
                plain
            }
            rewritten => rewritten.map_err(refusal)?,
        };
        drop(text);
        charge.shrink_to(plain.len() as u64);
        Ok(plain)
    }

    /// Converts a text. The outer error is a lack of memory, the inner error a fault of the text.
    fn try_rewrite(
        &self,
        signal: Signal,
        text: &[u8],
        charge: &mut Charge,
    ) -> Result<Result<Bytes, JsonError>, ExportError> {
        let held = charge.bytes();
        let limits = |max_bytes| JsonLimits {
            max_depth: self.checks.max_depth,
            max_elements: self.checks.max_elements,
            max_bytes,
        };
        // Protobuf is mostly about half of its JSON, but two characters can become eight bytes. A text with too little
        // room is converted again.
        let wanted = self.limits.max_request_bytes.min(text.len().saturating_mul(4));
        let most = wanted.min(self.room_beside(held));
        let mut room = most.min((text.len() / 4 * 3).max(MIN_ROOM));
        if charge.try_grow(room as u64).is_err() {
            room = most.min((text.len() / 2).max(MIN_ROOM));
        }
        loop {
            charge.try_grow((held + room as u64).saturating_sub(charge.bytes()))?;
            // Not a pooled buffer: pooled buffers are so much larger that the result would be copied.
            let mut out = Vec::with_capacity(room);
            match to_protobuf(signal.request, text, &limits(room), &mut out) {
                Ok(read) => {
                    self.count_unknown_keys(read.unknown_keys);
                    return Ok(Ok(out.into()));
                }
                Err(JsonError { kind: JsonErrorKind::TooLarge { .. }, .. }) if room < most => {
                    room = most.min(2 * room);
                }
                Err(JsonError { kind: JsonErrorKind::TooLarge { .. }, .. }) => {
                    return Err(match most < wanted {
                        true => self.never_fits(held + room as u64),
                        false => self.too_large("the body in protobuf"),
                    });
                }
                Err(error) => {
                    charge.shrink_to(held);
                    return Ok(Err(error));
                }
            }
        }
    }

    /// Replaces invalid UTF-8 and halves of surrogate pairs by U+FFFD. Returns the text and the number of replacements.
    fn replace(&self, text: &[u8], charge: &mut Charge) -> Result<(Vec<u8>, u64), ExportError> {
        let (mut len, mut replaced) = (0, 0);
        for chunk in text.utf8_chunks() {
            len += chunk.valid().len();
            if !chunk.invalid().is_empty() {
                len += REPLACEMENT.len();
                replaced += 1;
            }
        }
        if len > self.limits.max_request_bytes {
            return Err(self.too_large("the body with its strings put right"));
        }
        charge.try_grow(len as u64)?;
        let mut out = Vec::with_capacity(len);
        for chunk in text.utf8_chunks() {
            out.extend_from_slice(chunk.valid().as_bytes());
            if !chunk.invalid().is_empty() {
                out.extend_from_slice(REPLACEMENT.as_bytes());
            }
        }
        replaced += surrogates::replace(&mut out);
        Ok((out, replaced))
    }

    /// Counts ignored keys, with a log line once an hour: they may be data that a sender has misspelt.
    fn count_unknown_keys(&self, keys: u64) {
        if keys == 0 {
            return;
        }
        counter::add(&self.stats.unknown_json_keys, keys);
        if let Some(keys) = self.unknown_keys.add(keys, self.context.clock.now()) {
            let receiver = self.refusals.receiver();
            tracing::warn!(
                receiver,
                keys,
                "unknown JSON keys were ignored; keys of OTLP/JSON are in camelCase"
            );
        }
    }
}

/// True if invalid characters are the only fault.
fn is_repairable(kind: &JsonErrorKind) -> bool {
    matches!(kind, JsonErrorKind::Utf8 | JsonErrorKind::Surrogate)
}

/// Makes the refusal of a text that is not OTLP/JSON, with field, position and fault.
fn refusal(error: JsonError) -> ExportError {
    let kind = match error.kind {
        JsonErrorKind::TooManyElements { .. } => ErrorKind::TooLarge,
        _ => ErrorKind::InvalidData,
    };
    let message = error.to_string();
    let violation = FieldViolation { field: error.path, description: error.kind.to_string() };
    ExportError::new(kind, Retry::Never, message).with_violation(violation)
}

/// The smallest buffer for a result, in bytes.
const MIN_ROOM: usize = 1 << 10;
const REPLACEMENT: &str = "\u{fffd}";
