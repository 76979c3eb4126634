//! `otlp config schema`: a JSON Schema of configuration files, for editors.
//!
//! The schema accepts every file that `otlp validate` accepts, and more: a schema cannot check, for example, that a pipeline's
//! components are defined. A file may be a part of a configuration, so nothing is required.

mod descriptions;
mod probe;
mod shape;

use crate::config::telemetry::{self, TELEMETRY_RULES};
use descriptions::Descriptions;
use otlp_protocol::Signal;
use otlp_service::{Build, ComponentType, Kind, PluginManager, RuleKind};
use probe::shape_of;
use serde_json::{Map, Value, json};
use shape::{Property, Shape};

/// Makes the schema of configurations with the components of `plugins`.
pub(crate) fn schema(plugins: &PluginManager) -> Value {
    let mut properties = Map::new();
    let mut definitions = Map::new();
    for kind in Kind::ALL {
        let mut components = Map::new();
        for component in plugins.of(kind) {
            let definition = format!("{}.{}", kind.name(), component.name);
            let reference = json!({ "$ref": format!("#/definitions/{definition}") });
            definitions.insert(definition, settings(component, kind));
            components.insert(ids(component), reference);
        }
        let about = format!("The {} that pipelines can use, by id: type or type/name.", kind.section());
        properties.insert(kind.section().into(), by_id(components, &about));
    }
    properties.insert("service".into(), service());
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Configuration of the OpenTelemetry gateway otlp",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "definitions": definitions,
    })
}

/// The schema of a component's settings.
fn settings(component: &ComponentType, kind: Kind) -> Value {
    let mut shape = match &component.build {
        Build::Receiver(decode) => shape_of(&|settings| drop(decode(settings))),
        Build::Processor(decode) => shape_of(&|settings| drop(decode(settings))),
        Build::Connector(decode) => shape_of(&|settings| drop(decode(settings))),
        Build::Exporter(decode) => shape_of(&|settings| drop(decode(settings))),
        Build::Extension(decode) => shape_of(&|settings| drop(decode(settings))),
    };
    component.rules.iter().for_each(|rules| shape.apply(rules));
    let descriptions = Descriptions::of(&format!("{}: {}", kind.section(), component.name));
    let mut schema = value(&shape, &descriptions, "");
    let old_name =
        component.rules.iter().copied().flatten().find(|rule| matches!(rule.kind, RuleKind::OldName));
    let about = match old_name {
        Some(rule) => format!("An old name: it is called `{}` now.", rule.reason),
        None => format!("Component that {}.", component.about),
    };
    describe(&mut schema, &about);
    schema
}

/// The section `service`.
fn service() -> Value {
    let mut telemetry_shape = shape_of(&telemetry::probe);
    telemetry_shape.apply(TELEMETRY_RULES);
    let mut telemetry = value(&telemetry_shape, &Descriptions::of("service: telemetry"), "");
    describe(&mut telemetry, "Own metrics, logs and traces of the gateway.");
    let ids = value(&Shape::List(Box::new(Shape::Text)), &Descriptions::default(), "");
    let pipeline = json!({
        "type": ["object", "string"],
        "pattern": REFERENCE,
        "properties": { "receivers": ids, "processors": ids, "exporters": ids },
        "additionalProperties": false,
    });
    let signals = Signal::ALL.map(|signal| signal.name).join("|");
    let pipelines = Map::from_iter([(format!("^({signals})(/.*)?$"), pipeline)]);
    json!({
        "type": ["object", "string", "null"],
        "pattern": REFERENCE,
        "properties": {
            "extensions": ids,
            "pipelines": by_id(pipelines, "The ways of telemetry through the gateway, by id: signal or signal/name."),
            "telemetry": telemetry,
        },
        "additionalProperties": false,
    })
}

/// A map by ids that match the patterns of `values`.
fn by_id(values: Map<String, Value>, about: &str) -> Value {
    json!({
        "description": about,
        "type": ["object", "string", "null"],
        "pattern": REFERENCE,
        "patternProperties": values,
        "additionalProperties": false,
    })
}

