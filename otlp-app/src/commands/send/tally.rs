//! Counts of what was sent and of the answers.

use super::latencies::Latencies;
use otlp_protocol::{Batch, ErrorKind};
use otlp_transport::ExportResult;
use std::collections::BTreeMap;
use std::time::Duration;

/// Counts of all requests so far.
#[derive(Clone)]
pub(super) struct Tally {
    /// Requests that were sent and answered, also by a failure of the connection.
    pub(super) requests: u64,
    /// Requests whose answer has not come yet.
    pub(super) waiting_requests: u64,
    /// Items of requests whose answer has not come yet.
    pub(super) waiting_items: u64,
    /// Requests that the destination accepted, wholly or in part.
    pub(super) accepted_requests: u64,
    /// Bytes of the requests, before compression and in protobuf.
    pub(super) bytes: u64,
    /// Counts by signal name.
    pub(super) items: BTreeMap<&'static str, Items>,
    /// Latencies of accepted requests.
    pub(super) latencies: Latencies,
    /// Failed requests by reason.
    pub(super) failures: BTreeMap<String, u64>,
    /// Failed requests of reasons beyond [`MAX_REASONS`].
    pub(super) other_failures: u64,
    /// Messages of accepted requests: reasons of rejections, and warnings.
    pub(super) messages: BTreeMap<String, u64>,
    /// Accepted requests with messages beyond [`MAX_REASONS`].
    pub(super) other_messages: u64,
    /// Requests of files that cannot be read.
    pub(super) unreadable: u64,
    /// Times that a request was sent again.
    pub(super) retries: u64,
}

/// Items of one signal.
#[derive(Clone, Copy, Default)]
pub(super) struct Items {
    /// Name of the items: `spans`.
    pub(super) noun: &'static str,
    pub(super) sent: u64,
    pub(super) accepted: u64,
    /// Items of accepted requests that the destination rejected.
    pub(super) rejected: u64,
    /// Items of failed requests.
    pub(super) failed: u64,
}

// === impl Tally ===

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            requests: 0,
            waiting_requests: 0,
            waiting_items: 0,
            accepted_requests: 0,
            bytes: 0,
            items: BTreeMap::new(),
            latencies: Latencies::new(),
            failures: BTreeMap::new(),
            other_failures: 0,
            messages: BTreeMap::new(),
            other_messages: 0,
            unreadable: 0,
            retries: 0,
        }
    }

    /// Counts a request that is about to be sent.
    pub(super) fn begin(&mut self, batch: &Batch) {
        self.waiting_requests += 1;
        self.waiting_items += batch.items();
    }

    /// Counts a request and its answer.
    pub(super) fn add(&mut self, batch: &Batch, answer: &ExportResult, latency: Duration) {
        self.waiting_requests = self.waiting_requests.saturating_sub(1);
        self.waiting_items = self.waiting_items.saturating_sub(batch.items());
        self.requests += 1;
        self.bytes += batch.len() as u64;
        let signal = batch.signal();
        let items = self.items.entry(signal.name).or_default();
        items.noun = signal.items_noun;
        items.sent += batch.items();
        match answer {
            Ok(accepted) => {
                let rejected = accepted.rejected.min(batch.items());
                items.accepted += batch.items() - rejected;
                items.rejected += rejected;
                self.accepted_requests += 1;
                self.latencies.record(latency);
                if accepted.is_partial() && !count(&mut self.messages, &accepted.message) {
                    self.other_messages += 1;
                }
            }
            Err(error) => {
                items.failed += batch.items();
                let reason = format!("{}: {}", name_of(error.kind()), error.message());
                if !count(&mut self.failures, &reason) {
                    self.other_failures += 1;
                }
            }
        }
    }

    /// Returns the number of requests that failed.
    pub(super) fn failed_requests(&self) -> u64 {
        self.requests - self.accepted_requests
    }

    /// Returns the number of items that the destination accepted.
    pub(super) fn accepted_items(&self) -> u64 {
        self.items.values().map(|items| items.accepted).sum()
    }

    /// Returns the number of items in requests that were sent.
    pub(super) fn sent_items(&self) -> u64 {
        self.items.values().map(|items| items.sent).sum()
    }
}

/// Counts a text, unless too many others are counted. Returns true if the text was counted.
fn count(texts: &mut BTreeMap<String, u64>, text: &str) -> bool {
    if let Some(count) = texts.get_mut(text) {
        *count += 1;
        return true;
    }
    let has_room = texts.len() < MAX_REASONS;
    if has_room {
        texts.insert(text.to_owned(), 1);
    }
    has_room
}

/// Returns the kind of a failure in words.
fn name_of(kind: ErrorKind) -> String {
    let name = format!("{kind:?}");
    let words = name.char_indices().map(|(at, letter)| {
        let space = if at > 0 && letter.is_uppercase() { " " } else { "" };
        format!("{space}{}", letter.to_lowercase())
    });
    words.collect()
}

/// The most different reasons that are counted apart.
const MAX_REASONS: usize = 16;
