//! Several answers to one batch, joined to one.

use otlp_protocol::Accepted;
use otlp_transport::ExportResult;

/// Joins several answers: a failure wins, a retryable one first; the rejected counts are folded by `rejected`.
pub(crate) fn join_answers(
    answers: impl IntoIterator<Item = ExportResult>,
    rejected: fn(u64, u64) -> u64,
) -> ExportResult {
    let mut joined = Accepted::FULL;
    let mut failure = None;
    for answer in answers {
        match answer {
            Ok(accepted) => {
                joined.rejected = rejected(joined.rejected, accepted.rejected);
                join_messages(&mut joined.message, &accepted.message);
            }
            Err(error) if error.retry().is_retryable() => return Err(error),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(joined), Err)
}

/// Appends a text to others, unless they would grow out of bounds.
pub(crate) fn join_messages(messages: &mut String, message: &str) {
    if message.is_empty() || messages.len() + message.len() > MAX_MESSAGES_BYTES || messages.contains(message)
    {
        return;
    }
    if !messages.is_empty() {
        messages.push_str("; ");
    }
    messages.push_str(message);
}

/// Joined texts grow no longer than this: they go into every answer.
const MAX_MESSAGES_BYTES: usize = 4096;