/// The ids of components of a type, as a regular expression.
fn ids(ComponentType { name, aliases, .. }: &ComponentType) -> String {
    let names: Vec<_> = std::iter::once(name).chain(aliases).map(|name| literal(name)).collect();
    format!("^({})(/.*)?$", names.join("|"))
}

/// The schema of a value.
fn value(shape: &Shape, descriptions: &Descriptions, path: &str) -> Value {
    match shape {
        Shape::Any => json!({}),
        Shape::Bool => json!({ "type": ["boolean", "string", "null"], "pattern": REFERENCE }),
        Shape::Integer => json!({ "type": ["integer", "string", "null"], "pattern": NUMBER }),
        Shape::Number => json!({ "type": ["number", "string", "null"], "pattern": NUMBER }),
        Shape::Text => json!({ "type": ["string", "number", "boolean", "null"] }),
        Shape::Words(words) => json!({ "anyOf": [
            { "enum": words },
            { "type": "string", "pattern": words_in_any_case(words) },
            { "enum": others(words) },
        ] }),
        Shape::List(element) => json!({
            "type": ["array", "string", "number", "boolean", "null"],
            "pattern": ONE_ELEMENT,
            "items": value(element, descriptions, path),
        }),
        Shape::Map(element) => json!({
            "type": ["object", "string", "null"],
            "pattern": REFERENCE,
            "additionalProperties": value(element, descriptions, path),
        }),
        Shape::Struct(properties) => {
            let (mut known, mut patterns) = (Map::new(), Map::new());
            for (key, property) in properties {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let schema = of_property(property, descriptions, &path);
                if property.any_case {
                    patterns.insert(format!("^{}$", in_any_case(key)), schema);
                } else {
                    known.insert(key.clone(), schema);
                }
            }
            json!({
                "type": ["object", "string", "null"],
                "pattern": REFERENCE,
                "properties": known,
                "patternProperties": patterns,
                "additionalProperties": false,
            })
        }
    }
}

fn of_property(property: &Property, descriptions: &Descriptions, path: &str) -> Value {
    let mut schema = value(&property.shape, descriptions, path);
    if let Some(about) = property.note.as_deref().or_else(|| descriptions.get(path)) {
        describe(&mut schema, about);
    }
    schema
}

fn describe(schema: &mut Value, about: &str) {
    if let Value::Object(schema) = schema {
        schema.insert("description".into(), about.into());
    }
}

/// The words, and references, as a regular expression.
fn words_in_any_case(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| in_any_case(word)).collect();
    format!("^({})$|{REFERENCE}", words.join("|"))
}

/// Values that stand for words: null, and numbers such as `1.2` that need no quotes.
fn others(words: &[String]) -> Vec<Value> {
    let numbers = words.iter().filter_map(|word| word.parse::<f64>().ok());
    std::iter::once(Value::Null).chain(numbers.map(Value::from)).collect()
}

/// A text in upper or lower case, as a regular expression of JSON Schema, which has no flags.
fn in_any_case(text: &str) -> String {
    text.chars()
        .map(|char| match (char.to_ascii_uppercase(), char.to_ascii_lowercase()) {
            (upper, lower) if upper != lower => format!("[{upper}{lower}]"),
            _ => literal(char.encode_utf8(&mut [0; 4])),
        })
        .collect()
}

/// A text as a regular expression.
fn literal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if !char.is_alphanumeric() && !matches!(char, '_' | '-') {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

/// A reference, such as `${env:NAME}`, in place of any value; or the empty text, which is as if the key were not there.
const REFERENCE: &str = r"\$|^$";
/// A number in quotes, or a reference.
const NUMBER: &str = r"^[-+]?\.?[0-9].*$|\$|^$";
/// A text without a comma, which is a list of one element, or a reference.
const ONE_ELEMENT: &str = r"^[^,]*$|\$";
