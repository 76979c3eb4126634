//! Statements on a log record whose attributes are given as JSON, and shown in order.

use crate::ottl::context::Context;
use crate::ottl::environment::Environment;
use crate::ottl::function::tests::{NOW, call};
use crate::ottl::program::{Group, Texts};
use crate::ottl::value::{Map, Value};
use otlp_protocol::encode::LogRecords;
use otlp_protocol::rewrite::{Level, OpenMessages, Rewriter, rewrite};
use otlp_protocol::view::{AnyValue, RequestView};
use otlp_protocol::{Body, Decision};

/// Runs the statements of a group in turn, and keeps the first error.
struct Run {
    group: Group,
    result: Result<(), String>,
}

impl Rewriter for Run {
    fn shows(&self, level: Level) -> bool {
        level == Level::Entry
    }

    fn visit(&mut self, _: Level, messages: &mut OpenMessages) -> Decision {
        let mut env = Environment::open(messages, None, NOW);
        for statement in &self.group.statements {
            if let Err(error) = statement.run(&mut env) {
                self.result = self.result.clone().and(Err(error.to_string()));
            }
        }
        Decision::Keep
    }
}

/// Runs a statement on a log record with these attributes, and returns the new attributes, or the fault of the statement.
pub(in crate::ottl::function) fn run(statement: &str, attributes: &str) -> Result<String, String> {
    let group = Group::new(Texts {
        context: Some(Context::Log),
        allowed: &[Context::Log],
        conditions: &[],
        statements: &[statement.to_owned()],
    });
    let group = group.map_err(|errors| {
        let error = errors[0].error.to_string();
        let problem = error.lines().next().unwrap();
        format!("load: {}", problem.split_once(": ").map_or("", |(_, problem)| problem))
    })?;
    let Ok(Value::Map(attributes)) =
        call("ParseJSON", &[Value::text(attributes.to_owned()), Value::Bool(true)])
    else {
        panic!("{attributes} is no object")
    };
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.log_record(|log| {
                    for (key, value) in attributes.iter() {
                        log.attribute(key, AnyValue::new(&value.encoded().unwrap()));
                    }
                });
            });
        });
    });
    let mut run = Run { group, result: Ok(()) };
    let bytes = rewrite(&body, &mut run, 1 << 26).unwrap().body.to_bytes();
    run.result?;
    let log = RequestView::new(body.signal(), &bytes).log_records().next().unwrap();
    Ok(shown(&Value::Map(Map::Encoded(log.attributes()))))
}

/// Returns a value like JSON, with maps in their order.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::List(list) => {
            format!("[{}]", list.iter().map(|value| shown(&value)).collect::<Vec<_>>().join(","))
        }
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| format!("{key:?}:{}", shown(&value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Value::Text(text) => format!("{text:?}"),
        Value::Nil => "null".into(),
        Value::Double(value) => format!("{value:?}"),
        other => other.borrow().into_text_like().unwrap().unwrap().into_owned(),
    }
}

fn check<const N: usize>(cases: [(&str, &str, Result<&str, &str>); N]) {
    for (statement, attributes, expect) in cases {
        let found = run(statement, attributes);
        assert_eq!(found, expect.map(str::to_owned).map_err(str::to_owned), "{statement} on {attributes}");
    }
}

