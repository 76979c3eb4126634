//! YAML as a tree.

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

enum Open {
    List(Vec<Value>),
    Map(Map<String, Value>, Option<String>),
}

/// Reads one document. All scalars are texts.
pub(super) fn parse(text: &str) -> Value {
    let mut open: Vec<Open> = Vec::new();
    let mut root = Value::Null;
    for part in Parser::new_from_str(text) {
        let (event, place) = part.expect("YAML");
        let complete = match event {
            Event::MappingStart(..) => {
                open.push(Open::Map(Map::new(), None));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::Scalar(text, ..) => Value::String(text.into_owned()),
            Event::MappingEnd | Event::SequenceEnd => match open.pop().expect("the start of the end") {
                Open::List(values) => Value::Array(values),
                Open::Map(entries, _) => Value::Object(entries),
            },
            // Aliases are not used.
            _ => continue,
        };
        match open.last_mut() {
            None => root = complete,
            Some(Open::List(values)) => values.push(complete),
            Some(Open::Map(entries, key)) => match key.take() {
                None => *key = Some(complete.as_str().expect("a key is a text").to_owned()),
                Some(name) => {
                    assert!(!entries.contains_key(&name), "{name} twice at {place:?}");
                    entries.insert(name, complete);
                }
            },
        }
    }
    root
}
