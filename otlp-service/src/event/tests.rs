use super::*;
use parking_lot::Mutex;
use tokio::task::{JoinSet, yield_now};

#[tokio::test]
async fn tasks_wake_in_the_order_in_which_they_began_to_wait() {
    let (event, woken) = (Event::default(), Arc::new(Mutex::new(Vec::new())));
    let mut tasks = JoinSet::new();
    for number in 0..100 {
        let (event, woken) = (event.clone(), woken.clone());
        tasks.spawn(async move {
            event.wait().await;
            woken.lock().push(number);
        });
        yield_now().await;
    }
    assert!(woken.lock().is_empty());
    event.happen();
    tasks.join_all().await;
    assert_eq!(*woken.lock(), (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_has_happened_is_not_waited_for() {
    let event = Event::default();
    event.happen();
    event.wait().await;
    let dropped = Event::default();
    let waiting = dropped.wait();
    drop(dropped.on_drop());
    waiting.await;
}
