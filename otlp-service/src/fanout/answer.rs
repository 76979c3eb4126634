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
                joined.add_message(&accepted.message);
            }
            Err(error) if error.retry().is_retryable() => return Err(error),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(joined), Err)
}
