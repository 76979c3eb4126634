//! The JSON Schema of `otlp config schema` takes every configuration that these tests load, and refuses what is misspelt.

use super::*;
use crate::commands::config::schema::schema as made;
use crate::config::node::{Resolved, Value as Content};
use parking_lot::Mutex;
use regex::Regex;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// Asserts that the schema takes a file.
pub(super) fn accepts(text: &str) {
    assert_eq!(refusals(text), "", "the schema refuses\n{text}");
}

/// The places at which the schema refuses a file.
pub(super) fn refusals(text: &str) -> String {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| made(&shipped()));
    let mut sources = Sources::default();
    let source = sources.add("c.yaml", text);
    let mut node = parse::parse(text, source).unwrap_or_else(|_| panic!("YAML:\n{text}"));
    merge::unfold(&mut node);
    let mut wrong = Vec::new();
    check(&SCHEMA, &SCHEMA, &json_of(&node), "", &mut wrong);
    wrong.join("\n")
}

/// The value that an editor checks.
fn json_of(node: &Node) -> Value {
    match &node.value {
        Content::List(nodes) => nodes.iter().map(json_of).collect(),
        Content::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), json_of(&entry.value)))
            .collect::<Map<_, _>>()
            .into(),
        Content::Scalar(scalar) => match scalar.resolve() {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => value.into(),
            Resolved::Int(value) => value.into(),
            Resolved::Float(value) => value.into(),
            Resolved::Text(text) => text.into(),
        },
    }
}

/// Checks a value against the keywords that the schema uses; panics at others.
fn check(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let keywords = schema.as_object().expect("a schema is an object");
    let holds = keywords.iter().all(|(keyword, given)| match (keyword.as_str(), value) {
        ("type", _) => of_type(given, value),
        ("enum", _) => given.as_array().expect("values").contains(value),
        ("pattern", Value::String(text)) => matches(given.as_str().expect("a pattern"), text),
        ("anyOf", _) => given.as_array().expect("schemas").iter().any(|given| {
            let mut wrong = Vec::new();
            check(root, given, value, at, &mut wrong);
            wrong.is_empty()
        }),
        ("items", Value::Array(elements)) => {
            elements.iter().for_each(|element| check(root, given, element, at, wrong));
            true
        }
        ("$schema" | "title" | "description" | "definitions" | "pattern" | "items", _) => true,
        // Below.
        ("$ref" | "properties" | "patternProperties" | "additionalProperties", _) => true,
        (keyword, _) => panic!("the keyword {keyword}"),
    });
    if !holds {
        wrong.push(format!("{at}: {value}"));
    }
    if let Some(definition) = keywords.get("$ref").and_then(Value::as_str) {
        let definition = root.pointer(&definition[1..]).expect("a definition");
        check(root, definition, value, at, wrong);
    }
    for (key, below) in value.as_object().into_iter().flatten() {
        let known = keywords.get("properties").and_then(|properties| properties.get(key));
        let of_pattern = || {
            let patterns = keywords.get("patternProperties")?.as_object()?;
            patterns.iter().find(|(pattern, _)| matches(pattern, key)).map(|(_, schema)| schema)
        };
        let at = format!("{at}.{key}");
        match known.or_else(of_pattern).or_else(|| keywords.get("additionalProperties")) {
            Some(Value::Bool(false)) => wrong.push(format!("{at}: unknown key")),
            Some(schema) => check(root, schema, below, &at, wrong),
            None => {}
        }
    }
}

fn of_type(given: &Value, value: &Value) -> bool {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
    let names = given.as_array().cloned().unwrap_or_else(|| vec![given.clone()]);
    names.iter().any(|known| known == name || (known == "integer" && is_whole))
}

fn matches(pattern: &str, text: &str) -> bool {
    static COMPILED: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock();
    let compiled = compiled.entry(pattern.into()).or_insert_with(|| Regex::new(pattern).expect("a pattern"));
    compiled.is_match(text)
}

#[test]
fn keys_have_types_and_descriptions() {
    let schema = made(&shipped());
    let batch = &schema["definitions"]["processor.batch"]["properties"];
    assert_eq!(batch["send_batch_size"]["type"][0], "integer");
    assert!(batch["timeout"]["description"].as_str().is_some_and(|text| text.contains("200 ms")), "{batch}");
    // The keys of the Collector that have no effect.
    let receiver = &schema["definitions"]["receiver.otlp"]["properties"]["protocols"]["properties"]["grpc"];
    let buffer = &receiver["properties"]["read_buffer_size"]["description"];
    assert!(buffer.as_str().is_some_and(|text| text.starts_with("Ignored: ")), "{receiver}");
    // Words can be completed, and are taken in any case.
    let debug = &schema["definitions"]["exporter.debug"]["properties"]["verbosity"]["anyOf"];
    assert_eq!(debug[0]["enum"], json!(["basic", "normal", "detailed"]));
}

#[test]
fn wrong_values_are_refused() {
    for (wrong, at) in [
        ("receivers: {otlb: }", ".receivers.otlb"),
        ("processors: {batch: {send_batch_size: many}}", ".processors.batch.send_batch_size"),
        ("processors: {batch: {send_batch_size: 1.5}}", ".processors.batch.send_batch_size"),
        ("processors: {batch: [1]}", ".processors.batch"),
        ("exporters: {debug: {verbosity: loud}}", ".exporters.debug.verbosity"),
        ("exporters: {otlp: {tls: {insecure: 'maybe'}}}", ".exporters.otlp.tls.insecure"),
        ("service: {pipelines: {spans: {receivers: [otlp]}}}", ".service.pipelines.spans"),
        ("service: {pipelines: {traces: {receiver: [otlp]}}}", ".service.pipelines.traces.receiver"),
        ("extension: {}", ".extension"),
    ] {
        let refused = refusals(wrong);
        assert!(refused.starts_with(&format!("{at}: ")), "{wrong}: {refused}");
    }
}
