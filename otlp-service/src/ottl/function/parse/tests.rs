use crate::ottl::function::tests::{call, check, list, map, text};
use crate::ottl::value::Value;

#[test]
fn json_keeps_the_order_and_makes_doubles() {
    let body = text(r#"{"a":1,"b":{"c":[true,null,"\u00e9"]},"a":2}"#);
    let parsed = map([
        ("a", Value::Double(2.0)),
        ("b", map([("c", list([Value::Bool(true), Value::Nil, text("é")]))])),
    ]);
    check([
        ("ParseJSON", vec![body], Ok(parsed)),
        ("ParseJSON", vec![text("[9007199254740993]")], Ok(list([Value::Double(9_007_199_254_740_992.0)]))),
        (
            "ParseJSON",
            vec![text("[9007199254740993, 1.0]"), Value::Bool(true)],
            Ok(list([Value::Int(9_007_199_254_740_993), Value::Double(1.0)])),
        ),
        ("ParseJSON", vec![text("5")], Err("invalid JSON: expected an object or an array (at byte 0)")),
        (
            "ParseJSON",
            vec![text("not json")],
            Err("invalid JSON: expected an object or an array (at byte 0)"),
        ),
        ("ParseJSON", vec![text("{} x")], Err("invalid JSON: unexpected text after the value (at byte 3)")),
        ("ParseJSON", vec![text("[x]")], Err("invalid JSON: expected a value (at byte 1)")),
        (
            "ParseJSON",
            vec![text("[1e400]")],
            Err("invalid JSON: expected a number that fits in a double (at byte 6)"),
        ),
        ("ParseJSON", vec![Value::Nil], Err("expected a string, found nil")),
    ]);
    let many: &'static str = format!("[{}1]", "1,".repeat(1 << 17)).leak();
    check([(
        "ParseJSON",
        vec![text(many)],
        Err("invalid JSON: expected at most 131,072 values (at byte 262143)"),
    )]);
    let deep: &'static str = "[".repeat(100_000).leak();
    check([(
        "ParseJSON",
        vec![text(deep)],
        Err("invalid JSON: expected at most 64 values inside one another (at byte 65)"),
    )]);
}

#[test]
fn keys_and_values_are_read_around_quotes() {
    check([
        ("ParseKeyValue", vec![text("a=1 b='x y'")], Ok(map([("a", text("1")), ("b", text("x y"))]))),
        (
            "ParseKeyValue",
            vec![text("a=1  c=\"q\\\"z\" a=3")],
            Ok(map([("a", text("3")), ("c", text("q\\\"z"))])),
        ),
        (
            "ParseKeyValue",
            vec![text("a:1, b:2"), text(":"), text(",")],
            Ok(map([("a", text("1")), ("b", text("2"))])),
        ),
        ("ParseKeyValue", vec![text("a==1 b=")], Ok(map([("a", text("=1")), ("b", text(""))]))),
        ("ParseKeyValue", vec![text("a=1 b")], Err("the pair \"b\" has no \"=\"")),
        ("ParseKeyValue", vec![text("a='x")], Err("a quote is not closed")),
        ("ParseKeyValue", vec![text("")], Err("the string is empty")),
        ("ParseKeyValue", vec![text("a"), text("")], Err("load: the delimiter must not be empty")),
        ("ParseKeyValue", vec![text("a"), text(" ")], Err("load: the two delimiters must differ")),
    ]);
    assert!(call("ParseKeyValue", &[Value::Nil]).is_err());
}
