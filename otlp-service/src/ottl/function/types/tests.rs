use crate::ottl::function::tests::{call, check, list, map, text, texts};
use crate::ottl::value::Value;
use std::borrow::Cow;

#[test]
fn types_are_told_apart() {
    let values = [
        ("IsString", text("x")),
        ("IsInt", Value::Int(1)),
        ("IsDouble", Value::Double(1.0)),
        ("IsBool", Value::Bool(false)),
        ("IsMap", map([])),
        ("IsList", list([])),
        ("", Value::Nil),
        ("", Value::Bytes(Cow::Borrowed(b"x"))),
    ];
    for name in ["IsString", "IsInt", "IsDouble", "IsBool", "IsMap", "IsList"] {
        for (kind, value) in &values {
            assert_eq!(
                format!("{:?}", call(name, std::slice::from_ref(value))),
                format!("Ok(Bool({}))", name == *kind)
            );
        }
    }
}

#[test]
fn values_are_converted() {
    check([
        ("Int", vec![text("12")], Ok(Value::Int(12))),
        ("Int", vec![text("+5")], Ok(Value::Int(5))),
        ("Int", vec![Value::Double(2.9)], Ok(Value::Int(2))),
        ("Int", vec![Value::Bool(true)], Ok(Value::Int(1))),
        ("Int", vec![Value::Nil], Ok(Value::Nil)),
        ("Int", vec![text("1.5")], Err("\"1.5\" is not an int")),
        ("Int", vec![text(" 12")], Err("\" 12\" is not an int")),
        ("Int", vec![text("0x1f")], Err("\"0x1f\" is not an int")),
        ("Double", vec![text("1.5")], Ok(Value::Double(1.5))),
        ("Double", vec![list([])], Err("expected a value with the form of a double, found a list")),
        ("Bool", vec![text("T")], Ok(Value::Bool(true))),
        ("Bool", vec![text("yes")], Err("\"yes\" is not a bool")),
        ("String", vec![Value::Double(1.0)], Ok(text("1"))),
        ("String", vec![Value::Double(1e-7)], Ok(text("1e-07"))),
        ("String", vec![list([Value::Double(1e-7), Value::Double(0.5)])], Ok(text("[1e-07,0.5]"))),
        ("String", vec![map([("a", list([Value::Int(1)]))])], Ok(text(r#"{"a":[1]}"#))),
        ("String", vec![Value::Nil], Ok(Value::Nil)),
        ("String", vec![Value::Double(1e-7)], Ok(text("1e-07"))),
        ("String", vec![Value::Double(-1.25e-10)], Ok(text("-1.25e-10"))),
        ("String", vec![Value::Double(1e21)], Ok(text("1e+21"))),
        ("String", vec![list([Value::Double(1e-9)])], Ok(text("[1e-09]"))),
        ("String", vec![Value::utc(1_500_000_000)], Ok(text("\"1970-01-01T00:00:01.5Z\""))),
        ("Double", vec![text("0x1p-1")], Ok(Value::Double(0.5))),
        ("Double", vec![text("1_000")], Ok(Value::Double(1000.0))),
        ("Double", vec![text("1e400")], Err("\"1e400\" is not a double")),
        ("Coalesce", vec![list([Value::Nil, text(""), text("d")])], Ok(text(""))),
        ("Coalesce", vec![list([Value::Nil])], Ok(Value::Nil)),
        ("Coalesce", vec![list([])], Err("load: at least one value is required")),
    ]);
}

#[test]
fn ids_are_bytes_or_hex() {
    let id = std::array::from_fn(|index| index as u8 + 1);
    check([
        ("TraceID", vec![text("0102030405060708090a0b0c0d0e0F10")], Ok(Value::TraceId(id))),
        ("TraceID", vec![Value::Bytes(Cow::Owned(id.to_vec()))], Ok(Value::TraceId(id))),
        ("SpanID", vec![text("0102030405060708")], Ok(Value::SpanId([1, 2, 3, 4, 5, 6, 7, 8]))),
        ("SpanID", vec![text("010203040506070x")], Err("the id has characters that are not hex digits")),
        ("SpanID", vec![text("01")], Err("an id of 8 bytes or 16 hex digits is required, not 2 bytes")),
        ("SpanID", vec![Value::Nil], Err("an id is required, not nil")),
    ]);
}

#[test]
fn zeros_are_empty() {
    for value in
        [Value::Nil, text(""), Value::Int(0), Value::Bool(false), list([]), map([]), Value::TraceId([0; 16])]
    {
        check([("IsEmpty", vec![value], Ok(Value::Bool(true)))]);
    }
    for value in [text(" "), Value::Double(0.1), texts(&[""]), Value::utc(0), Value::SpanId([1; 8])] {
        check([("IsEmpty", vec![value], Ok(Value::Bool(false)))]);
    }
}
