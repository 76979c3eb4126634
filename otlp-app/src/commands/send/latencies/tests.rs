use super::*;

#[test]
fn quantiles_are_at_most_three_percent_too_high() {
    let mut latencies = Latencies::new();
    assert_eq!(latencies.quantile(0.5), Duration::ZERO);
    for micros in 1..=100_000 {
        latencies.record(Duration::from_micros(micros));
    }
    for (quantile, exact) in [(0.01, 1_000), (0.5, 50_000), (0.95, 95_000), (0.99, 99_000), (1.0, 100_000)] {
        let found = latencies.quantile(quantile).as_micros() as f64;
        let exact = f64::from(exact);
        assert!(found >= exact && found <= exact * 1.032, "{quantile}: {found} instead of {exact}");
    }
    assert_eq!(latencies.max(), Duration::from_micros(100_000));
}

#[test]
fn buckets_follow_each_other_and_have_an_end() {
    for micros in [0, 1, 31, 32, 33, 63, 64, 65, 1_000, 1 << 40, u64::MAX - 1, u64::MAX] {
        let index = bucket(micros);
        assert!(index < BUCKETS && micros <= upper_bound(index), "{micros}");
        assert!(index == 0 || micros > upper_bound(index - 1), "{micros}");
    }
    let mut latencies = Latencies::new();
    latencies.record(Duration::MAX);
    assert_eq!(latencies.quantile(0.5), Duration::from_micros(u64::MAX));
}
