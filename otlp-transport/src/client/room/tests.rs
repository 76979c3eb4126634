use super::*;
use std::task::{Context, Waker};

#[tokio::test]
async fn one_text_at_a_time_goes_beyond_a_budget_that_is_used_up() {
    let budget = ByteBudget::new(100);
    let rooms = Rooms::new(budget.clone());
    let mut first = rooms.take(60, None).await;
    rooms.resize(&mut first, 80, None).await;
    assert!(matches!(first, Room::Charged(_)));
    assert_eq!(budget.used(), 80);

    let second = rooms.take(60, None).await;
    assert!(matches!(second, Room::Outside(_)));
    // What is made of the same batch has room there, too.
    let Room::Outside(place) = &second else { unreachable!("it is outside") };
    assert!(matches!(rooms.take(60, Some(place)).await, Room::Outside(_)));
    // The third waits until the second is gone.
    let mut third = std::pin::pin!(rooms.take(60, None));
    assert!(third.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(second);
    assert!(matches!(third.await, Room::Outside(_)));

    // A text that turns out larger than the budget has room for gives back what it had.
    rooms.resize(&mut first, 200, None).await;
    assert!(matches!(first, Room::Outside(_)));
    assert_eq!(budget.used(), 0);
    drop(first);
    drop(rooms.take(100, None).await);
    assert_eq!(budget.used(), 0);
}
