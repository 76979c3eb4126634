//! What an HTTP/1.1 connection is doing, told by its bytes and its service to whoever closes idle and slow ones.
//!
//! The bytes are watched only while a request's head is due. Two things are learnt there that hyper does not tell:
//! whether a head has begun, and whether it names both Content-Length and Transfer-Encoding (hyper drops the one
//! in silence). Of pipelined requests, which nobody sends, this holds for the first one of each read only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Shared by a connection's stream, service and watch: all on one task, so there is nothing to order.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// Two bits of phase; above them, a count of the changes of phase.
    phase: AtomicU64,
    is_ambiguous: AtomicBool,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No request has begun.
    Idle,
    /// The head of a request is coming.
    Head,
    /// A request is being answered.
    Busy,
}

/// A phase and its number: the same number is the same phase, uninterrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    number: u64,
    pub(super) phase: Phase,
}

/// A request being answered; when dropped, the next one is due.
pub(super) struct Answering(Arc<Activity>);

/// Reads heads as they come, line by line.
#[derive(Debug)]
pub(super) struct HeadWatch {
    activity: Arc<Activity>,
    /// The begun line, if it did not end with the bytes read so far; no longer than matters.
    line: Vec<u8>,
    has_length: bool,
    has_encoding: bool,
}

// === impl Activity ===

impl Activity {
    pub(super) fn now(&self) -> Moment {
        let number = self.phase.load(Relaxed);
        let phase = match number & 3 {
            0 => Phase::Idle,
            1 => Phase::Head,
            _ => Phase::Busy,
        };
        Moment { number, phase }
    }

    /// A request's head is complete. Says whether it has two lengths.
    pub(super) fn answer(self: &Arc<Self>) -> (bool, Answering) {
        self.enter(Phase::Busy);
        (self.is_ambiguous.swap(false, Relaxed), Answering(Arc::clone(self)))
    }

    fn enter(&self, phase: Phase) {
        let count = self.phase.load(Relaxed) >> 2;
        self.phase.store((count + 1) << 2 | phase as u64, Relaxed);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.enter(Phase::Idle);
    }
}

// === impl HeadWatch ===

impl HeadWatch {
    pub(super) fn new(activity: Arc<Activity>) -> Self {
        Self { activity, line: Vec::new(), has_length: false, has_encoding: false }
    }

    /// Takes note of bytes that were read from the connection.
    pub(super) fn see(&mut self, mut bytes: &[u8]) {
        match self.activity.now().phase {
            Phase::Busy => return,
            Phase::Idle if bytes.is_empty() => return,
            Phase::Idle => self.activity.enter(Phase::Head),
            Phase::Head => {}
        }
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (rest_of_line, rest) = (&bytes[..end], &bytes[end + 1..]);
            bytes = rest;
            let mut begun = std::mem::take(&mut self.line);
            let line = if begun.is_empty() {
                rest_of_line
            } else {
                keep(&mut begun, rest_of_line);
                &begun
            };
            self.has_length |= names(line, LENGTH);
            self.has_encoding |= names(line, ENCODING);
            if line.trim_ascii_end().is_empty() {
                self.activity.is_ambiguous.store(self.has_length && self.has_encoding, Relaxed);
                (self.has_length, self.has_encoding) = (false, false);
                // What follows is the body.
                return;
            }
        }
        keep(&mut self.line, bytes);
    }
}

/// Keeps of a line what it takes to tell its name, and that it is not empty.
fn keep(begun: &mut Vec<u8>, more: &[u8]) {
    let room = (ENCODING.len() + 1).saturating_sub(begun.len());
    begun.extend_from_slice(&more[..more.len().min(room)]);
}

fn names(line: &[u8], header: &[u8]) -> bool {
    line.get(..header.len()).is_some_and(|name| name.eq_ignore_ascii_case(header))
}

const LENGTH: &[u8] = b"content-length:";
const ENCODING: &[u8] = b"transfer-encoding:";

#[cfg(test)]
mod tests;
