use super::*;

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn the_last_ten_complete_seconds_count() {
    let throughput = Throughput::default();
    assert_eq!(throughput.per_second(at(0.0)), 0.0);
    throughput.add(at(0.2), 100);
    assert_eq!(throughput.per_second(at(0.5)), 200.0);
    assert_eq!(throughput.per_second(at(1.5)), 100.0);
    throughput.add(at(1.9), 50);
    // The second that is under way does not count.
    assert_eq!(throughput.per_second(at(1.95)), 100.0);
    assert_eq!(throughput.per_second(at(2.0)), 75.0);
    // Seconds without items count.
    assert_eq!(throughput.per_second(at(10.0)), 15.0);
    assert_eq!(throughput.per_second(at(11.0)), 5.0);
    assert_eq!(throughput.per_second(at(12.0)), 0.0);
}

#[test]
fn slots_are_used_again_and_nothing_is_lost_between_threads() {
    let throughput = Throughput::default();
    for second in 0..100 {
        throughput.add(at(f64::from(second)), 7);
    }
    assert_eq!(throughput.per_second(at(100.0)), 7.0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| throughput.add(at(200.5), 3)));
        }
    });
    assert_eq!(throughput.per_second(at(201.0)), 1200.0);
}
