use super::*;
use crate::ottl::function::tests::{check, list, map, text, texts};

#[test]
fn lists_become_maps_and_maps_texts() {
    let element = |name, value| map([("k", map([("n", text(name))])), ("v", Value::Int(value))]);
    let elements = list([element("a", 1), element("b", 2)]);
    check([
        ("SliceToMap", vec![texts(&["x", "y"])], Ok(map([("0", text("x")), ("1", text("y"))]))),
        (
            "SliceToMap",
            vec![elements.clone(), texts(&["k", "n"]), texts(&["v"])],
            Ok(map([("a", Value::Int(1)), ("b", Value::Int(2))])),
        ),
        ("SliceToMap", vec![elements.clone(), texts(&["no"])], Err("an element of the list has no \"no\"")),
        ("SliceToMap", vec![elements.clone(), texts(&["v"])], Err("expected a string, found an int")),
        ("SliceToMap", vec![texts(&["x"]), texts(&["v"])], Err("expected a map, found a string")),
        ("SliceToMap", vec![elements, texts(&[])], Err("load: the path needs a key")),
        (
            "ToKeyValueString",
            vec![map([("b", text("x y")), ("a", Value::Int(1)), ("c", text("q\""))])],
            Ok(text("b=\"x y\" a=1 c=q\\\"")),
        ),
        (
            "ToKeyValueString",
            vec![
                map([("b", list([Value::Int(1)])), ("a", Value::Nil)]),
                text(":"),
                text(","),
                Value::Bool(true),
            ],
            Ok(text("a:,b:[1]")),
        ),
        ("ToKeyValueString", vec![map([]), text(" ")], Err("load: the two delimiters must differ")),
    ]);
}

#[test]
fn values_become_severities() {
    let range = |range| list([map([("range", range)])]);
    let mapping = map([
        ("error", list([map([("equals", texts(&["err", "e"]))]), map([("range", text("5xx"))])])),
        ("info", range(map([("min", Value::Int(1)), ("max", Value::Int(3))]))),
    ]);
    check([
        ("ParseSeverity", vec![text("e"), mapping.clone()], Ok(text("error"))),
        ("ParseSeverity", vec![Value::Int(503), mapping.clone()], Ok(text("error"))),
        ("ParseSeverity", vec![Value::Int(3), mapping.clone()], Ok(text("info"))),
        ("ParseSeverity", vec![Value::Int(4), mapping.clone()], Err("no severity has this value")),
        ("ParseSeverity", vec![Value::Nil, mapping], Err("expected a string or an int, found nil")),
        (
            "ParseSeverity",
            vec![text("e"), map([("error", range(text("1xx")))])],
            Err("load: a range is 2xx, 3xx, 4xx, 5xx, or a map with `min` and `max`"),
        ),
        (
            "ParseSeverity",
            vec![text("e"), map([("error", list([map([("is", text("x"))])]))])],
            Err("load: unknown criterion \"is\"; supported: equals, range"),
        ),
        (
            "ParseSeverity",
            vec![text("e"), map([("error", range(map([("min", Value::Int(1))])))])],
            Err("load: expected an int, found nil"),
        ),
    ]);
}
