use super::*;

#[test]
fn timeouts_have_at_most_eight_digits_and_never_get_shorter() {
    let rows = [
        (Duration::ZERO, Some("0n")),
        (Duration::from_nanos(1), Some("1n")),
        (Duration::from_millis(10), Some("10000000n")),
        (Duration::from_millis(100), Some("100000u")),
        (Duration::from_secs(5), Some("5000000u")),
        (Duration::from_nanos(5_000_000_001), Some("5000001u")),
        (Duration::from_secs(100), Some("100000m")),
        (Duration::from_secs(1_000_000), Some("1000000S")),
        (Duration::from_secs(1_000_000_000), Some("16666667M")),
        (Duration::MAX, None),
    ];
    for (timeout, expected) in rows {
        let value = grpc_timeout(timeout);
        assert_eq!(value.as_ref().map(|value| value.to_str().unwrap()), expected, "{timeout:?}");
    }
}
