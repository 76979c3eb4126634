use crate::ottl::function::tests::{check, map, text};
use crate::ottl::value::Value;

#[test]
fn patterns_match_the_text_of_values() {
    check([
        ("IsMatch", vec![text("WARNING x"), text("(?i)warn")], Ok(Value::Bool(true))),
        ("IsMatch", vec![map([("m", text("warn"))]), text("(?i)warn")], Ok(Value::Bool(true))),
        ("IsMatch", vec![Value::Int(404), text(r"^4\d\d$")], Ok(Value::Bool(true))),
        ("IsMatch", vec![Value::Nil, text("x")], Ok(Value::Bool(false))),
        ("IsMatch", vec![text("a"), text("(")], Err("load: unclosed group")),
        ("IsMatch", vec![text("a"), Value::Nil], Err("load: expected a string, found nil")),
    ]);
}

#[test]
fn named_groups_are_extracted() {
    let groups = text(r"(?P<l>[a-z]+)(\d+)?(?P<e>x)?");
    check([
        (
            "ExtractPatterns",
            vec![text("/shop/v2"), text(r"^/(?P<svc>[^/]+)/v\d+")],
            Ok(map([("svc", text("shop"))])),
        ),
        ("ExtractPatterns", vec![text("ab12"), groups], Ok(map([("l", text("ab")), ("e", text(""))]))),
        ("ExtractPatterns", vec![text("ab12"), text("(?P<l>x+)")], Ok(map([]))),
        (
            "ExtractPatterns",
            vec![text("a{1}(?P<2>"), text(r"(?P<0>\w)\{(?<_1>(?P<__>\d))\}[(?P<2>]")],
            Ok(map([("0", text("a")), ("_1", text("1")), ("__", text("1"))])),
        ),
        (
            "ExtractPatterns",
            vec![text("ab12"), text("(x+)")],
            Err("load: the expression needs a named group, such as (?P<name>.*)"),
        ),
        ("ExtractPatterns", vec![Value::Nil, text("(?P<l>x+)")], Err("expected a string, found nil")),
    ]);
}
