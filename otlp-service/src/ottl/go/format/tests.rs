use super::*;
use std::borrow::Cow;

fn text(text: &str) -> Value<'_> {
    Value::text(text)
}

fn bytes(bytes: &[u8]) -> Value<'_> {
    Value::Bytes(Cow::Borrowed(bytes))
}

/// The expected texts are those of Go 1.26.
#[test]
fn values_are_formatted_as_by_go() {
    let ints = |values: &[i64]| -> Vec<Value<'static>> { values.iter().copied().map(Value::Int).collect() };
    let doubles =
        |values: &[f64]| -> Vec<Value<'static>> { values.iter().copied().map(Value::Double).collect() };
    for (format, values, expect) in [
        ("%s-%03d", vec![text("a"), Value::Int(7)], "a-007"),
        ("%+d|%05d|% d|%x|%X|%o|%b", ints(&[3, 42, 7, 255, 255, 8, 5]), "+3|00042| 7|ff|FF|10|101"),
        ("%-5d|%-05d|%6d|%x|%#x", ints(&[42, 42, 12, -255, 255]), "42   |42   |    12|-ff|0xff"),
        ("%c|%U|%q", ints(&[65, 65, 65]), "A|U+0041|'A'"),
        ("%6.2f|%-8.1f|%08.3f|%+.2f", doubles(&[3.25, 2.5, 3.25, 2.0]), "  3.25|2.5     |0003.250|+2.00"),
        (
            "%e %E %.2e %g %v",
            doubles(&[1234.5, 1234.5, 0.0, 0.00001, 1e6]),
            "1.234500e+03 1.234500E+03 0.00e+00 1e-05 1e+06",
        ),
        (
            "%s|%q|%10s|%-5s|%.2s|%x|%05s",
            vec![text("a"), text("b\"é"), text("c"), text("d"), text("éfg"), text("hi"), text("ab")],
            "a|\"b\\\"é\"|         c|d    |éf|6869|000ab",
        ),
        (
            "% x|%#x|% X|%+q|%#q",
            vec![text("abc"), text("abc"), bytes(&[1, 2]), text("é"), text("a`b")],
            "61 62 63|0x616263|01 02|\"\\u00e9\"|\"a`b\"",
        ),
        (
            "%v|%s|%x|%d",
            vec![bytes(&[1, 2]), bytes(b"ab"), bytes(&[1, 2]), bytes(&[1, 2])],
            "[1 2]|ab|0102|[1 2]",
        ),
        (
            "%d|%s|%t|%5t|%s",
            vec![text("a"), Value::Int(5), Value::Bool(true), Value::Bool(true), Value::Bool(true)],
            "%!d(string=a)|%!s(int64=5)|true| true|%!s(bool=true)",
        ),
        (
            "%v %s",
            vec![Value::from(vec![Value::Int(1), text("a")]), Value::from(vec![text("x")])],
            "[1 a] [x]",
        ),
        ("%v", vec![Value::from(vec![("a".into(), Value::Int(1))])], r#"{"a":1}"#),
        ("%v %s %d", vec![Value::Duration(90_000_000_000); 3], "1m30s 1m30s 90000000000"),
        ("%v", vec![Value::utc(1_704_164_645_000_000_000)], "2024-01-02 03:04:05 +0000 UTC"),
        ("%v %d", vec![Value::Nil, Value::Nil], "<nil> %!d(<nil>)"),
        ("%d", ints(&[1, 2, 3]), "1%!(EXTRA int64=2, int64=3)"),
        ("%d %d", ints(&[1]), "1 %!d(MISSING)"),
        ("%%|%5%|100%%", vec![], "%|%|100%"),
        ("%v %+v", doubles(&[f64::INFINITY, f64::NAN]), "+Inf +NaN"),
    ] {
        let formatted = Format::new(format).unwrap_or_else(|error| panic!("{format}: {error}")).fill(&values);
        assert_eq!(formatted.as_deref(), Ok(expect), "{format}");
    }
}

#[test]
fn unknown_verbs_and_large_texts_are_refused() {
    for (format, expect) in [
        ("%z", "unknown verb %z; supported: vsdtqxXoObcUeEfFgG, and %% for a percent sign"),
        ("a%", "the format ends within a verb; write %% for a percent sign"),
        ("%5", "the format ends within a verb; write %% for a percent sign"),
        ("%*d", "'*' in verbs is not supported; write widths and arguments in place"),
        ("%[1]d", "'[' in verbs is not supported; write widths and arguments in place"),
        ("%1001d", "the width or precision 1001 is over 1000"),
        ("%#v", "the flag '#' is not supported with %v"),
    ] {
        assert_eq!(Format::new(format).err().as_deref(), Some(expect), "{format}");
    }
    let long = "x".repeat(MAX_FORMATTED_BYTES);
    let format = Format::new("%sy").unwrap();
    assert!(format.fill(&[Value::text(long)]).is_err());
}
