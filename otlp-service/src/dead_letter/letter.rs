//! A batch that is to be written, and the line about its reason.

use crate::health::{Timestamp, push_string};
use crate::ledger::DropReason;
use crate::telemetry::Counter;
use otlp_protocol::{Batch, ErrorKind};
use otlp_transport::ExportError;
use std::time::SystemTime;
use tokio::sync::oneshot;

/// A batch that is to be written. Dropping the letter counts its items as not written, unless they were.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) batch: Batch,
    pub(super) reason: DropReason,
    kind: ErrorKind,
    message: String,
    time: SystemTime,
    written: Counter,
    failed: Counter,
    is_written: bool,
    /// The export that waits until the letter is written. Dropped with the letter.
    _waiting: oneshot::Sender<()>,
}

/// The counters of letters.
#[derive(Debug)]
pub(super) struct LetterCounters {
    pub(super) written: Counter,
    pub(super) failed: Counter,
}

// === impl Letter ===

impl Letter {
    /// Creates the letter of a batch whose last attempt ended with `error`, and the end of its settlement.
    pub(super) fn new(
        batch: Batch,
        error: &ExportError,
        time: SystemTime,
        counters: &LetterCounters,
    ) -> (Self, oneshot::Receiver<()>) {
        let (waiting, settled) = oneshot::channel();
        let message = error.message();
        let message = match message.char_indices().nth(MAX_MESSAGE_CHARS) {
            Some((end, _)) => format!("{}…", &message[..end]),
            None => message.to_owned(),
        };
        let letter = Self {
            batch,
            reason: DropReason::of(error),
            kind: error.kind(),
            message,
            time,
            written: counters.written.clone(),
            failed: counters.failed.clone(),
            is_written: false,
            _waiting: waiting,
        };
        (letter, settled)
    }

    /// Returns the line about the letter, which is request `number` of its file and begins at byte `offset`.
    pub(super) fn reason_line(&self, number: u64, offset: u64) -> String {
        let (time, items, bytes) = (Timestamp(self.time), self.batch.items(), self.batch.len());
        let mut line = format!(
            "{{\"request\":{number},\"offset\":{offset},{ITEMS}{items},\"bytes\":{bytes},\"time\":\"{time}\",\
             \"reason\":\"{}\",\"error\":\"{:?}\",\"message\":",
            self.reason, self.kind
        );
        push_string(&mut line, &self.message);
        line.push_str("}\n");
        line
    }

    /// Counts the items as written.
    pub(super) fn written(mut self) {
        self.is_written = true;
        self.written.add(self.batch.items());
    }
}

impl Drop for Letter {
    fn drop(&mut self) {
        if !self.is_written {
            self.failed.add(self.batch.items());
        }
    }
}

/// Returns the number of items in the lines of a file of reasons.
pub(super) fn items_of(lines: &[u8]) -> u64 {
    let lines = lines.split(|byte| *byte == b'\n').filter_map(|line| str::from_utf8(line).ok());
    let items = lines.filter_map(|line| {
        // The first such text is the key: before it there are only numbers.
        let (_, rest) = line.split_once(ITEMS)?;
        rest.split(',').next()?.parse::<u64>().ok()
    });
    items.fold(0, u64::saturating_add)
}

const ITEMS: &str = "\"items\":";
/// Room for the URL, the status, 200 characters of the destination's message, and the text of the retry.
const MAX_MESSAGE_CHARS: usize = 400;
