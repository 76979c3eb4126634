use super::{Connections, Slot};
use futures_util::FutureExt as _;
use std::sync::Arc;

fn is_evicted(slot: &Slot) -> bool {
    slot.evicted().now_or_never().is_some()
}

#[test]
fn the_longest_idle_connection_makes_room() {
    let all = Arc::new(Connections::new(8));
    let mut slots: Vec<_> = (0..8).map(|_| all.admit().unwrap()).collect();
    // The first has a request, the second had one, the last is gone.
    slots[0].leave();
    slots[1].leave();
    slots[1].enter();
    drop(slots.pop());
    assert_eq!(all.open(), 7);
    slots.push(all.admit().unwrap());
    assert!(!slots.iter().any(is_evicted));
    // Two over the limit at most, as long as those that are told to close have not.
    let more = [all.admit().unwrap(), all.admit().unwrap()];
    assert!(is_evicted(&slots[2]) && is_evicted(&slots[3]) && !is_evicted(&slots[1]));
    assert!(all.admit().is_none());
    drop(slots.swap_remove(2));
    drop(more);
    assert_eq!(all.open(), 7);
}

#[test]
fn nobody_with_a_request_makes_room() {
    let all = Arc::new(Connections::new(1));
    let slot = all.admit().unwrap();
    slot.leave();
    assert!(all.admit().is_none());
    assert!(!is_evicted(&slot));
    slot.enter();
    assert!(all.admit().is_some());
    assert!(is_evicted(&slot));
}
