use crate::ottl::function::tests::{check, list, text, texts};
use crate::ottl::value::Value;

#[test]
fn strings_are_joined_and_cut() {
    let parts = list([Value::Nil, text("n"), Value::Int(5), Value::Double(1.5), Value::Bool(true)]);
    check([
        ("Concat", vec![parts, text("/")], Ok(text("<nil>/n/5/1.5/true"))),
        ("Concat", vec![list([]), text("/")], Ok(text(""))),
        ("Concat", vec![text("x"), text("/")], Err("expected a list, found a string")),
        ("Split", vec![text("a,b,"), text(",")], Ok(texts(&["a", "b", ""]))),
        ("Split", vec![text(""), text(",")], Ok(texts(&[""]))),
        ("Split", vec![text("aé"), text("")], Ok(texts(&["a", "é"]))),
        ("Split", vec![Value::Nil, text(",")], Err("expected a string, found nil")),
        ("Substring", vec![text("abcdef"), Value::Int(1), Value::Int(3)], Ok(text("bcd"))),
        ("Substring", vec![text("héllo"), Value::Int(2), Value::Int(2)], Ok(text("l"))),
        ("Substring", vec![text("héllo"), Value::Int(0), Value::Int(2)], Ok(text("h"))),
        ("Substring", vec![text("é"), Value::Int(1), Value::Int(1)], Ok(text(""))),
        (
            "Substring",
            vec![text("abc"), Value::Int(1), Value::Int(3)],
            Err("bytes 1 to 4 are outside of a string of 3 bytes"),
        ),
        (
            "Substring",
            vec![text("abc"), Value::Int(0), Value::Int(0)],
            Err("the start must not be negative, and the length must be positive"),
        ),
        (
            "Substring",
            vec![text("abc"), Value::Int(i64::MAX), Value::Int(i64::MAX)],
            Err("bytes 9223372036854775807 to 18446744073709551614 are outside of a string of 3 bytes"),
        ),
        ("Trim", vec![text("  a ")], Ok(text("a"))),
        ("Trim", vec![text("xyaxy"), text("xy")], Ok(text("a"))),
        ("TrimPrefix", vec![text("aab"), text("a")], Ok(text("ab"))),
        ("TrimSuffix", vec![text("a.log"), text(".log")], Ok(text("a"))),
        ("HasPrefix", vec![text("abc"), text("ab")], Ok(Value::Bool(true))),
        ("HasSuffix", vec![text("abc"), text("ab")], Ok(Value::Bool(false))),
        ("HasPrefix", vec![Value::Nil, text("ab")], Err("expected a string, found nil")),
        ("Format", vec![text("%s-%03d"), list([text("a"), Value::Int(7)])], Ok(text("a-007"))),
    ]);
}

/// The expected names are those of the Collector, v0.161.
#[test]
fn names_change_their_case() {
    let names = text("someName JSONData HTTP2Server x.y-z a1B2 ABCd éA  ");
    check([
        (
            "ConvertCase",
            vec![names.clone(), text("snake")],
            Ok(text("some_name_json_data_http_2_server_x_y_z_a_1_b_2_ab_cd_éa")),
        ),
        ("ToSnakeCase", vec![text("SomeName")], Ok(text("some_name"))),
        (
            "ConvertCase",
            vec![text("some_name JSON_data HTTP2server x.y-z a1b2 éa my2_x ABCd"), text("camel")],
            Ok(text("SomeNameJsonDataHttp2ServerXYZA1B2aMy2XAbcd")),
        ),
        ("ToCamelCase", vec![text("a/b c")], Ok(text("AbC"))),
        ("ConvertCase", vec![text("straße É"), text("upper")], Ok(text("STRAßE É"))),
        ("ToUpperCase", vec![text("")], Ok(text(""))),
        ("ToUpperCase", vec![text("ᾳᾠŉ")], Ok(text("ᾼᾨŉ"))),
        ("ToLowerCase", vec![text("İΣᾼ")], Ok(text("iσᾳ"))),
        ("ConvertCase", vec![text("STRASSE ẞ"), text("lower")], Ok(text("strasse ß"))),
        ("ToLowerCase", vec![Value::Int(5)], Err("expected a string, found an int")),
    ]);
}

#[test]
fn strings_that_grow_are_bounded() {
    let long: &'static str = "x".repeat(9 << 20).leak();
    check([("Split", vec![text(long), text("")], Err("the text has more than 131,072 values"))]);
    check([(
        "Concat",
        vec![texts(&[long, long]), text("")],
        Err("the resulting string is longer than 16 MiB"),
    )]);
}
