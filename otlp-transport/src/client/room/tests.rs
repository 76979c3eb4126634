use super::*;
use std::task::{Context, Waker};

#[tokio::test]
async fn one_text_at_a_time_goes_beyond_a_budget_that_is_used_up() {
    let budget = ByteBudget::new(100);
    let rooms = Rooms::new(budget.clone());
    let mut first = rooms.take(60).await;
    rooms.resize(&mut first, 80).await;
    assert!(matches!(first, Room::Charged(_)));
    assert_eq!(budget.used(), 80);

    let second = rooms.take(60).await;
    assert!(matches!(second, Room::Outside { .. }));
    // The third waits until the second is gone.
    let mut third = std::pin::pin!(rooms.take(60));
    assert!(third.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(second);
    assert!(matches!(third.await, Room::Outside { .. }));

    // A text that turns out larger than the budget has room for gives back what it had.
    rooms.resize(&mut first, 200).await;
    assert!(matches!(first, Room::Outside { .. }));
    assert_eq!(budget.used(), 0);
    drop(first);
    drop(rooms.take(100).await);
    assert_eq!(budget.used(), 0);
}
