use super::LogLimiter;
use crate::{Clock as _, TokioClock};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_line_is_due_at_once_and_then_once_an_interval() {
    let limiter = LogLimiter::every(Duration::from_secs(5));
    assert_eq!(limiter.add(2, TokioClock.now()), Some(2));
    assert_eq!(limiter.add(3, TokioClock.now()), None);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(limiter.add(4, TokioClock.now()), Some(7));
    assert_eq!(limiter.add(1, TokioClock.now()), None);
}
