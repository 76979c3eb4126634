use super::*;
use crate::ottl::function::entries::last_of_each;
use crate::ottl::function::tests::{list, map, text};

fn flat(value: Value<'static>, prefix: &str, depth: usize, resolves_conflicts: bool) -> String {
    let Value::Map(entries) = value else { panic!("{value:?} is no map") };
    let flattening = Flattening { prefix: prefix.into(), depth, resolves_conflicts };
    let flat = last_of_each(flattening.flatten(entries.into_vec()).unwrap());
    Value::from(flat).json().unwrap()
}

#[test]
fn nested_values_get_their_path_as_key() {
    let (int, all) = (Value::Int, usize::MAX);
    let nested = map([
        ("a", map([("b", int(1)), ("c", list([int(2), int(3)]))])),
        ("d", text("e")),
        ("x", map([])),
        ("y", list([])),
    ]);
    let deep = map([
        ("a", map([("b", map([("q", int(1))]))])),
        ("l", list([int(1), list([int(2)]), map([("z", int(3))])])),
    ]);
    for (value, prefix, depth, expect) in [
        (nested.clone(), "", all, r#"{"a.b":1,"a.c.0":2,"a.c.1":3,"d":"e"}"#),
        (nested, "p", all, r#"{"p.a.b":1,"p.a.c.0":2,"p.a.c.1":3,"p.d":"e"}"#),
        (deep.clone(), "", 1, r#"{"a.b":{"q":1},"l.0":1,"l.1":[2],"l.2":{"z":3}}"#),
        (deep, "", all, r#"{"a.b.q":1,"l.0":1,"l.1.0":2,"l.2.z":3}"#),
        (map([("a.b", int(2)), ("a", map([("b", int(1))]))]), "", all, r#"{"a.b":1}"#),
    ] {
        assert_eq!(flat(value, prefix, depth, false), expect);
    }
}

#[test]
fn conflicts_are_numbered() {
    let (int, all) = (Value::Int, usize::MAX);
    for (value, expect) in [
        (
            map([
                ("a", map([("b", int(1))])),
                ("a.b", int(2)),
                ("l", list([text("x"), text("y"), text("z")])),
            ]),
            r#"{"a.b":1,"a.b.0":2,"l":"x","l.0":"y","l.1":"z"}"#,
        ),
        (map([("k", list([int(1), int(2)])), ("k.0", int(3))]), r#"{"k":1,"k.0":2,"k.0.0":3}"#),
    ] {
        assert_eq!(flat(value, "", all, true), expect);
    }
}

#[test]
fn keys_that_explode_are_refused() {
    let long: &'static str = "k".repeat(1 << 20).leak();
    let many = list((0..20).map(Value::Int));
    let flattening = Flattening { prefix: "".into(), depth: usize::MAX, resolves_conflicts: false };
    let error = flattening.flatten(vec![(long.into(), many)]).unwrap_err();
    assert_eq!(error.to_string(), "the flat keys have more than 16 MiB");
}
