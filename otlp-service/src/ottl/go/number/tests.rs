use super::*;

#[test]
fn doubles_are_shown_as_by_go() {
    use Notation::{Exponent, Fixed, General};
    for (value, notation, precision, expect) in [
        (1.0, General, None, "1"),
        (1e6, General, None, "1e+06"),
        (999_999.5, General, None, "999999.5"),
        (123_456_789.0, General, None, "1.23456789e+08"),
        (0.0001, General, None, "0.0001"),
        (0.00001, General, None, "1e-05"),
        (-0.0, General, None, "-0"),
        (1e21, Fixed, None, "1000000000000000000000"),
        (1234.5, Exponent, None, "1.2345e+03"),
        (f64::INFINITY, Fixed, None, "+Inf"),
        (f64::NEG_INFINITY, General, Some(3), "-Inf"),
        (f64::NAN, Exponent, None, "NaN"),
        (1_234_567.0, General, Some(3), "1.23e+06"),
        (123.456, General, Some(10), "123.456"),
        (0.00001234, General, Some(3), "1.23e-05"),
        (0.0, Exponent, Some(2), "0.00e+00"),
        (2.5, Fixed, Some(1), "2.5"),
        (100.0, General, Some(0), "1e+02"),
        (0.0, General, Some(6), "0"),
    ] {
        let mut text = String::new();
        match precision {
            Some(precision) => put_precise(&mut text, value, notation, precision),
            None => put_shortest(&mut text, value, notation),
        }
        assert_eq!(text, expect, "{value} {notation:?} {precision:?}");
    }
}

/// The last column of a line is `%v` of the double in the first.
#[test]
fn shortest_doubles_are_those_of_go() {
    for line in include_str!("../../../../tests/fixtures/go_doubles.txt").lines() {
        let (bits, rest) = line.split_once('\t').unwrap();
        let (_, expect) = rest.rsplit_once('\t').unwrap();
        let mut text = String::new();
        let value = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        put_shortest(&mut text, value, Notation::General);
        assert_eq!(text, expect);
    }
}
