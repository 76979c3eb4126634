use super::*;

#[test]
fn durations_are_read_as_by_go() {
    for (text, expect) in [
        ("1.5s", Some(1_500_000_000)),
        ("-2h45m", Some(-9_900_000_000_000)),
        ("300ms", Some(300_000_000)),
        ("1h1m1s1ms1us1ns", Some(3_661_001_001_001)),
        ("2µs", Some(2_000)),
        (".5m", Some(30_000_000_000)),
        ("5.s", Some(5_000_000_000)),
        ("0", Some(0)),
        ("+0", Some(0)),
        ("0.3333333333333333333333h", Some(1_200_000_000_000 - 1)),
        ("9223372036854775807ns", Some(i64::MAX)),
        ("-9223372036854775808ns", Some(i64::MIN)),
        ("9223372036854775808ns", None),
        ("3000000h", None),
        ("99999999999999999999999999999999999999999h", None),
        ("", None),
        ("-", None),
        ("1", None),
        (".s", None),
        ("1 s", None),
        ("1d", None),
        ("s", None),
    ] {
        assert_eq!(parse(text), expect, "{text}");
    }
}

#[test]
fn durations_are_shown_as_by_go() {
    for (nanos, expect) in [
        (0, "0s"),
        (1, "1ns"),
        (1_100, "1.1µs"),
        (2_200_000, "2.2ms"),
        (3_300_000_000, "3.3s"),
        (245_000_000_000, "4m5s"),
        (4_530_918_000_000, "1h15m30.918s"),
        (-90_000_000_000, "-1m30s"),
        (3_600_000_000_000, "1h0m0s"),
        (i64::MAX, "2562047h47m16.854775807s"),
        (i64::MIN, "-2562047h47m16.854775808s"),
    ] {
        let mut text = String::new();
        put(&mut text, nanos);
        assert_eq!(text, expect);
    }
}
