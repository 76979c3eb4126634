//! The joined answer to a batch whose parts went to several endpoints.

use crate::{ExportError, ExportResult};
use otlp_protocol::{Accepted, Count, ErrorKind, Signal};

/// Answers to the parts, joined into one answer.
///
/// * A retryable failure of any part is the answer; accepted parts then arrive again.
/// * A part that is too large makes the whole batch too large, since cutting the batch helps.
/// * Any other failed part counts as rejected, unless all parts failed.
#[derive(Debug, Default)]
pub(super) struct Joined {
    accepted_parts: usize,
    rejected: u64,
    messages: Vec<String>,
    /// The most severe failure, with its weight.
    failure: Option<(Weight, ExportError)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Final,
    TooLarge,
    Retryable,
}

// === impl Joined ===

impl Joined {
    /// Adds the answer to a part of `count`.
    pub(super) fn add(&mut self, signal: Signal, count: Count, result: ExportResult) {
        match result {
            Ok(accepted) => {
                self.accepted_parts += 1;
                self.rejected = self.rejected.saturating_add(accepted.rejected.min(count.rejectable(signal)));
                self.say(accepted.message);
            }
            Err(error) => {
                self.rejected = self.rejected.saturating_add(count.rejectable(signal));
                self.say(error.message().to_owned());
                let weight = weight(&error);
                if self.failure.as_ref().is_none_or(|(most, _)| weight > *most) {
                    self.failure = Some((weight, error));
                }
            }
        }
    }

    /// Returns the joined answer.
    pub(super) fn result(self) -> ExportResult {
        match self.failure {
            Some((weight, error)) if weight > Weight::Final || self.accepted_parts == 0 => Err(error),
            _ => {
                let mut answer = Accepted { rejected: self.rejected, ..Accepted::FULL };
                self.messages.iter().for_each(|message| answer.add_message(message));
                Ok(answer)
            }
        }
    }

    fn say(&mut self, message: String) {
        if !message.is_empty() && self.messages.len() < MAX_MESSAGES && !self.messages.contains(&message) {
            self.messages.push(message);
        }
    }
}

fn weight(error: &ExportError) -> Weight {
    match (error.retry().is_retryable(), error.kind()) {
        (true, _) => Weight::Retryable,
        (false, ErrorKind::TooLarge) => Weight::TooLarge,
        (false, _) => Weight::Final,
    }
}

/// Messages kept, each at most as long as an answer.
const MAX_MESSAGES: usize = 8;

#[cfg(test)]
mod tests;
