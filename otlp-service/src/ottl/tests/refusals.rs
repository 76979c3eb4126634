//! Texts that are refused, with the problem that is named.

use super::*;

#[test]
fn texts_that_are_no_conditions() {
    for (text, problem) in [
        ("'x' == 1", "strings are in double quotes"),
        (r#"body == "\d""#, r"unknown escape `\d`"),
        ("body == 1e5", "a number with an exponent needs a dot"),
        ("body == 0xabc", "even number of hexadecimal digits"),
        ("1 < 2 < 3", "comparisons do not chain"),
        ("body == 1 AND body == 2", "words are in lower case: `and`"),
        ("body == 1 && body == 2", "write `and`"),
        ("body == 1 || body == 2", "write `or`"),
        ("body == [1,]", "expected a value, found `]`"),
        ("body == 1 # c", "there are no comments"),
        ("body == nope", "unknown path `nope`"),
        ("attributes[\"ok\"]", "compare it: `attributes[\"ok\"] == true`"),
        ("boddy == 1", "did you mean `body`?"),
        ("severity_number == SEVERITY_NUMBER_WRAN", "did you mean `SEVERITY_NUMBER_WARN`?"),
        ("status.code == 1", "unknown path `status.code` of the context log"),
        ("kind == SPAN_KIND_SERVER", "unknown constant `SPAN_KIND_SERVER` in the context log"),
        ("span.name == \"x\"", "a span is out of reach of the context log"),
        ("IsMatsch(body, \"x\")", "did you mean `IsMatch`?"),
        ("IsMatch(body)", "the argument `pattern` is missing"),
        ("IsMatch(body, \"x\", 1)", "too many arguments"),
        ("IsMatch(body, \"(\")", "unclosed group"),
        ("IsMatch(body, 5)", "expected a string, found an int"),
        ("IsMatch(body, patern=\"x\")", "did you mean `pattern`?"),
        ("IsMatch(target=body, \"x\")", "stands after one with a name"),
        ("IsMatch(body, target=body)", "the argument `target` is given twice"),
        ("Int(\"x\") == 1", "\"x\" is not an int"),
        ("set(body, 1)", "`set` is an editor, which has no value"),
        ("Len(body) + \"x\" == 1", "arithmetic takes numbers"),
        ("Len(body == 1)", "expected `,` or `)`"),
        ("not not body == 1", "an operand takes one `not`"),
        ("body == ", "the text ends where a value is expected"),
        ("", "the text ends where a value is expected"),
        ("body = 1", "a comparison is written `==`"),
        ("body == \"x", "no closing quote"),
        ("body == 99999999999999999999", "too large for an int"),
        ("IsRootSpan()", "`IsRootSpan` is not for the context log"),
        ("attributes.x == 1", "unknown path `attributes.x`"),
        ("attributes[true] == 1", "a key must be a string or an int"),
        ("severity_text[0] == 1", "`severity_text` takes no keys"),
        ("attributes[0] == 1", "a key of `attributes` must be a string"),
        ("Len(\"x\")", "a condition must give a bool, this gives an int"),
        ("resource.cache == 1", "the scratch map is `log.cache`"),
        ("IsMatch == 1", "unknown constant `IsMatch`"),
        ("(body == 1", "`)` is expected"),
        ("5 == \u{e9}", "unexpected `\u{e9}`"),
    ] {
        let error = group(Context::Log, text).map(|_| ()).expect_err(text);
        assert!(error.contains(problem), "{text}:\n{error}");
    }
}

#[test]
fn texts_that_are_no_statements() {
    for (text, problem) in [
        (r#"set("a", 1)"#, "`target` must be a path"),
        (r#"Len(body)"#, "`Len` is a converter, which is no statement"),
        (r#"set(body, 1)[0]"#, "an editor has no value, so it takes no keys"),
        (r#"set(otelcol.client.addr, "x")"#, "`client.addr` cannot be changed"),
        (r#"set(body, severity_number == 1)"#, "a comparison is no value"),
        (r#"set(body, 1) where severity_number"#, "compare it"),
        (r#"set(body, 1) WHERE true"#, "words are in lower case: `where`"),
        (r#"set(body)"#, "the argument `value` is missing"),
        (r#"set(span.name, "x")"#, "a span is out of reach of the context log"),
        (r#"sett(body, 1)"#, "did you mean `set`?"),
        (r#"set(boddy, 1) where attributez["x"] == 1"#, "unknown path `attributez`"),
        (r#"body == 1"#, "expected an editor"),
        (r#"set(body, set(body, 1))"#, "`set` is an editor, which has no value"),
        (r#"delete_matching_keys(attributes, "(")"#, "unclosed group"),
        (r#"set(body, 1) set(body, 2)"#, "expected the end, found `set`"),
        (r#"limit(attributes, -1, [])"#, "the limit must not be negative"),
        (r#"limit(attributes, 1, ["a", "b"])"#, "more priority keys than the limit"),
        (r#"keep_keys(attributes, "a")"#, "`keys` must be a list in brackets"),
        (r#"flatten(attributes, depths=2)"#, "did you mean `depth`?"),
        (r#"merge_maps(attributes, body, "replace")"#, "must be one of insert, update, upsert"),
        (r#"replace_pattern(body, "a", "b", SHA255)"#, "did you mean `SHA256`?"),
        (r#"truncate_all(attributes, "4")"#, "expected an int, found a string"),
        (r#""#, "the text ends where an editor such as `set(…)` is expected"),
    ] {
        let statements = [text.to_owned()];
        let (context, allowed) = (Some(Context::Log), &Context::ALL[..]);
        let errors = Group::new(Texts { context, allowed, conditions: &[], statements: &statements });
        let errors = errors.map(|_| ()).expect_err(text);
        let error = errors[0].error.to_string();
        assert!(error.contains(problem), "{text}:\n{error}");
    }
}

#[test]
fn texts_have_limits() {
    let nested = |depth: usize| format!("body == {}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(group(Context::Log, &nested(60)).is_ok());
    assert!(group(Context::Log, &nested(65)).unwrap_err().contains("deeper than 64"));
    assert!(group(Context::Log, &format!("{}true{}", "(".repeat(9000), ")".repeat(9000))).is_err());
    let long = format!("body == \"{}\"", "x".repeat(64 << 10));
    assert!(group(Context::Log, &long).unwrap_err().contains("longer than 65536 bytes"));
    let sum = |count: usize| format!("body == 1{}", " + 1".repeat(count));
    assert!(group(Context::Log, &sum(256)).is_ok());
    assert!(group(Context::Log, &sum(257)).unwrap_err().contains("more than 256 operators"));
    let repeated = format!("IsMatch(body, \"{}\")", "(a{1000}){1000}");
    assert!(group(Context::Log, &repeated).is_err());
}
