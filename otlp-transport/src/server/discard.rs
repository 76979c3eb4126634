//! Reading of the rest of a body after an early answer.
//!
//! Many clients read no answer before they have sent the whole request. On HTTP/1.1 a connection closed with unread bytes
//! is reset and the answer lost; on HTTP/2 old clients treat the reset of an answered stream as a failure.

use super::engine::RequestBody;
use crate::Clock;
use http::HeaderMap;
use http::header::EXPECT;
use std::task::Poll;
use std::time::Duration;

/// Reads and drops the rest of a body, for a quarter of a second at most. Returns false if more than `max_bytes` are
/// left, or if the peer waits for `100 Continue`.
pub(super) async fn discard<B: RequestBody>(
    body: &mut B,
    headers: &HeaderMap,
    max_bytes: u64,
    clock: &dyn Clock,
) -> bool {
    if body.is_at_end() {
        return true;
    }
    if headers.contains_key(EXPECT) || body.remaining().is_some_and(|remaining| remaining > max_bytes) {
        return false;
    }
    let (mut left, mut too_late) = (max_bytes, None);
    std::future::poll_fn(|cx| {
        loop {
            match body.poll_piece(cx) {
                Poll::Ready(None) => return Poll::Ready(true),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(false),
                Poll::Ready(Some(Ok(bytes))) => match left.checked_sub(bytes.len() as u64) {
                    Some(rest) => left = rest,
                    None => return Poll::Ready(false),
                },
                Poll::Pending => {
                    let too_late = too_late.get_or_insert_with(|| clock.sleep(DISCARD_TIME));
                    return too_late.as_mut().poll(cx).map(|()| false);
                }
            }
        }
    })
    .await
}

/// Limit on HTTP/1.1, where the rest decides whether the connection can be reused.
pub(super) const MAX_HTTP1_BYTES: u64 = 256 << 10;
/// Limit on HTTP/2, for each stream.
pub(super) const MAX_HTTP2_BYTES: u64 = 64 << 10;
const DISCARD_TIME: Duration = Duration::from_millis(250);
