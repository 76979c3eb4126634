use crate::ottl::function::tests::{check, list, map, text, texts};
use crate::ottl::value::Value;
use std::borrow::Cow;

#[test]
fn values_are_found_and_counted() {
    let numbers = list([Value::Int(1), Value::Double(2.0), text("x")]);
    check([
        ("ContainsValue", vec![numbers.clone(), Value::Int(2)], Ok(Value::Bool(true))),
        ("ContainsValue", vec![numbers.clone(), Value::Int(3)], Ok(Value::Bool(false))),
        ("ContainsValue", vec![Value::Nil, Value::Int(2)], Err("expected a list, found nil")),
        ("Index", vec![numbers, Value::Int(2)], Ok(Value::Int(1))),
        ("Index", vec![text("héllo"), text("l")], Ok(Value::Int(3))),
        ("Index", vec![text("abc"), text("x")], Ok(Value::Int(-1))),
        ("Index", vec![text("abc"), Value::Int(1)], Err("expected a string, found an int")),
        ("Index", vec![Value::Int(5), Value::Int(1)], Err("expected a string or a list, found an int")),
        ("Len", vec![text("é")], Ok(Value::Int(2))),
        ("Len", vec![texts(&["a", "b"])], Ok(Value::Int(2))),
        ("Len", vec![map([("a", Value::Nil)])], Ok(Value::Int(1))),
        ("Len", vec![Value::Bytes(Cow::Borrowed(&[1, 2]))], Ok(Value::Int(2))),
        ("Len", vec![Value::Nil], Err("expected a string, bytes, a list or a map, found nil")),
        ("Keys", vec![map([("a", Value::Int(1)), ("b", Value::Nil)])], Ok(texts(&["a", "b"]))),
        (
            "Values",
            vec![map([("a", Value::Int(1)), ("b", Value::Nil)])],
            Ok(list([Value::Int(1), Value::Nil])),
        ),
        ("Keys", vec![list([])], Err("expected a map, found a list")),
    ]);
}

/// The expected orders are those of the Collector, v0.161.
#[test]
fn lists_are_sorted() {
    let (int, double) = (Value::Int, Value::Double);
    check([
        ("Sort", vec![list([int(3), int(2), int(10)])], Ok(list([int(2), int(3), int(10)]))),
        ("Sort", vec![list([int(3), double(1.5), int(2)])], Ok(list([double(1.5), int(2), int(3)]))),
        (
            "Sort",
            vec![list([int(3), text("a"), Value::Nil, Value::Bool(true), double(1.5)])],
            Ok(list([Value::Nil, double(1.5), int(3), text("a"), Value::Bool(true)])),
        ),
        (
            "Sort",
            vec![list([Value::Bool(true), Value::Bool(false)]), text("asc")],
            Ok(list([Value::Bool(false), Value::Bool(true)])),
        ),
        ("Sort", vec![texts(&["b", "a", "c"]), text("desc")], Ok(texts(&["c", "b", "a"]))),
        ("Sort", vec![list([list([int(1)]), int(0)])], Ok(list([list([int(1)]), int(0)]))),
        ("Sort", vec![list([])], Ok(list([]))),
        ("Sort", vec![text("x")], Err("expected a list, found a string")),
    ]);
    check([(
        "Sort",
        vec![list([int(1), double(f64::NAN), double(0.5)])],
        Ok(list([double(f64::NAN), double(0.5), int(1)])),
    )]);
}
