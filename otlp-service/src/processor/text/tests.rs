use super::*;
use otlp_protocol::wire::{put_len_delimited, put_varint};

fn encoded(number: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_len_delimited(&mut out, number, value);
    out
}

fn string(text: &str) -> Vec<u8> {
    encoded(1, text.as_bytes())
}

fn double(number: f64) -> Vec<u8> {
    [&[0x21][..], &number.to_le_bytes()].concat()
}

fn int(number: i64) -> Vec<u8> {
    let mut out = vec![0x18];
    put_varint(&mut out, number as u64);
    out
}

fn list(values: &[Vec<u8>]) -> Vec<u8> {
    encoded(5, &values.iter().flat_map(|value| encoded(1, value)).collect::<Vec<_>>())
}

fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let pair = |(key, value): &(&str, Vec<u8>)| encoded(1, &[string(key), encoded(2, value)].concat());
    encoded(6, &entries.iter().flat_map(pair).collect::<Vec<_>>())
}

#[test]
fn values_read_as_the_collector_writes_them() {
    let table = [
        (vec![], ""),
        (string("a\"b"), "a\"b"),
        (vec![0x10, 1], "true"),
        (vec![0x10, 0], "false"),
        (int(-7), "-7"),
        (double(1.5), "1.5"),
        (double(0.0), "0"),
        (double(-0.0), "-0"),
        (double(1e20), "100000000000000000000"),
        (double(1e21), "1e+21"),
        (double(1.25e-7), "1.25e-7"),
        (double(0.000001), "0.000001"),
        (double(f64::NAN), "NaN"),
        (double(f64::NEG_INFINITY), "-Infinity"),
        (encoded(7, &[1, 2, 255]), "AQL/"),
        (list(&[int(1), string("<a>\n\u{1}\u{2028}"), vec![]]), r#"[1,"<a>\n\u0001\u2028",null]"#),
        (
            map(&[("b", double(1e21)), ("a", list(&[])), ("b", encoded(7, b"x")), ("c", map(&[]))]),
            r#"{"a":[],"b":"eA==","c":{}}"#,
        ),
        // A value that is empty, or not there at all.
        (map(&[("a", vec![]), ("b", string(""))]), r#"{"a":null,"b":""}"#),
        (encoded(6, &encoded(1, &string("a"))), r#"{"a":null}"#),
        (list(&[double(f64::NAN)]), ""),
    ];
    for (value, expect) in table {
        assert_eq!(text_of(AnyValue::new(&value)), expect, "{:?}", AnyValue::new(&value));
    }
}

#[test]
fn only_scalars_are_matched() {
    let table = [
        (double(1e21), Some("1000000000000000000000")),
        (double(f64::INFINITY), Some("+Inf")),
        (string("x"), Some("x")),
        (int(3), Some("3")),
        (list(&[]), None),
        (encoded(7, b"x"), None),
        (vec![], None),
    ];
    for (value, expect) in table {
        assert_eq!(scalar_text(AnyValue::new(&value)).as_deref(), expect);
    }
}

/// A line each: the bits of a double, what `String` of OTTL makes of it, `pcommon.Value.AsString`, and `%v` of Go.
const DOUBLES: &str = include_str!("../../../tests/fixtures/go_doubles.txt");

#[test]
fn doubles_are_those_of_go() {
    for line in DOUBLES.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let value = f64::from_bits(u64::from_str_radix(columns[0], 16).unwrap());
        assert_eq!(number_text(value, SmallNumbers::OneDigit), columns[2]);
        let list = list(&[double(value)]);
        let json = json_of(AnyValue::new(&list), SmallNumbers::TwoDigits);
        match value.is_finite() {
            true => {
                assert_eq!(number_text(value, SmallNumbers::TwoDigits), columns[1]);
                assert_eq!(json, Some(format!("[{}]", columns[1])));
            }
            false => assert_eq!((json, columns[1]), (None, "ERR")),
        }
    }
}
