use super::*;

/// The expected numbers are those of Go 1.26.
#[test]
fn doubles_are_read_as_by_go() {
    for (text, expect) in [
        ("1.5", Some(1.5)),
        ("+5.", Some(5.0)),
        (".5e1", Some(5.0)),
        ("1_000.5", Some(1000.5)),
        ("0x1p4", Some(16.0)),
        ("-0X1.8p-1", Some(-0.75)),
        ("0x_1p0", Some(1.0)),
        ("0x.8P1", Some(1.0)),
        ("1e-400", Some(0.0)),
        ("-inf", Some(f64::NEG_INFINITY)),
        ("Infinity", Some(f64::INFINITY)),
        ("1e400", None),
        ("0x1", None),
        ("0xp1", None),
        ("0x1p", None),
        ("0x1p+-1", None),
        ("1__0", None),
        ("_1", None),
        ("1_", None),
        ("1_.5", None),
        ("-nan", None),
        ("", None),
        (" 1", None),
    ] {
        assert_eq!(double(text), expect, "{text}");
    }
    assert!(double("NaN").is_some_and(f64::is_nan));
}

#[test]
fn ints_have_the_base_of_their_prefix() {
    for (text, expect) in [
        ("12", Some(12)),
        ("-0b101", Some(-5)),
        ("0O17", Some(15)),
        ("017", Some(15)),
        ("+0x_ff", Some(255)),
        ("1_000", Some(1000)),
        ("0", Some(0)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("09", None),
        ("0x", None),
        ("0x-1", None),
        ("--1", None),
        ("1__0", None),
        ("9223372036854775808", None),
    ] {
        assert_eq!(int_of_any_base(text), expect, "{text}");
    }
}
