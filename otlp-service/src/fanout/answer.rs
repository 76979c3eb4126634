//! Several answers to one batch, joined to one.

use otlp_protocol::Accepted;
use otlp_transport::ExportResult;

/// Joins the answers of several exports to one: the first retryable failure wins, then the first failure; otherwise the
/// rejected counts are folded by `rejected`, and the texts are joined, to 4096 bytes at most.
///
/// `u64::max` folds the counts of the same items at several destinations, `u64::saturating_add` those of several parts.
///
/// ```
/// use otlp_protocol::Accepted;
/// use otlp_service::join_answers;
///
/// let rejected = |rejected, text: &str| Ok(Accepted { rejected, message: text.into() });
/// let joined = join_answers([rejected(2, "too old"), rejected(3, "too large")], u64::max);
/// assert_eq!(joined.unwrap(), Accepted { rejected: 3, message: "too old; too large".into() });
/// ```
pub fn join_answers(
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

/// Appends a text to others, as far as they have room for it.
pub(crate) fn join_messages(messages: &mut String, message: &str) {
    let separator = if messages.is_empty() { "" } else { "; " };
    let room = MAX_MESSAGES_BYTES.saturating_sub(messages.len() + separator.len());
    if message.is_empty() || room < MIN_MESSAGE_BYTES || messages.contains(message) {
        return;
    }
    messages.push_str(separator);
    messages.push_str(beginning(message, room));
}

/// At most `max` bytes of a text, which ends with a whole character.
fn beginning(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or_default()
}

/// Joined texts grow no longer than this: they go into every answer.
const MAX_MESSAGES_BYTES: usize = 4096;
/// Less of a text is of no use.
const MIN_MESSAGE_BYTES: usize = 64;

#[cfg(test)]
mod tests;
