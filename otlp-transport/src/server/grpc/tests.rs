use super::timeout;

#[test]
fn a_timeout_is_one_to_eight_digits_and_a_unit() {
    for (value, nanos) in [
        ("1S", Some(1_000_000_000)),
        ("100m", Some(100_000_000)),
        ("99999999n", Some(99_999_999)),
        ("2H", Some(7_200_000_000_000)),
        ("3M", Some(180_000_000_000)),
        ("5u", Some(5_000)),
        ("0S", Some(0)),
        ("99999999H", Some(99_999_999 * 3_600_000_000_000)),
        ("123456789S", None),
        ("1s", None),
        ("S", None),
        ("-1S", None),
        ("+1S", None),
        ("1", None),
        ("", None),
        ("1 S", None),
    ] {
        assert_eq!(timeout(value.as_bytes()).map(|time| time.as_nanos()), nanos, "{value:?}");
    }
}
