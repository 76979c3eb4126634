use crate::ottl::function::tests::{check, map, text};

#[test]
fn rows_are_read() {
    let (abc, quoted) = (map([("a", text("1")), ("b", text("2"))]), text("1,\"x, \"\"y\"\"\nz\""));
    check([
        ("ParseCSV", vec![text("1,2"), text("a,b")], Ok(abc.clone())),
        ("ParseCSV", vec![text("1|2"), text("a b"), text("|"), text(" ")], Ok(abc)),
        ("ParseCSV", vec![quoted, text("a,b")], Ok(map([("a", text("1")), ("b", text("x, \"y\"\nz"))]))),
        (
            "ParseCSV",
            vec![text("aa,b\r\nb,"), text("a,b,c")],
            Ok(map([("a", text("aa")), ("b", text("b\nb")), ("c", text(""))])),
        ),
        ("ParseCSV", vec![text("1\"x,2"), text("a,b")], Err("a quote stands in a field without quotes")),
        ("ParseCSV", vec![text("\"1\"x,2"), text("a,b")], Err("text stands behind a closing quote")),
        ("ParseCSV", vec![text("\"1,2"), text("a,b")], Err("a quote is not closed")),
        (
            "ParseCSV",
            vec![text("1\"x,\"2\"y\""), text("a,b"), text(","), text(","), text("lazyQuotes")],
            Ok(map([("a", text("1\"x")), ("b", text("2\"y"))])),
        ),
        (
            "ParseCSV",
            vec![text("\"1,2"), text("a,b"), text(","), text(","), text("ignoreQuotes")],
            Ok(map([("a", text("\"1")), ("b", text("2"))])),
        ),
        ("ParseCSV", vec![text("1,2,3"), text("a,b")], Err("the row has 3 fields, the header 2")),
        ("ParseCSV", vec![text("\n"), text("a,b")], Err("the row is empty")),
        ("ParseCSV", vec![text("1"), text("")], Err("the header is empty")),
        (
            "ParseCSV",
            vec![text("1"), text("a"), text(",,")],
            Err("load: the delimiter must be one character"),
        ),
    ]);
}
