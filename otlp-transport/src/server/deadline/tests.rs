use super::{Expired, Patience};
use crate::{Clock, ServerLimits, TokioClock};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// How a body ends of which `bytes` come every `every` seconds, and after how many seconds, by the default limits changed.
async fn end(bytes: usize, every: u32, change: impl FnOnce(&mut ServerLimits)) -> (Expired, u64) {
    let mut limits = ServerLimits::default();
    change(&mut limits);
    let begun = TokioClock.now();
    let mut patience = Patience::new(&TokioClock, &limits, Some(begun + 10_000 * SECOND));
    let mut next = TokioClock.sleep(every * SECOND);
    let expired = poll_fn(|cx| {
        while next.as_mut().poll(cx).is_ready() {
            patience.renew(bytes);
            next = TokioClock.sleep(every * SECOND);
        }
        match patience.poll_expired(cx) {
            Poll::Ready(expired) => Poll::Ready(expired),
            Poll::Pending => Poll::Pending,
        }
    });
    let expired = expired.await;
    (expired, (TokioClock.now() - begun).as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_body_must_go_on_come_fast_enough_and_end() {
    // Nothing comes.
    assert_eq!(end(0, 20_000, |_| {}).await, (Expired::Silence, 30));
    // A byte a piece, each just in time.
    assert_eq!(end(1, 29, |_| {}).await, (Expired::Rate, 30));
    // A slow mobile link, 2.5 KB/s, and one just above the least rate.
    for bytes in [2_500, 250] {
        assert_eq!(end(bytes, 1, |_| {}).await, (Expired::Total, 300));
    }
    // A tenth below the rate: the half minute that is granted is used up by a tenth of each second, or nearly so.
    assert_eq!(end(216, 1, |limits| limits.max_body_time = None).await, (Expired::Rate, 291));
    let anything = |limits: &mut ServerLimits| {
        limits.max_body_time = None;
        limits.min_body_rate = 0;
    };
    assert_eq!(end(1, 29, anything).await, (Expired::Deadline, 10_000));
}
