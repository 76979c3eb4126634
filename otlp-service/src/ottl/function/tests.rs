//! Calls of converters with constant arguments, as in the examples of the Collector's documentation.

mod page;

use super::*;
use crate::ottl::expression::Expression;
use std::borrow::Cow;

/// 2026-11-30T08:55:16Z
pub(super) const NOW: i64 = 1_796_028_916_000_000_000;

/// Calls a converter with constants, in the order of its parameters.
pub(super) fn call(name: &str, arguments: &[Value<'static>]) -> Result<Value<'static>, String> {
    let function = function(name).unwrap_or_else(|| panic!("no function {name}"));
    let given = function.parameters.iter().zip(arguments).map(|(parameter, value)| {
        if parameter.is_optional && value.is_nil() {
            return None;
        }
        Some(match (parameter.kind, value.clone()) {
            (Kind::Elements | Kind::LiteralTexts, Value::List(list)) => {
                Argument::Elements(list.into_vec().into_iter().map(Expression::Literal).collect())
            }
            (_, value) => Argument::Expression(Expression::Literal(value)),
        })
    });
    let mut given: Vec<_> = given.collect();
    given.resize_with(function.parameters.len(), || None);
    let Build::Converter(build) = function.build else { panic!("{name} is an editor") };
    let call = build(&mut Arguments::new(given)).map_err(|error| format!("load: {}", error.problem))?;
    let env = Environment::new(None, NOW);
    call.call(&env).map(owned).map_err(|error| error.to_string())
}

/// Copies a value.
pub(super) fn owned(value: Value<'_>) -> Value<'static> {
    match value {
        Value::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
        Value::List(list) => Value::from(list.into_vec().into_iter().map(owned).collect::<Vec<_>>()),
        Value::Map(map) => {
            let entries = map.into_vec().into_iter();
            Value::from(
                entries.map(|(key, value)| (Cow::Owned(key.into_owned()), owned(value))).collect::<Vec<_>>(),
            )
        }
        Value::Text(text) => Value::text(text.into_owned()),
        Value::Nil => Value::Nil,
        Value::Bool(value) => Value::Bool(value),
        Value::Double(value) => Value::Double(value),
        Value::Duration(value) => Value::Duration(value),
        Value::Int(value) => Value::Int(value),
        Value::Messages(_) => panic!("messages are of an environment"),
        Value::ProfileId(id) => Value::ProfileId(id),
        Value::SpanId(id) => Value::SpanId(id),
        Value::Time(time) => Value::Time(time),
        Value::TraceId(id) => Value::TraceId(id),
    }
}

pub(super) fn text(text: &'static str) -> Value<'static> {
    Value::text(text)
}

pub(super) fn texts(texts: &[&'static str]) -> Value<'static> {
    list(texts.iter().map(|text| Value::text(*text)))
}

pub(super) fn list(values: impl IntoIterator<Item = Value<'static>>) -> Value<'static> {
    Value::from(values.into_iter().collect::<Vec<_>>())
}

pub(super) fn map(entries: impl IntoIterator<Item = (&'static str, Value<'static>)>) -> Value<'static> {
    Value::from(entries.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect::<Vec<_>>())
}

/// Checks calls: the name, the arguments, and the result as `Debug` shows it, or the error.
pub(super) fn check(
    cases: impl IntoIterator<Item = (&'static str, Vec<Value<'static>>, Result<Value<'static>, &'static str>)>,
) {
    for (name, arguments, expect) in cases {
        let found = call(name, &arguments);
        let expect = expect.map_err(str::to_owned);
        assert_eq!(format!("{found:?}"), format!("{expect:?}"), "{name} {arguments:?}");
    }
}

#[test]
fn names_are_unique_and_tell_converters_from_editors() {
    let mut names: Vec<_> = functions().map(|function| function.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for function in functions() {
        assert_eq!(function.name.starts_with(|char: char| char.is_ascii_lowercase()), function.is_editor());
        let required = function.parameters.iter().rposition(|parameter| !parameter.is_optional);
        let optional = function.parameters.iter().position(|parameter| parameter.is_optional);
        assert!(optional.is_none_or(|optional| required.is_none_or(|required| required < optional)));
    }
}

/// Values at the edges of their types.
fn samples() -> Vec<Value<'static>> {
    vec![
        Value::Nil,
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::Int(-1),
        Value::Int(3),
        Value::Double(f64::NAN),
        Value::Double(-1e300),
        text(""),
        text("\u{e9},a=1 \"b\"\\"),
        text("(?P<a>.)%s[{"),
        Value::Bytes(Cow::Borrowed(&[0xff, 0])),
        Value::Duration(i64::MIN),
        Value::utc(i64::MIN),
        Value::utc(i64::MAX),
        list([Value::Nil, Value::Double(f64::NAN), text("x"), map([("k", list([]))])]),
        map([("", Value::Nil), ("a.b", map([("a", list([Value::Int(1)]))]))]),
        Value::SpanId([1; 8]),
    ]
}

#[test]
fn converters_take_any_value_without_a_panic() {
    let samples = samples();
    let mut count = 0;
    for function in functions().filter(|function| !function.is_editor()) {
        let of_kind = |kind: Kind| match kind {
            Kind::Word(words) => words.iter().map(|word| text(word)).collect(),
            Kind::LiteralInt => vec![Value::Int(i64::MAX)],
            Kind::LiteralBool => vec![Value::Bool(true)],
            Kind::LiteralDouble => vec![Value::Double(50.0)],
            Kind::LiteralTexts => vec![texts(&[]), texts(&["k", "::/0"])],
            Kind::LiteralText => vec![text(""), text("%s"), text("%Y %z.%f"), text("\u{e9}"), text("base64")],
            _ => samples.clone(),
        };
        let given: Vec<Vec<Value<'static>>> = function.parameters.iter().map(|it| of_kind(it.kind)).collect();
        let most = given.iter().map(Vec::len).max().unwrap_or(1);
        // Each pair of values of the first two parameters, with further values in turn.
        for (first, second) in (0..most).flat_map(|first| (0..most).map(move |second| (first, second))) {
            let place = |index| if index == 0 { first } else { second + index };
            let arguments: Vec<_> = given
                .iter()
                .enumerate()
                .map(|(index, values)| values[place(index) % values.len()].clone())
                .collect();
            count += usize::from(call(function.name, &arguments).is_ok());
        }
    }
    assert!(count > 1_000, "{count} calls gave a value");
}
