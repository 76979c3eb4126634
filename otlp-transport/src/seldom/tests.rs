use super::Seldom;
use crate::{Clock as _, TokioClock};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn it_is_told_at_once_and_then_once_in_a_while() {
    let seldom = Seldom::every(Duration::from_secs(5));
    assert_eq!(seldom.add(2, TokioClock.now()), Some(2));
    assert_eq!(seldom.add(3, TokioClock.now()), None);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(seldom.add(4, TokioClock.now()), Some(7));
    assert_eq!(seldom.add(1, TokioClock.now()), None);
}