#[test]
fn entries_are_removed() {
    check([
        (r#"delete_key(attributes, "b")"#, r#"{"a":1,"b":2,"c":3}"#, Ok(r#"{"a":1,"c":3}"#)),
        (r#"delete_key(attributes, "no")"#, r#"{"a":1}"#, Ok(r#"{"a":1}"#)),
        (r#"delete_key(attributes, attributes["k"])"#, r#"{"a":1,"k":"a"}"#, Ok(r#"{"k":"a"}"#)),
        (r#"delete_key(attributes["m"], "a")"#, r#"{"m":{"a":1,"b":2}}"#, Ok(r#"{"m":{"b":2}}"#)),
        (r#"delete_key(attributes["no"], "a")"#, r#"{"a":1}"#, Err("delete_key: expected a map, found nil")),
        (
            r#"delete_key(attributes["a"], "a")"#,
            r#"{"a":1}"#,
            Err("delete_key: expected a map, found an int"),
        ),
        (
            r#"keep_keys(attributes, ["a", attributes["s"]])"#,
            r#"{"s":"b","b":1,"c":3,"a":2}"#,
            Ok(r#"{"b":1,"a":2}"#),
        ),
        ("keep_keys(attributes, [])", r#"{"a":2}"#, Ok("{}")),
        (
            r#"keep_keys(attributes, [attributes["no"]])"#,
            r#"{"a":2}"#,
            Err("keep_keys: expected a string, found nil"),
        ),
        (
            r#"keep_matching_keys(attributes, "^http\\.")"#,
            r#"{"http.a":1,"xhttp.b":2}"#,
            Ok(r#"{"http.a":1}"#),
        ),
        (r#"delete_matching_keys(attributes, "tmp")"#, r#"{"xtmpy":1,"b":2}"#, Ok(r#"{"b":2}"#)),
        (r#"delete_matching_keys(attributes, attributes["s"])"#, r#"{"s":"b","b":1}"#, Ok(r#"{"s":"b"}"#)),
        (r#"delete_matching_keys(attributes, "(")"#, "{}", Err("load: unclosed group")),
        (r#"limit(attributes, 2, ["z"])"#, r#"{"a":1,"b":2,"z":3}"#, Ok(r#"{"a":1,"z":3}"#)),
        (r#"limit(attributes, 2, ["z"])"#, r#"{"a":1,"b":2,"c":3}"#, Ok(r#"{"a":1,"b":2}"#)),
        ("limit(attributes, 0)", r#"{"a":1}"#, Ok("{}")),
        (
            r#"limit(attributes, 1, ["y", "z"])"#,
            "{}",
            Err("load: there are more priority keys than the limit allows"),
        ),
    ]);
}

#[test]
fn maps_are_merged_and_flattened() {
    let merged = r#"{"a":1.0,"k":"v","b":{"c":[true,null]}}"#;
    let body = r#"{"a":"o","k":"v"}"#;
    check([
        (
            r#"merge_maps(attributes, ParseJSON("{\"a\":1,\"b\":{\"c\":[true,null]}}"), "upsert")"#,
            body,
            Ok(merged),
        ),
        (r#"merge_maps(attributes, {"a": 1, "b": 2}, "insert")"#, body, Ok(r#"{"a":"o","k":"v","b":2}"#)),
        (r#"merge_maps(attributes, {"a": 1, "b": 2}, "update")"#, body, Ok(r#"{"a":1,"k":"v"}"#)),
        (
            r#"merge_maps(attributes["m"], attributes, "insert")"#,
            r#"{"m":{},"a":1}"#,
            Ok(r#"{"m":{"m":{},"a":1},"a":1}"#),
        ),
        (
            r#"merge_maps(attributes, attributes["no"], "update")"#,
            body,
            Err("merge_maps: expected a map, found nil"),
        ),
        (
            r#"merge_maps(attributes, {"a": Now()}, "upsert")"#,
            body,
            Err("merge_maps: expected a value that attributes can have, found a time"),
        ),
        (
            r#"merge_maps(attributes, {}, "all")"#,
            body,
            Err("load: `strategy` must be one of insert, update, upsert"),
        ),
        (
            "flatten(attributes)",
            r#"{"a":{"b":1,"c":[2,3]},"d":"e"}"#,
            Ok(r#"{"a.b":1,"a.c.0":2,"a.c.1":3,"d":"e"}"#),
        ),
        ("flatten(attributes, depth=1)", r#"{"a":{"b":{"q":1}}}"#, Ok(r#"{"a.b":{"q":1}}"#)),
        (
            r#"flatten(attributes["m"], "p", resolve_conflicts=true)"#,
            r#"{"m":{"l":[1,2]}}"#,
            Ok(r#"{"m":{"p.l":1,"p.l.0":2}}"#),
        ),
        ("flatten(attributes, depth=0)", "{}", Err("load: the depth must be 1 or more")),
    ]);
}

#[test]
fn strings_are_truncated_and_replaced() {
    check([
        ("truncate_all(attributes, 4)", r#"{"s":"abcéd","n":123456}"#, Ok(r#"{"s":"abc","n":123456}"#)),
        (r#"truncate_all(attributes, 5, true, "..")"#, r#"{"s":"abcdefgh"}"#, Ok(r#"{"s":"abc.."}"#)),
        ("truncate_all(attributes, 1)", r#"{"s":"éé"}"#, Ok(r#"{"s":""}"#)),
        (
            r#"truncate_all(attributes, 1, true, "..")"#,
            "{}",
            Err("load: the marker is longer than the limit"),
        ),
        (
            r#"replace_pattern(attributes["p"], "(\\d{4})-(\\d{4})", "****-$2")"#,
            r#"{"p":"1111-2222"}"#,
            Ok(r#"{"p":"****-2222"}"#),
        ),
        (
            r#"replace_pattern(attributes["p"], "(\\d{4})-(\\d{4})", "****-$2")"#,
            r#"{"p":11}"#,
            Ok(r#"{"p":11}"#),
        ),
        (r#"replace_pattern(attributes["no"], "b", attributes["no"])"#, r#"{"p":11}"#, Ok(r#"{"p":11}"#)),
        (
            r#"replace_pattern(attributes["p"], "b", attributes["no"])"#,
            r#"{"p":"abc"}"#,
            Err("replace_pattern: expected a string, found nil"),
        ),
        (
            r#"replace_pattern(attributes["p"], "b", "x", ToUpperCase, "<%s>")"#,
            r#"{"p":"abc"}"#,
            Ok(r#"{"p":"a<X>c"}"#),
        ),
        (
            r#"replace_all_patterns(attributes, "key", "^k8s\\.", "kube.")"#,
            r#"{"k8s.pod":"p","kube.pod":"q","x":1}"#,
            Ok(r#"{"kube.pod":"q","x":1}"#),
        ),
        (
            r#"replace_all_patterns(attributes, "value", "p", "q")"#,
            r#"{"p":"pop","n":5,"m":{"a":"p"}}"#,
            Ok(r#"{"p":"qoq","n":5,"m":{"a":"p"}}"#),
        ),
        (r#"replace_match(attributes["ua"], "Moz*", "b")"#, r#"{"ua":"Mozilla/5"}"#, Ok(r#"{"ua":"b"}"#)),
        (
            r#"replace_match(attributes["ua"], "Moz", "b")"#,
            r#"{"ua":"Mozilla/5"}"#,
            Ok(r#"{"ua":"Mozilla/5"}"#),
        ),
        (
            r#"replace_match(attributes["ua"], "*", "b", ToUpperCase, "%s!")"#,
            r#"{"ua":"x"}"#,
            Ok(r#"{"ua":"B!"}"#),
        ),
        (
            r#"replace_match(attributes["ua"], attributes["g"], "b")"#,
            r#"{"ua":"x","g":"[x]"}"#,
            Ok(r#"{"ua":"b","g":"[x]"}"#),
        ),
        (
            r#"replace_match(attributes["ua"], "{a", "b")"#,
            "{}",
            Err(r"load: unclosed alternatives in the glob: write \{ for a brace"),
        ),
        (
            r#"replace_all_matches(attributes, "x*", "y")"#,
            r#"{"a":"xa","b":"bx","c":5}"#,
            Ok(r#"{"a":"y","b":"bx","c":5}"#),
        ),
    ]);
}

#[test]
fn values_are_emptied_and_elements_deleted() {
    let list = r#"{"t":[1,2,3]}"#;
    check([
        (r#"clear(attributes["a"])"#, r#"{"a":"x"}"#, Ok(r#"{"a":""}"#)),
        (r#"clear(attributes["a"])"#, r#"{"a":[1]}"#, Ok(r#"{"a":[]}"#)),
        ("clear(attributes)", r#"{"a":[1]}"#, Ok("{}")),
        (r#"delete_index(attributes["t"], 1)"#, list, Ok(r#"{"t":[1,3]}"#)),
        (r#"delete_index(attributes["t"], 0, 3)"#, list, Ok(r#"{"t":[]}"#)),
        (r#"delete_index(attributes["t"], 1, 1)"#, list, Ok(list)),
        (
            r#"delete_index(attributes["t"], 3)"#,
            list,
            Err("delete_index: elements 3 to 4 are outside of a list of 3"),
        ),
        (r#"delete_index(attributes["no"], 0)"#, list, Err("delete_index: expected a list, found nil")),
        (
            "stringify_all(attributes)",
            r#"{"a":1,"b":[1],"c":null,"d":"x","e":{"b":1.5}}"#,
            Ok(r#"{"a":"1","b":"[1]","c":"","d":"x","e":"{\"b\":1.5}"}"#),
        ),
    ]);
}

#[test]
fn lists_are_appended_to() {
    check([
        (r#"append(attributes["t"], "x")"#, "{}", Ok(r#"{"t":["x"]}"#)),
        (r#"append(attributes["t"], "x")"#, r#"{"t":5}"#, Ok(r#"{"t":[5,"x"]}"#)),
        (r#"append(attributes["t"], "x", ["y", 1])"#, r#"{"t":[1]}"#, Ok(r#"{"t":[1,"x","y",1]}"#)),
        (r#"append(attributes["t"], nil)"#, r#"{"t":[1]}"#, Ok(r#"{"t":[1,null]}"#)),
        (r#"append(attributes["t"], [1, 2])"#, r#"{"t":[]}"#, Ok(r#"{"t":[[1,2]]}"#)),
        (r#"append(attributes["t"], values=[])"#, "{}", Ok(r#"{"t":[]}"#)),
        (
            r#"append(attributes["t"], 1)"#,
            r#"{"t":{"a":1}}"#,
            Err("append: expected a list or a scalar, found a map"),
        ),
        (r#"append(attributes["t"])"#, "{}", Err("load: one of `value` and `values` is required")),
    ]);
}
