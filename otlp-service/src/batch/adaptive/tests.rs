use super::*;

const MILLI: Duration = Duration::from_millis(1);

fn controller(destinations: usize) -> BatchSizeController {
    BatchSizeController::new(AdaptiveBatchConfig::default(), destinations)
}

/// Observes an answered attempt, and returns the size.
fn observe(controller: &mut BatchSizeController, destination: usize, items: u64, millis: u32) -> u64 {
    controller.observe(Observation { destination, items, latency: millis * MILLI, is_answered: true });
    controller.size()
}

#[test]
fn over_the_target_shrinks_by_a_fifth_and_under_half_grows_by_a_fifth() {
    let mut controller = controller(1);
    assert_eq!(controller.size(), 8192);
    assert_eq!(observe(&mut controller, 0, 8192, 51), 6553);
    for millis in [25, 30, 50] {
        assert_eq!(observe(&mut controller, 0, 6553, millis), 6553, "{millis} ms");
    }
    assert_eq!(observe(&mut controller, 0, 6553, 24), 7864);
}

#[test]
fn the_size_stays_within_its_limits() {
    let mut controller = controller(1);
    for _ in 0..50 {
        let size = controller.size();
        observe(&mut controller, 0, size, 1000);
    }
    assert_eq!(controller.size(), 512);
    for _ in 0..50 {
        let size = controller.size();
        observe(&mut controller, 0, size, 1);
    }
    assert_eq!(controller.size(), 8192);
}

#[test]
fn limits_that_contradict_each_other_are_put_right() {
    for (min, max, expect) in [(0, 0, 1), (100, 10, 100), (u64::MAX, u64::MAX, MAX_SIZE)] {
        let config = AdaptiveBatchConfig { min_batch_size: min, max_batch_size: max, ..Default::default() };
        assert_eq!(BatchSizeController::new(config, 0).size(), expect);
    }
    let config = AdaptiveBatchConfig { min_batch_size: 1, max_batch_size: 10, ..Default::default() };
    let mut controller = BatchSizeController::new(config, 1);
    for _ in 0..20 {
        observe(&mut controller, 0, 10, 1000);
        observe(&mut controller, 0, 1, 1000);
    }
    assert_eq!(controller.size(), 1);
    for _ in 0..20 {
        observe(&mut controller, 0, 10, 1);
    }
    assert_eq!(controller.size(), 10, "a size of 1 grows too");
}

#[test]
fn attempts_from_before_a_change_count_only_as_far_as_they_speak_of_the_new_size() {
    let mut controller = controller(1);
    // 40 µs an item: 50 ms are 1225 items. All attempts began with batches of 8192 items.
    for _ in 0..100 {
        observe(&mut controller, 0, 8192, 329);
    }
    let size = controller.size();
    assert!((600..=1300).contains(&size), "{size}");
}

#[test]
fn a_batch_that_is_not_full_says_no_more_than_its_items() {
    let mut controller = controller(1);
    observe(&mut controller, 0, 8192, 60);
    // Idle: batches of 10 items, sent after the timeout.
    for _ in 0..1000 {
        assert_eq!(observe(&mut controller, 0, 10, 1), 6553);
    }
    // 4000 items within 5 ms: 8192 would take 10 ms at most.
    assert_eq!(observe(&mut controller, 0, 4000, 5), 7864);
    // Slower than the target although not full: a full batch is not quicker.
    assert_eq!(observe(&mut controller, 0, 10, 51), 6291);
}

#[test]
fn an_attempt_that_timed_out_only_shrinks() {
    let mut controller = controller(1);
    let timed_out = |millis: u32| Observation {
        destination: 0,
        items: 8192,
        latency: millis * MILLI,
        is_answered: false,
    };
    controller.observe(timed_out(5000));
    assert_eq!(controller.size(), 6553);
    controller.observe(timed_out(1));
    assert_eq!(controller.size(), 6553);
}

#[test]
fn of_several_destinations_the_slowest_counts() {
    let mut controller = controller(2);
    for _ in 0..3 {
        let size = controller.size();
        observe(&mut controller, 0, size, 60);
        observe(&mut controller, 1, size, 2);
    }
    assert_eq!(controller.size(), 4194);
    // The slower one gets quick; the other has stayed at the maximum.
    for _ in 0..10 {
        let size = controller.size();
        observe(&mut controller, 0, size, 2);
    }
    assert_eq!(controller.size(), 8192);
    assert_eq!(observe(&mut controller, 7, 100, 1000), 8192, "no such destination");
}

/// For a constant destination there is no cycle, whatever was observed before.
#[test]
fn the_size_settles_for_each_fixed_time_and_time_for_an_item() {
    for fixed_micros in [0_u64, 100, 1000, 10_000, 24_000, 40_000, 80_000] {
        for item_micros in [0_u64, 1, 3, 10, 40, 60, 200, 1000] {
            let mut controller = controller(1);
            let mut sizes = Vec::new();
            for _ in 0..60 {
                let items = controller.size();
                let latency = Duration::from_micros(fixed_micros + item_micros * items);
                controller.observe(Observation { destination: 0, items, latency, is_answered: true });
                sizes.push(controller.size());
            }
            let settled = &sizes[20..];
            assert!(settled.iter().all(|size| size == &settled[0]), "{fixed_micros} {item_micros} {sizes:?}");
        }
    }
}
